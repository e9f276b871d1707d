/*
 * A session gets its worker, loses it, and gets another (see sessions.h, session.h). Runs in the
 * supervisor as root. The two ends of a session's channel go to its gateway and to the worker that
 * workers_get() found for its account, and to nobody else.
 */
#include "ipc/attach.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/sessions/gateways.h"
#include "policy/sessions/record.h"
#include "policy/sessions/session.h"
#include "policy/sessions/workers.h"
#include "policy/supervisor/pairs.h"
#include "policy/supervisor/supervisor.h"

/* A session that had a worker may ask for one again; another was never one. */
static void
give_up(struct session *session, const struct denial *denial)
{
	session_refuse(session, session->account, denial);
	session_set_worker(session, NULL);
	session->state = SESSION_LOST;
	if (!session->was_open)
		session_end(session);
}

/* Gives gateway and worker the two ends of the session's channel. */
static int
send_ends(const struct session *session)
{
	struct process *gateway = session->gateway->service.process;
	SCOPE_PAIR struct pair pair = { -1, -1 };
	const struct account_user *user = &session->account->user;
	const struct gate_attached answer = {
		.session = session->id,
		.tls_data = user->tls_data,
		.tls_reuse = user->tls_reuse,
		.tls_upload_end = user->tls_upload_end,
	};
	const struct attach_attach order = {
		.session = session->id,
		.peer = session->peer,
		.claimed = session->is_claimed,
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
		.account = session->account->who,
		.uid = session->account->user.uid,
		.peer = session->peer,
		.local = session->local,
		.proxy = session->proxy,
		.worker_pid = (uint32_t)session->worker->process->pid,
		.again = session->was_open,
	};
	record_event(session->gateway->supervisor->record, EVENT_ATTACHED, &event);
	session->asks = false;
	session->was_open = true;
	session->state = SESSION_OPEN;
}

void
session_seek_worker(struct session *session)
{
	struct denial denial;
	struct worker *worker;
	struct workers *workers = session->gateway->supervisor->workers;
	if (workers_get(workers, session->account, &worker, &denial) < 0) {
		give_up(session, &denial);
		return;
	}
	session_set_worker(session, worker);
	session->state = SESSION_STARTING;
	if (worker->process->state == PROCESS_SERVING)
		open_session(session);
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
		session_refuse(session, session->account, &denial);
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
		session_set_worker(session, NULL);
		if (before != SESSION_CLOSING)
			session->state = SESSION_LOST;
		if (before == SESSION_STARTING)
			give_up(session, denial);
		else if (before == SESSION_DOUBTED)
			session_seek_worker(session);
	}
}
