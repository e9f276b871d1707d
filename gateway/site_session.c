/*
 * SITE verbs about the session and the user: IDLE UMASK WHO QUOTA. Run in the gateway; of the user
 * the worker knows, which serves all of the user's sessions.
 */
#include "gateway/session.h"
#include "gateway/site.h"
#include "ipc/address.h"
#include "ipc/base/number.h"

#include <errno.h>
#include <stdlib.h>

/* ---- IDLE ---- */

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

/* ---- UMASK ---- */

struct masking {
	struct session *session;
	bool is_setting;
	uint32_t umask;
};

/* A session may only take away more than the user's own umask does, which holds in any case. */
static void
on_mask(void *argument, const struct pathio_answer *answer)
{
	struct masking masking = *(struct masking *)argument;
	struct session *session = masking.session;
	free(argument);
	if (!session_complete(session, FAILURE_GENERAL, answer))
		return;
	uint32_t least = answer->body->account_is.umask;
	if (masking.is_setting && (masking.umask & least) != least) {
		session_reply(session, reply_umask_less, least);
		return;
	}
	if (masking.is_setting)
		session->umask = masking.umask;
	session_reply(session, reply_umask, session->umask | least);
}

void
site_umask(struct session *session, struct bytes argument)
{
	uint64_t umask = 0;
	if (argument.length > 0 && number_parse_octal(argument, 0777, &umask) < 0) {
		session_reply(session, reply_argument_bad, "000 to 777 are wanted");
		return;
	}
	struct masking *masking = malloc(sizeof(*masking));
	if (masking == NULL) {
		session_reply_failure(session, FAILURE_GENERAL, EIO);
		return;
	}
	*masking = (struct masking){
		.session = session,
		.is_setting = argument.length > 0,
		.umask = (uint32_t)umask,
	};
	session_begin(session);
	pathio_account(session->files, &(struct pathio_account){ 0 }, on_mask, masking);
}

/* ---- WHO ---- */

static void
on_account(void *argument, const struct pathio_answer *answer)
{
	struct session *session = argument;
	char peer[ADDRESS_TEXT_BYTES];
	if (!session_complete(session, FAILURE_GENERAL, answer))
		return;
	struct wire_list list = answer->body->account_is.sessions;
	uint32_t untold = answer->body->account_is.session_count - list.count;
	struct pathio_sibling who;
	session_reply(session, reply_who_begin);
	while (wire_list_next(&list, &pathio_sibling_record, &who))
		session_reply(session, reply_who_is, who.session, address_text(&who.peer, peer),
			who.age_s, who.sent_bytes, who.received_bytes, who.own ? ", this one" : "");
	if (untold > 0)
		session_reply(session, reply_who_more, untold);
	session_reply(session, reply_who_end);
}

void
site_who(struct session *session, struct bytes argument)
{
	(void)argument;
	session_begin(session);
	pathio_account(session->files, &(struct pathio_account){ 0 }, on_account, session);
}

/* ---- QUOTA ---- */

void
site_quota(struct session *session, struct bytes argument)
{
	(void)argument;
	session_reply(session, reply_quota_none);
}
