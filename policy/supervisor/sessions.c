/*
 * The table of sessions (see sessions.h). Runs in the supervisor as root, on requests of gateways
 * and verdicts of auth. A gateway can name only sessions of its own incarnation (checked before it
 * gets here), and be given only a worker that auth's verdict for that very session names. Addresses
 * are the kernel's. On failure the one session is refused.
 */
#include "policy/supervisor/sessions.h"

#include "ipc/address.h"
#include "ipc/attach.h"
#include "ipc/base/scope.h"
#include "policy/supervisor/join.h"
#include "policy/supervisor/pairs.h"
#include "policy/supervisor/record.h"
#include "policy/supervisor/supervisor.h"
#include "policy/supervisor/tally.h"
#include "policy/supervisor/workers.h"

#include <search.h>

enum session_state {
	SESSION_HALF,     /* nobody: half a login waits, or one has ended a moment ago */
	SESSION_STARTING, /* its worker does */
	SESSION_OPEN,     /* gateway and worker share its channel */
	SESSION_DOUBTED,  /* its channel has ended, and the worker was asked whether it lives */
	SESSION_LOST,     /* its worker has died */
	SESSION_CLOSING,  /* the gateway was told to end it */
};

struct session {
	uint64_t id; /* first: what compare() sees */
	struct gateway *gateway;
	LIST_ENTRY(session) of_gateway;
	LIST_ENTRY(session) of_worker;
	TAILQ_ENTRY(session) of_queue;
	enum session_state state;
	uint64_t since_ms; /* in its queue */
	struct join join;
	struct account *told; /* by a verdict that waits */
	bool was_open;        /* a refusal is of a reattach */
	bool asks;            /* attach or reattach has no answer yet */
	uint32_t tag;         /* of that request */
	struct account *account;
	struct wire_address peer;
	struct wire_address local;
	struct worker *worker; /* NULL when half or lost */
	struct often reattached;
};

/* In a queue all limits are alike, so the first in it is the first to be due. */
TAILQ_HEAD(session_queue, session);

struct sessions {
	struct supervisor *supervisor;
	void *by_id;                /* tsearch(3) */
	struct session_queue brief; /* half or closing: JOIN_WAIT_MS */
	struct session_queue whole; /* the others: session_limit */
	uint64_t count;             /* of the whole ones */
	struct tally by_user;
	struct tally by_address;
};

static struct sessions *
sessions_of(const struct gateway *gateway)
{
	return gateway->service.supervisor->sessions;
}

/* ---- the table ---- */

static int
compare(const void *left, const void *right)
{
	const uint64_t *a = left;
	const uint64_t *b = right;
	return *a < *b ? -1 : *a > *b;
}

static struct session *
find(const struct gateway *gateway, uint64_t id)
{
	struct session *const *node = tfind(&id, &sessions_of(gateway)->by_id, compare);
	return node == NULL ? NULL : *node;
}

static bool
is_brief(const struct session *session)
{
	return session->state == SESSION_HALF || session->state == SESSION_CLOSING;
}

static struct session_queue *
queue_of(struct sessions *sessions, const struct session *session)
{
	return is_brief(session) ? &sessions->brief : &sessions->whole;
}

/* Changes the state; a session that changes its queue, or stays a brief one, waits anew. */
static void
set_state(struct session *session, enum session_state state)
{
	struct sessions *sessions = sessions_of(session->gateway);
	struct session_queue *before = queue_of(sessions, session);
	session->state = state;
	if (before == queue_of(sessions, session) && !is_brief(session))
		return;
	TAILQ_REMOVE(before, session, of_queue);
	session->since_ms = supervisor_now_ms();
	TAILQ_INSERT_TAIL(queue_of(sessions, session), session, of_queue);
}

static struct session *
find_or_add(struct gateway *gateway, uint64_t id)
{
	struct sessions *sessions = sessions_of(gateway);
	struct session *session = find(gateway, id);
	if (session != NULL)
		return session;
	session = calloc(1, sizeof(*session));
	if (session == NULL)
		return NULL;
	session->id = id;
	session->gateway = gateway;
	if (tsearch(session, &sessions->by_id, compare) == NULL) {
		free(session);
		return NULL;
	}
	session->since_ms = supervisor_now_ms();
	LIST_INSERT_HEAD(&gateway->sessions, session, of_gateway);
	TAILQ_INSERT_TAIL(&sessions->brief, session, of_queue);
	return session;
}

