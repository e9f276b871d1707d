/*
 * The recorder: a worker's events on their way to sallyport-record (DECISIONS 22). Loses nothing: a
 * full channel, or none, makes the operation wait. Whoever lets operations in asks
 * recorder_is_waiting() first and goes on when `resumed` is called.
 */
#ifndef SALLYPORT_WORKER_RECORDER_H
#define SALLYPORT_WORKER_RECORDER_H

#include "ipc/event.h"
#include "worker/instance.h"

#include <event2/event.h>

struct recorder;

struct recorder_options {
	struct event_base *base;
	/* It waits no longer. From the loop. */
	void (*resumed)(void *owner);
	void *owner;
};

/* 0 or -ENOMEM. It waits until it has a channel. */
MUST_CHECK int recorder_new(const struct recorder_options *options, struct recorder **result);

/* Sets *recorder to NULL. NULL is fine. */
void recorder_free(struct recorder **recorder);

/* Takes *fd, a channel's end. What the earlier channel still holds goes out there. */
MUST_CHECK int recorder_set_channel(struct recorder *recorder, int *fd);

bool recorder_is_waiting(const struct recorder *recorder);

/* All that was told is in channels, and outlives this process. Else the loop has to go on. */
bool recorder_is_drained(const struct recorder *recorder);

/* For instances; lives as long as the recorder. */
const struct instance_observer *recorder_observer(const struct recorder *recorder);

void recorder_session_ended(
	struct recorder *recorder, uint64_t session, const struct instance_totals *totals);

/* Something that an operator should know, and need not mend. There is a channel. */
void recorder_notice(struct recorder *recorder, const char *text);

/* The gateway broke the rules of that session's channel. */
void recorder_malformed(struct recorder *recorder, uint64_t session, const char *rule);

#endif
