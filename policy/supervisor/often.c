/*
 * Limits in time (see often.h). Runs in the supervisor as root; pure.
 */
#include "policy/supervisor/often.h"

enum { GOOD_RUN_MS = 10000, WAIT_MS_FIRST = 1000, WAIT_MS_MAX = 30000 };

void
often_note(struct often *often, uint64_t now_ms)
{
	often->at_ms[often->count % OFTEN_TIMES] = now_ms;
	often->count++;
}

bool
often_is_reached(const struct often *often, uint64_t now_ms)
{
	/* The next one would take the slot of the oldest. */
	uint64_t oldest_ms = often->at_ms[often->count % OFTEN_TIMES];
	return often->count >= OFTEN_TIMES && now_ms - oldest_ms < OFTEN_PERIOD_MS;
}

void
respawn_started(struct respawn *respawn, uint64_t now_ms)
{
	respawn->started_ms = now_ms;
}

void
respawn_died(struct respawn *respawn, uint64_t now_ms)
{
	bool soon = now_ms - respawn->started_ms < GOOD_RUN_MS;
	uint64_t wait_ms = WAIT_MS_FIRST;
	respawn->deaths = soon ? respawn->deaths + 1 : 1;
	for (unsigned i = 2; i < respawn->deaths && wait_ms < WAIT_MS_MAX; i++)
		wait_ms *= 2;
	if (respawn->deaths == 1)
		wait_ms = 0;
	respawn->next_ms = now_ms + (wait_ms < WAIT_MS_MAX ? wait_ms : WAIT_MS_MAX);
}
