/*
 * Events of a worker (see recorder.h). Runs in the worker, as the user. Who the user is, record
 * knows from the channel; paths and names are recorded as judged, escaped by record.
 *
 * Between full and the end of the queue lie 900 KiB: enough for what is under way while the
 * sessions wait, at most one event for each open file of each session. Where it is not enough the
 * process ends rather than do what is not recorded.
 */
#include "worker/recorder.h"

#include "ipc/base/ends.h"

#include <errno.h>
#include <stdlib.h>

/* A channel to record. */
struct outlet {
	struct recorder *recorder;
	struct channel *channel;
};

struct recorder {
	struct recorder_options options;
	struct instance_observer observer;
	struct outlet *current;
	struct outlet *earlier; /* replaced, but its queue may not be empty yet */
	uint32_t last_sequence;
};

static void record_operation(void *context, const struct instance_identity *identity,
	const char *name, struct bytes path, struct bytes destination, int error);
static void
record_transfer(void *context, const struct instance_identity *identity, const char *name,
	struct bytes path, enum pathio_form form, uint64_t bytes, uint64_t duration_us, int error);

int
recorder_new(const struct recorder_options *options, struct recorder **result)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));
	if (recorder == NULL)
		return -ENOMEM;
	recorder->options = *options;
	recorder->observer = (struct instance_observer){
		.operation = record_operation,
		.transfer = record_transfer,
		.context = recorder,
	};
	*result = recorder;
	return 0;
}

static void
outlet_free(struct outlet **outlet)
{
	if (*outlet != NULL)
		channel_free(&(*outlet)->channel);
	free(*outlet);
	*outlet = NULL;
}

void
recorder_free(struct recorder **recorder)
{
	struct recorder *freed = *recorder;
	*recorder = NULL;
	if (freed == NULL)
		return;
	outlet_free(&freed->current);
	outlet_free(&freed->earlier);
	free(freed);
}

/* ---- the channel ---- */

static void
on_drained(void *owner)
{
	const struct outlet *outlet = owner;
	struct recorder *recorder = outlet->recorder;
	if (outlet == recorder->current)
		recorder->options.resumed(recorder->options.owner);
}

/* The supervisor keeps record's end open, so this is the end of all who could write events down. */
static void
on_closed(void *owner, const char *malformed)
{
	const struct outlet *outlet = owner;
	struct recorder *recorder = outlet->recorder;
	if (outlet == recorder->current)
		die("the record's channel has ended (%s)",
			malformed == NULL ? "closed" : malformed);
	outlet_free(&recorder->earlier);
}

int
recorder_set_channel(struct recorder *recorder, int *fd)
{
	static const struct event_handlers no_handlers;
	struct outlet *outlet = calloc(1, sizeof(*outlet));
	if (outlet == NULL)
		return -ENOMEM;
	outlet->recorder = recorder;
	int error = channel_new(
		&(struct channel_options){
			.base = recorder->options.base,
			.messages = &event_messages,
			.our_role = ROLE_WORKER,
			.peer_role = ROLE_RECORD,
			.phase = PHASE_SERVING,
			.handlers = &no_handlers,
			.owner = outlet,
			.closed = on_closed,
			.drained = on_drained,
		},
		fd, &outlet->channel);
	if (error < 0) {
		free(outlet);
		return error;
	}
	outlet_free(&recorder->earlier);
	recorder->earlier = recorder->current;
	recorder->current = outlet;
	recorder->last_sequence = 0;
	recorder->options.resumed(recorder->options.owner);
	return 0;
}

bool
recorder_is_waiting(const struct recorder *recorder)
{
	return recorder->current == NULL || channel_is_full(recorder->current->channel);
}

static void
post(struct recorder *recorder, uint32_t code, const void *event)
{
	ensure(recorder->current != NULL); /* nothing is let in before */
	int result = channel_post(
		recorder->current->channel, code, ++recorder->last_sequence, event, -1);
	ensure(result != -EINVAL);
	if (result < 0)
		die("cannot record: error %d", -result);
}

/* ---- events ---- */

const struct instance_observer *
recorder_observer(const struct recorder *recorder)
{
	return &recorder->observer;
}

static void
record_operation(void *context, const struct instance_identity *identity, const char *name,
	struct bytes path, struct bytes destination, int error)
{
	struct recorder *recorder = context;
	post(recorder, EVENT_OPERATION,
		&(struct event_operation){
			.session = identity->session,
			.peer = identity->peer,
			.name = bytes_of_text(name),
			.path = path,
			.destination = destination,
			.error = (uint16_t)error,
		});
}

static void
record_transfer(void *context, const struct instance_identity *identity, const char *name,
	struct bytes path, enum pathio_form form, uint64_t bytes, uint64_t duration_us, int error)
{
	struct recorder *recorder = context;
	post(recorder, EVENT_TRANSFER,
		&(struct event_transfer){
			.session = identity->session,
			.peer = identity->peer,
			.name = bytes_of_text(name),
			.path = path,
			.form = form,
			.bytes = bytes,
			.duration_us = duration_us,
			.error = (uint16_t)error,
		});
}

void
recorder_session_ended(
	struct recorder *recorder, uint64_t session, const struct instance_totals *totals)
{
	post(recorder, EVENT_SESSION_ENDED,
		&(struct event_session_ended){
			.session = session,
			.sent_bytes = totals->sent_bytes,
			.received_bytes = totals->received_bytes,
			.operations = totals->operations,
			.uploads_dropped = totals->uploads_dropped,
		});
}

void
recorder_malformed(struct recorder *recorder, uint64_t session, const char *rule)
{
	post(recorder, EVENT_MALFORMED,
		&(struct event_malformed){
			.severity = SEVERITY_ERROR,
			.peer = PROCESS_GATEWAY,
			.session = session,
			.rule = bytes_of_text(rule),
		});
}
