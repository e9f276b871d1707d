/*
 * A local path-I/O instance (see instance.h). Runs in the worker, as the user. The requests are
 * well-formed words of a gateway that may have been taken over: nothing is done before the rights
 * were asked. A request that fails leaves the others as they were.
 *
 * The story of a call: submitted, it waits while its handle is lent to another; begun, it is judged
 * here on the loop; its effect goes to the executor, which may carry it out at once or on a thread;
 * its end, here again, records it, answers it and gives the handle to the next in the queue. A call
 * that is cancelled, late, or whose session has gone, is answered before its end.
 */
#include "worker/instance.h"

#include "ipc/base/ends.h"
#include "ipc/descriptor.h"
#include "worker/instance_private.h"

#include <errno.h>
#include <stdlib.h>

static struct instance *
instance_of(struct pathio *io)
{
	return (struct instance *)(void *)io;
}

/* ---- life ---- */

static struct shared_rights *
share(struct rights **rights)
{
	struct shared_rights *shared = malloc(sizeof(*shared));
	if (shared == NULL) {
		rights_free(rights);
		return NULL;
	}
	*shared = (struct shared_rights){ .holders = 1, .rights = *rights };
	*rights = NULL;
	return shared;
}

int
nursery_make(struct nursery *nursery, const struct instance_options *options,
	struct rights **rights, struct pathio **result)
{
	struct shared_rights *shared = share(rights);
	struct instance *instance = calloc(1, sizeof(*instance));
	if (instance == NULL || shared == NULL) {
		shared_rights_drop(&shared);
		free(instance);
		return -ENOMEM;
	}
	instance->io.operations = &instance_operations;
	instance->nursery = nursery;
	instance->options = *options;
	if (instance->options.totals == NULL)
		instance->options.totals = &instance->own_totals;
	instance->shared_rights = shared;
	instance->charset = nursery->options.charset;
	TAILQ_INIT(&instance->calls);
	TAILQ_INIT(&instance->handles);
	instance_join(instance);
	*result = &instance->io;
	return 0;
}

/* What is left of it waits for threads: it goes with the last call and the last handle. */
static void
free_if_empty(struct instance *instance)
{
	if (instance->depth > 0 || !TAILQ_EMPTY(&instance->calls) ||
		!TAILQ_EMPTY(&instance->handles))
		return;
	shared_rights_drop(&instance->shared_rights);
	free(instance);
}

/* It is answered; if its effect has not begun it never will, and then the call is gone. */
static void
abandon(struct call *call, int error)
{
	if (call->transfer != NULL) {
		instance_end_transfer(call, error);
		return;
	}
	call_answer(call, error);
	if (executor_withdraw(call->nursery->executor, &call->job))
		call->job.kind->end(&call->job, error);
}

static struct call *
find_unanswered(struct instance *instance)
{
	struct call *call = TAILQ_FIRST(&instance->calls);
	while (call != NULL && call->is_answered)
		call = TAILQ_NEXT(call, entry);
	return call;
}

static void
count_dropped(struct instance *instance, const struct handle *handle)
{
	bool is_ending = handle->lent_to != NULL && (handle->lent_to->rule->traits & RELEASES) != 0;
	if (handle->kind == HANDLE_UPLOAD && !is_ending)
		instance->options.totals->uploads_dropped++;
}

/* Every completion that is still owed gets -ECANCELED; then the files are closed. */
static void
destroy(struct instance *instance)
{
	struct handle *handle, *next;
	struct call *call;
	instance->depth++; /* a completion that frees it again, or asks for more, changes nothing */
	for (handle = TAILQ_FIRST(&instance->handles); handle != NULL;
		handle = TAILQ_NEXT(handle, entry)) {
		count_dropped(instance, handle);
		handle_refuse_waiting(handle, -ECANCELED);
	}
	while ((call = find_unanswered(instance)) != NULL)
		abandon(call, -ECANCELED);
	instance->options.totals = &instance->own_totals; /* the session's are told by now */
	for (handle = TAILQ_FIRST(&instance->handles); handle != NULL; handle = next) {
		next = TAILQ_NEXT(handle, entry);
		handle_release(handle);
		handle_settle(handle);
	}
	instance_part(instance);
	instance->is_gone = true;
	instance->depth--;
	free_if_empty(instance);
}

void
instance_enter(struct instance *instance)
{
	instance->depth++;
}

