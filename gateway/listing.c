/*
 * Commands that list folders over a data connection: LIST NLST MLSD (RFC 959 4.1.3, RFC 3659 7).
 * Run in the gateway, which reads the words; the worker finds, matches and prints.
 */
#include "gateway/listing.h"

#include "gateway/command.h"
#include "gateway/session.h"
#include "gateway/transfer.h"

/* ---- words ---- */

static struct bytes
skip(struct bytes text, size_t count)
{
	return bytes_of(text.data + count, text.length - count);
}

static struct bytes
skip_blanks(struct bytes text)
{
	while (text.length > 0 && text.data[0] == ' ')
		text = skip(text, 1);
	return text;
}

static size_t
word_length(struct bytes text)
{
	const char *blank = memchr(text.data, ' ', text.length);
	return blank == NULL ? text.length : (size_t)(blank - text.data);
}

static bool
has_hidden_option(struct bytes word)
{
	return memchr(word.data, 'a', word.length) != NULL ||
	       memchr(word.data, 'A', word.length) != NULL;
}

/* A word with the blank after it; what follows may be a path, whose blanks are its own. */
static struct bytes
skip_word(struct bytes text, size_t length)
{
	return skip(text, length < text.length ? length + 1 : length);
}

static void
split_pattern(struct listing_words *words)
{
	struct bytes path = words->path;
	const char *slash = path.length == 0 ? NULL : memrchr(path.data, '/', path.length);
	size_t folder = slash == NULL ? 0 : (size_t)(slash - path.data) + 1;
	struct bytes name = skip(path, folder);
	words->folder = path;
	words->pattern = bytes_of("", 0);
	for (size_t i = 0; i < name.length; i++) {
		if (memchr("*?[", name.data[i], 3) == NULL)
			continue;
		words->folder = bytes_of(path.data, folder);
		words->pattern = name;
		return;
	}
}

struct listing_words
listing_parse(struct bytes argument)
{
	struct listing_words words = { .is_hidden = false };
	struct bytes rest = argument;
	while (skip_blanks(rest).length > 1 && skip_blanks(rest).data[0] == '-') {
		rest = skip_blanks(rest);
		size_t length = word_length(rest);
		struct bytes word = bytes_of(rest.data, length);
		rest = skip_word(rest, length);
		if (bytes_equal_text(word, "--"))
			break;
		words.is_hidden = words.is_hidden || has_hidden_option(word);
	}
	words.path = rest;
	split_pattern(&words);
	return words;
}

/* ---- commands ---- */

static void
list(struct session *session, struct bytes folder, struct transfer_order order)
{
	struct path path;
	if (!session_resolve(session, FAILURE_GENERAL, folder, &path))
		return;
	order.kind = TRANSFER_LISTING;
	order.path = path_bytes(&path);
	order.form = PATHIO_FORM_ASCII;
	transfer_start(session, &order);
}

void
listing_list(struct session *session, struct bytes argument)
{
	struct listing_words words = listing_parse(argument);
	struct transfer_order order = {
		.listing = { .style = PATHIO_STYLE_LIST, .is_hidden = words.is_hidden },
		.pattern = words.pattern,
		.is_of_files_also = words.pattern.length == 0,
	};
	list(session, words.folder, order);
}

void
listing_mlsd(struct session *session, struct bytes argument)
{
	struct transfer_order order = {
		.listing = { .style = PATHIO_STYLE_FACTS, .is_hidden = true },
	};
	list(session, argument, order);
}

/*
 * The names of another folder are useless without it: they come with the words that the client used
 * for it. Of a path without a pattern only the worker knows whether it is a folder.
 */
void
listing_nlst(struct session *session, struct bytes argument)
{
	struct listing_words words = listing_parse(argument);
	struct bytes path = words.path;
	const char *slash = path.length == 0 ? NULL : memrchr(path.data, '/', path.length);
	char prefix[LINE_BYTES_MAX + 1];
	size_t length = words.folder.length;
	memcpy(prefix, words.folder.data, length);
	if (length > 0 && prefix[length - 1] != '/')
		prefix[length++] = '/';
	bool has_pattern = words.pattern.length > 0;
	struct transfer_order order = {
		.listing = {
			.style = PATHIO_STYLE_NAMES,
			.is_hidden = words.is_hidden,
			.prefix = bytes_of(prefix, length),
			.is_by_type = length > 0 && !has_pattern,
			.file_prefix_bytes = slash == NULL ? 0 : (size_t)(slash - path.data) + 1,
		},
		.pattern = words.pattern,
		.is_of_files_also = !has_pattern,
	};
	list(session, words.folder, order);
}
