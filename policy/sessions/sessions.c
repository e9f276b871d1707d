/*
 * The table of sessions (see sessions.h). Runs in the supervisor as root, on requests of gateways
 * and verdicts of auth. A gateway can name only sessions of its own incarnation, and be given only
 * the worker that auth's verdict for that very session names. Addresses are the kernel's. On
 * failure the one session is refused.
 */
#include "policy/sessions/sessions.h"

#include "ipc/address.h"
#include "ipc/attach.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/rules/join.h"
#include "policy/rules/limits.h"
#include "policy/sessions/gateways.h"
#include "policy/sessions/record.h"
#include "policy/sessions/workers.h"
#include "policy/supervisor/pairs.h"
#include "policy/supervisor/supervisor.h"

#include <search.h>

/* Half sessions stay for a moment, so a busy gateway has many more than connections. */
enum { CLOSE_MS = 10000, OF_GATEWAY_MAX = 65536 };

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
	LIST_ENTRY(session) link;
	struct gateway *gateway;
	enum session_state state;
	uint64_t deadline_ms; /* half or closing: soon; else session_limit */
	struct join join;
	struct account *told; /* by a verdict that waits */
	bool asks;            /* attach or reattach has no answer yet */
	uint32_t tag;         /* of that request */
	bool was_open;        /* a refusal is of a reattach */
	bool to_review;       /* the users were loaded anew, and its own is not known yet */
	struct account *account;
	struct wire_address peer;
	struct wire_address local;
	struct worker *worker; /* NULL when half or lost */
	struct often reattached;
};
LIST_HEAD(session_list, session);

struct sessions {
	struct supervisor *supervisor;
	void *by_id; /* tsearch(3) */
	struct session_list all;
	uint64_t count; /* with an account */
	struct tally by_user;
	struct tally by_address;
};

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
	struct session *const *node = tfind(&id, &gateway->supervisor->sessions->by_id, compare);
	return node == NULL ? NULL : *node;
}

/* Half a session does not wait longer than for its other half. */
static void
set_half(struct session *session)
{
	session->state = SESSION_HALF;
	session->deadline_ms = supervisor_now_ms() + JOIN_WAIT_MS;
}

static struct session *
find_or_add(struct gateway *gateway, uint64_t id)
{
	struct sessions *sessions = gateway->supervisor->sessions;
	struct session *session = find(gateway, id);
	if (session != NULL)
		return session;
	if (gateway->sessions >= OF_GATEWAY_MAX)
		return NULL;
	session = calloc(1, sizeof(*session));
	if (session == NULL)
		return NULL;
	session->id = id;
	session->gateway = gateway;
	if (tsearch(session, &sessions->by_id, compare) == NULL) {
		free(session);
		return NULL;
	}
	set_half(session);
	LIST_INSERT_HEAD(&sessions->all, session, link);
	gateway->sessions++;
	return session;
}

static void
forget(struct session *session)
{
	tdelete(session, &session->gateway->supervisor->sessions->by_id, compare);
	LIST_REMOVE(session, link);
	session->gateway->sessions--;
	free(session->told);
	free(session);
}

static struct bytes
address_bytes(const struct session *session)
{
	return bytes_of(session->peer.ip, sizeof(session->peer.ip));
}

static int
set_account(struct session *session, struct account *account)
{
	struct sessions *sessions = session->gateway->supervisor->sessions;
	int error = tally_add(&sessions->by_user, account->user.name);
	if (error < 0)
		return error;
	error = tally_add(&sessions->by_address, address_bytes(session));
	if (error < 0) {
		tally_remove(&sessions->by_user, account->user.name);
		return error;
	}
	sessions->count++;
	session->account = account;
	session->deadline_ms =
		supervisor_now_ms() + sessions->supervisor->settings->config->session_limit * 1000;
	return 0;
}

static void
set_worker(struct session *session, struct worker *worker)
{
	if (session->worker != NULL)
		session->worker->sessions--;
	if (worker != NULL)
		worker->sessions++;
	session->worker = worker;
}

/* A moment later it is forgotten, unless it logs in again (REIN). */
static void
end(struct session *session)
{
	struct sessions *sessions = session->gateway->supervisor->sessions;
	set_worker(session, NULL);
	if (session->account != NULL) {
		sessions->count--;
		tally_remove(&sessions->by_user, session->account->user.name);
		tally_remove(&sessions->by_address, address_bytes(session));
	}
	free(session->account);
	session->account = NULL;
	session->asks = session->was_open = false;
	join_give_up(&session->join);
	set_half(session);
}

