/*
 * A local path-I/O instance (see instance.h). Runs in the worker, as the user. The requests are
 * well-formed words of a gateway that may have been taken over: nothing is done before the rights
 * were asked. A request that fails leaves the others as they were.
 */
#include "worker/instance.h"

#include "ipc/base/ends.h"
#include "worker/instance_private.h"

#include <errno.h>
#include <stdlib.h>

static struct instance *
instance_of(struct pathio *io)
{
	return (struct instance *)(void *)io;
}

/* ---- life ---- */

int
nursery_make(struct nursery *nursery, const struct instance_options *options,
	struct rights **rights, struct pathio **result)
{
	struct instance *instance = calloc(1, sizeof(*instance));
	if (instance == NULL) {
		rights_free(rights);
		return -ENOMEM;
	}
	instance->io.operations = &instance_operations;
	instance->nursery = nursery;
	instance->options = *options;
	if (instance->options.totals == NULL)
		instance->options.totals = &instance->own_totals;
	instance->rights = *rights;
	*rights = NULL;
	TAILQ_INIT(&instance->handles);
	TAILQ_INIT(&instance->long_calls);
	*result = &instance->io;
	return 0;
}

/* Every completion that is still owed gets -ECANCELED; then the files are closed. */
static void
destroy(struct instance *instance)
{
	struct handle *handle;
	instance->depth++; /* a completion that frees it again, or asks for more, changes nothing */
	instance_cancel_all_long(instance);
	while ((handle = TAILQ_FIRST(&instance->handles)) != NULL) {
		handle->calls++;
		handle_cancel_waiting(handle);
		if (handle->transfer != NULL)
			transfer_end(handle->transfer, -ECANCELED);
		handle->calls--;
		handle->released = true;
		handle_settle(handle);
	}
	rights_free(&instance->rights);
	free(instance);
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
	if (instance->dying && instance->depth == 0)
		destroy(instance);
}

static void
free_instance(struct pathio *io)
{
	struct instance *instance = instance_of(io);
	instance->dying = true;
	if (instance->depth == 0)
		destroy(instance);
}

void
instance_change_rights(struct pathio *io, struct rights **rights)
{
	struct instance *instance = instance_of(io);
	rights_free(&instance->rights);
	instance->rights = *rights;
	*rights = NULL;
	for (struct handle *handle = TAILQ_FIRST(&instance->handles); handle != NULL;
		handle = TAILQ_NEXT(handle, entry))
		handle->revoked =
			rights_judge(instance->rights, handle_path(handle), handle->wanted) < 0;
}

/* ---- a request ---- */

static void
record(const struct call *call, int error)
{
	const struct instance *instance = call->instance;
	const struct instance_observer *observer = instance->nursery->options.observer;
	const struct operation_rule *rule = call->completion.rule;
	if (observer == NULL || call->recorded_path.length == 0)
		return;
	if (rule->record == RECORD_OPERATION)
		observer->operation(observer->context, &instance->options.identity, rule->name,
			call->recorded_path, call->recorded_destination, -error);
	else if (rule->record == RECORD_TRANSFER)
		observer->transfer(observer->context, &instance->options.identity, rule->name,
			call->recorded_path, PATHIO_FORM_IMAGE, 0, 0, -error);
}

void
instance_answer(const struct completion *completion, int error, union pathio_body *body)
{
	union pathio_body failed = { .failed = { .error = (uint16_t)-error } };
	completion->done(completion->argument,
		&(struct pathio_answer){
			.error = error,
			.code = error < 0 ? (uint32_t)PATHIO_FAILED : completion->rule->answer,
			.tag = completion->tag,
			.body = error < 0 ? &failed : body,
		});
}

void
instance_finish(const struct call *call, int error, union pathio_body *body)
{
	call->instance->options.totals->operations++;
	record(call, error);
	instance_answer(&call->completion, error, body);
}

static void
carry_out(struct call *call)
{
	union pathio_body body = { .done = { 0 } };
	int result;
	if (call->instance->dying)
		result = -ECANCELED;
	else if (call->handle == NULL)
		result = instance_judge(call);
	else
		result = call->handle->revoked && !call->completion.rule->releases ? -EACCES : 0;
	if (result == 0)
		result = call->completion.rule->run(call, &body);
	if (result != CALL_RUNS)
		instance_finish(call, result, &body);
}

/* ---- a request on a file ---- */

static void
carry_out_on(struct handle *handle, struct call *call)
{
	static struct path path; /* the handle may close before the record is written */
	memcpy(path.text, handle->path, handle->path_length);
	call->recorded_path = bytes_of(path.text, handle->path_length);
	call->handle = handle;
	handle->calls++;
	if (call->completion.rule->releases)
		handle->released = true;
	carry_out(call);
	handle->calls--;
}

