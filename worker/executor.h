/*
 * Executors: where the blocking part of an operation runs. `inline` runs it at once, on the loop
 * (sync, memory); `pool` on one of a fixed number of threads (threaded). Nothing above knows which.
 *
 * A job has three parts. Its *effect* may block and may run on any thread: it touches what the job
 * has or was lent, and nothing else. Whatever comes before (judging) and after (*end*: giving back,
 * recording, answering) is done on the loop, by one thread, without locks. A job comes to its end
 * exactly once, and belongs to its owner again from then on.
 *
 * Only the pool knows time. A job that has waited or run until its deadline is out of time: if it
 * has not begun it ends with -ETIMEDOUT; if it has, `late` is called, its thread is written off,
 * and the end comes whenever the effect returns, for what must be disposed of; then the thread
 * serves again. With every thread written off a job ends with -ETIMEDOUT at once, with the queue
 * full with -EBUSY. The pool never calls `end` or `late` from inside a call of this header.
 *
 * Most effects take microseconds, less than sending them to a thread and back. So while the loop is
 * run by executor_dispatch(), which leads it on the pool's own threads, a *brief* job is carried
 * out by the very thread that leads, between two rounds of the loop. If that lasts, another thread
 * takes the loop over and goes on with it; the one that is held comes back as one of the pool's.
 */
#ifndef SALLYPORT_WORKER_EXECUTOR_H
#define SALLYPORT_WORKER_EXECUTOR_H

#include "ipc/base/compiler.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct executor;
struct job;

/* Memory that an effect may use while it runs, one for each thread. */
enum { EXECUTOR_SCRATCH_BYTES = 2 * 1024 * 1024 + 4096 };

struct job_kind {
	/*
	 * May be NULL. Tried by the pool on the loop, before anything else: does the effect if it
	 * can be done without waiting, else leaves everything as it was and returns false.
	 */
	bool (*quick)(struct job *job, char *scratch);
	void (*effect)(struct job *job, char *scratch);
	/* On the loop. NULL only for jobs without a deadline. */
	void (*late)(struct job *job);
	/* On the loop. 0: the effect was carried out; else why it was not, and will not be. */
	void (*end)(struct job *job, int error);
};

/* JOB_NEXT: between two rounds of the loop. */
enum job_state { JOB_IDLE, JOB_NEXT, JOB_QUEUED, JOB_RUNS, JOB_RETURNED };

/* Part of its owner's struct. Set kind, and the two below it as needed, before each submit. */
struct job {
	const struct job_kind *kind;
	uint32_t deadline_ms; /* from the submit on; 0: none */
	bool is_bound;        /* never refused: there is something to give back or to go on with */
	bool is_brief; /* seldom waits and is soon done: no thread of its own for it at first */

	/* The executor's. */
	enum job_state state; /* QUEUED and later: under the pool's lock */
	bool is_timed;
	bool is_late;
	int error;
	uint64_t due_ms;
	TAILQ_ENTRY(job) entry; /* of the queue, or of what has ended */
	TAILQ_ENTRY(job) timed;
};

TAILQ_HEAD(jobs, job);

/* 0 or -ENOMEM. */
MUST_CHECK int executor_inline_new(struct event_base *base, struct executor **result);

struct executor_pool_options {
	struct event_base *base;
	uint32_t threads; /* effects at a time */
	uint32_t queue_max;
};

/*
 * Makes the threads, and one more that leads the loop when all the others are held: inside the cage
 * and before it closes (DECISIONS 2). They take no signal but SIGSYS, which tells of violations. 0
 * or negative errno.
 */
MUST_CHECK int
executor_pool_new(const struct executor_pool_options *options, struct executor **result);

/*
 * Runs the loop until event_base_loopbreak(): here, or with a pool on its threads, one at a time,
 * while this one waits. Whoever holds the loop is its owner in every respect; effects apart,
 * nothing runs at the same time. `after` is called between two rounds: when the jobs behind one are
 * done, or one of them turns out to last.
 */
void executor_dispatch(struct executor *executor, void (*after)(void *owner), void *owner);

/* The effect, now or when its turn comes; then the end. */
void executor_submit(struct executor *executor, struct job *job);

/* The same for the next piece of long work: after others have had their turn. */
void executor_submit_next(struct executor *executor, struct job *job);

/* No effect: the end with this error. */
void executor_settle(struct executor *executor, struct job *job, int error);

/* True: it had not begun (or was never submitted), it will not, and there will be no end. */
MUST_CHECK bool executor_withdraw(struct executor *executor, struct job *job);

/*
 * Waits until nothing is queued or runs, and ends what has ended; false: something still runs after
 * `limit_ms`, and whoever cannot wait longer leaves the process by _exit(2).
 */
MUST_CHECK bool executor_rest(struct executor *executor, uint32_t limit_ms);

/* Waits for what runs. Sets *executor to NULL. NULL is fine. */
void executor_free(struct executor **executor);

#endif