void
instance_leave(struct instance *instance)
{
	instance->depth--;
	if (instance->is_gone)
		free_if_empty(instance);
	else if (instance->is_dying && instance->depth == 0)
		destroy(instance);
}

static void
free_instance(struct pathio *io)
{
	struct instance *instance = instance_of(io);
	instance->is_dying = true;
	if (instance->depth == 0)
		destroy(instance);
}

void
instance_change_rights(struct pathio *io, struct rights **rights)
{
	struct instance *instance = instance_of(io);
	struct shared_rights *shared = share(rights);
	if (shared == NULL)
		die("no memory for changed rights"); /* nobody may go on with the old ones */
	shared_rights_drop(&instance->shared_rights);
	instance->shared_rights = shared;
	for (struct handle *handle = TAILQ_FIRST(&instance->handles); handle != NULL;
		handle = TAILQ_NEXT(handle, entry))
		handle_judge_again(handle);
}

/* ---- the effect of a call ---- */

static void
carry_out(struct job *job, char *scratch)
{
	struct call *call = call_of(job);
	(void)scratch;
	identity_set(&call->instance->options.identity);
	call->result = call->rule->run(call, &call->body);
	identity_set(NULL);
}

/* With what the caches have. A stranger's mount is none of the tree's caches. */
static bool
try_quickly(struct job *job, char *scratch)
{
	struct call *call = call_of(job);
	if (call->nursery->cached.state == NULL)
		return false;
	call->tree = &call->nursery->cached;
	call->is_quick = true;
	carry_out(job, scratch);
	call->is_quick = false;
	call->tree = &call->nursery->tree;
	return call->result != -EAGAIN && call->result != -EXDEV;
}

static void
on_late(struct job *job)
{
	instance_give_up(call_of(job), -ETIMEDOUT);
}

static void
on_end(struct job *job, int error)
{
	struct call *call = call_of(job);
	struct instance *instance = call->instance;
	instance_enter(instance);
	if (error == 0)
		error = call->result;
	if (call->rule->end != NULL)
		error = call->rule->end(call, error);
	if (error != CALL_RUNS)
		instance_end(call, error);
	instance_leave(instance);
}

static const struct job_kind slow_path = { NULL, carry_out, on_late, on_end };
static const struct job_kind quick_path = { try_quickly, carry_out, on_late, on_end };

/* ---- the life of a call ---- */

static int
judge(struct call *call)
{
	const struct operation_rule *rule = call->rule;
	const struct handle *handle = call->handle;
	if (rule->subject == SUBJECT_SESSION)
		return 0;
	if (handle == NULL)
		return instance_judge(call);
	call->recorded_path = handle_path(handle);
	return handle->is_revoked && (rule->traits & RELEASES) == 0 ? -EACCES : 0;
}

static int
prepare(struct call *call)
{
	const struct operation_rule *rule = call->rule;
	call_take_rights(call);
	call->charset = call->instance->charset;
	int error = judge(call);
	if (error == 0)
		error = call_make_room(call);
	return error == 0 && rule->begin != NULL ? rule->begin(call) : error;
}

void
instance_begin(struct call *call)
{
	struct executor *executor = call->nursery->executor;
	const struct instance *instance = call->instance;
	unsigned traits = call->rule->traits;
	TAILQ_INSERT_TAIL(&call->instance->calls, call, entry);
	if (call->handle != NULL && (traits & RELEASES) != 0)
		handle_release(call->handle);
	call->job.kind = (traits & QUICK) != 0 ? &quick_path : &slow_path;
	call->job.deadline_ms = (traits & SLOW) != 0 ? instance->options.slow_deadline_ms
						     : instance->options.deadline_ms;
	call->job.is_brief = (traits & LENGTHY) == 0;
	int error = prepare(call);
	if (error < 0)
		executor_settle(executor, &call->job, error);
	else if (error == 0)
		executor_submit(executor, &call->job);
}

static void
resume(struct handle *handle)
{
	struct call *call;
	if (handle->is_resuming)
		return;
	handle->is_resuming = true;
	while (handle->lent_to == NULL && (call = TAILQ_FIRST(&handle->waiting)) != NULL) {
		handle_take_waiting(handle, call);
		handle_lend(handle, call);
		instance_begin(call);
	}
	handle->is_resuming = false;
	handle_settle(handle);
}

