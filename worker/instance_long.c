/*
 * Long operations of an instance: remove_tree, copy, digest. Runs in the worker, as the user. They
 * are done in pieces, one each time round the loop, so that other sessions and the supervisor's
 * ping are answered in between (DECISIONS 24).
 */
#include "ipc/base/scope.h"
#include "worker/instance_private.h"
#include "worker/operations.h"

#include <errno.h>
#include <event2/event_struct.h>

struct long_call {
	TAILQ_ENTRY(long_call) entry;
	struct instance *instance;
	struct completion completion;
	struct operation *operation;
	struct event turn;
	struct path path;
	struct path destination;
};

static void
finish(struct long_call *running, int error)
{
	struct instance *instance = running->instance;
	struct call call = {
		.instance = instance,
		.completion = running->completion,
		.recorded_path = path_bytes(&running->path),
		.recorded_destination = path_bytes(&running->destination),
	};
	union pathio_body body = { .moved = { .bytes = operation_bytes(running->operation) } };
	if (running->completion.rule->answer == PATHIO_DIGESTED)
		body.digested = (struct pathio_digested){
			.digest = operation_digest_value(running->operation),
			.count = operation_bytes(running->operation),
		};
	TAILQ_REMOVE(&instance->long_calls, running, entry);
	instance->long_call_count--;
	event_del(&running->turn);
	if (error < 0)
		operation_free(&running->operation); /* whoever hears of it finds nothing left */
	instance_enter(instance);
	instance_finish(&call, error, &body);
	operation_free(&running->operation);
	free(running);
	instance_leave(instance);
}

static void
on_turn(evutil_socket_t fd, short what, void *argument)
{
	struct long_call *running = argument;
	static const struct timeval at_once = { 0, 0 };
	(void)fd;
	(void)what;
	int result = operation_step(running->operation);
	if (result > 0)
		event_add(&running->turn, &at_once);
	else
		finish(running, result);
}

/* Takes the operation; the first piece is done at once, and often it is the last. */
static int
start(struct call *call, struct operation *operation)
{
	bool full = call->instance->long_call_count >= INSTANCE_LONG_MAX;
	struct long_call *running = full ? NULL : calloc(1, sizeof(*running));
	if (running == NULL) {
		operation_free(&operation);
		return full ? -EBUSY : -ENOMEM;
	}
	running->instance = call->instance;
	running->completion = call->completion;
	running->operation = operation;
	running->path = *call->path;
	if (call->destination != NULL)
		running->destination = *call->destination;
	event_assign(
		&running->turn, call->instance->nursery->options.base, -1, 0, on_turn, running);
	TAILQ_INSERT_TAIL(&call->instance->long_calls, running, entry);
	call->instance->long_call_count++;
	on_turn(-1, 0, running);
	return CALL_RUNS;
}

bool
instance_cancel_long(struct instance *instance, uint32_t tag)
{
	for (struct long_call *running = TAILQ_FIRST(&instance->long_calls); running != NULL;
		running = TAILQ_NEXT(running, entry)) {
		if (running->completion.tag != tag)
			continue;
		finish(running, -ECANCELED);
		return true;
	}
	return false;
}

void
instance_cancel_all_long(struct instance *instance)
{
	struct long_call *running;
	while ((running = TAILQ_FIRST(&instance->long_calls)) != NULL)
		finish(running, -ECANCELED);
}

int
instance_run_remove_tree(struct call *call, union pathio_body *body)
{
	struct operation *operation = NULL;
	(void)body;
	int error = operation_remove_tree(call_tree(call), call->path, &operation);
	return error < 0 ? error : start(call, operation);
}

int
instance_run_copy(struct call *call, union pathio_body *body)
{
	struct operation *operation = NULL;
	uint32_t judged = 0;
	(void)body;
	int error = instance_judge_target(
		call, call->destination, RIGHTS_OVERWRITE, RIGHTS_CREATE, &judged);
	if (error == 0)
		error = operation_copy(call_tree(call), call->path, call->destination, &operation);
	return error < 0 ? error : start(call, operation);
}

int
instance_run_digest(struct call *call, union pathio_body *body)
{
	const struct pathio_digest *request = call->request;
	struct operation *operation = NULL;
	(void)body;
	int error = operation_digest(call_tree(call), call->path, request->algorithm,
		request->offset, request->count, &operation);
	return error < 0 ? error : start(call, operation);
}