static void
carry_out_waiting(struct handle *handle, struct waiting_call *waiting)
{
	_Alignas(max_align_t) char request[MESSAGE_STRUCT_BYTES_MAX];
	struct call call = {
		.instance = handle->instance,
		.completion = waiting->completion,
		.request = request,
		.descriptor = waiting->descriptor,
	};
	/* It was encoded here, so it decodes. */
	ensure(wire_decode(pathio_messages.rules[waiting->code].record,
		       bytes_of(waiting->encoded, waiting->length), request, NULL) == 0);
	carry_out_on(handle, &call);
}

void
instance_resume(struct handle *handle)
{
	struct waiting_call *waiting;
	handle->calls++;
	while (!handle->busy && (waiting = TAILQ_FIRST(&handle->waiting)) != NULL) {
		handle_take_waiting(handle, waiting);
		carry_out_waiting(handle, waiting);
		waiting_call_free(&waiting);
	}
	handle->calls--;
	handle_settle(handle);
}

static void
submit_on_file(struct call *call)
{
	uint32_t number;
	memcpy(&number, (const char *)call->request + call->completion.rule->first, sizeof(number));
	struct handle *handle = handle_find(call->instance, number);
	if (handle == NULL) {
		instance_finish(call, -EBADF, NULL);
		return;
	}
	if (handle->busy || !TAILQ_EMPTY(&handle->waiting)) {
		int error = handle_queue(handle, call);
		if (error < 0)
			instance_finish(call, error, NULL);
		return;
	}
	carry_out_on(handle, call);
	handle_settle(handle);
}

/* ---- struct pathio ---- */

static uint32_t
submit(struct pathio *io, uint32_t code, const void *request, int descriptor,
	pathio_completion *done, void *argument)
{
	struct instance *instance = instance_of(io);
	ensure(code < INSTANCE_RULE_COUNT && instance_rules[code].run != NULL);
	if (++instance->last_tag == 0)
		instance->last_tag = 1;
	uint32_t tag = instance->last_tag;
	struct call call = {
		.instance = instance,
		.completion = { .rule = &instance_rules[code],
			.tag = tag,
			.done = done,
			.argument = argument },
		.request = request,
		.descriptor = descriptor,
	};
	instance_enter(instance);
	if (instance->dying)
		instance_finish(&call, -ECANCELED, NULL);
	else if (instance_rules[code].subject == SUBJECT_FILE)
		submit_on_file(&call);
	else
		carry_out(&call);
	instance_leave(instance);
	return tag;
}

static struct waiting_call *
find_waiting(struct handle *handle, uint32_t tag)
{
	for (struct waiting_call *waiting = TAILQ_FIRST(&handle->waiting); waiting != NULL;
		waiting = TAILQ_NEXT(waiting, entry))
		if (waiting->completion.tag == tag)
			return waiting;
	return NULL;
}

/* A close, commit or discard that is cancelled leaves its file released: an upload is dropped. */
static void
cancel_waiting(struct handle *handle, struct waiting_call *waiting)
{
	handle_take_waiting(handle, waiting);
	instance_answer(&waiting->completion, -ECANCELED, NULL);
	waiting_call_free(&waiting);
	handle_settle(handle);
}

void
handle_cancel_waiting(struct handle *handle)
{
	struct waiting_call *waiting;
	while ((waiting = TAILQ_FIRST(&handle->waiting)) != NULL)
		cancel_waiting(handle, waiting);
}

static void
cancel_on_files(struct instance *instance, uint32_t tag)
{
	for (struct handle *handle = TAILQ_FIRST(&instance->handles); handle != NULL;
		handle = TAILQ_NEXT(handle, entry)) {
		struct waiting_call *waiting = find_waiting(handle, tag);
		if (handle->transfer != NULL && handle->transferring.tag == tag)
			transfer_end(handle->transfer, -ECANCELED);
		else if (waiting != NULL)
			cancel_waiting(handle, waiting);
		else
			continue;
		return; /* the handle may be gone */
	}
}

static void
cancel(struct pathio *io, uint32_t tag)
{
	struct instance *instance = instance_of(io);
	instance_enter(instance);
	if (!instance_cancel_long(instance, tag))
		cancel_on_files(instance, tag);
	instance_leave(instance);
}

const struct pathio_operations instance_operations = {
	.submit = submit,
	.cancel = cancel,
	.free = free_instance,
};
