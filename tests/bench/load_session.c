/*
 * The control connection of a session (see load.h): says the scenario's steps one after the other
 * and insists on their replies (RFC 959 §4.2). What the server sends is checked for its codes only.
 */
#include "tests/bench/load.h"

#include "ipc/base/ends.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { LINE_BYTES = 1024, PRELIMINARY = 150 };

static void take_step(struct session *session);

static void
say(struct session *session, const struct step *step)
{
	const struct load *load = session->load;
	const char *words[] = {
		[ARGUMENT_NONE] = "",
		[ARGUMENT_USER] = load->user,
		[ARGUMENT_PASSWORD] = load->password,
		[ARGUMENT_NAME] = load->name,
		[ARGUMENT_OWN_NAME] = load->name,
	};
	char line[LINE_BYTES], own[32] = "";
	if (step->argument == ARGUMENT_OWN_NAME)
		snprintf(own, sizeof(own), "-%" PRIu64, session->number);
	int length = snprintf(line, sizeof(line), "%s%s%s%s\r\n", step->verb,
		step->argument == ARGUMENT_NONE ? "" : " ", words[step->argument], own);
	if (length < 0 || (size_t)length >= sizeof(line))
		die("a line of %d bytes", length);
	ssize_t sent = session->control.tls != NULL
			       ? tls_send(&session->control, line, (size_t)length)
			       : send(session->control.fd, line, (size_t)length, MSG_NOSIGNAL);
	if (sent != length)
		die("session %" PRIu64 ": cannot send: %s", session->number, strerror(errno));
}

static void
end_turn(struct session *session)
{
	struct load *load = session->load;
	session->step = NULL;
	if (load->opened < load->sessions) {
		load->opened++;
		return;
	}
	load->took_s[load->ended++] = now_s() - session->begun_s;
	session_begin_turn(session);
}

static void
end_step(struct session *session)
{
	if ((*session->step)->act == ACT_LEAVE)
		endpoint_close(&session->control);
	session->step++;
	take_step(session);
}

static uint16_t
parse_port(const char *line)
{
	const char *at = strstr(line, "(|||");
	char *end = NULL;
	unsigned long port = at == NULL ? 0 : strtoul(at + strlen("(|||"), &end, 10);
	if (port == 0 || port > UINT16_MAX || *end != '|')
		die("no port in '%s'", line);
	return (uint16_t)port;
}

/* A reply's last line. */
static void
take_reply(struct session *session, const char *line)
{
	if (session->step == NULL)
		die("session %" PRIu64 " is told out of turn: %s", session->number, line);
	const struct step *step = *session->step;
	long code = strtol(line, NULL, 10);
	bool transfers = step->act == ACT_FETCH || step->act == ACT_STORE;
	if (transfers && code == PRELIMINARY)
		return;
	if (code != step->reply)
		die("session %" PRIu64 ": %s is answered: %s", session->number, step->verb, line);
	session->replied = true;
	if (step->act == ACT_MEET)
		session->data_port = parse_port(line);
	if (session->data.fd < 0)
		end_step(session);
}

static bool
is_last_line(const char *line)
{
	return strspn(line, "0123456789") == 3 && line[3] == ' ';
}

static void
take_lines(struct session *session)
{
	char *line = session->reply, *end;
	session->reply[session->reply_length] = '\0';
	while ((end = strstr(line, "\r\n")) != NULL) {
		*end = '\0';
		if (is_last_line(line))
			take_reply(session, line);
		line = end + 2;
	}
	session->reply_length = strlen(line);
	memmove(session->reply, line, session->reply_length);
}

static void
receive(struct session *session)
{
	size_t room = sizeof(session->reply) - 1 - session->reply_length;
	char *end = session->reply + session->reply_length;
	ssize_t got = session->control.tls != NULL ? tls_receive(&session->control, end, room)
						   : recv(session->control.fd, end, room, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0)
		die("session %" PRIu64 ": the server hangs up: %s", session->number,
			got < 0 ? strerror(errno) : session->reply);
	session->reply_length += (size_t)got;
	take_lines(session);
}

/* What libssl has read ahead makes no socket ready. A reply may begin another connection. */
static void
control_ready(struct session *session)
{
	do
		receive(session);
	while (session->control.tls != NULL && SSL_has_pending(session->control.tls));
}

static void
shake_ready(struct session *session)
{
	if (!tls_shake(&session->control))
		return;
	session->control.ready = control_ready;
	end_step(session);
}

static void
take_step(struct session *session)
{
	const struct step *step = *session->step;
	session->replied = false;
	if (step == NULL) {
		end_turn(session);
		return;
	}
	if (step->act == ACT_CONNECT) {
		session->control.ready = control_ready;
		session->reply_length = 0;
		endpoint_connect(&session->control, ntohs(session->load->server.sin_port), EPOLLIN);
		return;
	}
	if (step->act == ACT_SHAKE) {
		tls_open(&session->control);
		session->control.ready = shake_ready;
		shake_ready(session);
		return;
	}
	if (step->act == ACT_FETCH || step->act == ACT_STORE)
		data_connect(session, step->act);
	say(session, step);
}

void
session_open(struct session *session)
{
	session->control = (struct endpoint){ .fd = -1, .session = session };
	session->data = (struct endpoint){ .fd = -1, .session = session };
	session->step = session->load->scenario->opening;
	take_step(session);
}

void
session_begin_turn(struct session *session)
{
	struct load *load = session->load;
	session->begun_s = now_s();
	if (load->begun == load->count ||
		(load->begun >= load->sessions && session->begun_s - load->start_s > load->limit_s))
		return;
	load->begun++;
	session->step = load->scenario->turn;
	take_step(session);
}

void
session_data_ended(struct session *session)
{
	endpoint_close(&session->data);
	if (session->replied)
		end_step(session);
}
