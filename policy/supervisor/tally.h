/*
 * Counts by name: sessions of a user, sessions from an address. A balanced tree, so that no choice
 * of names makes it slow.
 */
#ifndef SALLYPORT_POLICY_SUPERVISOR_TALLY_H
#define SALLYPORT_POLICY_SUPERVISOR_TALLY_H

#include "ipc/base/bytes.h"

#include <stdint.h>

/* Starts as zero bytes; holds nothing when every count is back at 0. */
struct tally {
	void *tree;
};

/* 0 for a name that was never counted. */
uint64_t tally_count(const struct tally *tally, struct bytes name);

/* One more; the name is copied. 0 or -ENOMEM. */
MUST_CHECK int tally_add(struct tally *tally, struct bytes name);

/* One less of a name that was counted. */
void tally_remove(struct tally *tally, struct bytes name);

#endif
