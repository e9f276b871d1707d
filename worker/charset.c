/*
 * Other character sets (see charset.h). Runs in the worker, as the user: opened before the cage
 * closes, used on the loop and on threads of the pool, hence the lock. Names are anything.
 */
#include "worker/charset.h"

#include "policy/rules/value.h"

#include <errno.h>
#include <iconv.h>
#include <pthread.h>
#include <stdlib.h>

enum {
	CHARACTER_BYTES_MAX = 4, /* in UTF-8, and in any other of choices.def */
	ESCAPE_BYTES = 3,
};

struct charset {
	pthread_mutex_t lock;
	iconv_t to_utf8;
	iconv_t from_utf8;
};

/* What iconv_open(3) answers where it fails. */
static bool
is_none(iconv_t converter)
{
	return (intptr_t)converter == -1;
}

/* ---- life ---- */

void
charset_free(struct charset **charset)
{
	struct charset *freed = *charset;
	*charset = NULL;
	if (freed == NULL)
		return;
	if (!is_none(freed->to_utf8))
		iconv_close(freed->to_utf8);
	if (!is_none(freed->from_utf8))
		iconv_close(freed->from_utf8);
	pthread_mutex_destroy(&freed->lock);
	free(freed);
}

int
charset_open(const char *name, struct charset **result)
{
	struct charset *charset = malloc(sizeof(*charset));
	if (charset == NULL)
		return -ENOMEM;
	*charset = (struct charset){
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.to_utf8 = iconv_open("UTF-8", name),
		.from_utf8 = iconv_open(name, "UTF-8"),
	};
	if (is_none(charset->to_utf8) || is_none(charset->from_utf8)) {
		int error = -errno;
		charset_free(&charset);
		return error;
	}
	*result = charset;
	return 0;
}

/* ---- one character ---- */

/* A character and what iconv made of it. */
struct character {
	size_t length;
	char bytes[2 * CHARACTER_BYTES_MAX];
};

/* Converts the bytes as one whole character: 0; -EINVAL: more bytes are needed; -EILSEQ. */
static int
convert(iconv_t conversion, const char *bytes, size_t length, struct character *result)
{
	char copy[CHARACTER_BYTES_MAX];
	char *from = copy, *to = result->bytes;
	size_t from_left = length, to_left = sizeof(result->bytes);
	memcpy(copy, bytes, length);
	iconv(conversion, NULL, NULL, NULL, NULL);
	size_t lossy = iconv(conversion, &from, &from_left, &to, &to_left);
	if (lossy == (size_t)-1)
		return errno == EINVAL ? -EINVAL : -EILSEQ;
	result->length = sizeof(result->bytes) - to_left;
	/* A character of ASCII is itself, and nothing else is: slashes and dots must stay. */
	bool is_other = result->length > 0 && (result->bytes[0] & 0x80) != 0;
	return lossy == 0 && from_left == 0 && is_other ? 0 : -EILSEQ;
}

/* ---- escapes ---- */

