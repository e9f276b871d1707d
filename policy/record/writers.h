/*
 * Writers: the event channels of other processes, and the lines that their events become.
 *
 * Nothing is lost (DECISIONS 22): events are peeked at, their lines written, and only then are they
 * consumed. If record dies between, its successor reads them again; a line carries the writer's
 * number and the event's sequence number, by which a reader knows a repeat. Each turn takes a
 * bounded number of events from one writer, so that no writer starves the others.
 */
#ifndef SALLYPORT_POLICY_RECORD_WRITERS_H
#define SALLYPORT_POLICY_RECORD_WRITERS_H

#include "ipc/ledger.h"
#include "policy/record/output.h"

#include <event2/event.h>

struct writers;

struct writers_options {
	struct event_base *base;
	struct output *output;
	void *owner;
	/* A channel is at its end (malformed == NULL) or was cut off; it is gone afterwards. */
	void (*ended)(void *owner, uint32_t number, const char *malformed);
	/* Lines cannot be written (negative errno); called once until they can again (0). */
	void (*stuck)(void *owner, int error);
};

MUST_CHECK int writers_new(const struct writers_options *options, struct writers **result);
void writers_free(struct writers **writers);

/*
 * Between two rounds of the loop: while events come thick and fast, waits a millisecond for more of
 * them. They are safe where they are; and who has many to tell wakes this process a thousand times
 * a second, not once for each.
 */
void writers_gather(struct writers *writers);

/* Reads events from *fd (taken) as those of `writer`: 0, -ENOMEM or -EBADMSG. */
MUST_CHECK int writers_add(struct writers *writers, const struct ledger_writer *writer, int *fd);

#endif
