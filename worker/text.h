/*
 * Pieces of a line of a listing, appended by hand: printf costs more than the stat of a file. Each
 * returns where the next piece goes. The caller has seen to it that the line has room.
 */
#ifndef SALLYPORT_WORKER_TEXT_H
#define SALLYPORT_WORKER_TEXT_H

#include "ipc/base/bytes.h"

#include <stdint.h>

enum { TEXT_NUMBER_DIGITS_MAX = 20 };

static inline char *
text_put(char *at, struct bytes bytes)
{
	memcpy(at, bytes.data, bytes.length);
	return at + bytes.length;
}

static inline char *
text_put_text(char *at, const char *text)
{
	return text_put(at, bytes_of_text(text));
}

/* In decimal. */
char *text_put_number(char *at, uint64_t value);

/* In decimal, right-aligned with blanks; wider if it must be. */
char *text_put_padded(char *at, uint64_t value, size_t width);

/* Left-aligned with blanks; wider if it must be. */
char *text_put_column(char *at, struct bytes bytes, size_t width);

/* The last `digits` digits, with zeros in front. */
char *text_put_digits(char *at, uint64_t value, size_t digits);

/* The same for two, of which dates are made. */
static inline char *
text_put_two_digits(char *at, uint64_t value)
{
	*at++ = (char)('0' + value / 10 % 10);
	*at++ = (char)('0' + value % 10);
	return at;
}

char *text_put_hex(char *at, uint64_t value);

/*
 * A name of a file: control characters become '?', so that a line stays one line and no terminal
 * obeys it (HOSTILE 15). Of those beyond ASCII only what is UTF-8: other bytes are some alphabet's.
 */
char *text_put_name(char *at, struct bytes name);

#endif
