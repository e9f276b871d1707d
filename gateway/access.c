/*
 * Commands that say who somebody is: HOST (RFC 7151) USER PASS ACCT REIN QUIT (RFC 959 4.1.1). Run
 * in the gateway, which decides nothing: auth judges, the supervisor believes auth alone.
 */
#include "gateway/command.h"
#include "gateway/reception.h"
#include "gateway/session.h"
#include "gateway/tls.h"
#include "gateway/turn.h"

#include <errno.h>
#include <stdlib.h>

enum { USER_BYTES_MAX = 255, SECRET_BYTES_MAX = 1024 };

/* Under TLS the client has checked a certificate: one of another host was not meant for this. */
static void
go_to_host(struct session *session, const struct host *host)
{
	const struct tls *tls = session->stream.tls;
	if (tls != NULL && tls_is_of_other_host(tls, host_name(host).data)) {
		session_reply(session, reply_host_other_certificate);
		return;
	}
	session->host = host;
	session->is_host_asked = true;
	session_reply(session, reply_greeting, host_greeting(host));
}

/* Before USER: the name is one at this host. A second HOST takes the place of the first. */
void
access_host(struct session *session, struct bytes argument)
{
	const struct host *host = NULL;
	if (session->login.stage != LOGIN_NAME_NEEDED) {
		session_reply(session, reply_host_too_late);
		return;
	}
	switch (hosts_find(&session->gateway->hosts, argument, &session->local, &host)) {
	case 0:
		go_to_host(session, host);
		return;
	case -ENOENT:
		session_reply(session, reply_host_unknown);
		return;
	default:
		session_reply(session, reply_argument_bad, "no name of a host");
		return;
	}
}

/* The command runs again when what session->waits names has come, or auth has died over it. */
static void
hold(struct session *session, const char *verb, struct bytes argument)
{
	char line[sizeof("PASS ") + SECRET_BYTES_MAX];
	size_t length = strlen(verb);
	memcpy(line, verb, length);
	memcpy(line + length, argument.data, argument.length);
	turn_hold(session, LINE_COMPLETE, bytes_of(line, length + argument.length));
	explicit_bzero(line, sizeof(line));
}

void
access_user(struct session *session, struct bytes argument)
{
	if (session_is_logged_in(session)) {
		session_reply(session, reply_login_already);
	} else if (!secure_permits_login(session)) {
		return;
	} else if (argument.length > USER_BYTES_MAX) {
		session_reply(session, reply_name_too_long);
	} else if (login_name(session, argument) < 0) {
		session_give_up(session);
	} else if (login_has_certificate(session)) {
		hold(session, "USER ", argument);
		login_verify_certificate(session);
	} else {
		/* Always the same, whoever it is (CVE-2004-1602). */
		session_reply(session, reply_name_accepted);
	}
}

void
access_pass(struct session *session, struct bytes argument)
{
	if (session_is_logged_in(session))
		session_reply(session, reply_login_already);
	else if (session->login.stage != LOGIN_NAMED)
		session_reply(session, reply_login_name_first);
	else if (argument.length > SECRET_BYTES_MAX)
		session_reply(session, reply_argument_bad, "too long");
	else {
		hold(session, "PASS ", argument);
		login_verify(session, argument);
	}
	line_wipe(&session->gateway->input);
}

void
access_acct(struct session *session, struct bytes argument)
{
	(void)argument;
	session_reply(session, reply_superfluous);
}

static void
forget(char **text)
{
	free(*text);
	*text = NULL;
}

void
access_rein(struct session *session, struct bytes argument)
{
	bool was_logged_in = session_is_logged_in(session);
	(void)argument;
	data_forget(session);
	login_forget(session);
	secure_forget(session);
	session->host = hosts_at(&session->gateway->hosts, &session->local);
	session->is_host_asked = false;
	forget(&session->folder);
	forget(&session->subject);
	session->parameters = parameters_initial;
	session->has_mode_z = session->gateway->settings.mode_z;
	session->idle_timeout_s = session->gateway->settings.idle_timeout_s;
	session->umask = 0;
	session->data = (struct data_setup){ .mode = DATA_NONE };
	reception_count(session);
	/* Who never logged in gains no time by it. */
	if (was_logged_in)
		limit_set(&session->limit, LIMIT_LOGIN, session->gateway->settings.login_timeout_s);
	session_reply(session, reply_ready_for_user);
}

void
access_quit(struct session *session, struct bytes argument)
{
	(void)argument;
	session_reply(session, reply_goodbye);
	session_end(session, "quit");
}
