/*
 * Lines that keep a client waiting (see keepalive.h). Runs in the gateway. A client that does not
 * read gets no more of them than fit: they are not added while replies wait for it.
 */
#include "gateway/keepalive.h"

#include "gateway/session.h"

static void
wait_for_next(struct session *session)
{
	limit_set(
		&session->limit, LIMIT_KEEPALIVE, session->gateway->settings.keepalive_interval_s);
}

void
keepalive_begin(struct session *session, const char *line)
{
	if (session->gateway->settings.keepalive_interval_s == 0)
		return;
	session->keepalive.line = line;
	wait_for_next(session);
}

void
keepalive_due(struct session *session)
{
	if (session->writable == NULL) {
		session_reply(session, "%s", session->keepalive.line);
		session->keepalive.is_out = true;
	}
	wait_for_next(session);
}

bool
keepalive_is_out(const struct session *session)
{
	return session->keepalive.is_out;
}

bool
keepalive_end(struct session *session)
{
	bool was_out = session->keepalive.is_out;
	limit_clear(&session->limit, LIMIT_KEEPALIVE);
	session->keepalive = (struct keepalive){ .line = NULL };
	return was_out;
}
