/*
 * Turns (see turn.h). Runs in the gateway; the bytes are the client's.
 *
 * Lines that cannot run yet stay in the socket: a session that may not go on is not watched, and
 * TCP holds the client back. Only a transfer or a long command reads on, one line far, for ABOR and
 * STAT (DECISIONS 32).
 */
#include "gateway/turn.h"

#include "gateway/attention.h"
#include "gateway/command.h"
#include "gateway/overtake.h"
#include "gateway/session.h"
#include "ipc/base/ends.h"

#include <errno.h>
#include <stdlib.h>

enum {
	REPLIES_BYTES_FULL = 4096, /* written before the next command runs */
	TLS_HANDSHAKE = 0x16, /* first byte of a TLS record with a ClientHello (RFC 8446 5.1) */
};

/* ---- what may run ---- */

/* Do replies wait for the client? */
static bool
is_blocked(const struct session *session)
{
	return session->writable != NULL;
}

static bool
may_take_line(const struct session *session)
{
	return session->ending == NULL && !session->is_quitting && session->held.text == NULL &&
	       !secure_holds(session) && (!session->is_running || session_may_overtake(session)) &&
	       !is_blocked(session) && !record_is_full(session->gateway);
}

static bool
may_run_held(const struct session *session)
{
	return session->ending == NULL && session->held.text != NULL && !session->is_running &&
	       session->waits == WAITS_FOR_NOTHING && !is_blocked(session) &&
	       !record_is_full(session->gateway);
}

/* ---- held lines ---- */

void
turn_hold(struct session *session, enum line_result result, struct bytes line)
{
	ensure(session->held.text == NULL);
	session->held = (struct held_line){
		.text = bytes_copy_text(line), /* a line holds no NUL */
		.length = (uint16_t)line.length,
		.result = result,
	};
	if (session->held.text == NULL)
		session_give_up(session);
}

static void
free_held(struct held_line *held)
{
	if (held->text != NULL)
		explicit_bzero(held->text, held->length);
	free(held->text);
	*held = (struct held_line){ .text = NULL };
}

void
turn_drop_held(struct session *session)
{
	free_held(&session->held);
	session->waits = WAITS_FOR_NOTHING;
}

/* ---- lines ---- */

static void
run_line(struct session *session, enum line_result result, struct bytes line)
{
	if (session_may_overtake(session)) {
		if (!overtake_line(session, result, line)) {
			turn_hold(session, result, line);
			attention_begin(session);
		}
		return;
	}
	session->is_used = true;
	switch (result) {
	case LINE_NONE:
		bug("no line to run");
	case LINE_COMPLETE:
		command_run(session, line);
		return;
	case LINE_BROKEN:
		session_reply(session, reply_command_broken);
		return;
	case LINE_TOO_LONG:
		session_reply(session, reply_command_too_long);
		return;
	}
}

static void
run_held(struct session *session)
{
	struct held_line held = session->held;
	session->held = (struct held_line){ .text = NULL };
	run_line(session, held.result, bytes_of(held.text, held.length));
	free_held(&held);
}

static void flush(struct session *session);

static void
run_lines(struct session *session, struct line_buffer *buffer)
{
	while (may_take_line(session)) {
		struct bytes line = bytes_of("", 0);
		enum line_result result = line_next(&session->lines, buffer, &line);
		if (result == LINE_NONE)
			return;
		session->commands++;
		run_line(session, result, line);
		if (outbox_length(&session->outbox) >= REPLIES_BYTES_FULL)
			flush(session);
	}
}

static void
store_lines(struct session *session, struct line_buffer *buffer)
{
	if (line_store(&session->lines, buffer) < 0)
		session_give_up(session);
}

/* ---- reading ---- */

static void
pause_reading(struct session *session)
{
	if (!session->is_paused)
		event_del(&session->readable);
	session->is_paused = true;
}

