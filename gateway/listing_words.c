/*
 * Words of listings (see listing_words.h). Runs in the gateway, on a client's line.
 */
#include "gateway/listing_words.h"

#include <errno.h>

static const struct option {
	char letter;
	uint32_t added, removed;
} show_options[] = {
#define LISTING_SHOW(letter, added, removed, doc) { letter, added, removed },
#include "gateway/listing_options.def"
};

/* ---- options ---- */

static void
take_letter(struct listing_words *words, char letter)
{
	for (size_t i = 0; i < ARRAY_LENGTH(show_options); i++)
		if (show_options[i].letter == letter)
			words->show =
				(words->show | show_options[i].added) & ~show_options[i].removed;
	switch (letter) {
#define LISTING_ORDER(letter, ORDER, doc)            \
	case letter:                                 \
		words->order = PATHIO_ORDER_##ORDER; \
		break;
#define LISTING_STYLE(letter, STYLE, doc)            \
	case letter:                                 \
		words->style = PATHIO_STYLE_##STYLE; \
		break;
#define LISTING_ITSELF(letter, doc)      \
	case letter:                     \
		words->is_itself = true; \
		break;
#include "gateway/listing_options.def"
	default:
		break;
	}
}

static struct bytes
skip_blanks(struct bytes text)
{
	while (text.length > 0 && text.data[0] == ' ')
		text = bytes_after(text, 1);
	return text;
}

static size_t
length_up_to(struct bytes text, char end)
{
	const char *found = text.length == 0 ? NULL : memchr(text.data, end, text.length);
	return found == NULL ? text.length : (size_t)(found - text.data);
}

static bool
is_option(struct bytes word)
{
	return word.length > 1 && word.data[0] == '-' && word.data[1] != '-';
}

/* What follows a word may be a path, whose blanks are its own: one blank goes with the word. */
static struct bytes
take_options(struct listing_words *words, struct bytes argument)
{
	struct bytes rest = argument;
	for (;;) {
		struct bytes next = skip_blanks(rest);
		struct bytes word = bytes_of(next.data, length_up_to(next, ' '));
		bool is_end = bytes_equal_text(word, "--");
		if (!is_end && !is_option(word))
			return rest;
		for (size_t i = 1; i < word.length; i++)
			take_letter(words, word.data[i]);
		rest = bytes_after(next, word.length < next.length ? word.length + 1 : word.length);
		if (is_end)
			return rest;
	}
}

/* ---- patterns ---- */

/* A `[` without its `]` stands for itself, and may be the second byte of a character. */
static bool
is_pattern(struct bytes name)
{
	for (; name.length > 0; name = bytes_after(name, 1)) {
		char byte = name.data[0];
		if (byte == '*' || byte == '?' ||
			(byte == '[' && length_up_to(name, ']') < name.length))
			return true;
	}
	return false;
}

static void
split_path(struct listing_words *words)
{
	struct bytes path = words->path;
	words->folder = path;
	words->pattern = words->below = bytes_of("", 0);
	for (size_t at = 0; at < path.length;) {
		struct bytes name =
			bytes_of(path.data + at, length_up_to(bytes_after(path, at), '/'));
		size_t end = at + name.length;
		if (is_pattern(name)) {
			words->folder = bytes_of(path.data, at);
			words->pattern = name;
			words->below = bytes_after(path, end < path.length ? end + 1 : end);
			return;
		}
		at = end + 1;
	}
}

struct listing_words
listing_parse(struct bytes argument, enum pathio_style style)
{
	struct listing_words words = { .order = PATHIO_ORDER_NAME, .style = style };
	words.path = take_options(&words, argument);
	split_path(&words);
	return words;
}

int
listing_check(const struct listing_words *words)
{
	struct bytes rest = words->below;
	size_t levels = 0;
	while (rest.length > 0) {
		struct bytes name = bytes_of(rest.data, length_up_to(rest, '/'));
		if (bytes_equal_text(name, ".") || bytes_equal_text(name, ".."))
			return -EINVAL;
		if (name.length > NAME_BYTES_MAX)
			return -ENAMETOOLONG;
		if (name.length > 0 && ++levels > PATHIO_PATTERN_LEVELS_MAX)
			return -E2BIG;
		rest = bytes_after(rest, name.length < rest.length ? name.length + 1 : name.length);
	}
	return words->pattern.length > NAME_BYTES_MAX ? -ENAMETOOLONG : 0;
}