static int
hex_digit(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

/* The byte that an escape at the beginning of the text stands for, or -1. */
static int
read_escape(struct bytes text)
{
	if (text.length < ESCAPE_BYTES || text.data[0] != '=')
		return -1;
	int high = hex_digit(text.data[1]), low = hex_digit(text.data[2]);
	if (high < 0 || low < 0)
		return -1;
	int byte = high * 16 + low;
	return byte >= 0x80 || byte == '=' ? byte : -1;
}

static char *
put_escape(char *at, char byte)
{
	static const char digits[] = "0123456789ABCDEF";
	*at++ = '=';
	*at++ = digits[(unsigned char)byte >> 4];
	*at++ = digits[(unsigned char)byte & 0xf];
	return at;
}

/* ---- reading ---- */

static bool
is_ascii(char byte)
{
	return (byte & 0x80) == 0;
}

/* The first character of the text as stored; the bytes that it takes, or -EILSEQ. */
static int
read_character(struct charset *charset, struct bytes text, struct character *result)
{
	int error = -EINVAL;
	for (size_t length = 1; error == -EINVAL && length <= CHARACTER_BYTES_MAX; length++) {
		if (length > text.length)
			return -EILSEQ;
		error = convert(charset->to_utf8, text.data, length, result);
		if (error == 0)
			return (int)length;
	}
	return -EILSEQ;
}

/* The same of whatever stands there. */
static int
read_next(struct charset *charset, struct bytes text, struct character *result)
{
	int escaped = read_escape(text);
	if (escaped < 0 && !is_ascii(text.data[0]))
		return read_character(charset, text, result);
	result->length = 1;
	result->bytes[0] = text.data[0];
	if (escaped >= 0)
		result->bytes[0] = (char)escaped;
	return escaped >= 0 ? ESCAPE_BYTES : 1;
}

static int
read_all(struct charset *charset, struct bytes written, char *stored, size_t capacity)
{
	size_t length = 0;
	struct character next;
	while (written.length > 0) {
		int taken = read_next(charset, written, &next);
		if (taken < 0)
			return taken;
		if (next.length > capacity - length)
			return -ENAMETOOLONG;
		memcpy(stored + length, next.bytes, next.length);
		length += next.length;
		written = bytes_after(written, (size_t)taken);
	}
	return (int)length;
}

int
charset_read(struct charset *charset, struct bytes written, char *stored, size_t capacity)
{
	pthread_mutex_lock(&charset->lock);
	int length = read_all(charset, written, stored, capacity);
	pthread_mutex_unlock(&charset->lock);
	return length;
}

/* ---- writing ---- */

/* Bytes of the UTF-8 character at the beginning of the text, which is more than ASCII; 0: none. */
static size_t
character_length(struct bytes text)
{
	unsigned char lead = (unsigned char)text.data[0];
	size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	bool is_whole = length <= text.length;
	/* Not the control characters of ISO 6429 either: a terminal could obey them. */
	return is_whole && value_is_clean_text(bytes_of(text.data, length)) ? length : 0;
}

/* Can it be written, and is what is written read as the same? */
static bool
write_character(struct charset *charset, const char *bytes, size_t length, struct character *result)
{
	struct character back;
	return convert(charset->from_utf8, bytes, length, result) == 0 &&
	       result->length <= CHARACTER_BYTES_MAX &&
	       convert(charset->to_utf8, result->bytes, result->length, &back) == 0 &&
	       bytes_equal(bytes_of(back.bytes, back.length), bytes_of(bytes, length));
}

/* Writes what the text begins with, and takes it from the text. */
static char *
write_next(struct charset *charset, struct bytes *text, char *at)
{
	struct character written;
	size_t length = is_ascii(text->data[0]) ? 1 : character_length(*text);
	const char *bytes = text->data;
	bool is_escape = read_escape(*text) >= 0;
	text->data += length == 0 ? 1 : length;
	text->length -= length == 0 ? 1 : length;
	if (is_ascii(bytes[0]) && !is_escape) {
		*at++ = bytes[0];
	} else if (length > 1 && write_character(charset, bytes, length, &written)) {
		memcpy(at, written.bytes, written.length);
		at += written.length;
	} else {
		at = put_escape(at, bytes[0]);
		for (size_t i = 1; i < length; i++)
			at = put_escape(at, bytes[i]);
	}
	return at;
}

char *
charset_write(struct charset *charset, struct bytes stored, char *at)
{
	if (charset == NULL)
		return stored.length == 0 ? at : mempcpy(at, stored.data, stored.length);
	pthread_mutex_lock(&charset->lock);
	while (stored.length > 0)
		at = write_next(charset, &stored, at);
	pthread_mutex_unlock(&charset->lock);
	return at;
}

/* ---- patterns ---- */

/* The first character, or the one byte that is none. */
static char *
guard_next(struct charset *charset, struct bytes *pattern, char *at)
{
	struct character ignored;
	int taken = read_next(charset, *pattern, &ignored);
	size_t length = taken < 0 ? 1 : (size_t)taken;
	for (size_t i = 0; i < length; i++) {
		if (i > 0 && memchr("[]\\*?", pattern->data[i], 5) != NULL)
			*at++ = '\\';
		*at++ = pattern->data[i];
	}
	*pattern = bytes_after(*pattern, length);
	return at;
}

char *
charset_guard_pattern(struct charset *charset, struct bytes pattern, char *at)
{
	pthread_mutex_lock(&charset->lock);
	while (pattern.length > 0)
		at = guard_next(charset, &pattern, at);
	pthread_mutex_unlock(&charset->lock);
	return at;
}