static void
resume_reading(struct session *session)
{
	if (!session->is_paused || session->is_at_end)
		return;
	session->is_paused = false;
	if (event_add(&session->readable, NULL) < 0)
		session_give_up(session);
}

/* The client has shut its side, or the connection is broken. */
static void
end_reading(struct session *session)
{
	session->is_at_end = true;
	pause_reading(session);
	if (session_may_overtake(session) && !session->is_quitting)
		session_end(session, "client-closed");
}

/* A TLS client at the plain port learns nothing; it would not understand a reply. */
static bool
is_tls_hello(const struct session *session, const char *data)
{
	return session->commands == 0 && (unsigned char)*data == TLS_HANDSHAKE;
}

static void
read_more(struct session *session, struct line_buffer *buffer)
{
	size_t capacity;
	char *space = line_space(buffer, &capacity);
	int length = stream_read(&session->stream, space, capacity);
	if (length == -EAGAIN)
		return;
	if (length == -EPROTO) {
		record_unsecured(session);
		session_end(session, "tls-broken");
		return;
	}
	if (length <= 0) {
		end_reading(session);
		return;
	}
	if (is_tls_hello(session, buffer->data)) {
		outbox_clear(&session->outbox);
		session_end(session, "foreign-protocol");
		return;
	}
	line_add(buffer, (size_t)length);
	run_lines(session, buffer);
}

/*
 * Something is there to be read and may not be read yet. If it is the end of a client that waits
 * for its login, that login takes nobody's turn any more.
 */
static void
read_later(struct session *session)
{
	bool is_login = session->waits == WAITS_FOR_AUTH || session->waits == WAITS_FOR_TURN ||
			session->login.stage == LOGIN_VERIFYING;
	pause_reading(session);
	if (is_login && !line_has_more(&session->lines) && stream_is_at_end(&session->stream))
		session_end(session, "client-closed");
}

/* Its turn goes on with the handshake. */
static void
wake_held(struct session *session)
{
	pause_reading(session);
	session_wake(session);
}

static void
on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct session *session = argument;
	struct line_buffer *buffer = &session->gateway->input;
	(void)fd;
	(void)what;
	if (secure_holds(session)) {
		wake_held(session);
		return;
	}
	if (!may_take_line(session)) {
		read_later(session);
		return;
	}
	line_load(&session->lines, buffer);
	run_lines(session, buffer);
	if (may_take_line(session))
		read_more(session, buffer);
	store_lines(session, buffer);
	session_wake(session);
}

/* ---- writing ---- */

void
turn_stop_writing(struct session *session)
{
	if (session->writable != NULL)
		event_free(session->writable);
	session->writable = NULL;
}

static void
on_writable(evutil_socket_t fd, short what, void *argument)
{
	struct session *session = argument;
	(void)fd;
	(void)what;
	turn_stop_writing(session);
	session_wake(session);
}

static void
wait_to_write(struct session *session)
{
	ensure(session->writable == NULL);
	session->writable = event_new(
		session->gateway->base, session->stream.fd, EV_WRITE, on_writable, session);
	if (session->writable == NULL || event_add(session->writable, NULL) < 0) {
		turn_stop_writing(session);
		outbox_clear(&session->outbox);
		session_give_up(session);
	}
}

static void
flush(struct session *session)
{
	/* Nothing can be said within a handshake; what ends it is all that the client sees. */
	if (session->secure.stage == SECURE_SHAKING)
		outbox_clear(&session->outbox);
	bool has_nothing = outbox_length(&session->outbox) == 0 && session->stream.tls == NULL;
	if (is_blocked(session) || has_nothing)
		return;
	int error = outbox_flush(&session->outbox, &session->stream);
	if (error == -EAGAIN) {
		wait_to_write(session);
	} else if (error < 0) {
		outbox_clear(&session->outbox);
		session_end(session, "client-closed");
	}
}

/* ---- turns ---- */

/*
 * Time counts from the last command, and not while one runs. A passive port that is not used is
 * taken back earlier than the session ends.
 */