/* ---- logging in, and getting a worker again ---- */

static void
refuse(struct session *session, const struct account *account, const struct denial *denial)
{
	const struct event_refused event = {
		.session = session->id,
		.account = account != NULL ? account->user.name : bytes_of_text(""),
		.why = denial->why,
		.detail = bytes_of_text(denial->detail),
	};
	record_event(session->gateway->supervisor->record, EVENT_REFUSED, &event);
	session->asks = false;
	gateway_refuse(session->gateway->service.process, session->tag, denial);
}

/* A session that had a worker may ask for one again; another was never one. */
static void
give_up(struct session *session, const struct denial *denial)
{
	refuse(session, session->account, denial);
	set_worker(session, NULL);
	session->state = SESSION_LOST;
	if (!session->was_open)
		end(session);
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
	ensure(session->worker != NULL);
	int error = send_ends(session);
	if (error < 0) {
		account_deny(&denial, REFUSAL_WORKER, -error, "no channel to the worker");
		give_up(session, &denial);
		return;
	}
	const struct event_attached event = {
		.session = session->id,
		.account = session->account->user.name,
		.uid = session->account->user.uid,
		.peer = session->peer,
		.local = session->local,
		.worker_pid = (uint32_t)session->worker->process->pid,
		.again = session->was_open,
	};
	record_event(session->gateway->supervisor->record, EVENT_ATTACHED, &event);
	session->asks = false;
	session->was_open = true;
	session->state = SESSION_OPEN;
}

static void
seek_worker(struct session *session)
{
	struct denial denial;
	struct worker *worker;
	struct workers *workers = session->gateway->supervisor->workers;
	if (workers_get(workers, session->account, &worker, &denial) < 0) {
		give_up(session, &denial);
		return;
	}
	set_worker(session, worker);
	session->state = SESSION_STARTING;
	if (worker->process->state == PROCESS_SERVING)
		open_session(session);
}

static int
check(const struct session *session, const struct account *account, struct denial *denial)
{
	const struct supervisor *supervisor = session->gateway->supervisor;
	const struct sessions *sessions = supervisor->sessions;
	const struct config *config = supervisor->settings->config;
	struct rules_error error = { 0 };
	int failure = identity_check(
		&account->identity, config, supervisor->own.uid, supervisor->own.gid, &error);
	if (failure < 0)
		failure = account_deny(denial, REFUSAL_ACCOUNT, EPERM, "%s",
			error.reason != NULL ? error.reason : strerror(-failure));
	else if (sessions->count >= config->max_sessions)
		failure = account_deny(denial, REFUSAL_SESSIONS, EAGAIN, "max_sessions");
	else if (tally_count(&sessions->by_user, account->user.name) >= account->user.sessions_max)
		failure = account_deny(denial, REFUSAL_USER_SESSIONS, EAGAIN, "of the user");
	else if (tally_count(&sessions->by_address, address_bytes(session)) >=
		 config->max_sessions_per_address)
		failure = account_deny(denial, REFUSAL_ADDRESS_SESSIONS, EAGAIN, "of the address");
	rules_error_free(&error);
	return failure;
}

/* Verdict and attach have met: the session is that user, if that user may be served. */
static void
begin(struct session *session)
{
	SCOPE_FREE struct account *account = session->told;
	struct denial denial;
	session->told = NULL;
	int error = check(session, account, &denial);
	if (error == 0 && set_account(session, account) < 0)
		error = account_deny(&denial, REFUSAL_WORKER, ENOMEM, "memory is short");
	if (error < 0) {
		refuse(session, account, &denial);
		return;
	}
	account = NULL;
	seek_worker(session);
}

/* The gateway has a moment to do it. */
static void
close_session(struct session *session)
{
	struct process *gateway = session->gateway->service.process;
	const struct gate_close_session body = { .session = session->id };
	if (session->state == SESSION_CLOSING)
		return;
	process_posted(gateway, gate_post_close_session(gateway->channel, 0, &body));
	session->state = SESSION_CLOSING;
	session->deadline_ms = supervisor_now_ms() + CLOSE_MS;
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
		set_half(session);
}

/* ---- after a reload ---- */

