/*
 * Logging in (see login.h). Runs in the gateway. Auth's verdict here only says whether it is worth
 * asking the supervisor, which has heard of it from auth itself (DECISIONS 9).
 */
#include "gateway/login.h"

#include "gateway/language.h"
#include "gateway/reception.h"
#include "gateway/session.h"
#include "gateway/supervisor.h"
#include "gateway/tls.h"
#include "gateway/transfer.h"
#include "gateway/turn.h"
#include "gateway/turnstile.h"
#include "ipc/base/ends.h"
#include "ipc/remote.h"
#include "ipc/verify.h"

#include <errno.h>
#include <stdlib.h>

/* ---- the user's files ---- */

/* The worker is gone, or spoke wrong; the running command has had its 451. */
static void
on_files_closed(void *owner, const char *malformed)
{
	struct session *session = owner;
	pathio_free(&session->files);
	transfer_lost(session);
	if (malformed == NULL)
		return;
	record_malformed(session->gateway, PROCESS_WORKER, session->id, malformed);
	session_reply(session, reply_worker_lost);
	session_end(session, "worker-malformed");
}

static void
on_files_late(void *owner)
{
	supervisor_complain(owner);
}

static void
on_files_progress(void *owner, uint32_t tag, uint64_t bytes)
{
	transfer_progress(owner, tag, bytes);
}

static int
open_files(struct session *session, int *fd)
{
	const struct gate_configure *settings = &session->gateway->settings;
	struct remote_options options = {
		.base = session->gateway->base,
		.deadline_ms = settings->path_timeout_ms,
		/* The worker finds a stall first, and says more of it. */
		.stall_ms = settings->stall_timeout_s * 1000 + settings->path_timeout_ms,
		.slow_deadline_ms = settings->commit_timeout_s * 1000,
		.owner = session,
		.closed = on_files_closed,
		.late = on_files_late,
		.progress = on_files_progress,
	};
	return remote_new(&options, fd, &session->files);
}

/* ---- auth ---- */

static void
forget_name(struct login *login)
{
	free(login->name);
	login->name = NULL;
}

/* Ends the login command without a login. */
static void
fail(struct session *session)
{
	forget_name(&session->login);
	session->login.stage = LOGIN_NAME_NEEDED;
	session_finish(session);
}

int
login_name(struct session *session, struct bytes name)
{
	char *copy = bytes_copy_text(name);
	if (copy == NULL)
		return -ENOMEM;
	forget_name(&session->login);
	session->login.name = copy;
	session->login.stage = LOGIN_NAMED;
	return 0;
}

static struct bytes
proof_of(const struct session *session)
{
	return session->stream.tls == NULL ? bytes_of("", 0) : tls_proof(session->stream.tls);
}

static int
post_question(const struct session *session, struct bytes secret)
{
	struct channel *auth = session->gateway->auth;
	const struct login *login = &session->login;
	const struct verify_password password = {
		.session = session->id,
		.attempt = login->attempt,
		.host = host_name(session->host),
		.user = bytes_of_text(login->name),
		.secret = secret,
		.protected = session->secure.stage == SECURE_DONE,
		.proof = proof_of(session),
		.peer = session->peer,
	};
	const struct verify_certificate certificate = {
		.session = password.session,
		.attempt = password.attempt,
		.host = password.host,
		.user = password.user,
		.proof = password.proof,
		.peer = password.peer,
	};
	return login->is_by_certificate ? verify_post_certificate(auth, login->tag, &certificate)
					: verify_post_password(auth, login->tag, &password);
}

static void
ask_auth(struct session *session, struct bytes secret)
{
	struct gateway *gateway = session->gateway;
	struct login *login = &session->login;
	struct ticket ticket = { .session = session->id, .purpose = TICKET_VERIFY };
	session_begin(session);
	login->stage = LOGIN_VERIFYING;
	login->attempt++;
	if (ticket_open(&gateway->tickets, ticket, &login->tag) == 0 &&
		post_question(session, secret) == 0)
		return;
	session_reply(session, reply_login_busy);
	session_end(session, "login-busy");
}

