/*
 * The executor with threads, seen from the loop (see executor.h; executor_pool.h says what the lock
 * protects and who runs the loop). Runs in the worker, as the user. A thread whose effect outlives
 * its deadline is counted as written off until it returns; nothing here waits for it but
 * executor_rest() and the end, and whoever must not wait for that ends by _exit(2).
 */
#include "worker/executor_pool.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>

static struct executor_pool *
pool_of(struct executor *executor)
{
	return (struct executor_pool *)(void *)executor;
}

uint64_t
pool_now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t
now_ms(void)
{
	return pool_now_us() / 1000;
}

/* ---- time ---- */

/* As in ipc/remote.c: only ever moved to an earlier time, so that most jobs cost no timer call. */
static void
arm_timer(struct executor_pool *pool)
{
	const struct job *first = TAILQ_FIRST(&pool->timed);
	if (first == NULL || (pool->timer_due_ms != 0 && pool->timer_due_ms <= first->due_ms))
		return;
	uint64_t now = now_ms();
	uint64_t wait_ms = first->due_ms > now ? first->due_ms - now : 0;
	struct timeval wait = {
		.tv_sec = (time_t)(wait_ms / 1000),
		.tv_usec = (suseconds_t)(wait_ms % 1000 * 1000),
	};
	pool->timer_due_ms = first->due_ms;
	if (event_add(&pool->timer, &wait) < 0)
		die("out of memory");
}

void
pool_start_time(struct executor_pool *pool, struct job *job)
{
	if (job->deadline_ms == 0)
		return;
	job->due_ms = now_ms() + job->deadline_ms;
	struct job *before = TAILQ_LAST(&pool->timed, jobs);
	while (before != NULL && before->due_ms > job->due_ms)
		before = TAILQ_PREV(before, jobs, timed);
	if (before == NULL)
		TAILQ_INSERT_HEAD(&pool->timed, job, timed);
	else
		TAILQ_INSERT_AFTER(&pool->timed, before, job, timed);
	job->is_timed = true;
	arm_timer(pool);
}

void
pool_stop_time(struct executor_pool *pool, struct job *job)
{
	if (job->is_timed)
		TAILQ_REMOVE(&pool->timed, job, timed);
	job->is_timed = false;
}

void
pool_leave_next(struct executor_pool *pool, struct job *job)
{
	TAILQ_REMOVE(&pool->next, job, entry);
	pool->next_length--;
	job->state = JOB_IDLE;
}

/* Its state, if it has begun; else takes it out of where it waits and says JOB_IDLE. */
static enum job_state
take_back(struct executor_pool *pool, struct job *job)
{
	pthread_mutex_lock(&pool->lock);
	if (job->state == JOB_NEXT) {
		pool_leave_next(pool, job);
	} else if (job->state == JOB_QUEUED) {
		TAILQ_REMOVE(&pool->queue, job, entry);
		pool->queue_length--;
		job->state = JOB_IDLE;
	}
	enum job_state state = job->state;
	pthread_mutex_unlock(&pool->lock);
	return state;
}

static void
expire(struct executor_pool *pool, struct job *job)
{
	pool_stop_time(pool, job);
	switch (take_back(pool, job)) {
	case JOB_IDLE:
		job->kind->end(job, -ETIMEDOUT);
		break;
	case JOB_RUNS:
		job->is_late = true;
		pool->written_off++;
		job->kind->late(job);
		break;
	case JOB_NEXT:
	case JOB_QUEUED:
	case JOB_RETURNED:
		break; /* in time, if only just: its end is on the way */
	}
}

static void
on_timer(evutil_socket_t fd, short what, void *argument)
{
	struct executor_pool *pool = argument;
	struct job *job;
	(void)fd;
	(void)what;
	pool->timer_due_ms = 0;
	while ((job = TAILQ_FIRST(&pool->timed)) != NULL && job->due_ms <= now_ms())
		expire(pool, job);
	arm_timer(pool);
}

