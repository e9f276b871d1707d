/*
 * JSON for tests (see json.h): recursive descent over the grammar, one function a production.
 */
#include "tests/json.h"

#include <stdint.h>

enum { DEPTH_MAX = 32 };

struct reader {
	const unsigned char *at, *end;
	int depth;
};

static bool
is_digit(unsigned char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool
take(struct reader *reader, char byte)
{
	if (reader->at == reader->end || *reader->at != (unsigned char)byte)
		return false;
	reader->at++;
	return true;
}

static bool
take_word(struct reader *reader, const char *word)
{
	for (; *word != '\0'; word++)
		if (!take(reader, *word))
			return false;
	return true;
}

static bool
take_digits(struct reader *reader)
{
	const unsigned char *start = reader->at;
	while (reader->at < reader->end && is_digit(*reader->at))
		reader->at++;
	return reader->at > start;
}

static bool
take_number(struct reader *reader)
{
	take(reader, '-');
	if (!take(reader, '0') && !take_digits(reader))
		return false;
	if (take(reader, '.') && !take_digits(reader))
		return false;
	if (!take(reader, 'e') && !take(reader, 'E'))
		return true;
	if (!take(reader, '+'))
		take(reader, '-');
	return take_digits(reader);
}

/* ---- characters ---- */

/* The next character of UTF-8 text: its code point, or -1. */
static int32_t
take_utf8(struct reader *reader)
{
	static const int32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	if (reader->at == reader->end)
		return -1;
	unsigned char first = *reader->at++;
	if (first < 0x80)
		return first;
	int length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	int32_t character = first & (0xff >> (length + 1));
	if (first < 0xc0 || first >= 0xf8 || reader->end - reader->at < length - 1)
		return -1;
	for (int i = 1; i < length; i++, reader->at++) {
		if ((*reader->at & 0xc0) != 0x80)
			return -1;
		character = character << 6 | (*reader->at & 0x3f);
	}
	bool is_surrogate = character >= 0xd800 && character <= 0xdfff;
	return character < lowest[length] || character > 0x10ffff || is_surrogate ? -1 : character;
}

static int
hex_value(unsigned char digit)
{
	if (is_digit(digit))
		return digit - '0';
	unsigned char letter = digit | 0x20;
	return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* What follows a backslash: its code unit, or -1. */
static int32_t
take_escape(struct reader *reader)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	if (reader->at == reader->end)
		return -1;
	unsigned char letter = *reader->at++;
	const char *known = letter == '\0' ? NULL : strchr(letters, letter);
	if (known != NULL)
		return meanings[known - letters];
	if (letter != 'u' || reader->end - reader->at < 4)
		return -1;
	int32_t unit = 0;
	for (int i = 0; i < 4; i++) {
		int value = hex_value(*reader->at++);
		if (value < 0)
			return -1;
		unit = unit << 4 | value;
	}
	return unit;
}

/* Appends the UTF-8 form of a character, or the byte that a lone surrogate stands for. */
static void
append(char **to, int32_t character)
{
	char *at = *to;
	if (character < 0x80) {
		*at++ = (char)character;
	} else if (character >= 0xdc80 && character <= 0xdcff) {
		*at++ = (char)(unsigned char)(character - 0xdc00);
	} else if (character < 0x800) {
		*at++ = (char)(0xc0 | character >> 6);
		*at++ = (char)(0x80 | (character & 0x3f));
	} else if (character < 0x10000) {
		*at++ = (char)(0xe0 | character >> 12);
		*at++ = (char)(0x80 | (character >> 6 & 0x3f));
		*at++ = (char)(0x80 | (character & 0x3f));
	} else {
		*at++ = (char)(0xf0 | character >> 18);
		*at++ = (char)(0x80 | (character >> 12 & 0x3f));
		*at++ = (char)(0x80 | (character >> 6 & 0x3f));
		*at++ = (char)(0x80 | (character & 0x3f));
	}
	*to = at;
}

/* `to` may be NULL. */
static bool
take_string(struct reader *reader, char **to)
{
	if (!take(reader, '"'))
		return false;
	while (!take(reader, '"')) {
		bool is_escaped = take(reader, '\\');
		int32_t character = is_escaped ? take_escape(reader) : take_utf8(reader);
		if (character < 0 || (!is_escaped && character < 0x20))
			return false;
		if (to != NULL)
			append(to, character);
	}
	return true;
}

/* ---- values ---- */

static bool take_value(struct reader *reader);

static bool
take_member(struct reader *reader)
{
	return take_string(reader, NULL) && take(reader, ':') && take_value(reader);
}

static bool
take_sequence(struct reader *reader, char close, bool (*take_one)(struct reader *))
{
	reader->at++;
	if (take(reader, close))
		return true;
	do
		if (!take_one(reader))
			return false;
	while (take(reader, ','));
	return take(reader, close);
}

static bool
take_value(struct reader *reader)
{
	if (reader->at == reader->end || reader->depth == DEPTH_MAX)
		return false;
	reader->depth++;
	bool is_good;
	switch (*reader->at) {
	case '{':
		is_good = take_sequence(reader, '}', take_member);
		break;
	case '[':
		is_good = take_sequence(reader, ']', take_value);
		break;
	case '"':
		is_good = take_string(reader, NULL);
		break;
	case 't':
		is_good = take_word(reader, "true");
		break;
	case 'f':
		is_good = take_word(reader, "false");
		break;
	case 'n':
		is_good = take_word(reader, "null");
		break;
	default:
		is_good = take_number(reader);
		break;
	}
	reader->depth--;
	return is_good;
}

static struct reader
reader_of(struct bytes text)
{
	const unsigned char *start = (const unsigned char *)text.data;
	return (struct reader){ .at = start, .end = start + text.length };
}

bool
json_is_valid(struct bytes text)
{
	struct reader reader = reader_of(text);
	return take_value(&reader) && reader.at == reader.end;
}

bool
json_is_harmless(struct bytes text)
{
	struct reader reader = reader_of(text);
	while (reader.at < reader.end) {
		int32_t character = take_utf8(&reader);
		if (character < 0x20 || (character >= 0x7f && character <= 0x9f))
			return false;
	}
	return true;
}

int
json_unquote(struct bytes text, char *result)
{
	struct reader reader = reader_of(text);
	char *end = result;
	return take_string(&reader, &end) && reader.at == reader.end ? (int)(end - result) : -1;
}
