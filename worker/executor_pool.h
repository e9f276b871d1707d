/*
 * Inside the executor with threads: what its loop's side (executor_pool.c) and its threads
 * (executor_threads.c) share. Its contract is executor.h.
 *
 * One lock protects the queue, the list of what has returned, how many run, and each job's state.
 * It is held for a few pointers' time and never around an effect, an end or a system call but the
 * locks' own. All else (deadlines, written-off threads, what was settled without a thread) is the
 * loop's alone.
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
	uint32_t written_off;

	/* Under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t work; /* for threads: there is something to do, or it is over */
	pthread_cond_t calm; /* for the loop's thread: another thread is up, or at rest */
	struct jobs queue;
	struct jobs returned;
	uint32_t queue_length;
	uint32_t started;
	uint32_t running;
	bool closing;

	struct executor_thread threads[];
};

/* Threads that are up will make no call any more but those of their work. 0 or negative errno. */
MUST_CHECK int pool_start_threads(struct executor_pool *pool);

/* Waits for what runs and what is queued. */
void pool_join_threads(struct executor_pool *pool);

/* Under the lock. */
static inline bool
pool_is_at_rest(const struct executor_pool *pool)
{
	return pool->running == 0 && TAILQ_EMPTY(&pool->queue);
}

#endif
