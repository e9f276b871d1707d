/*
 * The threads of an executor (see executor.h, executor_pool.h). Run in the worker, as the user;
 * they are made inside the cage, before it closes, and share all of it.
 *
 * A thread that finds the list of the returned empty wakes the loop through an eventfd; the loop
 * takes the whole list at once. One that hangs in the kernel can be neither cancelled nor killed.
 * Which of them runs the loop: executor_lead.c.
 */
#include "worker/executor_pool.h"

#include "ipc/base/ends.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>

enum { STACK_BYTES = 512 * 1024 }; /* enough for the loop with all that it calls */

/* ---- a thread ---- */

void
pool_return(struct executor_pool *pool, struct job *job)
{
	bool is_first = TAILQ_EMPTY(&pool->returned);
	job->state = JOB_RETURNED;
	TAILQ_INSERT_TAIL(&pool->returned, job, entry);
	pool->running--;
	if (pool_is_at_rest(pool))
		pthread_cond_broadcast(&pool->calm);
	if (!is_first)
		return;
	pthread_mutex_unlock(&pool->lock);
	if (eventfd_write(pool->wake_fd, 1) < 0)
		bug("the loop cannot be woken");
	pthread_mutex_lock(&pool->lock);
}

/* The first in the queue. Under the lock. */
static void
carry_out(struct executor_thread *thread)
{
	struct executor_pool *pool = thread->pool;
	struct job *job = TAILQ_FIRST(&pool->queue);
	TAILQ_REMOVE(&pool->queue, job, entry);
	pool->queue_length--;
	pool->running++;
	job->state = JOB_RUNS;
	pthread_mutex_unlock(&pool->lock);
	job->kind->effect(job, thread->scratch);
	pthread_mutex_lock(&pool->lock);
	pool_return(pool, job);
}

static void
wait_for_work(struct executor_pool *pool)
{
	pool->idle++;
	pthread_cond_wait(&pool->work, &pool->lock);
	pool->idle--;
}

static void *
run_thread(void *argument)
{
	struct executor_thread *thread = argument;
	struct executor_pool *pool = thread->pool;
	pthread_setname_np(pthread_self(), "path-io");
	pthread_mutex_lock(&pool->lock);
	pool->started++;
	pthread_cond_broadcast(&pool->calm);
	while (!pool->closing || !TAILQ_EMPTY(&pool->queue)) {
		if (pool->is_led && pool->leader == NULL)
			pool_lead(thread);
		else if (pool_has_work(pool))
			carry_out(thread);
		else if (pool->is_led && pool->deputy == NULL)
			pool_watch(thread);
		else
			wait_for_work(pool);
	}
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
	while (error == 0 && made < pool_thread_count(pool)) {
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
