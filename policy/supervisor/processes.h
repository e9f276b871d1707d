/*
 * Children: start, watch, end. One struct process for each, from fork to reaping; which programs
 * there are is programs.def.
 *
 *	starting -> serving -> leaving or killed -> reaped -> ended
 *
 * A child ends when it is reaped and all that it had sent is handled; one that is killed and hangs
 * in the kernel ends as stuck. Every state but "serving" has a time limit; in it, a ping has one.
 * A child that breaks the rules of its channel is killed; one that does not read is not read.
 * What ended it goes to the record with its role, pid and user.
 */
#ifndef SALLYPORT_POLICY_SUPERVISOR_PROCESSES_H
#define SALLYPORT_POLICY_SUPERVISOR_PROCESSES_H

#include "ipc/channel.h"
#include "policy/cage/cage.h"

#include <sys/queue.h>
#include <sys/types.h>

struct process;
struct supervisor;

/* What the owner of a kind of process does for it. */
struct process_duty {
	const void *handlers; /* of its channel; called with the struct process */
	void (*ready)(struct process *process);
	void (*answered)(struct process *process); /* a ping; may be NULL */
	/* Reaped, or given up as stuck; the process is gone after this call. */
	void (*ended)(struct process *process);
};

struct process_plan {
	enum role role;
	const struct process_duty *duty;
	void *owner;
	struct bytes user;                    /* of a worker, for the record */
	const struct cage_identity *identity; /* NULL: stays who and where we are (loader) */
	const char *folder;                   /* NULL: the empty one */
	char *const *arguments;               /* NULL: its name alone; else the name and more */
};

enum process_state {
	PROCESS_STARTING,
	PROCESS_SERVING,
	PROCESS_LEAVING,
	PROCESS_KILLED,
	PROCESS_REAPED,
	PROCESS_STUCK,
};

/* Others read it; processes.c alone writes. */
struct process {
	LIST_ENTRY(process) link;
	struct supervisor *supervisor;
	enum role role;
	const struct process_duty *duty;
	void *owner;
	char *user;
	enum process_state state;
	uint64_t deadline_ms; /* of the state, or of a ping; 0: none */
	pid_t pid;
	struct channel *channel; /* as long as the owner has the process; posts to it may fail */
	bool closed;             /* by the child; nothing follows on it */
	bool expected;           /* it was told to leave, and did nothing else */
	int error;               /* of the message `failed`: positive errno */
	char *how;               /* what ended it, in words */
};
LIST_HEAD(process_list, process);

/* Watches for children that end. 0 or -ENOMEM. */
MUST_CHECK int processes_watch(struct supervisor *supervisor);

/* Time has passed: enforces the limits. Once a second. */
void processes_tick(struct supervisor *supervisor);

/* Forks and executes: 0, or negative errno and nothing happened. */
MUST_CHECK int process_start(
	struct supervisor *supervisor, const struct process_plan *plan, struct process **result);

/* Ends a child at once, or the one with that pid; `why` goes to the record. */
void process_kill(struct process *process, const char *why);
void processes_kill_pid(struct supervisor *supervisor, pid_t pid, const char *why);

/* It was told to leave: its end is no failure, and comes within the limit (0: it serves on). */
void process_expect_end(struct process *process, uint64_t limit_ms);

/* Closes its channel, upon which it leaves within the limit; nothing of it is read any more. */
void process_dismiss(struct process *process, uint64_t limit_ms);

/* Asks for a sign of life, unless one is awaited; none within the limit ends the child. */
void process_ping(struct process *process, uint64_t limit_ms);

/*
 * Takes the result of a post to a child. One that is lost (the child does not read, or memory is
 * short) leaves the child with a wrong picture: it is killed, and starts anew.
 */
void process_posted(struct process *process, int post_result);

/* Children that are there: of a role; of a user, killed and not reaped. */
unsigned processes_count(const struct supervisor *supervisor, enum role role);
unsigned processes_count_stuck(const struct supervisor *supervisor, struct bytes user);

static inline const char *
process_how(const struct process *process)
{
	return process->how != NULL ? process->how : "for an unknown reason";
}

/* For process_handlers.h and for handlers of `failed`. */
void process_violated(struct process *process, uint32_t system_call, uint32_t architecture);
void process_ready(struct process *process, struct bytes cage);
void process_answered(struct process *process);
void process_failed(struct process *process, int error, struct bytes reason);

#endif
