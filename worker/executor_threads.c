/*
 * The threads of an executor (see executor.h, executor_pool.h). Run in the worker, as the user;
 * they are made inside the cage, before it closes, and share all of it.
 *
 * A thread that finds the list of the returned empty wakes the loop through an eventfd; the loop
 * takes the whole list at once. One that hangs in the kernel can be neither cancelled nor killed.
 */
#include "worker/executor_pool.h"

#include "ipc/base/ends.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>

enum { STACK_BYTES = 256 * 1024 };

/* ---- a thread ---- */

/* Waits for a job; NULL when none will come. Under the lock. */
static struct job *
take_job(struct executor_pool *pool)
{
	while (TAILQ_EMPTY(&pool->queue) && !pool->closing)
		pthread_cond_wait(&pool->work, &pool->lock);
	struct job *job = TAILQ_FIRST(&pool->queue);
	if (job == NULL)
		return NULL;
	TAILQ_REMOVE(&pool->queue, job, entry);
	pool->queue_length--;
	pool->running++;
	job->state = JOB_RUNS;
	return job;
}

/* Hands it to the loop: true if the loop must be woken for it. Under the lock. */
static bool
return_job(struct executor_pool *pool, struct job *job)
{
	bool is_first = TAILQ_EMPTY(&pool->returned);
	job->state = JOB_RETURNED;
	TAILQ_INSERT_TAIL(&pool->returned, job, entry);
	pool->running--;
	if (pool_is_at_rest(pool))
		pthread_cond_broadcast(&pool->calm);
	return is_first;
}

/* Carries it out, and comes back with the lock held, as it went. */
static void
carry_out(struct executor_thread *thread, struct job *job)
{
	struct executor_pool *pool = thread->pool;
	pthread_mutex_unlock(&pool->lock);
	job->kind->effect(job, thread->scratch);
	pthread_mutex_lock(&pool->lock);
	if (!return_job(pool, job))
		return;
	pthread_mutex_unlock(&pool->lock);
	if (eventfd_write(pool->wake_fd, 1) < 0)
		bug("the loop cannot be woken");
	pthread_mutex_lock(&pool->lock);
}

static void *
run_thread(void *argument)
{
	struct executor_thread *thread = argument;
	struct executor_pool *pool = thread->pool;
	struct job *job;
	pthread_setname_np(pthread_self(), "path-io");
	pthread_mutex_lock(&pool->lock);
	pool->started++;
	pthread_cond_broadcast(&pool->calm);
	while ((job = take_job(pool)) != NULL)
		carry_out(thread, job);
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* ---- all of them ---- */

static int
start_thread(struct executor_pool *pool, struct executor_thread *thread)
{
	pthread_attr_t attributes;
	sigset_t blocked;
	char *scratch = calloc(1, EXECUTOR_SCRATCH_BYTES);
	if (scratch == NULL)
		return -ENOMEM;
	thread->pool = pool;
	thread->scratch = scratch;
	sigfillset(&blocked);
	sigdelset(&blocked, SIGSYS);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_attr_setsigmask_np(&attributes, &blocked);
	int error = -pthread_create(&thread->id, &attributes, run_thread, thread);
	pthread_attr_destroy(&attributes);
	return error;
}

int
pool_start_threads(struct executor_pool *pool)
{
	uint32_t made = 0;
	int error = 0;
	while (error == 0 && made < pool->options.threads) {
		error = start_thread(pool, &pool->threads[made]);
		made += error == 0;
	}
	pthread_mutex_lock(&pool->lock);
	while (pool->started < made)
		pthread_cond_wait(&pool->calm, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
	return error;
}

void
pool_join_threads(struct executor_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->closing = true;
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	for (uint32_t i = 0; i < pool->started; i++)
		pthread_join(pool->threads[i].id, NULL);
}
