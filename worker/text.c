/*
 * Pieces of a line (see text.h). Runs in the worker; names of files are anything.
 */
#include "worker/text.h"

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
	int shift = 60;
	while (shift > 0 && value >> shift == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*at++ = "0123456789abcdef"[value >> shift & 0xf];
	return at;
}

char *
text_put_name(char *at, struct bytes name)
{
	for (size_t i = 0; i < name.length; i++) {
		unsigned char byte = (unsigned char)name.data[i];
		*at++ = name.data[i];
		if (byte < 0x20 || byte == 0x7f)
			at[-1] = '?';
	}
	return at;
}