static void
forget(struct session **session)
{
	struct sessions *sessions = sessions_of((*session)->gateway);
	tdelete(*session, &sessions->by_id, compare);
	TAILQ_REMOVE(queue_of(sessions, *session), *session, of_queue);
	LIST_REMOVE(*session, of_gateway);
	free((*session)->told);
	free((*session)->account);
	free(*session);
	*session = NULL;
}

/* ---- answers ---- */

static void
set_asking(struct session *session, bool asks, uint32_t tag)
{
	if (asks != session->asks)
		gateway_count_attach(session->gateway, asks ? 1 : -1);
	session->asks = asks;
	session->tag = tag;
}

static void
leave_worker(struct session *session)
{
	if (session->worker != NULL)
		LIST_REMOVE(session, of_worker);
	session->worker = NULL;
}

static struct bytes
address_bytes(const struct session *session)
{
	return bytes_of(session->peer.ip, sizeof(session->peer.ip));
}

/* From whole to half: a moment later it is forgotten, unless it logs in again (REIN). */
static void
end(struct session *session)
{
	struct sessions *sessions = sessions_of(session->gateway);
	leave_worker(session);
	if (session->account != NULL) {
		sessions->count--;
		tally_remove(&sessions->by_user, session->account->user.name);
		tally_remove(&sessions->by_address, address_bytes(session));
	}
	free(session->account);
	session->account = NULL;
	session->was_open = false;
	join_give_up(&session->join);
	set_asking(session, false, 0);
	set_state(session, SESSION_HALF);
}

static void
refuse(struct session *session, struct bytes user, const struct denial *denial)
{
	const struct event_refused event = {
		.session = session->id,
		.account = user,
		.why = denial->why,
		.detail = bytes_of_text(denial->detail),
	};
	record_event(session->gateway->service.supervisor->record, EVENT_REFUSED, &event);
	gateway_refuse(session->gateway, session->tag, denial);
	set_asking(session, false, 0);
}

/* ---- logging in, and getting a worker again ---- */

static void
give_up(struct session *session, const struct denial *denial)
{
	refuse(session, session->account->user.name, denial);
	leave_worker(session);
	if (session->was_open)
		set_state(session, SESSION_LOST);
	else
		end(session);
}

static void
note_attached(const struct session *session)
{
	const struct event_attached event = {
		.session = session->id,
		.account = session->account->user.name,
		.uid = session->account->user.uid,
		.peer = session->peer,
		.local = session->local,
		.worker_pid = (uint32_t)session->worker->process->pid,
		.again = session->was_open,
	};
	record_event(session->gateway->service.supervisor->record, EVENT_ATTACHED, &event);
}

/* Gives gateway and worker the two ends of the session's channel. */
static int
send_ends(const struct session *session)
{
	struct process *gateway = session->gateway->service.process;
	SCOPE_PAIR struct pair pair = { -1, -1 };
	const struct gate_attached answer = { .session = session->id };
	const struct attach_attach order = {
		.session = session->id,
		.peer = session->peer,
		.local = session->local,
		.rights = session->account->user.rights,
	};
	int error = pair_make(ROLE_GATEWAY, ROLE_WORKER, &pair);
	if (error == 0)
		error = attach_post_attach_with(
			session->worker->process->channel, 0, &order, pair.other);
	if (error == 0)
		process_posted(gateway,
			gate_post_attached_with(gateway->channel, session->tag, &answer, pair.one));
	return error;
}

static void
open_session(struct session *session)
{
	struct denial denial;
	int error = send_ends(session);
	if (error < 0) {
		account_deny(&denial, REFUSAL_WORKER, -error, "no channel to the worker");
		give_up(session, &denial);
		return;
	}
	note_attached(session);
	session->was_open = true;
	set_asking(session, false, 0);
	set_state(session, SESSION_OPEN);
}

static void
seek_worker(struct session *session)
{
	struct denial denial;
	struct worker *worker;
	struct workers *workers = session->gateway->service.supervisor->workers;
	if (workers_get(workers, session->account, &worker, &denial) < 0) {
		give_up(session, &denial);
		return;
	}
	session->worker = worker;
	LIST_INSERT_HEAD(&worker->sessions, session, of_worker);
	set_state(session, SESSION_STARTING);
	if (worker->process->state == PROCESS_SERVING)
		open_session(session);
}

