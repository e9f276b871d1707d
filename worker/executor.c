/*
 * Executors (see executor.h): the calls, and the executor that runs everything on the loop. Runs in
 * the worker, as the user. Nothing here fails once it is made.
 */
#include "worker/executor_private.h"

#include <errno.h>
#include <stdlib.h>

void
executor_dispatch(struct executor *executor, void (*after)(void *owner), void *owner)
{
	executor->kind->dispatch(executor, after, owner);
}

void
executor_submit(struct executor *executor, struct job *job)
{
	executor->kind->submit(executor, job);
}

void
executor_submit_next(struct executor *executor, struct job *job)
{
	executor->kind->submit_next(executor, job);
}

void
executor_settle(struct executor *executor, struct job *job, int error)
{
	executor->kind->settle(executor, job, error);
}

bool
executor_withdraw(struct executor *executor, struct job *job)
{
	return executor->kind->withdraw(executor, job);
}

bool
executor_rest(struct executor *executor, uint32_t limit_ms)
{
	return executor->kind->rest(executor, limit_ms);
}

void
executor_free(struct executor **executor)
{
	if (*executor != NULL)
		(*executor)->kind->free(*executor);
	*executor = NULL;
}

/* ---- inline ---- */

struct executor_inline {
	struct executor executor;
	struct jobs next; /* one of them, once round the loop */
	struct event turn;
	char scratch[EXECUTOR_SCRATCH_BYTES];
};

static struct executor_inline *
inline_of(struct executor *executor)
{
	return (struct executor_inline *)(void *)executor;
}

static void
inline_dispatch(struct executor *executor, void (*after)(void *owner), void *owner)
{
	struct event_base *base = event_get_base(&inline_of(executor)->turn);
	while (event_base_loop(base, EVLOOP_ONCE) == 0 && event_base_got_break(base) == 0)
		after(owner);
}

static void
inline_submit(struct executor *executor, struct job *job)
{
	job->kind->effect(job, inline_of(executor)->scratch);
	job->kind->end(job, 0);
}

static void
inline_settle(struct executor *executor, struct job *job, int error)
{
	(void)executor;
	job->kind->end(job, error);
}

static void
arm_turn(struct executor_inline *inlined)
{
	static const struct timeval at_once = { 0, 0 };
	event_add(&inlined->turn, &at_once);
}

static void
on_turn(evutil_socket_t fd, short what, void *argument)
{
	struct executor_inline *inlined = argument;
	struct job *job = TAILQ_FIRST(&inlined->next);
	(void)fd;
	(void)what;
	if (job == NULL)
		return;
	TAILQ_REMOVE(&inlined->next, job, entry);
	job->state = JOB_IDLE;
	if (!TAILQ_EMPTY(&inlined->next))
		arm_turn(inlined);
	inline_submit(&inlined->executor, job);
}

static void
inline_submit_next(struct executor *executor, struct job *job)
{
	struct executor_inline *inlined = inline_of(executor);
	job->state = JOB_QUEUED;
	TAILQ_INSERT_TAIL(&inlined->next, job, entry);
	arm_turn(inlined);
}

static bool
inline_withdraw(struct executor *executor, struct job *job)
{
	if (job->state == JOB_QUEUED)
		TAILQ_REMOVE(&inline_of(executor)->next, job, entry);
	job->state = JOB_IDLE;
	return true; /* what runs is on the stack, below whoever asks */
}

static bool
inline_rest(struct executor *executor, uint32_t limit_ms)
{
	(void)executor;
	(void)limit_ms;
	return true;
}

static void
inline_free(struct executor *executor)
{
	struct executor_inline *inlined = inline_of(executor);
	event_del(&inlined->turn);
	free(inlined);
}

static const struct executor_kind inline_kind = {
	.dispatch = inline_dispatch,
	.submit = inline_submit,
	.submit_next = inline_submit_next,
	.settle = inline_settle,
	.withdraw = inline_withdraw,
	.rest = inline_rest,
	.free = inline_free,
};

int
executor_inline_new(struct event_base *base, struct executor **result)
{
	struct executor_inline *inlined = calloc(1, sizeof(*inlined));
	if (inlined == NULL)
		return -ENOMEM;
	inlined->executor.kind = &inline_kind;
	TAILQ_INIT(&inlined->next);
	event_assign(&inlined->turn, base, -1, 0, on_turn, inlined);
	*result = &inlined->executor;
	return 0;
}
