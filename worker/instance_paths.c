/*
 * Operations of an instance that are done with one look at the path or two (PATHIO 2, 3). Runs in
 * the worker, as the user, all but the beginnings maybe on a thread; the paths have been folded and
 * judged.
 */
#include "worker/instance_private.h"
#include "worker/operations.h"

#include <errno.h>

int
instance_run_stat(struct call *call, union pathio_body *body)
{
	const struct pathio_stat *request = call->request;
	return call_backend(call)->stat(
		call_state(call), call->path, request->follow, &body->attributes_of.attributes);
}

int
instance_run_enter(struct call *call, union pathio_body *body)
{
	int error = call_backend(call)->enter(
		call_state(call), call->path, &body->attributes_of.attributes);
	bool may_look = rights_judge(call->rights, path_bytes(call->path), RIGHTS_LIST) == 0;
	return error < 0 && !may_look ? -EACCES : error;
}

int
instance_run_mkdir(struct call *call, union pathio_body *body)
{
	const struct pathio_mkdir *request = call->request;
	(void)body;
	int error = request->parents ? instance_judge_parents(call) : 0;
	if (error < 0)
		return error;
	return operation_mkdir(
		call->tree, call->path, request->mode, request->parents, request->exist_ok);
}

int
instance_run_rmdir(struct call *call, union pathio_body *body)
{
	(void)body;
	return call_backend(call)->rmdir(call_state(call), call->path);
}

int
instance_run_unlink(struct call *call, union pathio_body *body)
{
	(void)body;
	return call_backend(call)->unlink(call_state(call), call->path);
}

int
instance_run_rename(struct call *call, union pathio_body *body)
{
	(void)body;
	int error = instance_judge_target(
		call, call->destination, RIGHTS_RENAME | RIGHTS_OVERWRITE, RIGHTS_RENAME);
	if (error < 0)
		return error;
	return call_backend(call)->rename(call_state(call), call->path, call->destination);
}

int
instance_run_size_as(struct call *call, union pathio_body *body)
{
	const struct pathio_size_as *request = call->request;
	if (call->is_quick && request->form == PATHIO_FORM_ASCII)
		return -EAGAIN; /* it reads the file */
	return operation_size_as(call->tree, call->path, request->form, &body->size.bytes);
}

int
instance_run_set_times(struct call *call, union pathio_body *body)
{
	(void)body;
	return call_backend(call)->set_times(call_state(call), call->path, call->request);
}

int
instance_run_set_mode(struct call *call, union pathio_body *body)
{
	const struct pathio_set_mode *request = call->request;
	(void)body;
	return call_backend(call)->set_mode(call_state(call), call->path, request->mode);
}

int
instance_begin_symlink(struct call *call)
{
	const struct pathio_symlink *request = call->request;
	call->recorded_destination = request->target;
	if (call->charset == NULL)
		return 0;
	int length =
		charset_read(call->charset, request->target, call->room, call->rule->room_bytes);
	if (length >= 0)
		call->recorded_destination = bytes_of(call->room, (size_t)length);
	return length < 0 ? length : 0;
}

/* Judged already, by what was written; the bytes of the answer are made once it is known to fit. */
int
instance_begin_charset(struct call *call)
{
	const struct pathio_charset *request = call->request;
	struct charset *users = call->nursery->options.charset;
	if (request->is_users && users == NULL)
		return -ENOTSUP;
	call->charset = request->is_users ? users : NULL;
	const char *end = charset_write(call->charset, path_bytes(call->path), call->room);
	if (end - call->room > PATH_BYTES_MAX)
		return -ENAMETOOLONG;
	call->instance->charset = call->charset;
	return 0;
}

int
instance_run_charset(struct call *call, union pathio_body *body)
{
	const char *end = charset_write(call->charset, path_bytes(call->path), call->room);
	body->text.bytes = bytes_of(call->room, (size_t)(end - call->room));
	return 0;
}

int
instance_run_symlink(struct call *call, union pathio_body *body)
{
	(void)body;
	return call_backend(call)->symlink(
		call_state(call), call->recorded_destination, call->path);
}

int
instance_run_readlink(struct call *call, union pathio_body *body)
{
	char target[PATH_BYTES_MAX + 1];
	int length =
		call_backend(call)->readlink(call_state(call), call->path, target, sizeof(target));
	if (length < 0)
		return length;
	const char *end =
		charset_write(call->charset, bytes_of(target, (size_t)length), call->room);
	body->text.bytes = bytes_of(call->room, (size_t)(end - call->room));
	return body->text.bytes.length > PATH_BYTES_MAX ? -ENAMETOOLONG : 0;
}

int
instance_run_space(struct call *call, union pathio_body *body)
{
	return call_backend(call)->space(call_state(call), call->path, &body->size.bytes);
}
