/*
 * Open files of an instance: open, seek, read, write, sync, close (PATHIO 2). Runs in the worker,
 * as the user, all but beginnings and ends maybe on a thread.
 */
#include "worker/instance_private.h"

#include <errno.h>

/* What a mode wants of what is there, and of what is not; and how the backend opens it. */
struct mode_rule {
	uint32_t present, absent;
	unsigned flags;
	bool reads, writes;
};

static const struct mode_rule mode_rules[] = {
	[PATHIO_MODE_RB] = { RIGHTS_READ, RIGHTS_READ, BACKEND_READ, true, false },
	[PATHIO_MODE_WB] = { RIGHTS_OVERWRITE, RIGHTS_CREATE,
		BACKEND_WRITE | BACKEND_CREATE | BACKEND_TRUNCATE, false, true },
	[PATHIO_MODE_AB] = { RIGHTS_APPEND, RIGHTS_CREATE,
		BACKEND_WRITE | BACKEND_CREATE | BACKEND_APPEND, false, true },
	[PATHIO_MODE_R_PLUS_B] = { RIGHTS_READ | RIGHTS_OVERWRITE, RIGHTS_READ | RIGHTS_OVERWRITE,
		BACKEND_READ | BACKEND_WRITE, true, true },
	[PATHIO_MODE_XB] = { RIGHTS_CREATE, RIGHTS_CREATE,
		BACKEND_WRITE | BACKEND_CREATE | BACKEND_EXCLUSIVE, false, true },
};

enum { MODE_OF_NEW_FILES = 0666 };

/* What was judged is what is opened: nothing may come up or go away in between. */
static unsigned
open_flags(const struct mode_rule *rule, uint32_t judged)
{
	if (judged == (rule->present | rule->absent))
		return rule->flags;
	return judged == rule->present ? rule->flags & ~(unsigned)BACKEND_CREATE
				       : rule->flags | BACKEND_EXCLUSIVE;
}

int
instance_begin_open(struct call *call)
{
	const struct pathio_open *request = call->request;
	if ((size_t)request->mode >= ARRAY_LENGTH(mode_rules))
		return -EINVAL;
	int result = handle_new(call, request->file);
	if (result >= 0)
		call->handle->mode = request->mode;
	return result;
}

int
instance_run_open(struct call *call, union pathio_body *body)
{
	const struct pathio_open *request = call->request;
	const struct mode_rule *rule = &mode_rules[request->mode];
	if (call->is_quick && rule->writes)
		return -EAGAIN;
	int error = instance_judge_target(call, call->path, rule->present, rule->absent);
	if (error < 0)
		return error;
	body->opened.name = bytes_of_text(path_name(call->path));
	return call_backend(call)->open(call_state(call), call->path,
		open_flags(rule, call->judged), MODE_OF_NEW_FILES, &call->handle->file,
		&body->opened.attributes);
}

static enum handle_kind
kind_of_object(const struct handle *handle)
{
	if (handle->file != NULL)
		return HANDLE_FILE;
	return handle->listing != NULL ? HANDLE_LISTING : HANDLE_UPLOAD;
}

/* What was opened for nobody, because it came too late, is closed like all that is released. */
int
instance_end_opening(struct call *call, int error)
{
	struct handle *handle = call->handle;
	if (handle == NULL)
		return error;
	if (error < 0 || call->is_answered) {
		handle_release(handle);
		return error;
	}
	handle->kind = kind_of_object(handle);
	handle->wanted = call->judged;
	if (call->shared_rights != call->instance->shared_rights)
		handle_judge_again(handle);
	return 0;
}

int
instance_begin_seek(struct call *call)
{
	return call->handle->kind == HANDLE_FILE ? 0 : -EBADF;
}

int
instance_run_seek(struct call *call, union pathio_body *body)
{
	const struct pathio_seek *request = call->request;
	struct handle *handle = call->handle;
	struct pathio_attributes attributes = { .size = 0 };
	int64_t from = 0, position;
	switch (request->whence) {
	case PATHIO_SEEK_SET:
		break;
	case PATHIO_SEEK_CUR:
		from = (int64_t)handle->position;
		break;
	case PATHIO_SEEK_END: {
		int error = call->is_quick
				    ? -EAGAIN
				    : call_backend(call)->attributes(handle->file, &attributes);
		if (error < 0)
			return error;
		from = (int64_t)attributes.size;
		break;
	}
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(from, request->offset, &position) || position < 0)
		return -EINVAL;
	handle->position = (uint64_t)position;
	body->position.offset = handle->position;
	return 0;
}

int
instance_begin_read(struct call *call)
{
	const struct handle *handle = call->handle;
	return handle->kind == HANDLE_FILE && mode_rules[handle->mode].reads ? 0 : -EBADF;
}

int
instance_run_read(struct call *call, union pathio_body *body)
{
	const struct pathio_read *request = call->request;
	const struct backend *backend = call_backend(call);
	struct handle *handle = call->handle;
	size_t room = call->rule->room_bytes;
	size_t wanted = request->count < room ? request->count : room;
	ssize_t length =
		call->is_quick
			? backend->read_cached(handle->file, handle->position, call->room, wanted)
			: backend->read(handle->file, handle->position, call->room, wanted);
	if (length < 0)
		return (int)length;
	handle->position += (uint64_t)length;
	body->content.bytes = bytes_of(call->room, (size_t)length);
	return 0;
}

/* After an append the position is the end of the file, wherever that is by now. */
static int
move_behind(struct call *call, uint64_t written)
{
	struct handle *handle = call->handle;
	struct pathio_attributes attributes;
	if (handle->mode != PATHIO_MODE_AB) {
		handle->position += written;
		return 0;
	}
	int error = call_backend(call)->attributes(handle->file, &attributes);
	if (error == 0)
		handle->position = attributes.size;
	return error;
}

int
instance_begin_write(struct call *call)
{
	const struct handle *handle = call->handle;
	return handle->kind == HANDLE_FILE && mode_rules[handle->mode].writes ? 0 : -EBADF;
}

int
instance_run_write(struct call *call, union pathio_body *body)
{
	const struct pathio_write *request = call->request;
	struct handle *handle = call->handle;
	size_t length = request->content.length < PATHIO_BLOCK_BYTES ? request->content.length
								     : PATHIO_BLOCK_BYTES;
	ssize_t written = 0;
	if (length > 0)
		written = call_backend(call)->write(
			handle->file, handle->position, request->content.data, length);
	if (written < 0)
		return (int)written;
	body->written.count = (uint32_t)written;
	return written == 0 ? 0 : move_behind(call, (uint64_t)written);
}

int
instance_begin_sync(struct call *call)
{
	return call->handle->kind == HANDLE_FILE ? 0 : -EBADF;
}

int
instance_run_sync(struct call *call, union pathio_body *body)
{
	(void)body;
	return call_backend(call)->sync(call->handle->file);
}

int
instance_begin_close(struct call *call)
{
	if (call->handle->kind == HANDLE_UPLOAD)
		call->instance->options.totals->uploads_dropped++;
	return call->handle->kind == HANDLE_NOTHING ? -EBADF : 0; /* its opening has failed */
}

/* May it be closed on the loop? */
static bool
closes_at_once(const struct call *call)
{
	const struct handle *handle = call->handle;
	return handle->kind == HANDLE_FILE && !mode_rules[handle->mode].writes &&
	       call_backend(call)->is_near(handle->file);
}

int
instance_run_close(struct call *call, union pathio_body *body)
{
	(void)body;
	if (call->is_quick && !closes_at_once(call))
		return -EAGAIN;
	handle_close_object(call->handle);
	return 0;
}