static void
set_limit(struct session *session)
{
	const struct gate_configure *settings = &session->gateway->settings;
	enum limit_kind kind = session->limit.kind;
	bool is_used = session->is_used;
	session->is_used = false;
	if (session->ending != NULL || !session_is_logged_in(session))
		return;
	if (session->is_running && (kind == LIMIT_IDLE || kind == LIMIT_PORT))
		limit_clear(&session->limit, kind);
	else if (!session->is_running && is_used && data_holds_port(session))
		limit_set(&session->limit, LIMIT_PORT, settings->data_timeout_s);
	else if (!session->is_running && is_used)
		limit_set(&session->limit, LIMIT_IDLE, session->idle_timeout_s);
}

static void
run_waiting_lines(struct session *session)
{
	struct line_buffer *buffer = &session->gateway->input;
	if (may_run_held(session))
		run_held(session);
	if (!may_take_line(session) || !line_has_more(&session->lines))
		return;
	line_load(&session->lines, buffer);
	run_lines(session, buffer);
	store_lines(session, buffer);
}

static void
end_if_over(struct session *session)
{
	if (session->ending != NULL || session->is_running || session->held.text != NULL)
		return;
	if (session->is_at_end) {
		session_end(session, "client-closed");
	} else if (session->is_leaving) {
		session_reply(session, reply_closing);
		session_end(session, "shutdown");
	}
}

/* A change of protection comes behind all that was said before it. */
static void
go_on_with_protection(struct session *session)
{
	if (!secure_holds(session) || session->ending != NULL || is_blocked(session))
		return;
	short wanted = secure_continue(session);
	/* The greeting of implicit TLS; or what the handshake waits for as well. */
	flush(session);
	if (is_blocked(session))
		return;
	if ((wanted & EV_WRITE) != 0)
		wait_to_write(session);
	else if ((wanted & EV_READ) != 0)
		resume_reading(session);
}

/* What is decrypted already makes no descriptor readable. */
static void
watch_for_lines(struct session *session)
{
	if (!may_take_line(session))
		return;
	resume_reading(session);
	if (stream_has_more(&session->stream))
		event_active(&session->readable, EV_READ, 0);
}

static void
take_turn(struct session *session)
{
	run_waiting_lines(session);
	flush(session);
	go_on_with_protection(session);
	watch_for_lines(session);
	end_if_over(session);
	if (session->ending != NULL) {
		flush(session);
		if (session_take_apart(session))
			return;
	}
	set_limit(session);
	session->is_awake = false;
}

/* A session that wakes in its own turn gets no other: its turn is not over. */
static void
on_turn(evutil_socket_t fd, short what, void *argument)
{
	struct gateway *gateway = argument;
	(void)fd;
	(void)what;
	while (gateway->awake != NULL) {
		struct session *session = gateway->awake;
		gateway->awake = session->next_awake;
		take_turn(session);
	}
}

void
session_wake(struct session *session)
{
	struct gateway *gateway = session->gateway;
	if (session->is_awake)
		return;
	session->is_awake = true;
	session->next_awake = gateway->awake;
	gateway->awake = session;
	event_active(&gateway->turn, EV_TIMEOUT, 0);
}

void
turn_init(struct gateway *gateway)
{
	event_assign(&gateway->turn, gateway->base, -1, 0, on_turn, gateway);
}

void
turn_stop(struct gateway *gateway)
{
	event_del(&gateway->turn);
}

int
turn_watch(struct session *session)
{
	event_assign(&session->readable, session->gateway->base, session->stream.fd,
		EV_READ | EV_PERSIST, on_readable, session);
	return event_add(&session->readable, NULL) < 0 ? -ENOMEM : 0;
}

void
turn_stop_watching(struct session *session)
{
	pause_reading(session);
}

void
turn_forget(struct session *session)
{
	turn_drop_held(session);
	turn_stop_writing(session);
}
