/*
 * The table of sessions (see sessions.h, session.h): what is in it, and for how long. Runs in the
 * supervisor as root. Whoever asks for a session has been checked: a gateway can name only those of
 * its own incarnation. One that is to end and that its gateway keeps costs that gateway.
 */
#include "policy/sessions/session.h"

#include "ipc/address.h"
#include "policy/sessions/gateways.h"
#include "policy/sessions/ports.h"
#include "policy/sessions/workers.h"
#include "policy/supervisor/supervisor.h"

#include <search.h>
#include <stdlib.h>

/* Half sessions stay for a moment, so a busy gateway has many more than connections. */
enum { CLOSE_MS = 10000, OF_GATEWAY_MAX = 65536 };

static int
compare(const void *left, const void *right)
{
	const uint64_t *a = left;
	const uint64_t *b = right;
	return *a < *b ? -1 : *a > *b;
}

struct session *
session_find(const struct gateway *gateway, uint64_t id)
{
	struct session *const *node = tfind(&id, &gateway->supervisor->sessions->by_id, compare);
	return node == NULL ? NULL : *node;
}

void
session_set_half(struct session *session)
{
	session->state = SESSION_HALF;
	session->deadline_ms = supervisor_now_ms() + JOIN_WAIT_MS;
}

struct session *
session_find_or_add(struct gateway *gateway, uint64_t id)
{
	struct sessions *sessions = gateway->supervisor->sessions;
	struct session *session = session_find(gateway, id);
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
	session_set_half(session);
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

struct bytes
session_address(const struct session *session)
{
	return bytes_of(session->peer.ip, sizeof(session->peer.ip));
}

int
session_set_account(struct session *session, struct account *account)
{
	struct sessions *sessions = session->gateway->supervisor->sessions;
	int error = tally_add(&sessions->by_user, account->who);
	if (error < 0)
		return error;
	error = tally_add(&sessions->by_address, session_address(session));
	if (error < 0) {
		tally_remove(&sessions->by_user, account->who);
		return error;
	}
	sessions->count++;
	session->account = account;
	session->since_ms = supervisor_now_ms();
	session->deadline_ms =
		session->since_ms + sessions->supervisor->settings->config->session_limit * 1000;
	return 0;
}

void
session_set_worker(struct session *session, struct worker *worker)
{
	if (session->worker != NULL)
		session->worker->sessions--;
	if (worker != NULL)
		worker->sessions++;
	session->worker = worker;
}

void
session_end(struct session *session)
{
	struct sessions *sessions = session->gateway->supervisor->sessions;
	session_set_worker(session, NULL);
	ports_leave(session->gateway->ports, session->id);
	if (session->account != NULL) {
		sessions->count--;
		tally_remove(&sessions->by_user, session->account->who);
		tally_remove(&sessions->by_address, session_address(session));
	}
	free(session->account);
	session->account = NULL;
	session->asks = session->was_open = false;
	join_give_up(&session->join);
	session_set_half(session);
}

void
session_close(struct session *session)
{
	struct process *gateway = session->gateway->service.process;
	const struct gate_close_session body = { .session = session->id };
	if (session->state == SESSION_CLOSING)
		return;
	process_posted(gateway, gate_post_close_session(gateway->channel, 0, &body));
	session->state = SESSION_CLOSING;
	session->deadline_ms = supervisor_now_ms() + CLOSE_MS;
}

void
sessions_drop_gateway(struct sessions *sessions, struct gateway *gateway)
{
	session_tell_refusals(gateway);
	struct session *next, *session = LIST_FIRST(&sessions->all);
	for (; session != NULL; session = next) {
		next = LIST_NEXT(session, link);
		if (session->gateway != gateway)
			continue;
		session_end(session);
		forget(session);
	}
}

static void
expire(struct session *session)
{
	struct denial denial;
	switch (session->state) {
	case SESSION_HALF:
		account_deny(&denial, REFUSAL_VERDICT, EACCES, "no verdict in time");
		if (session->asks)
			session_refuse(session, NULL, &denial);
		forget(session);
		return;
	case SESSION_CLOSING:
		process_kill(session->gateway->service.process, "kept a session that was to end");
		return;
	case SESSION_STARTING:
	case SESSION_OPEN:
	case SESSION_DOUBTED:
	case SESSION_LOST:
		session_close(session);
		return;
	}
}

void
sessions_tick(struct sessions *sessions)
{
	uint64_t now_ms = supervisor_now_ms();
	struct gateway *gateway = NULL;
	while ((gateway = gateways_next(sessions->supervisor->gateways, gateway)) != NULL)
		session_tell_refusals(gateway);
	struct session *next, *session = LIST_FIRST(&sessions->all);
	for (; session != NULL; session = next) {
		next = LIST_NEXT(session, link);
		if (now_ms >= session->deadline_ms)
			expire(session);
	}
}

bool
sessions_find_ends(const struct gateway *gateway, uint64_t id, struct session_ends *ends)
{
	const struct session *session = session_find(gateway, id);
	if (session == NULL || session->state != SESSION_OPEN)
		return false;
	ends->is_proxied = !address_is_none(&session->proxy);
	ends->peer = ends->is_proxied ? session->proxy : session->peer;
	ends->local = session->local;
	return true;
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
