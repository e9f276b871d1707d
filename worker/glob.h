/*
 * Does a name match a pattern (LIST *.txt)? `*`, `?`, `[a-z]`, `[!a-z]` and `\` as in glob(7);
 * no braces, no tilde. Bytes, not characters. Time is bounded by the product of the two lengths
 * and memory by nothing but the arguments, whatever the pattern (HOSTILE 8).
 */
#ifndef SALLYPORT_WORKER_GLOB_H
#define SALLYPORT_WORKER_GLOB_H

#include "ipc/base/bytes.h"

/* A `[` without its `]` stands for itself. A leading dot is like any other byte. */
bool glob_matches(struct bytes pattern, struct bytes name);

#endif