void
instance_end(struct call *call, int error)
{
	struct instance *instance = call->instance;
	struct handle *handle = call->handle;
	instance_enter(instance);
	call_answer(call, error);
	TAILQ_REMOVE(&instance->calls, call, entry);
	call_free(&call);
	if (handle != NULL) {
		handle->lent_to = NULL;
		handle->is_late = false;
		resume(handle);
	}
	instance_leave(instance);
}

void
instance_give_up(struct call *call, int error)
{
	struct instance *instance = call->instance;
	struct handle *handle = call->handle;
	instance_enter(instance);
	call_answer(call, error);
	if (handle != NULL)
		handle_give_up(handle, error);
	instance_leave(instance);
}

/* ---- struct pathio ---- */

/* It never begins. */
static void
refuse(struct call *call, int error)
{
	TAILQ_INSERT_TAIL(&call->instance->calls, call, entry);
	call->job.kind = &slow_path;
	executor_settle(call->nursery->executor, &call->job, error);
}

static void
submit_on_file(struct call *call)
{
	uint32_t number;
	memcpy(&number, (const char *)call->request + call->rule->first, sizeof(number));
	struct handle *handle = handle_find(call->instance, number);
	int error = 0;
	if (call->descriptor >= 0 && descriptor_check(call->descriptor, DESCRIPTOR_DATA) < 0) {
		refuse(call, -EINVAL);
	} else if (handle == NULL) {
		refuse(call, -EBADF);
	} else if (handle->is_late) {
		if ((call->rule->traits & RELEASES) != 0)
			handle_release(handle);
		refuse(call, -ETIMEDOUT);
	} else if (handle->lent_to != NULL || !TAILQ_EMPTY(&handle->waiting)) {
		error = handle_queue(handle, call);
		if (error < 0)
			refuse(call, error);
	} else {
		handle_lend(handle, call);
		instance_begin(call);
	}
}

static uint32_t
submit(struct pathio *io, uint32_t code, const void *request, int descriptor,
	pathio_completion *done, void *argument)
{
	static const union pathio_body no_memory = { .failed = { .error = ENOMEM } };
	struct instance *instance = instance_of(io);
	struct pathio_bounded bounded;
	ensure(code < INSTANCE_RULE_COUNT && instance_rules[code].run != NULL);
	if (++instance->last_tag == 0)
		instance->last_tag = 1;
	uint32_t tag = instance->last_tag;
	request = pathio_bound(code, request, &bounded);
	int error = pathio_check(code, request);
	struct call *call = call_new(instance, code, request, descriptor);
	if (call == NULL) {
		done(argument, &(struct pathio_answer){ .error = -ENOMEM,
				       .code = PATHIO_FAILED,
				       .tag = tag,
				       .body = &no_memory });
		return tag;
	}
	call->tag = tag;
	call->done = done;
	call->argument = argument;
	instance_enter(instance);
	if (instance->is_dying)
		refuse(call, -ECANCELED);
	else if (error < 0)
		refuse(call, error);
	else if (call->rule->subject == SUBJECT_FILE)
		submit_on_file(call);
	else
		instance_begin(call);
	instance_leave(instance);
	return tag;
}

static struct call *
find_call(struct calls *calls, uint32_t tag)
{
	struct call *call = TAILQ_FIRST(calls);
	while (call != NULL && (call->tag != tag || call->is_answered))
		call = TAILQ_NEXT(call, entry);
	return call;
}

/* A close, commit or discard that is cancelled leaves its file released: an upload is dropped. */
static void
cancel_waiting(struct instance *instance, uint32_t tag)
{
	for (struct handle *handle = TAILQ_FIRST(&instance->handles); handle != NULL;
		handle = TAILQ_NEXT(handle, entry)) {
		struct call *call = find_call(&handle->waiting, tag);
		if (call == NULL)
			continue;
		handle_take_waiting(handle, call);
		call_answer_unrecorded(call, -ECANCELED);
		call_free(&call);
		handle_settle(handle);
		return; /* the handle may be gone */
	}
}

static void
cancel(struct pathio *io, uint32_t tag)
{
	struct instance *instance = instance_of(io);
	struct call *call = find_call(&instance->calls, tag);
	instance_enter(instance);
	if (call != NULL)
		abandon(call, -ECANCELED);
	else
		cancel_waiting(instance, tag);
	instance_leave(instance);
}

const struct pathio_operations instance_operations = {
	.submit = submit,
	.cancel = cancel,
	.free = free_instance,
};
