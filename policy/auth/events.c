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
	(void)malformed; /* nothing is read from record, which has nothing to say */
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
	int error = channel_new(&options, fd, &events->channel);
	if (error == 0)
		channel_pause(events->channel); /* a record that lies is not listened to */
	return error;
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
next_sequence(const struct events *events)
{
	return events->sequence == UINT32_MAX ? 1 : events->sequence + 1;
}

static void
note_posted(struct events *events, int post_result)
{
	channel_lost(post_result);
	if (post_result == 0)
		events->sequence = next_sequence(events);
}

void
events_post_login(struct events *events, const struct event_login *login)
{
	if (events->channel != NULL)
		note_posted(
			events, event_post_login(events->channel, next_sequence(events), login));
}

void
events_post_malformed(struct events *events, enum process_role peer, const char *rule)
{
	const struct event_malformed malformed = {
		.severity = SEVERITY_ERROR,
		.peer = peer,
		.rule = bytes_of_text(rule),
	};
	if (events->channel != NULL)
		note_posted(events,
			event_post_malformed(events->channel, next_sequence(events), &malformed));
}
