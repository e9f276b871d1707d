/*
 * Events (see events.h). Runs in auth. When the channel is gone, so is the supervisor that kept its
 * other end: the process is about to end.
 */
#include "policy/auth/events.h"

static const struct event_handlers handlers = { 0 };

static void
on_closed(void *owner, const char *malformed)
{
	struct events *events = owner;
	(void)malformed; /* record sends nothing, so nothing of it can be malformed */
	channel_free(&events->channel);
}

static void
on_drained(void *owner)
{
	struct events *events = owner;
	events->drained(events->owner);
}

int
events_use(struct events *events, int *fd)
{
	struct channel_options options = {
		.base = events->base,
		.messages = &event_messages,
		.our_role = ROLE_AUTH,
		.peer_role = ROLE_RECORD,
		.phase = PHASE_SERVING,
		.handlers = &handlers,
		.owner = events,
		.closed = on_closed,
		.drained = on_drained,
	};
	channel_free(&events->channel);
	events->sequence = 0;
	return channel_new(&options, fd, &events->channel);
}

void
events_stop(struct events *events)
{
	channel_free(&events->channel);
}

bool
events_have_room(const struct events *events)
{
	return events->channel != NULL && !channel_is_full(events->channel);
}

static uint32_t
next_sequence(struct events *events)
{
	if (++events->sequence == 0)
		events->sequence = 1;
	return events->sequence;
}

void
events_post_login(struct events *events, const struct event_login *login)
{
	if (events->channel != NULL)
		channel_lost(event_post_login(events->channel, next_sequence(events), login));
}

void
events_post_malformed(struct events *events, enum process_role peer, const char *rule)
{
	struct event_malformed malformed = {
		.severity = SEVERITY_ERROR,
		.peer = peer,
		.rule = bytes_of_text(rule),
	};
	if (events->channel != NULL)
		channel_lost(
			event_post_malformed(events->channel, next_sequence(events), &malformed));
}
