/*
 * Who runs the loop (see executor.h, executor_pool.h): the pool's threads, one at a time. Runs in
 * the worker, as the user.
 *
 * The leader carries out brief jobs between two rounds of the loop, where nothing of the loop is on
 * its stack. While it does so it owns nothing but the job: the deputy, who looks at it every few
 * milliseconds, may take the loop from it, and the leader learns that when the job is done. No job
 * is begun like that without a deputy at hand, so a file system that hangs holds up the loop for
 * that long and no longer. What was said before goes out first then (`after` in executor.h). Where
 * brief jobs turn out to be slow they go to threads for a while.
 */
#include "worker/executor_pool.h"

#include "ipc/base/ends.h"

#include <errno.h>
#include <time.h>

enum {
	PATIENCE_US = 2000,
	ROUND_US = 1000, /* of jobs: then what they came to is told, and sockets have their turn */
	/* A job that takes as long as this is slow; three among a few dozen are too many. */
	SLOW_US = 500,
	SLOWNESS_OF_ONE = 16,
	SLOWNESS_MAX = 40,
	PAUSE_US = 100000, /* before brief jobs are tried again */
};

/* ---- pace ---- */

static bool
are_brief_jobs_quick(const struct executor_pool *pool)
{
	return pool->brief_from_us == 0 || pool_now_us() >= pool->brief_from_us;
}

static void
note_slow(struct executor_pool *pool)
{
	pool->slowness += SLOWNESS_OF_ONE;
	if (pool->slowness < SLOWNESS_MAX)
		return;
	pool->slowness = SLOWNESS_MAX - SLOWNESS_OF_ONE; /* the next one is enough */
	pool->brief_from_us = pool_now_us() + PAUSE_US;
}

static void
note_pace(struct executor_pool *pool, uint64_t begun_us)
{
	pool->brief_from_us = 0;
	if (pool_now_us() - begun_us >= SLOW_US)
		note_slow(pool);
	else if (pool->slowness > 0)
		pool->slowness--;
}

/* ---- the leader ---- */

/* False: there is no deputy. */
static bool
begin_brief(struct executor_pool *pool, struct job *job)
{
	pthread_mutex_lock(&pool->lock);
	bool begins = pool->deputy != NULL;
	bool wakes = begins && pool->is_deputy_dozing;
	if (begins) {
		job->state = JOB_RUNS;
		pool->is_busy = true;
		pool->brief_jobs++;
		pool->is_deputy_dozing = false;
	}
	pthread_mutex_unlock(&pool->lock);
	if (wakes)
		pthread_cond_broadcast(&pool->watch);
	return begins;
}

/* False: somebody else leads by now, and will hear of the job's return. */
static bool
end_brief(struct executor_thread *thread, struct job *job)
{
	struct executor_pool *pool = thread->pool;
	pthread_mutex_lock(&pool->lock);
	bool leads = pool->leader == thread;
	if (leads) {
		job->state = JOB_RETURNED;
		pool->is_busy = false;
	} else {
		pool_return(pool, job);
	}
	pthread_mutex_unlock(&pool->lock);
	return leads;
}

/* As end_brief(). */
static bool
do_brief(struct executor_thread *thread, struct job *job)
{
	struct executor_pool *pool = thread->pool;
	pool_leave_next(pool, job);
	uint64_t begun_us = pool_now_us();
	if (!are_brief_jobs_quick(pool) || !begin_brief(pool, job)) {
		pool_stop_time(pool, job);
		pool_submit_elsewhere(pool, job);
		return true;
	}
	job->kind->effect(job, thread->scratch);
	if (!end_brief(thread, job))
		return false;
	pool_stop_time(pool, job);
	note_pace(pool, begun_us);
	job->kind->end(job, 0);
	return true;
}

static bool
is_over(const struct executor_pool *pool)
{
	return event_base_got_break(pool->options.base) != 0;
}