void
sessions_begin_review(struct sessions *sessions)
{
	struct session *session;
	LIST_FOREACH(session, &sessions->all, link)
	session->to_review = session->account != NULL;
}

bool
sessions_next_to_review(struct sessions *sessions, struct bytes *user)
{
	struct session *session, *found = NULL;
	LIST_FOREACH(session, &sessions->all, link)
	{
		if (!session->to_review || session->account == NULL)
			continue;
		found = found != NULL ? found : session;
		if (bytes_equal(session->account->user.name, found->account->user.name))
			session->to_review = false;
	}
	if (found != NULL)
		*user = found->account->user.name;
	return found != NULL;
}

static void
renew(struct session *session, const struct account_user *user)
{
	const struct supervisor *supervisor = session->gateway->supervisor;
	const struct attach_change_rights change = { .session = session->id,
		.rights = user->rights };
	struct rules_error error = { 0 };
	struct account *account;
	if (account_copy(user, &account) < 0)
		return;
	bool is_allowed = identity_check(&account->identity, supervisor->settings->config,
				  supervisor->own.uid, supervisor->own.gid, &error) == 0;
	rules_error_free(&error);
	if (session->worker != NULL && !bytes_equal(account->key, session->account->key))
		worker_retire(session->worker);
	if (!is_allowed)
		close_session(session);
	else if (session->worker != NULL && session->state == SESSION_OPEN)
		process_posted(session->worker->process,
			attach_post_change_rights(session->worker->process->channel, 0, &change));
	free(session->account);
	session->account = account;
}

void
sessions_review(struct sessions *sessions, struct bytes name, const struct account_user *user)
{
	struct session *session;
	LIST_FOREACH(session, &sessions->all, link)
	{
		if (session->account == NULL || !bytes_equal(session->account->user.name, name))
			continue;
		if (user != NULL)
			renew(session, user);
		else
			close_session(session);
	}
}

/* ---- what gateways ask ---- */

void
sessions_on_attach(void *owner, struct message *message, const struct gate_attach *body)
{
	struct process *process = owner;
	struct gateway *gateway = gateway_asking(owner, body->session);
	struct denial denial = { .why = REFUSAL_SESSIONS, .error = EAGAIN };
	if (gateway == NULL)
		return;
	struct session *session = find_or_add(gateway, body->session);
	if (session == NULL) {
		gateway_refuse(process, message->tag, &denial);
		return;
	}
	if (session->state != SESSION_HALF || session->asks) {
		channel_reject(process->channel, "an attach of a session that is attached");
		return;
	}
	session->asks = true;
	session->tag = message->tag;
	int error = address_of_peer(message->descriptor, &session->peer);
	if (error == 0)
		error = address_of_local(message->descriptor, &session->local);
	if (error < 0) {
		account_deny(&denial, REFUSAL_NONE, -error, "its control connection is gone");
		refuse(session, NULL, &denial);
		return;
	}
	switch (join_attach(&session->join, body->attempt, supervisor_now_ms())) {
	case JOIN_MATCH:
		begin(session);
		return;
	case JOIN_WAIT:
		set_half(session);
		return;
	case JOIN_REFUSED:
		account_deny(&denial, REFUSAL_VERDICT, EACCES, "attempt %u is over", body->attempt);
		refuse(session, NULL, &denial);
		return;
	}
}

void
sessions_on_reattach(void *owner, struct message *message, const struct gate_reattach *body)
{
	struct gateway *gateway = gateway_asking(owner, body->session);
	struct session *session = gateway == NULL ? NULL : find(gateway, body->session);
	struct denial denial = { .why = REFUSAL_NONE, .error = ENOENT };
	uint64_t now_ms = supervisor_now_ms();
	if (gateway == NULL)
		return;
	bool may = session != NULL &&
		   (session->state == SESSION_OPEN || session->state == SESSION_LOST);
	if (may && often_is_reached(&session->reattached, now_ms))
		denial = (struct denial){ .why = REFUSAL_RATE, .error = EAGAIN };
	if (!may || denial.why == REFUSAL_RATE) {
		gateway_refuse(owner, message->tag, &denial);
		return;
	}
	often_note(&session->reattached, now_ms);
	session->asks = true;
	session->tag = message->tag;
	if (session->state == SESSION_LOST) {
		seek_worker(session);
		return;
	}
	/* The gateway may have seen the worker's death before us: its answer or its end decides. */
	session->state = SESSION_DOUBTED;
	ensure(session->worker != NULL);
	worker_doubt(session->worker);
}

