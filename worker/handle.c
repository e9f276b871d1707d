/*
 * Handles of an instance (see instance_private.h): open files under numbers that the caller chose,
 * and what waits for them. Runs in the worker. The numbers and how many there are is the gateway's
 * choice, within INSTANCE_FILES_MAX and INSTANCE_WAITING_MAX.
 */
#include "ipc/base/scope.h"
#include "worker/instance_private.h"

#include <fcntl.h>

int
handle_new(
	struct instance *instance, uint32_t number, const struct path *path, struct handle **result)
{
	if (handle_find(instance, number) != NULL)
		return -EINVAL;
	if (instance->handle_count >= INSTANCE_FILES_MAX)
		return -EMFILE;
	struct handle *handle = calloc(1, sizeof(*handle) + path->length + 1);
	if (handle == NULL)
		return -ENOMEM;
	handle->instance = instance;
	handle->number = number;
	handle->kind = HANDLE_CLOSED;
	TAILQ_INIT(&handle->waiting);
	handle->path_length = path->length;
	memcpy(handle->path, path->text, path->length);
	TAILQ_INSERT_HEAD(&instance->handles, handle, entry);
	instance->handle_count++;
	*result = handle;
	return 0;
}

struct handle *
handle_find(struct instance *instance, uint32_t number)
{
	for (struct handle *handle = TAILQ_FIRST(&instance->handles); handle != NULL;
		handle = TAILQ_NEXT(handle, entry))
		if (handle->number == number && !handle->released)
			return handle;
	return NULL;
}

void
handle_close(struct handle *handle)
{
	struct instance *instance = handle->instance;
	switch (handle->kind) {
	case HANDLE_FILE:
		instance->nursery->tree.backend->close(&handle->file);
		break;
	case HANDLE_LISTING:
		listing_close(&handle->listing);
		break;
	case HANDLE_UPLOAD:
		upload_discard(&handle->upload);
		break;
	case HANDLE_CLOSED:
		break;
	}
	handle->kind = HANDLE_CLOSED;
	handle->released = true;
}

void
handle_settle(struct handle *handle)
{
	struct instance *instance = handle->instance;
	if (!handle->released || handle->busy || handle->calls > 0 ||
		!TAILQ_EMPTY(&handle->waiting))
		return;
	if (handle->kind == HANDLE_UPLOAD)
		instance->options.totals->uploads_dropped++;
	handle_close(handle);
	TAILQ_REMOVE(&instance->handles, handle, entry);
	instance->handle_count--;
	free(handle);
}

/* ---- what waits ---- */

int
handle_queue(struct handle *handle, const struct call *call)
{
	static char encoded[MESSAGE_BODY_BYTES_MAX];
	struct instance *instance = handle->instance;
	uint32_t code = (uint32_t)(call->completion.rule - instance_rules);
	int length = wire_encode(
		pathio_messages.rules[code].record, call->request, encoded, sizeof(encoded));
	if (length < 0)
		return -EINVAL;
	if (instance->waiting_count >= INSTANCE_WAITING_MAX ||
		(size_t)length > INSTANCE_WAITING_BYTES - instance->waiting_bytes)
		return -EBUSY;
	struct waiting_call *waiting = malloc(sizeof(*waiting) + (size_t)length);
	if (waiting == NULL)
		return -ENOMEM;
	*waiting = (struct waiting_call){
		.completion = call->completion,
		.code = code,
		.descriptor = -1,
		.length = (size_t)length,
	};
	memcpy(waiting->encoded, encoded, waiting->length);
	if (call->descriptor >= 0) {
		waiting->descriptor = fcntl(call->descriptor, F_DUPFD_CLOEXEC, 0);
		if (waiting->descriptor < 0) {
			free(waiting);
			return -EMFILE;
		}
	}
	TAILQ_INSERT_TAIL(&handle->waiting, waiting, entry);
	instance->waiting_count++;
	instance->waiting_bytes += waiting->length;
	handle->released = handle->released || call->completion.rule->releases;
	return 0;
}

struct waiting_call *
handle_take_waiting(struct handle *handle, struct waiting_call *waiting)
{
	TAILQ_REMOVE(&handle->waiting, waiting, entry);
	handle->instance->waiting_count--;
	handle->instance->waiting_bytes -= waiting->length;
	return waiting;
}

void
waiting_call_free(struct waiting_call **waiting)
{
	fd_close(&(*waiting)->descriptor);
	free(*waiting);
	*waiting = NULL;
}