static int
check_limits(const struct session *session, const struct account_user *user, struct denial *denial)
{
	const struct sessions *sessions = sessions_of(session->gateway);
	const struct config *config = sessions->supervisor->settings->config;
	if (sessions->count >= config->max_sessions)
		return account_deny(denial, REFUSAL_SESSIONS, EAGAIN, "max_sessions");
	if (tally_count(&sessions->by_user, user->name) >= user->sessions_max)
		return account_deny(denial, REFUSAL_USER_SESSIONS, EAGAIN, "max_sessions_per_user");
	if (tally_count(&sessions->by_address, address_bytes(session)) >=
		config->max_sessions_per_address)
		return account_deny(
			denial, REFUSAL_ADDRESS_SESSIONS, EAGAIN, "max_sessions_per_address");
	return 0;
}

static int
count(struct session *session, struct bytes user)
{
	struct sessions *sessions = sessions_of(session->gateway);
	int error = tally_add(&sessions->by_user, user);
	if (error < 0)
		return error;
	error = tally_add(&sessions->by_address, address_bytes(session));
	if (error < 0)
		tally_remove(&sessions->by_user, user);
	else
		sessions->count++;
	return error;
}

/* Verdict and attach have met: the session is that user, if that user may be served. */
static void
begin(struct session *session)
{
	const struct supervisor *supervisor = session->gateway->service.supervisor;
	SCOPE_FREE struct account *account = session->told;
	struct denial denial;
	session->told = NULL;
	const struct account_user *user = &account->user;
	int error = account_check(user, supervisor->settings->config, &supervisor->own, &denial);
	if (error == 0)
		error = check_limits(session, user, &denial);
	if (error == 0 && count(session, user->name) < 0)
		error = account_deny(&denial, REFUSAL_WORKER, ENOMEM, "memory is short");
	if (error < 0) {
		refuse(session, user->name, &denial);
		return;
	}
	session->account = account;
	account = NULL;
	seek_worker(session);
}

/* ---- what auth says ---- */

void
sessions_identify(struct sessions *sessions, const struct verdict_identified *body)
{
	struct gateway *gateway = gateways_find(sessions->supervisor->gateways, body->session);
	struct session *session = gateway == NULL ? NULL : find_or_add(gateway, body->session);
	struct account *account;
	if (session == NULL || account_copy(&body->user, &account) < 0)
		return;
	enum join_step step = join_verdict(&session->join, body->attempt, supervisor_now_ms());
	if (step == JOIN_REFUSED) {
		free(account);
		return;
	}
	free(session->told);
	session->told = account;
	if (step == JOIN_MATCH)
		begin(session);
	else if (session->state == SESSION_HALF)
		set_state(session, SESSION_HALF);
}

/* ---- what gateways ask ---- */

static int
take_control(struct session *session, int control_fd)
{
	int error = address_of_peer(control_fd, &session->peer);
	return error < 0 ? error : address_of_local(control_fd, &session->local);
}

void
sessions_attach(
	struct gateway *gateway, uint32_t tag, const struct gate_attach *body, int control_fd)
{
	struct session *session = find_or_add(gateway, body->session);
	struct denial denial;
	if (session != NULL && (session->state != SESSION_HALF || session->asks)) {
		channel_reject(gateway->service.process->channel,
			"an attach of a session that is attached");
		return;
	}
	int error = session == NULL ? -ENOMEM : take_control(session, control_fd);
	if (error < 0) {
		account_deny(&denial, REFUSAL_NONE, -error, "no control connection");
		gateway_refuse(gateway, tag, &denial);
		return;
	}
	set_asking(session, true, tag);
	switch (join_attach(&session->join, body->attempt, supervisor_now_ms())) {
	case JOIN_MATCH:
		begin(session);
		return;
	case JOIN_WAIT:
		set_state(session, SESSION_HALF);
		return;
	case JOIN_REFUSED:
		account_deny(&denial, REFUSAL_VERDICT, EACCES, "attempt %u is over", body->attempt);
		refuse(session, bytes_of_text(""), &denial);
		return;
	}
}

