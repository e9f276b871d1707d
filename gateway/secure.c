/*
 * Protection of connections: AUTH PBSZ PROT CCC (see secure.h; RFC 2228, RFC 4217). Runs in the
 * gateway. What came in the clear behind AUTH was written by whoever sits in between: it ends the
 * session (CVE-2011-0411).
 */
#include "gateway/secure.h"

#include "gateway/command.h"
#include "gateway/security.h"
#include "gateway/session.h"

#include <errno.h>
#include <strings.h>

static bool
is_word(struct bytes text, const char *word)
{
	return text.length == strlen(word) && strncasecmp(text.data, word, text.length) == 0;
}

static bool
is_secured(const struct session *session)
{
	return session->secure.stage == SECURE_DONE;
}

/* ---- AUTH ---- */

/* RFC 4217 2, and older names for the same: what they say of data is done. */
static const struct mechanism {
	const char *name;
	bool protects_data;
} mechanisms[] = {
	{ "TLS", false },
	{ "TLS-C", false },
	{ "SSL", true },
	{ "TLS-P", true },
};

static const struct mechanism *
find_mechanism(struct bytes name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(mechanisms); i++)
		if (is_word(name, mechanisms[i].name))
			return &mechanisms[i];
	return NULL;
}

void
secure_auth(struct session *session, struct bytes argument)
{
	const struct mechanism *mechanism = find_mechanism(argument);
	if (mechanism == NULL) {
		session_reply(session, reply_auth_unknown);
	} else if (is_secured(session) || session_is_logged_in(session)) {
		session_reply(session, reply_auth_again);
	} else if (security_context(session->gateway->security) == NULL) {
		session_reply(session, reply_auth_unavailable);
	} else {
		session->secure = (struct secure){
			.stage = SECURE_ASKED,
			.is_data_protected = mechanism->protects_data,
			.has_buffer_size = mechanism->protects_data,
		};
		session_reply(session, reply_auth_proceed);
	}
}

/* ---- PBSZ, PROT, CCC ---- */

/* TLS has no buffer to agree on: any number is answered with 0 (RFC 4217 9). */
void
secure_pbsz(struct session *session, struct bytes argument)
{
	if (!is_secured(session)) {
		session_reply(session, reply_protection_first, "AUTH");
	} else if (argument.length == 0 || argument.length > 10 ||
		   strspn(argument.data, "0123456789") < argument.length) {
		session_reply(session, reply_argument_bad, "a number is wanted");
	} else {
		session->secure.has_buffer_size = true;
		session_reply(session, reply_buffer_size);
	}
}

static void
set_protection(struct session *session, bool is_protected)
{
	const struct gate_configure *settings = &session->gateway->settings;
	if (is_protected && settings->tls_data == TLS_POLICY_OFF) {
		session_reply(session, reply_protection_unsupported);
	} else if (!is_protected && settings->tls_data == TLS_POLICY_REQUIRED) {
		session_reply(session, reply_protection_required);
	} else {
		session->secure.is_data_protected = is_protected;
		session_reply(session, reply_protection_set, is_protected ? "Private" : "Clear");
	}
}

void
secure_prot(struct session *session, struct bytes argument)
{
	if (!is_secured(session))
		session_reply(session, reply_protection_first, "AUTH");
	else if (!session->secure.has_buffer_size)
		session_reply(session, reply_protection_first, "PBSZ");
	else if (is_word(argument, "P") || is_word(argument, "C"))
		set_protection(session, is_word(argument, "P"));
	else if (is_word(argument, "S") || is_word(argument, "E"))
		session_reply(session, reply_protection_unsupported);
	else
		session_reply(session, reply_parameter_unsupported);
}

/* For firewalls that read along; passwords are behind it by then (RFC 4217 6). */
void
secure_ccc(struct session *session, UNUSED struct bytes argument)
{
	if (!is_secured(session)) {
		session_reply(session, reply_protection_first, "AUTH");
	} else if (!session->gateway->settings.tls_ccc || !session_is_logged_in(session)) {
		session_reply(session, reply_clear_denied);
	} else {
		session->secure.stage = SECURE_LEAVING;
		session_reply(session, reply_clear_follows);
	}
}

void
secure_forget(struct session *session)
{
	if (!is_secured(session))
		session->secure = (struct secure){ .stage = SECURE_PLAIN };
}

