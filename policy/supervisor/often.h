/*
 * What may happen three times in a minute (a worker's crash, a session's reattach), and how long a
 * process that keeps dying waits for its next start. Pure; the caller brings the time, in
 * milliseconds of a clock that never goes back.
 */
#ifndef SALLYPORT_POLICY_SUPERVISOR_OFTEN_H
#define SALLYPORT_POLICY_SUPERVISOR_OFTEN_H

#include <stdbool.h>
#include <stdint.h>

enum { OFTEN_TIMES = 3, OFTEN_PERIOD_MS = 60000 };

/* Starts as zero bytes. */
struct often {
	unsigned count; /* ever noted */
	uint64_t at_ms[OFTEN_TIMES];
};

void often_note(struct often *often, uint64_t now_ms);

/* Was it noted OFTEN_TIMES within the last OFTEN_PERIOD_MS? */
bool often_is_reached(const struct often *often, uint64_t now_ms);

/* A process that is always to be there. Starts as zero bytes. */
struct respawn {
	unsigned deaths; /* in a row, each soon after its start */
	uint64_t started_ms;
	uint64_t next_ms; /* not to be started before */
};

void respawn_started(struct respawn *respawn, uint64_t now_ms);

/* Sets next_ms: at once after a good run or a first death, then after 1 s, 2 s, 4 s, ... 30 s. */
void respawn_died(struct respawn *respawn, uint64_t now_ms);

#endif
