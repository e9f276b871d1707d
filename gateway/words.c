/*
 * Words (see words.h). Runs in the gateway; the argument is the client's.
 */
#include "gateway/words.h"

#include <errno.h>
#include <strings.h>

static struct bytes
skip_blanks(struct bytes text)
{
	while (text.length > 0 && text.data[0] == ' ')
		text = bytes_after(text, 1);
	return text;
}

void
words_begin(struct words *words, struct bytes argument)
{
	words->rest = skip_blanks(argument);
	words->used = 0;
}

static void
take_plain(struct words *words, struct bytes *word)
{
	const char *blank = memchr(words->rest.data, ' ', words->rest.length);
	size_t length = blank == NULL ? words->rest.length : (size_t)(blank - words->rest.data);
	*word = bytes_of(words->rest.data, length);
	words->rest = skip_blanks(bytes_after(words->rest, length));
}

/* Never longer than what it was made from, so that an argument's words have room in a line. */
static int
take_quoted(struct words *words, struct bytes *word)
{
	struct bytes rest = bytes_after(words->rest, 1);
	char *start = words->room + words->used;
	size_t length = 0;
	bool is_closed = false;
	while (rest.length > 0 && !is_closed) {
		bool is_quote = rest.data[0] == '"';
		bool is_doubled = is_quote && rest.length > 1 && rest.data[1] == '"';
		is_closed = is_quote && !is_doubled;
		if (!is_closed)
			start[length++] = rest.data[0];
		rest = bytes_after(rest, is_doubled ? 2 : 1);
	}
	if (!is_closed || (rest.length > 0 && rest.data[0] != ' '))
		return -EINVAL;
	words->used += length;
	words->rest = skip_blanks(rest);
	*word = bytes_of(start, length);
	return 1;
}

int
words_next(struct words *words, struct bytes *word)
{
	if (words->rest.length == 0)
		return 0;
	if (words->rest.data[0] == '"')
		return take_quoted(words, word);
	take_plain(words, word);
	return 1;
}

bool
words_are_equal(struct bytes word, const char *text)
{
	return word.length == strlen(text) && strncasecmp(word.data, text, word.length) == 0;
}

bool
words_take_last(struct bytes *text, struct bytes *word)
{
	const char *blank = text->length == 0 ? NULL : memrchr(text->data, ' ', text->length);
	if (blank == NULL)
		return false;
	size_t before = (size_t)(blank - text->data);
	*word = bytes_after(*text, before + 1);
	while (before > 0 && text->data[before - 1] == ' ')
		before--;
	text->length = before;
	return word->length > 0 && before > 0;
}
