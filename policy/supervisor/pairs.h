/*
 * The table of channels (pairs.def), and the only function that makes one.
 */
#ifndef SALLYPORT_POLICY_SUPERVISOR_PAIRS_H
#define SALLYPORT_POLICY_SUPERVISOR_PAIRS_H

#include "ipc/base/compiler.h"
#include "ipc/base/role.h"

#include <stdbool.h>

/* The two ends of a channel on their way to the two processes. */
struct pair {
	int one;
	int other;
};

#define SCOPE_PAIR __attribute__((cleanup(pair_close)))

/* May processes of these roles share a channel? In either order. */
bool pair_is_permitted(enum role one, enum role other);

/* A socketpair between two roles that share a row: 0 or negative errno. */
MUST_CHECK int pair_make(enum role one, enum role other, struct pair *pair);

/* The same for bytes that are no messages, as a data descriptor carries them. */
MUST_CHECK int pair_make_stream(enum role one, enum role other, struct pair *pair);

/* Closes what was not taken out of the pair. */
void pair_close(struct pair *pair);

#endif