static void
verify(struct session *session, struct bytes secret, bool is_by_certificate)
{
	session->login.is_by_certificate = is_by_certificate;
	if (session->gateway->auth == NULL)
		session->waits = WAITS_FOR_AUTH;
	else if (turnstile_enter(session))
		ask_auth(session, secret);
}

void
login_verify(struct session *session, struct bytes secret)
{
	verify(session, secret, false);
}

bool
login_has_certificate(const struct session *session)
{
	return proof_of(session).length > 0;
}

void
login_verify_certificate(struct session *session)
{
	verify(session, bytes_of("", 0), true);
}

static void
refuse(struct session *session)
{
	if (++session->login.failed >= session->gateway->settings.login_attempts) {
		session_reply(session, reply_login_too_often);
		session_end(session, "login-failures");
	}
	fail(session);
}

/* The certificate does not log that name in, whoever it is: as without one (RFC 4217 5). */
static void
ask_for_password(struct session *session)
{
	if (!session->login.is_by_certificate) {
		session_reply(session, reply_login_refused);
		refuse(session);
		return;
	}
	session->login.stage = LOGIN_NAMED;
	session_reply(session, reply_name_accepted);
	session_finish(session);
}

/* The verdict is there, or will never come. */
static void
take_verdict(struct session *session, enum verdict verdict)
{
	session->login.tag = 0;
	session->login.is_repeated = false;
	turn_drop_held(session);
	turnstile_leave(session);
	switch (verdict) {
	case VERDICT_ACCEPTED:
		session->login.stage = LOGIN_ATTACHING;
		session->login.is_known = true;
		if (supervisor_attach(session) == 0)
			return;
		session_reply(session, reply_login_unavailable);
		break;
	case VERDICT_REFUSED:
		session_reply(session, reply_login_refused);
		refuse(session);
		return;
	case VERDICT_UNPROTECTED:
		session_reply(session, reply_tls_needed);
		refuse(session);
		return;
	case VERDICT_PASSWORD_NEEDED:
		ask_for_password(session);
		return;
	case VERDICT_BUSY:
		session_reply(session, reply_login_busy);
		break;
	case VERDICT_UNAVAILABLE:
		session_reply(session, reply_login_unavailable);
		break;
	}
	session_end(session, "login-unavailable");
}

static void
on_answer(void *owner, struct message *message, const struct verify_answer *body)
{
	struct gateway *gateway = owner;
	struct ticket ticket;
	/* An answer to nobody: its session has ended meanwhile. */
	if (!ticket_close(&gateway->tickets, message->tag, &ticket) ||
		ticket.purpose != TICKET_VERIFY)
		return;
	struct session *session = session_find(gateway, ticket.session);
	if (session == NULL || session->login.tag != message->tag)
		return;
	if (body->verdict == VERDICT_ACCEPTED)
		session->has_mode_z = body->mode_z;
	take_verdict(session, body->verdict);
}

static const struct verify_handlers handlers = { .answer = on_answer };

/* Whoever waits for a verdict of the auth that is gone asks the next one, with the held line. */
static void
lose_verdict(struct session *session)
{
	struct login *login = &session->login;
	struct ticket ticket;
	ticket_close(&session->gateway->tickets, login->tag, &ticket);
	if (login->is_repeated) {
		take_verdict(session, VERDICT_UNAVAILABLE);
		return;
	}
	login->tag = 0;
	login->stage = LOGIN_NAMED;
	login->is_repeated = true;
	session->is_running = false;
	session->waits = WAITS_FOR_AUTH;
}

static void
lose_verdicts(struct gateway *gateway)
{
	struct session *session = NULL;
	while ((session = session_next(gateway, session)) != NULL)
		if (session->login.stage == LOGIN_VERIFYING && session->ending == NULL)
			lose_verdict(session);
}

static void
on_auth_closed(void *owner, const char *malformed)
{
	struct gateway *gateway = owner;
	channel_free(&gateway->auth);
	lose_verdicts(gateway);
	if (malformed == NULL)
		return;
	record_malformed(gateway, PROCESS_AUTH, 0, malformed);
	supervisor_want_auth(gateway);
}