/* ---- the end of jobs ---- */

static void
end_returned(struct executor_pool *pool)
{
	struct jobs returned = TAILQ_HEAD_INITIALIZER(returned);
	struct job *job;
	pthread_mutex_lock(&pool->lock);
	TAILQ_CONCAT(&returned, &pool->returned, entry);
	pthread_mutex_unlock(&pool->lock);
	while ((job = TAILQ_FIRST(&returned)) != NULL) {
		TAILQ_REMOVE(&returned, job, entry);
		pool_stop_time(pool, job);
		pool->written_off -= job->is_late;
		job->kind->end(job, 0);
	}
}

void
pool_end_settled(struct executor_pool *pool)
{
	struct jobs settled = TAILQ_HEAD_INITIALIZER(settled);
	struct job *job;
	TAILQ_CONCAT(&settled, &pool->settled, entry);
	while ((job = TAILQ_FIRST(&settled)) != NULL) {
		TAILQ_REMOVE(&settled, job, entry);
		job->kind->end(job, job->error);
	}
}

static void
on_wake(evutil_socket_t fd, short what, void *argument)
{
	struct executor_pool *pool = argument;
	eventfd_t count;
	(void)fd;
	(void)what;
	if (eventfd_read(pool->wake_fd, &count) == 0)
		end_returned(pool);
}

static void
on_settle(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	pool_end_settled(argument);
}

static void
pool_settle(struct executor *executor, struct job *job, int error)
{
	struct executor_pool *pool = pool_of(executor);
	job->error = error;
	job->state = JOB_RETURNED;
	if (TAILQ_EMPTY(&pool->settled) && !pool->is_leading)
		event_active(&pool->settle, EV_TIMEOUT, 0);
	TAILQ_INSERT_TAIL(&pool->settled, job, entry);
}

/* ---- submitting ---- */

/* 0, or why no thread takes it. */
static int
queue_job(struct executor_pool *pool, struct job *job)
{
	int error = 0;
	if (!job->is_bound && pool->written_off == pool->options.threads)
		return -ETIMEDOUT;
	pthread_mutex_lock(&pool->lock);
	if (!job->is_bound && pool->queue_length >= pool->options.queue_max) {
		error = -EBUSY;
	} else {
		job->state = JOB_QUEUED;
		TAILQ_INSERT_TAIL(&pool->queue, job, entry);
		pool->queue_length++;
	}
	bool calls_deputy = pool->deputy != NULL && pool->queue_length > pool->idle;
	if (calls_deputy)
		pool->deputy = NULL;
	pthread_mutex_unlock(&pool->lock);
	if (calls_deputy) /* now: whom it wakes need not wait for the lock */
		pthread_cond_broadcast(&pool->watch);
	else if (error == 0)
		pthread_cond_signal(&pool->work);
	return error;
}

static void
pool_submit_next(struct executor *executor, struct job *job)
{
	struct executor_pool *pool = pool_of(executor);
	job->is_late = false;
	if (pool->closing) { /* no thread is left */
		job->kind->effect(job, pool->scratch);
		pool_settle(executor, job, 0);
		return;
	}
	int error = queue_job(pool, job);
	if (error < 0)
		pool_settle(executor, job, error);
	else
		pool_start_time(pool, job);
}

void
pool_submit_elsewhere(struct executor_pool *pool, struct job *job)
{
	if (job->kind->quick != NULL && job->kind->quick(job, pool->scratch))
		pool_settle(&pool->executor, job, 0);
	else
		pool_submit_next(&pool->executor, job);
}

static void
pool_submit(struct executor *executor, struct job *job)
{
	struct executor_pool *pool = pool_of(executor);
	bool is_next = job->is_brief && pool->is_leading;
	if (!is_next || pool->next_length >= pool->options.queue_max) {
		pool_submit_elsewhere(pool, job);
		return;
	}
	job->is_late = false;
	job->state = JOB_NEXT;
	TAILQ_INSERT_TAIL(&pool->next, job, entry);
	pool->next_length++;
	pool_start_time(pool, job);
}