void
sessions_reattach(struct gateway *gateway, uint32_t tag, uint64_t id)
{
	struct session *session = find(gateway, id);
	struct denial denial = { 0 };
	uint64_t now_ms = supervisor_now_ms();
	if (session == NULL || session->asks ||
		(session->state != SESSION_OPEN && session->state != SESSION_LOST))
		account_deny(&denial, REFUSAL_NONE, ENOENT, "no such session");
	else if (often_is_reached(&session->reattached, now_ms))
		account_deny(&denial, REFUSAL_RATE, EAGAIN, "reattaches");
	if (denial.error != 0) {
		gateway_refuse(gateway, tag, &denial);
		return;
	}
	often_note(&session->reattached, now_ms);
	set_asking(session, true, tag);
	if (session->state == SESSION_LOST) {
		seek_worker(session);
		return;
	}
	/* The gateway may have seen the worker's death before us: its answer or its end decides. */
	set_state(session, SESSION_DOUBTED);
	worker_doubt(session->worker);
}

void
sessions_close(struct gateway *gateway, uint64_t id)
{
	struct session *session = find(gateway, id);
	if (session != NULL)
		end(session);
}

void
sessions_complain(struct gateway *gateway, uint64_t id)
{
	const struct session *session = find(gateway, id);
	if (session != NULL && session->worker != NULL)
		worker_doubt(session->worker);
}

bool
sessions_find_addresses(const struct gateway *gateway, uint64_t id, struct wire_address *local,
	struct wire_address *peer)
{
	const struct session *session = find(gateway, id);
	if (session == NULL || is_brief(session))
		return false;
	*local = session->local;
	*peer = session->peer;
	return true;
}

void
sessions_drop_gateway(struct gateway *gateway)
{
	struct session *session;
	while ((session = LIST_FIRST(&gateway->sessions)) != NULL) {
		end(session);
		forget(&session);
	}
}

/* ---- what becomes of workers ---- */

void
sessions_worker_ready(struct worker *worker)
{
	struct session *next;
	for (struct session *session = LIST_FIRST(&worker->sessions); session != NULL;
		session = next) {
		next = LIST_NEXT(session, of_worker);
		if (session->state == SESSION_STARTING)
			open_session(session);
	}
}

/* It lives, so it was the worker who closed the session's channel, with a reason. */
void
sessions_worker_answered(struct worker *worker)
{
	struct denial denial;
	struct session *session;
	account_deny(&denial, REFUSAL_WORKER, EPIPE, "the worker closed the session's channel");
	LIST_FOREACH(session, &worker->sessions, of_worker)
	{
		if (session->state != SESSION_DOUBTED)
			continue;
		refuse(session, session->account->user.name, &denial);
		set_state(session, SESSION_OPEN);
	}
}

void
sessions_worker_ended(struct worker *worker, const struct denial *denial)
{
	struct session *session;
	while ((session = LIST_FIRST(&worker->sessions)) != NULL) {
		enum session_state state = session->state;
		leave_worker(session);
		if (state == SESSION_STARTING)
			give_up(session, denial);
		else if (state != SESSION_CLOSING)
			set_state(session, SESSION_LOST);
		if (state == SESSION_DOUBTED)
			seek_worker(session);
	}
}

/* ---- time ---- */

static void
expire_brief(struct session *session)
{
	struct denial denial;
	if (session->state == SESSION_CLOSING) {
		process_kill(session->gateway->service.process, "kept a session that was to end");
		set_state(session, SESSION_CLOSING);
		return;
	}
	account_deny(&denial, REFUSAL_VERDICT, EACCES, "no verdict in time");
	if (session->asks)
		refuse(session, bytes_of_text(""), &denial);
	forget(&session);
}

static void
close_session(struct session *session)
{
	struct process *gateway = session->gateway->service.process;
	const struct gate_close_session body = { .session = session->id };
	process_posted(gateway, gate_post_close_session(gateway->channel, 0, &body));
	set_state(session, SESSION_CLOSING);
}

void
sessions_tick(struct sessions *sessions)
{
	uint64_t limit_ms = sessions->supervisor->settings->config->session_limit * 1000;
	uint64_t now_ms = supervisor_now_ms();
	struct session *session;
	while ((session = TAILQ_FIRST(&sessions->brief)) != NULL &&
		now_ms - session->since_ms >= JOIN_WAIT_MS)
		expire_brief(session);
	while ((session = TAILQ_FIRST(&sessions->whole)) != NULL &&
		now_ms - session->since_ms >= limit_ms)
		close_session(session);
}

int
sessions_new(struct supervisor *supervisor, struct sessions **result)
{
	struct sessions *sessions = calloc(1, sizeof(*sessions));
	if (sessions == NULL)
		return -ENOMEM;
	sessions->supervisor = supervisor;
	TAILQ_INIT(&sessions->brief);
	TAILQ_INIT(&sessions->whole);
	*result = sessions;
	return 0;
}
