/*
 * Events for record (see record.h). Runs in the gateway. Record is trusted to keep them; that a
 * session belongs to this gateway is checked there.
 */
#include "gateway/record.h"

#include "gateway/gateway.h"
#include "gateway/reception.h"
#include "gateway/session.h"
#include "gateway/tls.h"

#include <errno.h>

enum { WHY_BYTES_MAX = 128 }; /* as event.def says of unsecured */

/* Never comes: nothing is read from record, which has nothing to say. */
static void
on_closed(void *owner, const char *malformed)
{
	struct gateway *gateway = owner;
	(void)malformed;
	channel_free(&gateway->record.channel);
}

static void
on_drained(void *owner)
{
	struct gateway *gateway = owner;
	session_wake_all(gateway);
	reception_update(gateway->reception);
}

static const struct event_handlers handlers = { .unused = NULL };

int
record_connect(struct gateway *gateway, int *fd)
{
	struct channel_options options = {
		.base = gateway->base,
		.messages = &event_messages,
		.our_role = ROLE_GATEWAY,
		.peer_role = ROLE_RECORD,
		.phase = PHASE_SERVING,
		.handlers = &handlers,
		.owner = gateway,
		.closed = on_closed,
		.drained = on_drained,
	};
	struct channel *channel;
	int error = channel_new(&options, fd, &channel);
	if (error < 0)
		return error;
	channel_pause(channel); /* a record that lies is not listened to */
	record_free(&gateway->record);
	gateway->record.channel = channel;
	gateway->record.sequence = 0;
	on_drained(gateway);
	return 0;
}

bool
record_is_full(const struct gateway *gateway)
{
	return gateway->record.channel == NULL || channel_is_full(gateway->record.channel);
}

void
record_free(struct record_link *record)
{
	channel_free(&record->channel);
}

/* The number of the next event. */
static uint32_t
next(const struct gateway *gateway)
{
	return gateway->record.sequence + 1;
}

/* It was posted, or could not be: without record, sessions wait for another channel. */
static void
note_posted(struct gateway *gateway, int post_result)
{
	channel_lost(post_result);
	if (post_result == 0)
		gateway->record.sequence++;
	else if (post_result == -EPIPE)
		channel_free(&gateway->record.channel);
}

void
record_notice(struct gateway *gateway, enum severity severity, const char *text)
{
	if (gateway->record.channel == NULL)
		return;
	struct event_notice event = { .severity = severity, .text = bytes_of_text(text) };
	note_posted(gateway, event_post_notice(gateway->record.channel, next(gateway), &event));
}

void
record_connected(const struct session *session)
{
	struct gateway *gateway = session->gateway;
	if (gateway->record.channel == NULL)
		return;
	struct event_connected event = {
		.session = session->id,
		.peer = session->peer,
		.local = session->local,
		.proxy = session->proxy,
	};
	note_posted(gateway, event_post_connected(gateway->record.channel, next(gateway), &event));
}

void
record_secured(const struct session *session)
{
	struct gateway *gateway = session->gateway;
	char how[64];
	if (gateway->record.channel == NULL)
		return;
	tls_describe(session->stream.tls, how, sizeof(how));
	struct event_secured event = { .session = session->id, .how = bytes_of_text(how) };
	note_posted(gateway, event_post_secured(gateway->record.channel, next(gateway), &event));
}

/* Who was let in with which certificate, auth says; this is what was shown. */
void
record_certificate(const struct session *session)
{
	struct gateway *gateway = session->gateway;
	struct tls_peer peer;
	if (gateway->record.channel == NULL || !tls_describe_peer(session->stream.tls, &peer))
		return;
	struct event_certificate event = {
		.session = session->id,
		.fingerprint = bytes_of_text(peer.fingerprint),
		.subject = bytes_of_text(peer.subject),
	};
	note_posted(
		gateway, event_post_certificate(gateway->record.channel, next(gateway), &event));
}

void
record_unsecured(const struct session *session)
{
	struct gateway *gateway = session->gateway;
	struct tls_peer peer = { .fingerprint = "" };
	char why[WHY_BYTES_MAX + 1];
	if (gateway->record.channel == NULL)
		return;
	tls_describe_failure(session->stream.tls, why, sizeof(why));
	bool has_peer = tls_describe_peer(session->stream.tls, &peer);
	struct event_unsecured event = {
		.session = session->id,
		.why = bytes_of_text(why),
		.fingerprint = bytes_of_text(has_peer ? peer.fingerprint : ""),
		.subject = bytes_of_text(has_peer ? peer.subject : ""),
	};
	note_posted(gateway, event_post_unsecured(gateway->record.channel, next(gateway), &event));
}

void
record_unclean_end(const struct session *session, uint64_t bytes)
{
	struct gateway *gateway = session->gateway;
	if (gateway->record.channel == NULL)
		return;
	struct event_unclean_end event = { .session = session->id, .bytes = bytes };
	note_posted(
		gateway, event_post_unclean_end(gateway->record.channel, next(gateway), &event));
}

void
record_client(const struct session *session, struct bytes name)
{
	struct gateway *gateway = session->gateway;
	if (gateway->record.channel == NULL)
		return;
	struct event_client event = { .session = session->id, .name = name };
	note_posted(gateway, event_post_client(gateway->record.channel, next(gateway), &event));
}

void
record_disconnected(const struct session *session, const char *reason)
{
	struct gateway *gateway = session->gateway;
	if (gateway->record.channel == NULL)
		return;
	struct event_disconnected event = {
		.session = session->id,
		.reason = bytes_of_text(reason),
		.duration_ms = gateway_now_ms() - session->connected_ms,
		.commands = session->commands,
	};
	note_posted(
		gateway, event_post_disconnected(gateway->record.channel, next(gateway), &event));
}

void
record_turned_away(
	struct gateway *gateway, const struct wire_address *peer, const char *limit, uint32_t count)
{
	if (gateway->record.channel == NULL)
		return;
	struct event_turned_away event = {
		.peer = *peer,
		.limit = bytes_of_text(limit),
		.count = count,
	};
	note_posted(
		gateway, event_post_turned_away(gateway->record.channel, next(gateway), &event));
}

void
record_malformed(
	struct gateway *gateway, enum process_role peer, uint64_t session, const char *rule)
{
	if (gateway->record.channel == NULL)
		return;
	struct event_malformed event = {
		.severity = SEVERITY_ERROR,
		.peer = peer,
		.session = session,
		.rule = bytes_of_text(rule),
	};
	note_posted(gateway, event_post_malformed(gateway->record.channel, next(gateway), &event));
}
