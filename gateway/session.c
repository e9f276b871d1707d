/*
 * The life of a session (see session.h). Runs in the gateway. A client may send anything at any
 * time: what it makes a session hold is bounded by one line, one command and one transfer.
 */
#include "gateway/session.h"

#include "gateway/attention.h"
#include "gateway/keepalive.h"
#include "gateway/reception.h"
#include "gateway/status.h"
#include "gateway/tls.h"
#include "gateway/transfer.h"
#include "gateway/turn.h"
#include "ipc/address.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"

#include <errno.h>
#include <stdlib.h>

enum { GOODBYE_S = 5 };

/* ---- the table ---- */

static struct session **
find_place(struct gateway *gateway, uint64_t id)
{
	struct session_table *table = &gateway->sessions;
	struct session **place = &table->buckets[id & (table->bucket_count - 1)];
	while (*place != NULL && (*place)->id != id)
		place = &(*place)->next_in_bucket;
	return place;
}

static void
add_to_table(struct session *session)
{
	struct gateway *gateway = session->gateway;
	struct session_table *table = &gateway->sessions;
	/* A number is never used twice; the next incarnation begins with 1 again. */
	if (table->last_number == UINT32_MAX)
		die("all session numbers of this process are used up");
	session->id = (uint64_t)gateway->settings.incarnation << 32 | ++table->last_number;
	struct session **place = find_place(gateway, session->id);
	*place = session;
	table->count++;
}

struct session *
session_find(struct gateway *gateway, uint64_t id)
{
	struct session *session = *find_place(gateway, id);
	return session == NULL || session->ending != NULL ? NULL : session;
}

struct session *
session_next(struct gateway *gateway, const struct session *after)
{
	struct session_table *table = &gateway->sessions;
	if (after != NULL && after->next_in_bucket != NULL)
		return after->next_in_bucket;
	uint64_t bucket = after == NULL ? 0 : (after->id & (table->bucket_count - 1)) + 1;
	for (; bucket < table->bucket_count; bucket++)
		if (table->buckets[bucket] != NULL)
			return table->buckets[bucket];
	return NULL;
}

void
session_wake_all(struct gateway *gateway)
{
	struct session *session = NULL;
	while ((session = session_next(gateway, session)) != NULL)
		session_wake(session);
}

void
session_end_wait(struct gateway *gateway, enum session_wait wait)
{
	struct session *session = NULL;
	while ((session = session_next(gateway, session)) != NULL) {
		if (session->waits != wait)
			continue;
		session->waits = WAITS_FOR_NOTHING;
		session_wake(session);
	}
}

void
session_leave_all(struct gateway *gateway)
{
	struct session *session = NULL;
	while ((session = session_next(gateway, session)) != NULL) {
		session->is_leaving = true;
		session_wake(session);
	}
}

/* ---- beginning and end ---- */

/* The client does not take the last replies, be they here or under TLS already. */
static void
give_up_goodbye(struct session *session)
{
	outbox_clear(&session->outbox);
	tls_free(&session->stream.tls);
	turn_stop_writing(session);
	session_wake(session);
}

static void
on_limit(void *owner, enum limit_kind kind)
{
	struct session *session = owner;
	switch (kind) {
	case LIMIT_NONE:
		return;
	case LIMIT_LOGIN:
		session_reply(session, reply_login_time_over);
		session_end(session, "login-timeout");
		return;
	case LIMIT_IDLE:
		session_reply(session, reply_idle_time_over);
		session_end(session, "idle");
		return;
	case LIMIT_PORT:
		data_forget(session);
		limit_set(&session->limit, LIMIT_IDLE, session->idle_timeout_s);
		return;
	case LIMIT_DATA:
		data_time_over(session);
		return;
	case LIMIT_KEEPALIVE:
		keepalive_due(session);
		return;
	case LIMIT_GOODBYE:
		give_up_goodbye(session);
		return;
	}
	bug("limit %d", (int)kind);
}

/* What a proxy has left of it. */
static uint32_t
login_time_s(const struct session *session)
{
	uint64_t used_s = (gateway_now_ms() - session->connected_ms) / 1000;
	uint32_t limit_s = session->gateway->settings.login_timeout_s;
	return used_s < limit_s ? limit_s - (uint32_t)used_s : 1;
}

struct wire_address
session_claim(const struct session *session)
{
	bool is_claimed = !address_is_none(&session->proxy) &&
			  (!address_is_same_host(&session->peer, &session->proxy) ||
				  session->peer.port != session->proxy.port);
	return is_claimed ? session->peer : (struct wire_address){ .port = 0 };
}

int
session_new(struct gateway *gateway, int *fd, const struct origin *origin)
{
	struct session *session = calloc(1, sizeof(*session));
	if (session == NULL)
		return -ENOMEM;
	*session = (struct session){
		.gateway = gateway,
		.stream = { .fd = *fd },
		.peer = origin->peer,
		.local = origin->local,
		.proxy = origin->proxy,
		.reached = origin->reached,
		.host = hosts_at(&gateway->hosts, &origin->local),
		.is_counted = true,
		.has_mode_z = gateway->settings.mode_z,
		.connected_ms = origin->since_ms,
		.idle_timeout_s = gateway->settings.idle_timeout_s,
		.parameters = parameters_initial,
	};
	limit_init(&session->limit, gateway->base, on_limit, session);
	if (turn_watch(session) < 0) {
		free(session);
		return -ENOMEM;
	}
	fd_take(fd);
	add_to_table(session);
	limit_set(&session->limit, LIMIT_LOGIN, login_time_s(session));
	record_connected(session);
	if (!origin->is_tls)
		session_greet(session);
	else if (secure_begin_implicit(session) < 0)
		session_end(session, "tls-unavailable");
	session_wake(session);
	return 0;
}

