/*
 * Transfers and uploads of an instance (PATHIO 3, DECISIONS 26, 27). Runs in the worker, as the
 * user. A transfer keeps its file busy: what is asked of that file meanwhile waits for its end.
 */
#include "worker/instance_private.h"

#include <errno.h>
#include <time.h>

/* ---- running ---- */

static uint64_t
now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void
on_progress(void *owner, uint64_t bytes)
{
	struct handle *handle = owner;
	const struct instance_options *options = &handle->instance->options;
	if (options->progress != NULL)
		options->progress(options->owner, handle->transferring.tag, bytes);
}

/* Where the bytes went or came from. */
static struct bytes
real_path(const struct handle *handle)
{
	return handle->kind == HANDLE_UPLOAD ? path_bytes(upload_path(handle->upload))
					     : handle_path(handle);
}

static void
record_transfer(const struct handle *handle, int error, uint64_t bytes)
{
	const struct instance *instance = handle->instance;
	const struct instance_observer *observer = instance->nursery->options.observer;
	struct instance_totals *totals = instance->options.totals;
	totals->operations++;
	if (handle->kind == HANDLE_UPLOAD)
		totals->received_bytes += bytes;
	else
		totals->sent_bytes += bytes;
	if (observer != NULL)
		observer->transfer(observer->context, &instance->options.identity,
			handle->transferring.rule->name, real_path(handle), handle->form, bytes,
			now_us() - handle->started_us, -error);
}

static void
on_ended(void *owner, int error, uint64_t bytes)
{
	struct handle *handle = owner;
	struct instance *instance = handle->instance;
	struct completion completion = handle->transferring;
	union pathio_body body = { .moved = { .bytes = bytes } };
	listing_text_free(&handle->text);
	record_transfer(handle, error, bytes);
	handle->busy = false;
	instance_enter(instance);
	handle->calls++;
	instance_answer(&completion, error, &body);
	handle->calls--;
	instance_resume(handle);
	instance_leave(instance);
}

static struct transfer_options
begin(struct call *call, enum pathio_form form)
{
	struct handle *handle = call->handle;
	handle->busy = true;
	handle->transferring = call->completion;
	handle->form = form;
	handle->started_us = now_us();
	return (struct transfer_options){
		.transfers = call->instance->nursery->transfers,
		.descriptor = call->descriptor,
		.stall_timeout_ms = call->instance->options.stall_timeout_ms,
		.running = &handle->transfer,
		.ended = on_ended,
		.progress = on_progress,
		.owner = handle,
	};
}

/* ---- out ---- */

int
instance_run_send(struct call *call, union pathio_body *body)
{
	const struct pathio_send *request = call->request;
	struct handle *handle = call->handle;
	(void)body;
	bool readable = handle->mode == PATHIO_MODE_RB || handle->mode == PATHIO_MODE_R_PLUS_B;
	if (handle->kind != HANDLE_FILE || !readable)
		return -EBADF;
	struct transfer_options options = begin(call, request->form);
	transfer_send(&options, &(struct transfer_file){
					.backend = call_backend(call),
					.file = handle->file,
					.offset = request->offset,
					.count = request->count,
					.form = request->form,
				});
	return CALL_RUNS;
}

int
instance_run_send_listing(struct call *call, union pathio_body *body)
{
	const struct pathio_send_listing *request = call->request;
	struct handle *handle = call->handle;
	const struct nursery *nursery = call->instance->nursery;
	(void)body;
	if (handle->kind != HANDLE_LISTING)
		return -EBADF;
	int error = listing_text_new(handle->listing,
		&(struct listing_text_options){
			.style = request->style,
			.facts = request->facts,
			.dots = request->hidden,
			.local_times = nursery->options.local_times,
			.prefix = request->prefix,
			.owner = &nursery->options.owner,
			.access = &nursery->access,
			.rights = &call->instance->rights,
		},
		&handle->text);
	if (error < 0)
		return error;
	struct transfer_options options = begin(call, PATHIO_FORM_ASCII);
	transfer_send_listing(&options, handle->text);
	return CALL_RUNS;
}

