/*
 * SITE verbs about the session: IDLE QUOTA. Run in the gateway.
 */
#include "gateway/session.h"
#include "gateway/site.h"
#include "ipc/base/number.h"

/* The operator's limit, unless he allows more to who asks for it. */
static uint32_t
longest_idle_s(const struct session *session)
{
	const struct gate_configure *settings = &session->gateway->settings;
	return settings->idle_timeout_max_s > settings->idle_timeout_s
		       ? settings->idle_timeout_max_s
		       : settings->idle_timeout_s;
}

void
site_idle(struct session *session, struct bytes argument)
{
	uint32_t longest_s = longest_idle_s(session);
	uint64_t seconds = session->idle_timeout_s;
	if (argument.length > 0 &&
		(number_parse(argument, longest_s, &seconds) < 0 || seconds == 0)) {
		session_reply(session, reply_idle_bad, longest_s);
		return;
	}
	session->idle_timeout_s = (uint32_t)seconds;
	session_reply(session, reply_idle, session->idle_timeout_s, longest_s);
}

void
site_quota(struct session *session, struct bytes argument)
{
	(void)argument;
	session_reply(session, reply_quota_none);
}
