/*
 * Handles of an instance (see instance_private.h): open files under numbers that the caller chose,
 * and what waits for them. Runs in the worker. The numbers and how many there are is the gateway's
 * choice, within INSTANCE_FILES_MAX and INSTANCE_WAITING_MAX.
 */
#include "ipc/base/scope.h"
#include "worker/instance_private.h"

static const struct job_kind disposal_kind;

/* The latest one that had this number and is not yet done with. */
static struct handle *
find_earlier(struct instance *instance, uint32_t number)
{
	struct handle *handle = TAILQ_FIRST(&instance->handles);
	while (handle != NULL && handle->number != number)
		handle = TAILQ_NEXT(handle, entry);
	return handle;
}

int
handle_new(struct call *call, uint32_t number)
{
	struct instance *instance = call->instance;
	const struct path *path = call->path;
	if (handle_find(instance, number) != NULL)
		return -EINVAL;
	if (instance->open_count >= INSTANCE_FILES_MAX ||
		instance->handle_count >= 2 * INSTANCE_FILES_MAX)
		return -EMFILE;
	struct handle *handle = calloc(1, sizeof(*handle) + path->length + 1);
	if (handle == NULL)
		return -ENOMEM;
	handle->disposal =
		(struct job){ .kind = &disposal_kind, .is_bound = true, .is_brief = true };
	handle->nursery = instance->nursery;
	handle->instance = instance;
	handle->number = number;
	handle->after = find_earlier(instance, number);
	if (handle->after != NULL && handle->after->is_late)
		handle->after = NULL; /* it may never be done with */
	TAILQ_INIT(&handle->waiting);
	handle->path_length = path->length;
	memcpy(handle->path, path->text, path->length);
	TAILQ_INSERT_HEAD(&instance->handles, handle, entry);
	instance->open_count++;
	instance->handle_count++;
	handle_lend(handle, call);
	return handle->after == NULL ? 0 : CALL_RUNS;
}

struct handle *
handle_find(struct instance *instance, uint32_t number)
{
	for (struct handle *handle = TAILQ_FIRST(&instance->handles); handle != NULL;
		handle = TAILQ_NEXT(handle, entry))
		if (handle->number == number && !handle->is_released)
			return handle;
	return NULL;
}

void
handle_lend(struct handle *handle, struct call *call)
{
	handle->lent_to = call;
	call->handle = handle;
}

void
handle_judge_again(struct handle *handle)
{
	handle->is_revoked = rights_judge(handle->instance->shared_rights->rights,
				     handle_path(handle), handle->wanted) < 0;
}

void
handle_release(struct handle *handle)
{
	if (!handle->is_released)
		handle->instance->open_count--;
	handle->is_released = true;
}

/* ---- its end ---- */

void
handle_close_object(struct handle *handle)
{
	if (handle->file != NULL)
		handle->nursery->tree.backend->close(&handle->file);
	if (handle->listing != NULL)
		listing_close(&handle->listing);
	if (handle->upload != NULL)
		upload_discard(&handle->upload);
}

static struct handle *
handle_of(struct job *disposal)
{
	return (struct handle *)(void *)disposal;
}

static void
dispose(struct job *disposal, char *scratch)
{
	struct handle *handle = handle_of(disposal);
	(void)scratch;
	identity_set(&handle->instance->options.identity);
	handle_close_object(handle);
	identity_set(NULL);
}

/* The opening that waited for the end of this one. */
static void
start_later(const struct handle *earlier)
{
	struct handle *handle = TAILQ_FIRST(&earlier->instance->handles);
	while (handle != NULL && handle->after != earlier)
		handle = TAILQ_NEXT(handle, entry);
	if (handle == NULL)
		return;
	handle->after = NULL;
	executor_submit(handle->nursery->executor, &handle->lent_to->job);
}

static void
on_disposed(struct job *disposal, int error)
{
	struct handle *handle = handle_of(disposal);
	struct instance *instance = handle->instance;
	(void)error; /* it is never refused */
	instance_enter(instance);
	TAILQ_REMOVE(&instance->handles, handle, entry);
	instance->handle_count--;
	start_later(handle);
	free(handle);
	instance_leave(instance);
}

static const struct job_kind disposal_kind = { .effect = dispose, .end = on_disposed };

void
handle_settle(struct handle *handle)
{
	if (!handle->is_released || handle->lent_to != NULL || handle->is_resuming ||
		handle->is_disposing || !TAILQ_EMPTY(&handle->waiting))
		return;
	if (handle->upload != NULL)
		handle->instance->options.totals->uploads_dropped++;
	handle->is_disposing = true;
	if (handle->file == NULL && handle->listing == NULL && handle->upload == NULL)
		on_disposed(&handle->disposal, 0);
	else
		executor_submit(handle->nursery->executor, &handle->disposal);
}

/* ---- what waits ---- */

int
handle_queue(struct handle *handle, struct call *call)
{
	struct instance *instance = handle->instance;
	if (instance->waiting_count >= INSTANCE_WAITING_MAX ||
		call->request_bytes > INSTANCE_WAITING_BYTES - instance->waiting_bytes)
		return -EBUSY;
	int error = call_keep_descriptor(call);
	if (error < 0)
		return error;
	TAILQ_INSERT_TAIL(&handle->waiting, call, entry);
	instance->waiting_count++;
	instance->waiting_bytes += call->request_bytes;
	if ((call->rule->traits & RELEASES) != 0)
		handle_release(handle);
	return 0;
}

void
handle_take_waiting(struct handle *handle, struct call *call)
{
	TAILQ_REMOVE(&handle->waiting, call, entry);
	call->instance->waiting_count--;
	call->instance->waiting_bytes -= call->request_bytes;
}

void
handle_refuse_waiting(struct handle *handle, int error)
{
	struct call *call;
	while ((call = TAILQ_FIRST(&handle->waiting)) != NULL) {
		handle_take_waiting(handle, call);
		call_answer_unrecorded(call, error);
		call_free(&call);
	}
}

void
handle_give_up(struct handle *handle, int error)
{
	handle->is_late = true;
	handle_refuse_waiting(handle, error);
	start_later(handle);
}