/* As end_brief(). What ends may bring more of both kinds, or the end of the loop. */
static bool
do_jobs(struct executor_thread *thread)
{
	struct executor_pool *pool = thread->pool;
	uint64_t stop_us = pool_now_us() + ROUND_US;
	pool_end_settled(pool);
	while (!TAILQ_EMPTY(&pool->next) && !is_over(pool) && pool_now_us() < stop_us) {
		if (!do_brief(thread, TAILQ_FIRST(&pool->next)))
			return false;
		pool_end_settled(pool);
	}
	return true;
}

/* One round of the loop: false when it is over. */
static bool
go_round(struct executor_pool *pool)
{
	bool has_more = !TAILQ_EMPTY(&pool->next) || !TAILQ_EMPTY(&pool->settled);
	int flags = EVLOOP_ONCE | (has_more ? EVLOOP_NONBLOCK : 0);
	return event_base_loop(pool->options.base, flags) == 0 && !is_over(pool);
}

/* What nobody has begun goes to the threads. */
static void
stop_leading(struct executor_pool *pool)
{
	struct job *job;
	pool->is_leading = false;
	while ((job = TAILQ_FIRST(&pool->next)) != NULL) {
		pool_leave_next(pool, job);
		pool_stop_time(pool, job);
		pool_submit_elsewhere(pool, job);
	}
	if (!TAILQ_EMPTY(&pool->settled))
		event_active(&pool->settle, EV_TIMEOUT, 0);
}

void
pool_lead(struct executor_thread *thread)
{
	struct executor_pool *pool = thread->pool;
	bool leads = true;
	pool->leader = thread;
	pthread_cond_signal(&pool->work); /* for somebody to be the deputy */
	pthread_mutex_unlock(&pool->lock);
	if (pool->is_leading)
		note_slow(pool); /* or it would not have been taken over */
	pool->is_leading = true;
	do
		pool->after(pool->after_owner);
	while (go_round(pool) && (leads = do_jobs(thread)) && !is_over(pool));
	if (leads)
		stop_leading(pool);
	pthread_mutex_lock(&pool->lock);
	if (!leads)
		return;
	pool->leader = NULL;
	pool->is_led = false;
	pthread_cond_signal(&pool->over);
	pthread_cond_broadcast(&pool->watch);
}

/* ---- the deputy ---- */

static struct timespec
from_now(uint32_t wait_us)
{
	uint64_t due_us = pool_now_us() + wait_us;
	return (struct timespec){
		.tv_sec = (time_t)(due_us / 1000000),
		.tv_nsec = (long)(due_us % 1000000 * 1000),
	};
}

/* Until the leader has been at one job for too long: true; or it is deputy no more. */
static bool
watch_leader(const struct executor_thread *thread)
{
	struct executor_pool *pool = thread->pool;
	uint64_t seen = pool->brief_jobs - 1;
	while (pool->deputy == thread && pool->is_led) {
		bool is_quiet = !pool->is_busy && pool->brief_jobs == seen;
		struct timespec due = from_now(PATIENCE_US);
		seen = pool->brief_jobs;
		pool->is_deputy_dozing = is_quiet;
		int error = is_quiet ? pthread_cond_wait(&pool->watch, &pool->lock)
				     : pthread_cond_timedwait(&pool->watch, &pool->lock, &due);
		bool is_held = pool->is_busy && pool->brief_jobs == seen;
		if (error == ETIMEDOUT && pool->deputy == thread && is_held)
			return true;
	}
	return false;
}

void
pool_watch(struct executor_thread *thread)
{
	struct executor_pool *pool = thread->pool;
	pool->deputy = thread;
	bool takes_over = watch_leader(thread);
	if (pool->deputy == thread)
		pool->deputy = NULL;
	if (!takes_over)
		return;
	pool->is_busy = false;
	pool->running++; /* as one of the threads, from now on */
	pool_lead(thread);
}

/* ---- whoever waits ---- */

void
pool_dispatch(struct executor *executor, void (*after)(void *owner), void *owner)
{
	struct executor_pool *pool = (struct executor_pool *)(void *)executor;
	pool->after = after;
	pool->after_owner = owner;
	pthread_mutex_lock(&pool->lock);
	pool->is_led = true;
	pthread_cond_signal(&pool->work);
	while (pool->is_led)
		pthread_cond_wait(&pool->over, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
}
