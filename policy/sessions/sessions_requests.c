/*
 * What gateways ask about sessions, and what auth says of them (see sessions.h): logging in. Runs
 * in the supervisor as root. A gateway is given only the worker that auth's verdict for that very
 * session names; addresses are the kernel's. On failure the one session is refused.
 */
#include "ipc/address.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/sessions/gateways.h"
#include "policy/sessions/proxies.h"
#include "policy/sessions/record.h"
#include "policy/sessions/session.h"
#include "policy/sessions/workers.h"
#include "policy/supervisor/supervisor.h"

enum { REFUSALS_RECORDED = 64 };

/* More than these could be more than record writes, and crowd out what others do. */
static bool
may_record_refusal(struct gateway *gateway, const struct account *account)
{
	return account != NULL || gateway->refusals++ < REFUSALS_RECORDED;
}

void
session_tell_refusals(struct gateway *gateway)
{
	if (gateway->refusals > REFUSALS_RECORDED)
		record_notice(gateway->supervisor->record, SEVERITY_WARNING,
			"%u more logins without a verdict were refused to the gateway of sessions "
			"%08x...",
			gateway->refusals - REFUSALS_RECORDED, gateway->incarnation);
	gateway->refusals = 0;
}

void
session_refuse(struct session *session, const struct account *account, const struct denial *denial)
{
	const struct event_refused event = {
		.session = session->id,
		.account = account != NULL ? account->who : bytes_of_text(""),
		.why = denial->why,
		.detail = bytes_of_text(denial->detail),
	};
	if (may_record_refusal(session->gateway, account))
		record_event(session->gateway->supervisor->record, EVENT_REFUSED, &event);
	session->asks = false;
	gateway_refuse(session->gateway->service.process, session->tag, denial);
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
	else if (tally_count(&sessions->by_user, account->who) >= account->user.sessions_max)
		failure = account_deny(denial, REFUSAL_USER_SESSIONS, EAGAIN, "of the user");
	else if (tally_count(&sessions->by_address, session_address(session)) >=
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
	if (error == 0 && session_set_account(session, account) < 0)
		error = account_deny(&denial, REFUSAL_WORKER, ENOMEM, "memory is short");
	if (error < 0) {
		session_refuse(session, account, &denial);
		return;
	}
	account = NULL;
	session_seek_worker(session);
}

void
sessions_identify(struct sessions *sessions, const struct verdict_identified *body)
{
	struct gateway *gateway = gateways_find(sessions->supervisor->gateways, body->session);
	struct session *session =
		gateway == NULL ? NULL : session_find_or_add(gateway, body->session);
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
		session_set_half(session);
}

/*
 * Where the client comes from: the kernel says it, and behind a proxy the proxy. Of that no gateway
 * can make use for connections that did not come from a proxy, to where proxies are awaited.
 */
static int
take_addresses(struct session *session, int control_fd, const struct wire_address *claimed)
{
	const struct proxies *proxies = session->gateway->proxies;
	int error = address_of_peer(control_fd, &session->peer);
	if (error == 0)
		error = address_of_local(control_fd, &session->local);
	session->proxy = (struct wire_address){ .port = 0 };
	session->is_claimed = false;
	if (error < 0)
		return error;
	if (!proxies_are_awaited_at(proxies, &session->local))
		return address_is_none(claimed) ? 0 : -EINVAL;
	if (!proxies_include(proxies, &session->peer))
		return -EACCES; /* since a reload, or the gateway would not have let it in */
	session->proxy = session->peer;
	session->is_claimed = !address_is_none(claimed);
	if (session->is_claimed)
		session->peer = *claimed;
	session->peer.scope = 0;
	return 0;
}

void
sessions_on_attach(void *owner, struct message *message, const struct gate_attach *body)
{
	struct process *process = owner;
	struct gateway *gateway = gateway_asking(owner, body->session);
	struct denial denial = { .why = REFUSAL_SESSIONS, .error = EAGAIN };
	if (gateway == NULL)
		return;
	struct session *session = session_find_or_add(gateway, body->session);
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
	int error = take_addresses(session, message->descriptor, &body->claimed);
	if (error == -EINVAL) {
		channel_reject(process->channel, "a claim about a client who came by no proxy");
		return;
	}
	if (error < 0) {
		account_deny(&denial, REFUSAL_NONE, -error, "its control connection is gone");
		session_refuse(session, NULL, &denial);
		return;
	}
	switch (join_attach(&session->join, body->attempt, supervisor_now_ms())) {
	case JOIN_MATCH:
		begin(session);
		return;
	case JOIN_WAIT:
		session_set_half(session);
		return;
	case JOIN_REFUSED:
		account_deny(&denial, REFUSAL_VERDICT, EACCES, "attempt %u is over", body->attempt);
		session_refuse(session, NULL, &denial);
		return;
	}
}

void
sessions_on_reattach(void *owner, struct message *message, const struct gate_reattach *body)
{
	struct gateway *gateway = gateway_asking(owner, body->session);
	struct session *session = gateway == NULL ? NULL : session_find(gateway, body->session);
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
		session_seek_worker(session);
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
	struct session *session = gateway == NULL ? NULL : session_find(gateway, body->session);
	if (session != NULL)
		session_end(session);
}

void
sessions_on_complain(void *owner, UNUSED struct message *message, const struct gate_complain *body)
{
	struct gateway *gateway = gateway_asking(owner, body->session);
	const struct session *session =
		gateway == NULL ? NULL : session_find(gateway, body->session);
	if (session != NULL && session->worker != NULL)
		worker_doubt(session->worker);
}