/* ---- uploads ---- */

/* What each kind of upload wants of what is there, and of what is not. */
static const struct {
	uint32_t present, absent;
} how_rules[] = {
	[PATHIO_HOW_REPLACE] = { RIGHTS_OVERWRITE, RIGHTS_CREATE },
	[PATHIO_HOW_APPEND] = { RIGHTS_APPEND, RIGHTS_CREATE },
	[PATHIO_HOW_AT_OFFSET] = { RIGHTS_OVERWRITE, RIGHTS_CREATE },
	[PATHIO_HOW_UNIQUE] = { RIGHTS_CREATE, RIGHTS_CREATE },
};

static int
judge_upload(const struct call *call, uint32_t *judged)
{
	const struct pathio_upload_open *request = call->request;
	if ((size_t)request->how >= ARRAY_LENGTH(how_rules))
		return -EINVAL;
	uint32_t present = how_rules[request->how].present;
	if (request->how == PATHIO_HOW_APPEND && request->offset > 0)
		present |= RIGHTS_OVERWRITE; /* truncates at the offset first */
	return instance_judge_target(
		call, call->path, present, how_rules[request->how].absent, judged);
}

int
instance_run_upload_open(struct call *call, union pathio_body *body)
{
	const struct pathio_upload_open *request = call->request;
	struct handle *handle;
	uint32_t judged = 0;
	int error = judge_upload(call, &judged);
	if (error == 0)
		error = handle_new(call->instance, request->file, call->path, &handle);
	if (error != 0)
		return error;
	error = upload_open(call_tree(call), call->path, request->how, request->offset,
		&handle->upload, &body->opened.attributes);
	if (error < 0) {
		handle->released = true;
		handle_settle(handle);
		return error;
	}
	handle->kind = HANDLE_UPLOAD;
	handle->wanted = judged;
	handle->must_be_new =
		request->how == PATHIO_HOW_REPLACE && (judged & RIGHTS_OVERWRITE) == 0;
	body->opened.name = bytes_of_text(path_name(upload_path(handle->upload)));
	return 0;
}

int
instance_run_receive(struct call *call, union pathio_body *body)
{
	const struct pathio_receive *request = call->request;
	struct handle *handle = call->handle;
	struct transfer_file destination = { .backend = call_backend(call), .form = request->form };
	(void)body;
	if (handle->kind != HANDLE_UPLOAD)
		return -EBADF;
	if (handle->received)
		return -EINVAL;
	int error = upload_begin(handle->upload, &destination.file, &destination.offset);
	if (error < 0)
		return error;
	handle->received = true;
	struct transfer_options options = begin(call, request->form);
	transfer_receive(&options, &destination);
	return CALL_RUNS;
}

/* Something may have come up since, which this session may not replace. */
static int
check_still_new(const struct call *call)
{
	struct pathio_attributes attributes;
	if (!call->handle->must_be_new)
		return 0;
	int error = call_backend(call)->stat(
		call_state(call), upload_path(call->handle->upload), false, &attributes);
	return error == 0 ? -EACCES : 0;
}

int
instance_run_commit(struct call *call, union pathio_body *body)
{
	static struct path path;
	struct handle *handle = call->handle;
	if (handle->kind != HANDLE_UPLOAD)
		return -EBADF;
	path = *upload_path(handle->upload);
	call->recorded_path = path_bytes(&path);
	int error = handle->revoked ? -EACCES : check_still_new(call);
	if (error == 0)
		error = upload_commit(&handle->upload, &body->committed.attributes);
	handle_close(handle);
	body->committed.path = path_bytes(&path);
	return error;
}

int
instance_run_discard(struct call *call, union pathio_body *body)
{
	(void)body;
	if (call->handle->kind != HANDLE_UPLOAD)
		return -EBADF;
	handle_close(call->handle);
	return 0;
}
