/*
 * The users were loaded anew: what that means for who is there (see sessions.h). Runs in the
 * supervisor as root. Trusts auth as far as identity_check() goes, as at the login.
 */
#include "ipc/attach.h"
#include "policy/sessions/gateways.h"
#include "policy/sessions/session.h"
#include "policy/sessions/workers.h"
#include "policy/supervisor/supervisor.h"

#include <stdlib.h>

void
sessions_begin_review(struct sessions *sessions)
{
	struct session *session;
	LIST_FOREACH(session, &sessions->all, link)
	session->to_review = session->account != NULL;
}

bool
sessions_next_to_review(struct sessions *sessions, struct bytes *host, struct bytes *name)
{
	struct session *session, *found = NULL;
	LIST_FOREACH(session, &sessions->all, link)
	{
		if (!session->to_review || session->account == NULL)
			continue;
		found = found != NULL ? found : session;
		if (bytes_equal(session->account->who, found->account->who))
			session->to_review = false;
	}
	if (found == NULL)
		return false;
	*host = found->account->user.host;
	*name = found->account->user.name;
	return true;
}

static void
renew(struct session *session, const struct account_user *user)
{
	const struct supervisor *supervisor = session->gateway->supervisor;
	const struct attach_change_rights change = { .session = session->id,
		.rights = user->rights };
	struct rules_error error = { 0 };
	struct account *account;
	if (account_copy(user, &account) < 0)
		return;
	bool is_allowed = identity_check(&account->identity, supervisor->settings->config,
				  supervisor->own.uid, supervisor->own.gid, &error) == 0;
	rules_error_free(&error);
	if (session->worker != NULL && !bytes_equal(account->key, session->account->key))
		worker_retire(session->worker);
	if (!is_allowed)
		session_close(session);
	else if (session->worker != NULL && session->state == SESSION_OPEN)
		process_posted(session->worker->process,
			attach_post_change_rights(session->worker->process->channel, 0, &change));
	free(session->account);
	session->account = account;
}

void
sessions_review(struct sessions *sessions, struct bytes host, struct bytes name,
	const struct account_user *user)
{
	struct session *session;
	LIST_FOREACH(session, &sessions->all, link)
	{
		const struct account *account = session->account;
		if (account == NULL || !bytes_equal(account->user.host, host) ||
			!bytes_equal(account->user.name, name))
			continue;
		if (user != NULL)
			renew(session, user);
		else
			session_close(session);
	}
}
