/*
 * Pieces of a line (see text.h). Runs in the worker; names of files are anything.
 */
#include "worker/text.h"

#include "ipc/base/control.h"

#include <stdbool.h>

char *
text_put_padded(char *at, uint64_t value, size_t width)
{
	char digits[TEXT_NUMBER_DIGITS_MAX];
	char *first = digits + sizeof(digits);
	do
		*--first = (char)('0' + value % 10);
	while ((value /= 10) != 0);
	size_t length = (size_t)(digits + sizeof(digits) - first);
	for (size_t i = length; i < width; i++)
		*at++ = ' ';
	return text_put(at, bytes_of(first, length));
}

char *
text_put_number(char *at, uint64_t value)
{
	return text_put_padded(at, value, 0);
}

char *
text_put_column(char *at, struct bytes bytes, size_t width)
{
	at = text_put(at, bytes);
	for (size_t i = bytes.length; i < width; i++)
		*at++ = ' ';
	return at;
}

char *
text_put_digits(char *at, uint64_t value, size_t digits)
{
	for (size_t i = digits; i > 0; i--, value /= 10)
		at[i - 1] = (char)('0' + value % 10);
	return at + digits;
}

char *
text_put_hex(char *at, uint64_t value)
{
	int shift = (63 - __builtin_clzll(value | 1)) / 4 * 4;
	for (; shift >= 0; shift -= 4)
		*at++ = "0123456789abcdef"[value >> shift & 0xf];
	return at;
}

/* ---- names ---- */

/* Every byte of the word. */
#define EACH_BYTE(value) ((value)*UINT64_C(0x0101010101010101))

/* Is one of these eight bytes below 0x20, or 0x7f, or 0xc2, with which a control may begin? */
static bool
may_hold_control(uint64_t word)
{
	uint64_t delete = word ^ EACH_BYTE(0x7f);
	uint64_t lead = word ^ EACH_BYTE(0xc2);
	uint64_t found = ((word - EACH_BYTE(0x20)) & ~word) | ((delete - EACH_BYTE(1)) & ~delete) |
			 ((lead - EACH_BYTE(1)) & ~lead);
	return (found & EACH_BYTE(0x80)) != 0;
}

/* Shorter than a word: the bytes that are missing are plain. */
static bool
is_plain_and_short(struct bytes name)
{
	uint64_t word = EACH_BYTE('0');
	char *at = (char *)&word;
	for (size_t i = 0; i < name.length; i++)
		at[i] = name.data[i];
	return !may_hold_control(word);
}

/* Certainly without controls? The last eight bytes may overlap those before them. */
static bool
is_plain(struct bytes name)
{
	uint64_t word;
	if (name.length < sizeof(word))
		return is_plain_and_short(name);
	const char *last = name.data + name.length - sizeof(word);
	for (const char *at = name.data; at < last; at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		if (may_hold_control(word))
			return false;
	}
	memcpy(&word, last, sizeof(word));
	return !may_hold_control(word);
}

static void
mask_controls(char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		size_t masked = control_length(bytes_of(text, length), i);
		if (masked == 0)
			continue;
		memset(text + i, '?', masked);
		i += masked - 1;
	}
}

char *
text_put_name(char *at, struct bytes name)
{
	memcpy(at, name.data, name.length);
	if (!is_plain(name))
		mask_controls(at, name.length);
	return at + name.length;
}
