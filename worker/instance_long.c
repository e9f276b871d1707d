/*
 * Long operations of an instance: remove_tree, copy, combine, digest. Runs in the worker, as the
 * user. They are done in pieces, so that other sessions and the supervisor's ping are answered in
 * between (DECISIONS 24): each piece is an effect of its own, and what is given up is freed by one
 * more, because that too touches files.
 */
#include "worker/instance_private.h"
#include "worker/operations.h"

#include <errno.h>

int
instance_begin_long(struct call *call)
{
	if (call->instance->long_count >= INSTANCE_LONG_MAX)
		return -EBUSY;
	call->instance->long_count++;
	call->is_long = true;
	return 0;
}

/* The next piece: what the effects below come to. */
static int
advance(struct call *call)
{
	int more = call->is_dropped ? -ECANCELED : operation_step(call->operation);
	return more > 0 ? CALL_RUNS : more;
}

int
instance_run_remove_tree(struct call *call, union pathio_body *body)
{
	(void)body;
	int result = 0;
	if (call->operation == NULL)
		result = operation_remove_tree(call->tree, call->path, &call->operation);
	if (result == 0)
		result = advance(call);
	if (result != CALL_RUNS)
		operation_free(&call->operation);
	return result;
}

static int
begin_copy(struct call *call)
{
	int error = instance_judge_target(call, call->destination, RIGHTS_OVERWRITE, RIGHTS_CREATE);
	if (error < 0)
		return error;
	bool must_be_new = (call->judged & RIGHTS_OVERWRITE) == 0;
	return operation_copy(
		call->tree, call->path, call->destination, must_be_new, &call->operation);
}

int
instance_run_copy(struct call *call, union pathio_body *body)
{
	int result = call->operation == NULL ? begin_copy(call) : 0;
	if (result == 0)
		result = advance(call);
	if (result == 0)
		body->moved.bytes = operation_bytes(call->operation);
	if (result != CALL_RUNS)
		operation_free(&call->operation);
	return result;
}

/* What was judged, a file or a name that is free, is what is found. */
static int
begin_combine(struct call *call)
{
	bool is_new;
	int error = instance_judge_target(call, call->path, RIGHTS_APPEND, RIGHTS_CREATE);
	if (error == 0)
		error = operation_combine(
			call->tree, call->path, call->parts, &call->operation, &is_new);
	if (error == 0 && (call->judged & (is_new ? RIGHTS_CREATE : RIGHTS_APPEND)) == 0)
		error = -EACCES;
	return error;
}

int
instance_run_combine(struct call *call, union pathio_body *body)
{
	int result = call->operation == NULL ? begin_combine(call) : 0;
	if (result == 0)
		result = advance(call);
	if (result == 0)
		body->combined = (struct pathio_combined){
			.bytes = operation_bytes(call->operation),
			.left = operation_left(call->operation),
		};
	if (result != CALL_RUNS)
		operation_free(&call->operation);
	return result;
}

int
instance_run_digest(struct call *call, union pathio_body *body)
{
	const struct pathio_digest *request = call->request;
	int result = 0;
	if (call->operation == NULL)
		result = operation_digest(call->tree, call->path, request->algorithm,
			request->offset, request->count, &call->operation);
	if (result == 0)
		result = advance(call);
	if (result == 0) {
		struct bytes value = operation_digest_value(call->operation);
		memcpy(call->room, value.data, value.length);
		body->digested = (struct pathio_digested){
			.digest = bytes_of(call->room, value.length),
			.count = operation_bytes(call->operation),
		};
	}
	if (result != CALL_RUNS)
		operation_free(&call->operation);
	return result;
}

/* One that was given up between two pieces still has its operation. */
int
instance_end_long(struct call *call, int error)
{
	struct executor *executor = call->nursery->executor;
	if (call->operation == NULL) {
		call->instance->long_count -= call->is_long;
		return error;
	}
	call->job.is_bound = true;
	if (error < 0)
		call_answer(call, error);
	call->is_dropped = call->is_answered;
	if (call->is_dropped)
		executor_submit(executor, &call->job);
	else
		executor_submit_next(executor, &call->job);
	return CALL_RUNS;
}
