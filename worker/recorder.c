/*
 * Events of a worker (see recorder.h). Runs in the worker, as the user. Who the user is, record
 * knows from the channel; paths and names are recorded as judged, escaped by record.
 *
 * A full channel makes sessions wait, but what they had begun goes on and ends: these events, a few
 * for each open file, are kept here until the channel is empty again.
 */
#include "worker/recorder.h"

#include "ipc/base/ends.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

/* An event for which the channel had no room, in wire form. */
struct kept_event {
	STAILQ_ENTRY(kept_event) entry;
	uint32_t code;
	size_t length;
	char encoded[];
};

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
	STAILQ_HEAD(kept_events, kept_event) kept;
};

static void record_operation(void *context, const struct instance_identity *identity,
	const char *name, struct bytes path, struct bytes destination, int error);
static void record_transfer(void *context, const struct instance_identity *identity,
	const char *name, struct bytes path, const struct transfer_report *report, int error);

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
	STAILQ_INIT(&recorder->kept);
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

static void
free_first_kept(struct recorder *recorder)
{
	struct kept_event *first = STAILQ_FIRST(&recorder->kept);
	STAILQ_REMOVE_HEAD(&recorder->kept, entry);
	free(first);
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
	while (!STAILQ_EMPTY(&freed->kept))
		free_first_kept(freed);
	free(freed);
}

/* ---- sending ---- */

/* 0, or -ENOBUFS: not now. What cannot be recorded at all must not be done: the process ends. */
static int
send_event(struct recorder *recorder, uint32_t code, const void *event)
{
	uint32_t sequence = recorder->last_sequence + 1;
	int result = channel_post(recorder->current->channel, code, sequence, event, -1);
	channel_lost(result);
	if (result == 0)
		recorder->last_sequence = sequence;
	else if (result != -ENOBUFS)
		die("cannot record: error %d", -result);
	return result;
}

static void
keep_event(struct recorder *recorder, uint32_t code, const void *event)
{
	static char encoded[MESSAGE_BODY_BYTES_MAX];
	int length =
		wire_encode(event_messages.rules[code].record, event, encoded, sizeof(encoded));
	ensure(length >= 0);
	struct kept_event *kept = malloc(sizeof(*kept) + (size_t)length);
	if (kept == NULL)
		die("no memory for an event");
	kept->code = code;
	kept->length = (size_t)length;
	memcpy(kept->encoded, encoded, kept->length);
	STAILQ_INSERT_TAIL(&recorder->kept, kept, entry);
}

static void
post(struct recorder *recorder, uint32_t code, const void *event)
{
	ensure(recorder->current != NULL); /* nothing is let in before */
	if (!STAILQ_EMPTY(&recorder->kept) || send_event(recorder, code, event) < 0)
		keep_event(recorder, code, event);
}

/* The channel is empty: what was kept goes first, and then sessions go on. */
static void
resume(struct recorder *recorder)
{
	_Alignas(max_align_t) char event[MESSAGE_STRUCT_BYTES_MAX];
	while (!STAILQ_EMPTY(&recorder->kept)) {
		const struct kept_event *kept = STAILQ_FIRST(&recorder->kept);
		ensure(wire_decode(event_messages.rules[kept->code].record,
			       bytes_of(kept->encoded, kept->length), event, NULL) == 0);
		if (send_event(recorder, kept->code, event) < 0)
			return;
		free_first_kept(recorder);
	}
	recorder->options.resumed(recorder->options.owner);
}

/* ---- the channel ---- */

static void
on_drained(void *owner)
{
	const struct outlet *outlet = owner;
	if (outlet == outlet->recorder->current)
		resume(outlet->recorder);
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
	channel_pause(outlet->channel); /* record has nothing to say: if it lies, nobody listens */
	outlet_free(&recorder->earlier);
	recorder->earlier = recorder->current;
	recorder->current = outlet;
	recorder->last_sequence = 0;
	resume(recorder);
	return 0;
}

bool
recorder_is_waiting(const struct recorder *recorder)
{
	return recorder->current == NULL || channel_is_full(recorder->current->channel) ||
	       !STAILQ_EMPTY(&recorder->kept);
}

static bool
is_drained(const struct outlet *outlet)
{
	return outlet == NULL || channel_is_drained(outlet->channel);
}

bool
recorder_is_drained(const struct recorder *recorder)
{
	return STAILQ_EMPTY(&recorder->kept) && is_drained(recorder->current) &&
	       is_drained(recorder->earlier);
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
			.claimed = identity->is_claimed,
			.name = bytes_of_text(name),
			.path = path,
			.destination = destination,
			.error = (uint16_t)error,
		});
}

static void
record_transfer(void *context, const struct instance_identity *identity, const char *name,
	struct bytes path, const struct transfer_report *report, int error)
{
	struct recorder *recorder = context;
	post(recorder, EVENT_TRANSFER,
		&(struct event_transfer){
			.session = identity->session,
			.peer = identity->peer,
			.claimed = identity->is_claimed,
			.name = bytes_of_text(name),
			.path = path,
			.form = report->form,
			.coding = report->coding,
			.bytes = report->bytes,
			.duration_us = report->duration_us,
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
recorder_notice(struct recorder *recorder, const char *text)
{
	post(recorder, EVENT_NOTICE,
		&(struct event_notice){ .severity = SEVERITY_INFO, .text = bytes_of_text(text) });
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
