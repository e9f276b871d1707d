/*
 * Who somebody is, as auth said it: a copy that owns its memory. And why somebody is denied.
 */
#ifndef SALLYPORT_POLICY_SESSIONS_ACCOUNT_H
#define SALLYPORT_POLICY_SESSIONS_ACCOUNT_H

#include "ipc/account.h"
#include "policy/rules/identity.h"

enum { ACCOUNT_GROUPS_MAX = 64 }; /* as account.def says */

struct account {
	struct account_user user; /* points into this allocation */
	struct identity identity; /* the same, for the check and for the worker's start */
	uint32_t groups[ACCOUNT_GROUPS_MAX];
	/*
	 * Who it is among all users of all hosts, in words: the name, and before it the host and a
	 * slash, which no name holds, where it is a user of that host's own.
	 */
	struct bytes who;
	/*
	 * All of the user but the rights, encoded: accounts with the same key share a worker.
	 * Compared whole, so that no digest can collide.
	 */
	struct bytes key;
	bool to_review; /* the users were loaded anew since, and this one is not known yet */
	char encoded[]; /* and then what `who` points to */
};

/* A copy that the caller frees with free(): 0 or -ENOMEM. */
MUST_CHECK int account_copy(const struct account_user *user, struct account **result);

/* Why somebody gets no worker: for the gateway a choice and an errno, for the operator words. */
struct denial {
	enum refusal why;
	int error; /* positive errno */
	char detail[320];
};

/* Fills in a denial and returns its error, negative. */
int account_deny(struct denial *denial, enum refusal why, int error, const char *format, ...)
	PRINTF_LIKE(4, 5);

#endif