static bool
pool_withdraw(struct executor *executor, struct job *job)
{
	struct executor_pool *pool = pool_of(executor);
	if (take_back(pool, job) != JOB_IDLE)
		return false;
	pool_stop_time(pool, job);
	return true;
}

/* ---- life ---- */

/* What has ended may ask for more, for instance to close a file. */
static bool
pool_rest(struct executor *executor, uint32_t limit_ms)
{
	struct executor_pool *pool = pool_of(executor);
	uint64_t due_ms = now_ms() + limit_ms;
	struct timespec due = {
		.tv_sec = (time_t)(due_ms / 1000),
		.tv_nsec = (long)(due_ms % 1000 * 1000000),
	};
	bool at_rest, more;
	do {
		int error = 0;
		pthread_mutex_lock(&pool->lock);
		while (!pool_is_at_rest(pool) && error == 0)
			error = pthread_cond_timedwait(&pool->calm, &pool->lock, &due);
		at_rest = pool_is_at_rest(pool);
		more = !TAILQ_EMPTY(&pool->returned);
		pthread_mutex_unlock(&pool->lock);
		more = more || !TAILQ_EMPTY(&pool->settled);
		end_returned(pool);
		pool_end_settled(pool);
	} while (at_rest && more);
	return at_rest;
}

static void
pool_free(struct executor *executor)
{
	struct executor_pool *pool = pool_of(executor);
	pool_join_threads(pool);
	ensure(pool_rest(executor, 0));
	event_del(&pool->wake);
	event_del(&pool->settle);
	event_del(&pool->timer);
	for (uint32_t i = 0; i < pool_thread_count(pool); i++)
		free(pool->threads[i].scratch);
	pthread_cond_destroy(&pool->work);
	pthread_cond_destroy(&pool->watch);
	pthread_cond_destroy(&pool->over);
	pthread_cond_destroy(&pool->calm);
	pthread_mutex_destroy(&pool->lock);
	fd_close(&pool->wake_fd);
	free(pool->scratch);
	free(pool);
}

static const struct executor_kind pool_kind = {
	.dispatch = pool_dispatch,
	.submit = pool_submit,
	.submit_next = pool_submit_next,
	.settle = pool_settle,
	.withdraw = pool_withdraw,
	.rest = pool_rest,
	.free = pool_free,
};

static void
init_lock(struct executor_pool *pool)
{
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	pthread_cond_init(&pool->over, NULL);
	pthread_cond_init(&pool->calm, &monotonic);
	pthread_cond_init(&pool->watch, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

int
executor_pool_new(const struct executor_pool_options *options, struct executor **result)
{
	struct executor_pool *pool =
		calloc(1, sizeof(*pool) + (options->threads + 1) * sizeof(pool->threads[0]));
	if (pool == NULL)
		return -ENOMEM;
	pool->executor.kind = &pool_kind;
	pool->options = *options;
	TAILQ_INIT(&pool->timed);
	TAILQ_INIT(&pool->settled);
	TAILQ_INIT(&pool->next);
	TAILQ_INIT(&pool->queue);
	TAILQ_INIT(&pool->returned);
	init_lock(pool);
	pool->scratch = calloc(1, EXECUTOR_SCRATCH_BYTES);
	pool->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	int error = pool->wake_fd < 0 ? -errno : 0;
	event_assign(
		&pool->wake, options->base, pool->wake_fd, EV_READ | EV_PERSIST, on_wake, pool);
	event_assign(&pool->settle, options->base, -1, 0, on_settle, pool);
	event_assign(&pool->timer, options->base, -1, 0, on_timer, pool);
	if (pool->scratch == NULL || (error == 0 && event_add(&pool->wake, NULL) < 0))
		error = -ENOMEM;
	if (error == 0)
		error = pool_start_threads(pool);
	*result = &pool->executor;
	if (error < 0)
		executor_free(result);
	return error;
}
