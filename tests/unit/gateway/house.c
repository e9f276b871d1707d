/*
 * Stand-ins around a gateway (see house.h): the house itself, auth and record.
 */
#include "tests/unit/gateway/house_private.h"

#include "gateway/login.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/verify.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

void
house_note(char text[HOUSE_TEXT_BYTES], const char *name, struct bytes path)
{
	size_t length = strlen(text);
	snprintf(text + length, HOUSE_TEXT_BYTES - length, "%s%s%.*s; ", name,
		path.length > 0 ? " " : "", (int)path.length, path.data);
}

static void
on_our_end_closed(void *owner, const char *malformed)
{
	(void)owner;
	if (malformed != NULL)
		bug("the gateway is malformed: %s", malformed);
}

int
house_open_channel(struct house *house, const struct message_table *messages, enum role role,
	const void *handlers, struct channel **ours)
{
	int ends[2];
	struct channel_options options = {
		.base = house->base,
		.messages = messages,
		.our_role = role,
		.peer_role = ROLE_GATEWAY,
		.phase = PHASE_ANY,
		.handlers = handlers,
		.owner = house,
		.closed = on_our_end_closed,
	};
	ensure(channel_pair(ends) == 0);
	ensure(channel_new(&options, &ends[0], ours) == 0);
	return ends[1];
}

/* ---- auth ---- */

static void
answer(struct house *house, uint32_t tag, enum verdict verdict)
{
	struct verify_answer answer = { .verdict = verdict, .mode_z = house->has_mode_z };
	channel_lost(verify_post_answer(house->auth, tag, &answer));
}

static void
on_password(void *owner, struct message *message, const struct verify_password *body)
{
	struct house *house = owner;
	bool is_right = bytes_equal_text(body->secret, "secret");
	house->asked++;
	snprintf(house->asked_at, sizeof(house->asked_at), "%.*s", (int)body->host.length,
		body->host.data);
	if (house->is_verdict_late)
		house->late_verdicts[house->late_verdict_count++] = message->tag;
	else
		answer(house, message->tag, is_right ? house->verdict : VERDICT_REFUSED);
}

void
house_release_verdicts(struct house *house)
{
	house->is_verdict_late = false;
	while (house->late_verdict_count > 0)
		answer(house, house->late_verdicts[--house->late_verdict_count], house->verdict);
}

static void
on_withdraw(void *owner, struct message *message, const struct verify_withdraw *body)
{
	(void)owner;
	(void)message;
	(void)body;
}

/* Clients of the house speak no TLS. */
static void
on_certificate(
	void *owner, UNUSED struct message *message, UNUSED const struct verify_certificate *body)
{
	const struct house *house = owner;
	channel_reject(house->auth, "a certificate of who has none");
}

static const struct verify_handlers auth_handlers = {
	.password = on_password,
	.certificate = on_certificate,
	.withdraw = on_withdraw,
};

void
house_open_auth(struct house *house)
{
	SCOPE_FD int end = house_open_channel(
		house, &verify_messages, ROLE_AUTH, &auth_handlers, &house->auth);
	channel_lost(gate_post_auth_with(house->supervisor, 0, &(struct gate_auth){ 0 }, end));
}

void
house_close_auth(struct house *house)
{
	channel_free(&house->auth);
}

/* ---- record ---- */

#define MESSAGE(name, CODE, number, senders, phases, descriptor, reply, doc)           \
	UNUSED static void on_event_##name(                                            \
		void *owner, struct message *message, const struct event_##name *body) \
	{                                                                              \
		struct house *house = owner;                                           \
		(void)body;                                                            \
		ensure(message->tag == ++house->last_sequence);                        \
		house_note(house->events, #name, bytes_of("", 0));                     \
	}
#include "ipc/event.def"

static const struct event_handlers record_handlers = {
#define MESSAGE(title, CODE, number, senders, phases, descriptor, reply, doc) \
	.title = on_event_##title,
#include "ipc/event.def"
};

static void
open_record(struct house *house)
{
	SCOPE_FD int end = house_open_channel(
		house, &event_messages, ROLE_RECORD, &record_handlers, &house->record);
	channel_lost(gate_post_record_with(house->supervisor, 0, &(struct gate_record){ 0 }, end));
}

/* ---- the house ---- */

void
house_init(struct house *house)
{
	*house = (struct house){
		.verdict = VERDICT_ACCEPTED,
		.has_mode_z = true,
		.settings = {
			.incarnation = 7,
			.greeting = bytes_of_text("Welcome."),
			.connections_max = 100,
			.before_login_max = 50,
			.before_login_per_address_max = 50,
			.login_attempts = 3,
			.login_timeout_s = 10,
			.idle_timeout_s = 10,
			.data_timeout_s = 10,
			.stall_timeout_s = 10,
			.path_timeout_ms = 10000,
			.commit_timeout_s = 10,
			.passive_spare = 4,
			.mode_z = true,
		},
	};
}

void
house_open(struct house *house)
{
	house->base = event_base_new();
	house->gateway = house->base == NULL ? NULL : gateway_new(house->base);
	ensure(house->gateway != NULL);
	house_open_supervisor(house);
	house_open_auth(house);
	open_record(house);
	house_open_door(house);
}

void
house_close(struct house *house)
{
	house_release(house);
	gateway_free(&house->gateway);
	house_close_port(house);
	channel_free(&house->supervisor);
	channel_free(&house->auth);
	channel_free(&house->record);
	channel_free(&house->worker.channel);
	event_base_free(house->base);
}

int
house_connect(struct house *house)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const struct sockaddr *address = (const struct sockaddr *)&house->address;
	ensure(fd >= 0);
	ensure(connect(fd, address, sizeof(struct sockaddr_in6)) == 0 || errno == EINPROGRESS);
	return fd;
}

static void
on_nothing(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	(void)argument;
}

void
house_turn(struct house *house, int milliseconds)
{
	struct timeval limit = { .tv_usec = (suseconds_t)milliseconds * 1000 };
	struct event timer;
	event_assign(&timer, house->base, -1, 0, on_nothing, NULL);
	event_add(&timer, &limit);
	event_base_loop(house->base, EVLOOP_ONCE);
	event_del(&timer);
}