/* ---- handshakes ---- */

static void
on_wake(void *owner)
{
	session_wake(owner);
}

static int
open_tls(struct session *session)
{
	const struct tls_options options = {
		.context = security_context(session->gateway->security),
		.fd = session->stream.fd,
		.session = session->id,
		.host = host_name(session->host).data,
		.is_host_asked = session->is_host_asked,
		.wake = on_wake,
		.owner = session,
	};
	return options.context == NULL ? -ENOTSUP : tls_new(&options, &session->stream.tls);
}

int
secure_begin_implicit(struct session *session)
{
	session->secure = (struct secure){
		.stage = SECURE_SHAKING,
		.is_implicit = true,
		.is_data_protected = session->gateway->settings.tls_data != TLS_POLICY_OFF,
		.has_buffer_size = true,
	};
	return open_tls(session);
}

bool
secure_holds(const struct session *session)
{
	return session->secure.stage != SECURE_PLAIN && session->secure.stage != SECURE_DONE;
}

static short
begin(struct session *session)
{
	if (line_has_more(&session->lines)) {
		session_end(session, "plaintext-after-auth");
		return 0;
	}
	if (open_tls(session) < 0) {
		session_end(session, "out-of-memory");
		return 0;
	}
	session->secure.stage = SECURE_SHAKING;
	return secure_continue(session);
}

static short
shake(struct session *session)
{
	struct tls *tls = session->stream.tls;
	int error = tls_handshake(tls);
	if (error == -EAGAIN)
		return tls_wants(tls);
	if (error < 0) {
		record_unsecured(session);
		session_end(session, "tls-handshake");
		return 0;
	}
	session->secure.stage = SECURE_DONE;
	record_secured(session);
	record_certificate(session);
	if (session->secure.is_implicit)
		session_greet(session);
	session_wake(session);
	return 0;
}

/*
 * Behind the reply to CCC: our close_notify, then the client's, then plain text again. Data
 * connections stay as PROT has set them (RFC 4217 6): it is for their sake that a client protects
 * them first.
 */
static short
leave(struct session *session)
{
	struct tls *tls = session->stream.tls;
	char nothing;
	int error = session->secure.stage == SECURE_LEAVING ? tls_end(tls) : 0;
	if (error == 0) {
		session->secure.stage = SECURE_LEFT;
		error = tls_read(tls, &nothing, sizeof(nothing));
	}
	if (error == -EAGAIN)
		return tls_wants(tls);
	/* A command in between would be in the clear for some and not for others. */
	if (error != 0) {
		session_end(session, "tls-end");
		return 0;
	}
	tls_free(&session->stream.tls);
	session->secure.stage = SECURE_PLAIN;
	session_wake(session);
	return 0;
}

short
secure_continue(struct session *session)
{
	switch (session->secure.stage) {
	case SECURE_ASKED:
		return begin(session);
	case SECURE_SHAKING:
		return shake(session);
	case SECURE_LEAVING:
	case SECURE_LEFT:
		return leave(session);
	case SECURE_PLAIN:
	case SECURE_DONE:
		break;
	}
	return 0;
}

/* ---- what is permitted ---- */

bool
secure_permits_login(struct session *session)
{
	if (is_secured(session) || session->gateway->settings.tls != TLS_POLICY_REQUIRED)
		return true;
	session_reply(session, reply_tls_needed);
	return false;
}

bool
secure_permits_transfer(struct session *session)
{
	const struct tls_policies *policies = &session->login.tls;
	if (policies->data != TLS_POLICY_REQUIRED || session->secure.is_data_protected)
		return true;
	session_reply(session, reply_data_unprotected);
	return false;
}

void
secure_renew_ticket(struct session *session)
{
	if (session->secure.is_data_protected && session->stream.tls != NULL)
		tls_renew_ticket(session->stream.tls);
}

bool
secure_permits_data(const struct session *session, const struct tls *data)
{
	switch (session->login.tls.reuse) {
	case TLS_REUSE_REQUIRED:
		return tls_is_resumed(data);
	case TLS_REUSE_SAME_ADDRESS:
		return !tls_is_foreign(data);
	case TLS_REUSE_OFF:
		return true;
	}
	return false;
}
