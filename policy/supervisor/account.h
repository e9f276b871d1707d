/*
 * Who somebody is, as auth said it: a copy that owns its memory, and the check that it is somebody
 * whom this server may serve (DECISIONS 11, 12).
 */
#ifndef SALLYPORT_POLICY_SUPERVISOR_ACCOUNT_H
#define SALLYPORT_POLICY_SUPERVISOR_ACCOUNT_H

#include "ipc/account.h"
#include "policy/cage/cage.h"
#include "policy/rules/config.h"

#include <stdint.h>

struct account {
	struct account_user user; /* points into this allocation */
	/*
	 * All of the user but the rights, encoded: accounts with the same identity share a worker.
	 * Compared whole, so that no digest can collide.
	 */
	struct bytes identity;
	char encoded[];
};

/* Why somebody gets no worker: for the gateway a choice and an errno, for the operator words. */
struct denial {
	enum refusal why;
	int error; /* positive errno */
	char detail[320];
};

/* Fills in a denial and returns its negative error. */
int account_deny(struct denial *denial, enum refusal why, int error, const char *format, ...)
	PRINTF_LIKE(4, 5);

/* A copy that the caller frees with free(): 0 or -ENOMEM. */
MUST_CHECK int account_copy(const struct account_user *user, struct account **result);

/*
 * The account is untrusted. `own` is who the supervisor runs as: root gives each user its own uid,
 * anybody else can only serve users of the own uid and gid. 0, or -EPERM with the denial.
 */
MUST_CHECK int account_check(const struct account_user *user, const struct config *config,
	const struct cage_identity *own, struct denial *denial);

#endif
