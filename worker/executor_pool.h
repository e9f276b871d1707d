/*
 * Inside the executor with threads: what its loop's side (executor_pool.c), its threads
 * (executor_threads.c) and the leading of the loop (executor_lead.c) share. Its contract is
 * executor.h.
 *
 * One lock protects the queue, the list of what has returned, how many run, each job's state, and
 * who leads the loop. It is held for a few pointers' time and never around an effect, an end or a
 * system call but the locks' own. All else (deadlines, written-off threads, what was settled
 * without a thread, what is next) is the loop's alone: of whoever leads it.
 *
 * Roles of a thread: one leads the loop; one that has nothing to do is its deputy; the others carry
 * out what is queued, at most `threads` of them. There is one thread more than that, so that the
 * loop always has one.
 */
#ifndef SALLYPORT_WORKER_EXECUTOR_POOL_H
#define SALLYPORT_WORKER_EXECUTOR_POOL_H

#include "worker/executor_private.h"

#include <pthread.h>

struct executor_thread {
	struct executor_pool *pool;
	pthread_t id;
	char *scratch;
};

struct executor_pool {
	struct executor executor;
	struct executor_pool_options options;
	int wake_fd;

	/* The loop's. */
	char *scratch;
	struct event wake;
	struct event settle;
	struct event timer;
	uint64_t timer_due_ms; /* 0: not armed */
	struct jobs timed;     /* the earliest first */
	struct jobs settled;
	struct jobs next; /* brief ones, for between two rounds of the loop */
	uint32_t next_length;
	uint32_t written_off;
	bool is_leading; /* executor_dispatch() is under way */
	void (*after)(void *owner);
	void *after_owner;
	uint32_t slowness;      /* of brief jobs, lately */
	uint64_t brief_from_us; /* until then they go to threads; 0: they do not */

	/* Under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t work; /* for threads: there is something to do, or it is over */
	pthread_cond_t calm; /* for the loop's thread: another thread is up, or at rest */
	struct jobs queue;
	struct jobs returned;
	uint32_t queue_length;
	uint32_t started;
	uint32_t idle; /* wait for work */
	uint32_t running;
	bool closing;

	/* Of the loop, under the lock too. */
	pthread_cond_t over;  /* for who waits in executor_dispatch() */
	pthread_cond_t watch; /* for the deputy: a brief job begins, or it is deputy no more */
	bool is_led; /* by the thread `leader`, or by whoever comes first if that is NULL */
	struct executor_thread *leader;
	bool is_busy;        /* the leader is, with a brief job */
	uint64_t brief_jobs; /* begun so far */
	/* Called away by the leader alone: it stays while a brief job is under way. Or NULL. */
	struct executor_thread *deputy;
	bool is_deputy_dozing; /* until it is told of a brief job */

	struct executor_thread threads[];
};

/* Threads that are up will make no call any more but those of their work. 0 or negative errno. */
MUST_CHECK int pool_start_threads(struct executor_pool *pool);

/* Waits for what runs and what is queued. */
void pool_join_threads(struct executor_pool *pool);

/* Under the lock. Hands a job that ran to the loop; drops the lock where the loop must be woken. */
void pool_return(struct executor_pool *pool, struct job *job);

/* Under the lock. May a queued job be begun? */
static inline bool
pool_has_work(const struct executor_pool *pool)
{
	return !TAILQ_EMPTY(&pool->queue) && pool->running < pool->options.threads;
}

/* ---- the loop's (executor_pool.c) ---- */

uint64_t pool_now_us(void);
void pool_start_time(struct executor_pool *pool, struct job *job);
void pool_stop_time(struct executor_pool *pool, struct job *job);

/* Takes a job from those that are next. */
void pool_leave_next(struct executor_pool *pool, struct job *job);

/* Ends what was settled. */
void pool_end_settled(struct executor_pool *pool);

/* Without waiting where that can be done, else on a thread. */
void pool_submit_elsewhere(struct executor_pool *pool, struct job *job);

/* ---- leading the loop (executor_lead.c) ---- */

void pool_dispatch(struct executor *executor, void (*after)(void *owner), void *owner);

/*
 * Under the lock, as the next: both drop it meanwhile. The thread leads until that is over or
 * another one does.
 */
void pool_lead(struct executor_thread *thread);

/* The thread is the deputy until there is something else to do; it may have led by then. */
void pool_watch(struct executor_thread *thread);

/* One more than there are effects at a time. */
static inline uint32_t
pool_thread_count(const struct executor_pool *pool)
{
	return pool->options.threads + 1;
}

/* Under the lock. */
static inline bool
pool_is_at_rest(const struct executor_pool *pool)
{
	return pool->running == 0 && TAILQ_EMPTY(&pool->queue);
}

#endif
