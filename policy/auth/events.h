/*
 * Auth's events to the record. A full record channel makes logins wait, it loses no line.
 */
#ifndef SALLYPORT_POLICY_AUTH_EVENTS_H
#define SALLYPORT_POLICY_AUTH_EVENTS_H

#include "ipc/event.h"

struct events {
	struct event_base *base;
	struct channel *channel; /* NULL before the supervisor has sent one */
	uint32_t sequence;
	void *owner;
	void (*drained)(void *owner);
};

/* Takes *fd and sends to it from now on: 0, -ENOMEM or -EBADMSG. */
MUST_CHECK int events_use(struct events *events, int *fd);
void events_stop(struct events *events);

/* False while nothing should be begun whose event could not be sent. */
bool events_have_room(const struct events *events);

void events_post_login(struct events *events, const struct event_login *login);
void events_post_malformed(struct events *events, enum process_role peer, const char *rule);

#endif