void
sessions_on_closed(
	void *owner, UNUSED struct message *message, const struct gate_session_closed *body)
{
	struct gateway *gateway = gateway_asking(owner, body->session);
	struct session *session = gateway == NULL ? NULL : find(gateway, body->session);
	if (session != NULL)
		end(session);
}

void
sessions_on_complain(void *owner, UNUSED struct message *message, const struct gate_complain *body)
{
	struct gateway *gateway = gateway_asking(owner, body->session);
	const struct session *session = gateway == NULL ? NULL : find(gateway, body->session);
	if (session != NULL && session->worker != NULL)
		worker_doubt(session->worker);
}

bool
sessions_find_addresses(const struct gateway *gateway, uint64_t id, struct wire_address *local,
	struct wire_address *peer)
{
	const struct session *session = find(gateway, id);
	if (session == NULL || session->state != SESSION_OPEN)
		return false;
	*local = session->local;
	*peer = session->peer;
	return true;
}

/* ---- what becomes of the others ---- */

void
sessions_drop_gateway(struct sessions *sessions, const struct gateway *gateway)
{
	struct session *next, *session = LIST_FIRST(&sessions->all);
	for (; session != NULL; session = next) {
		next = LIST_NEXT(session, link);
		if (session->gateway != gateway)
			continue;
		end(session);
		forget(session);
	}
}

void
sessions_worker_ready(struct sessions *sessions, struct worker *worker)
{
	struct session *session;
	LIST_FOREACH(session, &sessions->all, link)
	if (session->worker == worker && session->state == SESSION_STARTING)
		open_session(session);
}

/* It lives, so it was the worker who closed the session's channel, with a reason. */
void
sessions_worker_answered(struct sessions *sessions, struct worker *worker)
{
	struct denial denial;
	struct session *session;
	account_deny(&denial, REFUSAL_WORKER, EPIPE, "the worker closed the session's channel");
	LIST_FOREACH(session, &sessions->all, link)
	{
		if (session->worker != worker || session->state != SESSION_DOUBTED)
			continue;
		refuse(session, session->account, &denial);
		session->state = SESSION_OPEN;
	}
}

/* A worker that hangs in the kernel, and is killed, holds its channels open until it comes back. */
static void
tell_abandoned(const struct session *session)
{
	struct process *gateway = session->gateway->service.process;
	const struct gate_abandon body = { .session = session->id };
	if (session->worker->process->state == PROCESS_STUCK)
		process_posted(gateway, gate_post_abandon(gateway->channel, 0, &body));
}

void
sessions_worker_ended(struct sessions *sessions, struct worker *worker, const struct denial *denial)
{
	struct session *session;
	LIST_FOREACH(session, &sessions->all, link)
	{
		if (session->worker != worker)
			continue;
		enum session_state before = session->state;
		tell_abandoned(session);
		set_worker(session, NULL);
		if (before != SESSION_CLOSING)
			session->state = SESSION_LOST;
		if (before == SESSION_STARTING)
			give_up(session, denial);
		else if (before == SESSION_DOUBTED)
			seek_worker(session);
	}
}

/* ---- time ---- */

static void
expire(struct session *session)
{
	struct denial denial;
	switch (session->state) {
	case SESSION_HALF:
		account_deny(&denial, REFUSAL_VERDICT, EACCES, "no verdict in time");
		if (session->asks)
			refuse(session, NULL, &denial);
		forget(session);
		return;
	case SESSION_CLOSING:
		process_kill(session->gateway->service.process, "kept a session that was to end");
		return;
	case SESSION_STARTING:
	case SESSION_OPEN:
	case SESSION_DOUBTED:
	case SESSION_LOST:
		close_session(session);
		return;
	}
}

void
sessions_tick(struct sessions *sessions)
{
	uint64_t now_ms = supervisor_now_ms();
	struct session *next, *session = LIST_FIRST(&sessions->all);
	for (; session != NULL; session = next) {
		next = LIST_NEXT(session, link);
		if (now_ms >= session->deadline_ms)
			expire(session);
	}
}

int
sessions_new(struct supervisor *supervisor, struct sessions **result)
{
	struct sessions *sessions = calloc(1, sizeof(*sessions));
	if (sessions == NULL)
		return -ENOMEM;
	sessions->supervisor = supervisor;
	*result = sessions;
	return 0;
}