int
login_connect_auth(struct gateway *gateway, int *fd)
{
	struct channel_options options = {
		.base = gateway->base,
		.messages = &verify_messages,
		.our_role = ROLE_GATEWAY,
		.peer_role = ROLE_AUTH,
		.phase = PHASE_SERVING,
		.handlers = &handlers,
		.owner = gateway,
		.closed = on_auth_closed,
	};
	struct channel *channel;
	int error = channel_new(&options, fd, &channel);
	if (error < 0)
		return error;
	if (gateway->auth != NULL)
		on_auth_closed(gateway, NULL);
	gateway->auth = channel;
	session_end_wait(gateway, WAITS_FOR_AUTH);
	return 0;
}

/* ---- the supervisor ---- */

void
login_attached(struct session *session, const struct tls_policies *policies, int *fd)
{
	session->login.tag = 0;
	session->login.tls = *policies;
	if (open_files(session, fd) < 0) {
		session_reply(session, reply_login_unavailable);
		session_end(session, "login-unavailable");
		return;
	}
	language_tell_worker(session);
	if (session->login.stage == LOGIN_DONE) {
		session->waits = WAITS_FOR_NOTHING;
		session_wake(session);
		return;
	}
	session->login.stage = LOGIN_DONE;
	session->login.failed = 0;
	forget_name(&session->login);
	reception_uncount(session);
	if (session->login.is_by_certificate)
		session_reply(session, reply_logged_in_by_certificate);
	else
		session_reply(session, reply_logged_in);
	session_finish(session);
}

/* What a refusal is to the client. True if it ends the connection, too. */
static bool
reply_refusal(struct session *session, enum refusal why)
{
	switch (why) {
	case REFUSAL_SESSIONS:
	case REFUSAL_USER_SESSIONS:
	case REFUSAL_ADDRESS_SESSIONS:
		session_reply(session, reply_login_sessions);
		return true;
	case REFUSAL_VERDICT:
		session_reply(session, reply_login_refused);
		return false;
	case REFUSAL_ACCOUNT:
		session_reply(session, reply_login_not_allowed);
		return false;
	case REFUSAL_HOME:
		session_reply(session, reply_login_home);
		return true;
	case REFUSAL_NONE:
	case REFUSAL_WORKER:
	case REFUSAL_PORTS:
	case REFUSAL_RATE:
		session_reply(session, reply_worker_lost);
		return true;
	}
	bug("refusal %d", (int)why);
}

static void
refuse_login(struct session *session, enum refusal why)
{
	session->login.is_known = false;
	if (reply_refusal(session, why))
		session_end(session, refusal_choices.texts[why]);
	fail(session);
}

/* No worker for now: the command that wanted one fails, the next may have better luck. */
static void
refuse_reattach(struct session *session, enum refusal why)
{
	turn_drop_held(session);
	session->is_used = true;
	if (why == REFUSAL_NONE || why == REFUSAL_WORKER || why == REFUSAL_RATE) {
		session_reply(session, reply_worker_missing);
		return;
	}
	session_reply(session, reply_closing);
	session_end(session, refusal_choices.texts[why]);
}

void
login_refused(struct session *session, enum refusal why)
{
	session->login.tag = 0;
	if (session_is_logged_in(session))
		refuse_reattach(session, why);
	else
		refuse_login(session, why);
}

void
login_reattach(struct session *session)
{
	session->waits = WAITS_FOR_FILES;
	if (session->login.tag == 0 && supervisor_reattach(session) < 0) {
		session_reply(session, reply_worker_lost);
		session_end(session, "supervisor-gone");
	}
}

void
login_forget(struct session *session)
{
	struct login *login = &session->login;
	struct ticket ticket;
	pathio_free(&session->files);
	turnstile_give_up(session);
	turnstile_leave(session);
	if (login->stage == LOGIN_VERIFYING && login->tag != 0 && session->gateway->auth != NULL) {
		struct verify_withdraw withdraw = {
			.session = session->id,
			.attempt = login->attempt,
		};
		channel_lost(verify_post_withdraw(session->gateway->auth, 0, &withdraw));
	}
	if (login->tag != 0)
		ticket_close(&session->gateway->tickets, login->tag, &ticket);
	if (login->is_known)
		supervisor_session_closed(session);
	forget_name(login);
	*login = (struct login){ .attempt = login->attempt, .failed = login->failed };
}
