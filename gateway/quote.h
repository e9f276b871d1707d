/*
 * Paths in replies: one line whatever they hold.
 */
#ifndef SALLYPORT_GATEWAY_QUOTE_H
#define SALLYPORT_GATEWAY_QUOTE_H

#include "ipc/base/path.h"

/* Room for any path with all its bytes doubled. */
struct quoted {
	char text[2 * PATH_BYTES_MAX + 1];
};

/* The path with "?" for control characters. Returns `result->text`; what is too long is cut. */
const char *quote_plain(struct bytes path, struct quoted *result);

/* The same, and each double quote twice (RFC 959 appendix II). */
const char *quote_doubled(struct bytes path, struct quoted *result);

#endif
