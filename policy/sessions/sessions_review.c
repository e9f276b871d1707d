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

/* A verdict that waits for its attach is of the users of before, too. */
static void
mark(struct account *account)
{
	if (account != NULL)
		account->to_review = true;
}

void
sessions_begin_review(struct sessions *sessions)
{
	struct session *session;
	LIST_FOREACH(session, &sessions->all, link)
	{
		mark(session->account);
		mark(session->told);
	}
}

/* Finds the first that is marked, and takes the mark from all that are of the same user. */
static void
look_at(struct account *account, const struct account **found)
{
	if (account == NULL || !account->to_review)
		return;
	if (*found == NULL)
		*found = account;
	if (bytes_equal(account->who, (*found)->who))
		account->to_review = false;
}

bool
sessions_next_to_review(struct sessions *sessions, struct bytes *host, struct bytes *name)
{
	struct session *session;
	const struct account *found = NULL;
	LIST_FOREACH(session, &sessions->all, link)
	{
		look_at(session->account, &found);
		look_at(session->told, &found);
	}
	if (found == NULL)
		return false;
	*host = found->user.host;
	*name = found->user.name;
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
	if (account_copy(user, &account) < 0) {
		session_close(session); /* rather than with the rights of before */
		return;
	}
	bool is_allowed = identity_check(&account->identity, supervisor->settings->config,
				  supervisor->own.uid, supervisor->own.gid, &error) == 0;
	rules_error_free(&error);
	if (session->worker != NULL && !bytes_equal(account->key, session->account->key))
		worker_retire(session->worker);
	if (!is_allowed)
		session_close(session);
	else if (session->worker != NULL &&
		 (session->state == SESSION_OPEN || session->state == SESSION_DOUBTED))
		process_posted(session->worker->process,
			attach_post_change_rights(session->worker->process->channel, 0, &change));
	free(session->account);
	session->account = account;
}

/* The verdict is renewed, or was never given: then its attach is refused. */
static void
renew_told(struct session *session, const struct account_user *user)
{
	struct account *account = NULL;
	if (user == NULL || account_copy(user, &account) < 0)
		join_take_back(&session->join);
	free(session->told);
	session->told = account;
}

static bool
is_of(const struct account *account, struct bytes host, struct bytes name)
{
	return account != NULL && bytes_equal(account->user.host, host) &&
	       bytes_equal(account->user.name, name);
}

void
sessions_review(struct sessions *sessions, struct bytes host, struct bytes name,
	const struct account_user *user)
{
	struct session *session;
	LIST_FOREACH(session, &sessions->all, link)
	{
		if (is_of(session->told, host, name))
			renew_told(session, user);
		if (!is_of(session->account, host, name))
			continue;
		if (user != NULL)
			renew(session, user);
		else
			session_close(session);
	}
}
