/*
 * The workers: one process for each user who is logged in, or was a moment ago. A worker is shared
 * by sessions whose accounts have the same key (account.h); a user whose account has changed
 * gets a new one, and the old one takes no more sessions (DECISIONS 12).
 */
#ifndef SALLYPORT_POLICY_SESSIONS_WORKERS_H
#define SALLYPORT_POLICY_SESSIONS_WORKERS_H

#include "policy/sessions/account.h"
#include "policy/supervisor/processes.h"

/* Others read it; workers.c alone writes. */
struct worker {
	LIST_ENTRY(worker) link;
	struct account *account; /* its own copy */
	struct process *process;
	unsigned sessions;      /* sessions.c counts them */
	uint64_t idle_since_ms; /* 0: it has sessions, or had when last looked at */
	bool retired;           /* takes no more sessions */
};

struct workers;

/* 0 or -ENOMEM. */
MUST_CHECK int workers_new(struct supervisor *supervisor, struct workers **result);

/* Retires those that have been without sessions for too long. Once a second. */
void workers_tick(struct workers *workers);

/*
 * The worker for an account: the one that is there, or a new one, which is not serving yet. 0, or
 * a negative errno with the denial: it cannot be started, it crashed three times in a minute, or
 * two of this user's hang in the kernel.
 */
MUST_CHECK int workers_get(struct workers *workers, const struct account *account,
	struct worker **result, struct denial *denial);

/*
 * A serving worker of a user (as account->who): the one that takes sessions, or, if there is none,
 * the one that did; or, if `pid` is not 0, that one. 0, -ENOENT, or -ENOTUNIQ.
 */
MUST_CHECK int workers_find(
	const struct workers *workers, struct bytes user, pid_t pid, const struct worker **result);

/* It takes no more sessions, and leaves after the last. */
void worker_retire(struct worker *worker);

/* Somebody complains: a worker that does not answer within 2 x path_timeout is replaced. */
void worker_doubt(struct worker *worker);

#endif
