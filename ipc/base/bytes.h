/*
 * A view of bytes that somebody else owns. Not NUL-terminated, may hold any byte; the declaration
 * that hands one out says how long it lives.
 */
#ifndef SALLYPORT_IPC_BASE_BYTES_H
#define SALLYPORT_IPC_BASE_BYTES_H

#include "ipc/base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct bytes {
	const char *data;
	size_t length;
};

static inline struct bytes
bytes_of(const void *data, size_t length)
{
	return (struct bytes){ .data = data, .length = length };
}

/* A view of a C string, without its NUL. */
static inline struct bytes
bytes_of_text(const char *text)
{
	return bytes_of(text, strlen(text));
}

/* All but the first `count`, of which there must be as many. */
static inline struct bytes
bytes_after(struct bytes from, size_t count)
{
	return bytes_of(from.data + count, from.length - count);
}

static inline bool
bytes_equal(struct bytes a, struct bytes b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static inline bool
bytes_equal_text(struct bytes a, const char *text)
{
	return bytes_equal(a, bytes_of_text(text));
}

/*
 * A NUL-terminated copy that the caller frees; NULL when memory is short or a NUL is among the
 * bytes (a copy that stops early would be another name).
 */
MUST_CHECK char *bytes_copy_text(struct bytes source);

#endif
