/*
 * How many, how often, how soon again. Pure; the caller brings the time, in milliseconds of a clock
 * that never goes back.
 */
#ifndef SALLYPORT_POLICY_RULES_LIMITS_H
#define SALLYPORT_POLICY_RULES_LIMITS_H

#include "ipc/base/bytes.h"

#include <stdint.h>

/*
 * Counts by name: sessions of a user, sessions from an address. A balanced tree, so that no choice
 * of names makes it slow. Starts as zero bytes; holds nothing when every count is back at 0.
 */
struct tally {
	void *tree;
};

/* 0 for a name that was never counted. */
uint64_t tally_count(const struct tally *tally, struct bytes name);

/* One more; the name is copied. 0 or -ENOMEM. */
MUST_CHECK int tally_add(struct tally *tally, struct bytes name);

/* One less of a name that was counted. */
void tally_remove(struct tally *tally, struct bytes name);

/* What may happen three times in a minute: a worker's crash, a session's reattach. */
enum { OFTEN_TIMES = 3, OFTEN_PERIOD_MS = 60000 };

/* Starts as zero bytes. */
struct often {
	unsigned count; /* ever noted */
	uint64_t at_ms[OFTEN_TIMES];
};

void often_note(struct often *often, uint64_t now_ms);

/* Was it noted OFTEN_TIMES within the last OFTEN_PERIOD_MS? */
bool often_is_reached(const struct often *often, uint64_t now_ms);

/* When a process that is always to be there starts again. Starts as zero bytes. */
struct respawn {
	unsigned deaths; /* in a row, each soon after its start */
	uint64_t started_ms;
	uint64_t next_ms; /* not to be started before */
};

void respawn_started(struct respawn *respawn, uint64_t now_ms);

/* Sets next_ms: at once after a good run or a first death, then after 1 s, 2 s, 4 s, ... 30 s. */
void respawn_died(struct respawn *respawn, uint64_t now_ms);

#endif