void
session_greet(struct session *session)
{
	session_reply(session, reply_greeting, host_greeting(session->host));
}

void
session_end(struct session *session, const char *reason)
{
	if (session->ending != NULL)
		return;
	session->ending = reason;
	limit_set(&session->limit, LIMIT_GOODBYE, GOODBYE_S);
	session_wake(session);
}

void
session_give_up(struct session *session)
{
	if (session->ending != NULL)
		return;
	session_reply(session, reply_out_of_memory);
	session_end(session, "out-of-memory");
}

/* Ends what runs; nothing of it is replied any more. */
static void
take_down(struct session *session)
{
	session->is_silent = true;
	transfer_abandon(session);
	status_abandon(session);
	attention_stop(session);
	data_forget(session);
	login_forget(session);
	turn_stop_watching(session);
}

static void
release(struct session *session)
{
	struct gateway *gateway = session->gateway;
	limit_stop(&session->limit);
	reception_uncount(session);
	record_disconnected(session, session->ending);
	*find_place(gateway, session->id) = session->next_in_bucket;
	gateway->sessions.count--;
	stream_close(&session->stream);
	line_clear(&session->lines);
	turn_forget(session);
	outbox_clear(&session->outbox);
	free(session->folder);
	free(session->subject);
	free(session->rename_from);
	free(session->copy_from);
	free(session);
}

bool
session_take_apart(struct session *session)
{
	if (!session->is_silent)
		take_down(session);
	/* Under TLS replies also wait where the outbox does not see them. */
	if (outbox_length(&session->outbox) > 0 || session->writable != NULL)
		return false;
	struct gateway *gateway = session->gateway;
	release(session);
	reception_update(gateway->reception);
	gateway_leave_if_empty(gateway);
	return true;
}

void
session_free_all(struct gateway *gateway)
{
	struct session_table *table = &gateway->sessions;
	for (uint32_t i = 0; i < table->bucket_count; i++) {
		while (table->buckets[i] != NULL) {
			struct session *session = table->buckets[i];
			session_end(session, "shutdown");
			take_down(session);
			release(session);
		}
	}
	gateway->awake = NULL;
}

/* ---- replies ---- */

static void
lose_reply(struct session *session)
{
	/* A reply that is missing would shift all that follow: the client would misread them. */
	session_end(session, "out-of-memory");
}

void
session_reply(struct session *session, const char *format, ...)
{
	va_list arguments;
	if (session->is_silent)
		return;
	va_start(arguments, format);
	if (outbox_add_line(&session->outbox, format, arguments) < 0)
		lose_reply(session);
	va_end(arguments);
	session_wake(session);
}

void
session_reply_failure(struct session *session, enum failure_context context, int error)
{
	const struct failure *failure = failure_find(error);
	session_reply(session, "%u %s", (unsigned)failure->codes[context], failure->text);
}

void
session_reply_text(struct session *session, struct bytes text)
{
	if (session->is_silent)
		return;
	if (outbox_add(&session->outbox, text) < 0)
		lose_reply(session);
	session_wake(session);
}

/* ---- commands ---- */

void
session_begin(struct session *session)
{
	ensure(!session->is_running);
	session->is_running = true;
}

void
session_begin_long(struct session *session)
{
	session_begin(session);
	session->is_long = true;
}

void
session_finish(struct session *session)
{
	session->is_running = false;
	session->is_long = false;
	session->is_used = true;
	attention_stop(session);
	for (; session->aborts > 0; session->aborts--)
		session_reply(session, reply_abort_done);
	for (; session->noops > 0; session->noops--)
		session_reply(session, reply_done);
	if (session->is_quitting) {
		session_reply(session, reply_goodbye);
		session_end(session, "quit");
	}
	session_wake(session);
}

bool
session_complete(
	struct session *session, enum failure_context context, const struct pathio_answer *answer)
{
	if (answer->error < 0)
		session_reply_failure(session, context, answer->error);
	session_finish(session);
	return answer->error == 0;
}

bool
session_is_logged_in(const struct session *session)
{
	return session->login.stage == LOGIN_DONE;
}

struct bytes
session_folder(const struct session *session)
{
	return session->folder == NULL ? bytes_of_text("/") : bytes_of_text(session->folder);
}

struct byte_range
session_take_range(struct session *session)
{
	struct byte_range range = session->parameters.range;
	session->parameters.range = byte_range_all;
	return range;
}

int
session_fold(const struct session *session, struct bytes argument, struct path *path)
{
	struct path folder;
	struct bytes input = argument.length == 0 ? bytes_of_text(".") : argument;
	int error = path_fold_written(NULL, session_folder(session), &folder);
	return error < 0 ? error : path_fold_written(&folder, input, path);
}

bool
session_resolve(struct session *session, enum failure_context context, struct bytes argument,
	struct path *path)
{
	int error = session_fold(session, argument, path);
	if (error < 0)
		session_reply_failure(session, context, error);
	return error == 0;
}

bool
session_keep(struct session *session, char **field, const struct path *path)
{
	char *copy = bytes_copy_text(path_bytes(path));
	if (copy == NULL) {
		session_reply_failure(session, FAILURE_GENERAL, EIO);
		return false;
	}
	free(*field);
	*field = copy;
	return true;
}

uint32_t
session_next_file(struct session *session)
{
	return ++session->last_file;
}

void
session_ignore_answer(void *argument, const struct pathio_answer *answer)
{
	(void)argument;
	(void)answer;
}
