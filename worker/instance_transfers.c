/*
 * Transfers and uploads of an instance (PATHIO 3, DECISIONS 26, 27). Runs in the worker, as the
 * user, effects maybe on a thread. While a transfer runs, its file is lent to it: what is asked of
 * that file meanwhile waits for its end.
 */
#include "ipc/base/ends.h"
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

/* A listing shows what the rights of the moment show. */
static void
on_before(void *owner)
{
	call_take_rights(owner);
}

static void
on_progress(void *owner, uint64_t bytes)
{
	const struct call *call = owner;
	const struct instance_options *options = &call->instance->options;
	if (options->progress != NULL)
		options->progress(options->owner, call->tag, bytes);
}

/* Where the bytes went or came from. */
static struct bytes
real_path(const struct handle *handle)
{
	return handle->kind == HANDLE_UPLOAD ? path_bytes(upload_path(handle->upload))
					     : handle_path(handle);
}

static void
record_transfer(const struct call *call, int error, uint64_t bytes)
{
	const struct instance *instance = call->instance;
	const struct instance_observer *observer = call->nursery->options.observer;
	struct instance_totals *totals = instance->options.totals;
	totals->operations++;
	if (call->handle->kind == HANDLE_UPLOAD)
		totals->received_bytes += bytes;
	else
		totals->sent_bytes += bytes;
	if (observer != NULL)
		observer->transfer(observer->context, &instance->options.identity, call->rule->name,
			real_path(call->handle),
			&(struct transfer_report){
				.form = call->form,
				.coding = call->coding,
				.bytes = bytes,
				.duration_us = now_us() - call->started_us,
			},
			-error);
}

static void
on_ended(void *owner, int error, uint64_t bytes)
{
	struct call *call = owner;
	struct instance *instance = call->instance;
	record_transfer(call, error, bytes);
	call->body.moved.bytes = bytes;
	instance_enter(instance);
	call_answer_unrecorded(call, error);
	instance_leave(instance);
}

static void
on_gone(void *owner)
{
	struct call *call = owner;
	listing_text_free(&call->text);
	instance_end(call, 0);
}

static void
on_late(void *owner)
{
	struct call *call = owner;
	struct instance *instance = call->instance;
	instance_enter(instance);
	if (call->transfer != NULL)
		transfer_end(call->transfer, -ETIMEDOUT);
	instance_give_up(call, -ETIMEDOUT);
	instance_leave(instance);
}

void
instance_end_transfer(struct call *call, int error)
{
	transfer_end(call->transfer, error);
}

/* Whoever may not have it is told so before anything is opened for it. */
static int
check_coding(const struct call *call, enum pathio_coding coding)
{
	bool is_offered = coding == PATHIO_CODING_NONE || call->nursery->options.mode_z;
	return is_offered ? 0 : -ENOTSUP;
}

static struct transfer_options
begin(struct call *call, enum pathio_form form, enum pathio_coding coding)
{
	bool owns_descriptor = call->owns_descriptor;
	call->form = form;
	call->coding = coding;
	call->started_us = now_us();
	call->owns_descriptor = false;
	return (struct transfer_options){
		.transfers = call->nursery->transfers,
		.descriptor = call->descriptor,
		.coding = coding,
		.takes_descriptor = owns_descriptor,
		.stall_timeout_ms = call->instance->options.stall_timeout_ms,
		.deadline_ms = call->instance->options.deadline_ms,
		.identity = &call->instance->options.identity,
		.running = &call->transfer,
		.owner = call,
		.before = on_before,
		.progress = on_progress,
		.late = on_late,
		.ended = on_ended,
		.gone = on_gone,
	};
}

/* ---- out ---- */

int
instance_begin_send(struct call *call)
{
	const struct pathio_send *request = call->request;
	const struct handle *handle = call->handle;
	bool readable = handle->mode == PATHIO_MODE_RB || handle->mode == PATHIO_MODE_R_PLUS_B;
	if (handle->kind != HANDLE_FILE || !readable)
		return -EBADF;
	int error = check_coding(call, request->coding);
	if (error < 0)
		return error;
	struct transfer_options options = begin(call, request->form, request->coding);
	options.level = request->level;
	error = transfer_send(&options, &(struct transfer_file){
						.backend = call_backend(call),
						.file = handle->file,
						.offset = request->offset,
						.count = request->count,
						.form = request->form,
					});
	return error < 0 ? error : CALL_RUNS;
}

/* Its beginning has started the transfer, whose turns are the effects. */
int
instance_run_send(struct call *call, union pathio_body *body)
{
	(void)call;
	(void)body;
	bug("a send that begins twice");
}

int
instance_begin_send_listing(struct call *call)
{
	const struct pathio_send_listing *request = call->request;
	if (call->handle->kind != HANDLE_LISTING)
		return -EBADF;
	int error = check_coding(call, request->coding);
	return error < 0 ? error : call_keep_descriptor(call);
}

int
instance_run_send_listing(struct call *call, union pathio_body *body)
{
	const struct pathio_send_listing *request = call->request;
	const struct nursery *nursery = call->nursery;
	(void)body;
	return listing_text_new(call->handle->listing,
		&(struct listing_text_options){
			.style = request->style,
			.facts = request->facts,
			.show = request->show,
			.order = request->order,
			.local_times = nursery->options.local_times,
			.prefix = request->prefix,
			.below = request->below,
			.charset = call->charset,
			.owner = &nursery->options.owner,
			.access = &nursery->access,
			.rights = &call->rights,
		},
		&call->text);
}

int
instance_end_send_listing(struct call *call, int error)
{
	const struct pathio_send_listing *request = call->request;
	if (error == 0 && !call->is_answered) {
		struct transfer_options options = begin(call, PATHIO_FORM_ASCII, request->coding);
		options.level = request->level;
		error = transfer_send_listing(&options, call->text);
		if (error == 0)
			return CALL_RUNS;
	}
	listing_text_free(&call->text);
	return error;
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
	[PATHIO_HOW_RANGE] = { RIGHTS_OVERWRITE, RIGHTS_CREATE },
};

static int
judge_upload(struct call *call)
{
	const struct pathio_upload_open *request = call->request;
	uint32_t present = how_rules[request->how].present;
	if (request->how == PATHIO_HOW_APPEND && request->offset > 0)
		present |= RIGHTS_OVERWRITE; /* truncates at the offset first */
	return instance_judge_target(call, call->path, present, how_rules[request->how].absent);
}

int
instance_begin_upload_open(struct call *call)
{
	const struct pathio_upload_open *request = call->request;
	if ((size_t)request->how >= ARRAY_LENGTH(how_rules))
		return -EINVAL;
	return handle_new(call, request->file);
}

int
instance_run_upload_open(struct call *call, union pathio_body *body)
{
	const struct pathio_upload_open *request = call->request;
	struct handle *handle = call->handle;
	int error = judge_upload(call);
	if (error == 0)
		error = upload_open(call->tree, call->path, request->how, request->offset,
			request->umask, &handle->upload, &body->opened.attributes);
	if (error == 0 && request->how == PATHIO_HOW_RANGE)
		upload_set_count(handle->upload, request->count);
	if (error < 0)
		return error;
	handle->must_be_new =
		request->how == PATHIO_HOW_REPLACE && (call->judged & RIGHTS_OVERWRITE) == 0;
	struct bytes name = bytes_of_text(path_name(upload_path(handle->upload)));
	const char *end = charset_write(call->charset, name, call->room);
	body->opened.name = bytes_of(call->room, (size_t)(end - call->room));
	return 0;
}

int
instance_begin_receive(struct call *call)
{
	const struct pathio_receive *request = call->request;
	const struct handle *handle = call->handle;
	if (handle->kind != HANDLE_UPLOAD)
		return -EBADF;
	if (handle->has_received)
		return -EINVAL;
	int error = check_coding(call, request->coding);
	return error < 0 ? error : call_keep_descriptor(call);
}

int
instance_run_receive(struct call *call, union pathio_body *body)
{
	struct upload *upload = call->handle->upload;
	struct backend_file *file;
	uint64_t offset;
	(void)body;
	if (call->is_quick && upload_will_truncate(upload))
		return -EAGAIN;
	return upload_begin(upload, &file, &offset);
}

int
instance_end_receive(struct call *call, int error)
{
	const struct pathio_receive *request = call->request;
	struct transfer_file destination = { .backend = call_backend(call), .form = request->form };
	if (error == 0 && call->is_answered)
		error = -ECANCELED;
	if (error == 0) /* it has truncated what it had to: nothing is left but to ask */
		error = upload_begin(call->handle->upload, &destination.file, &destination.offset);
	if (error < 0)
		return error;
	destination.count = upload_count(call->handle->upload);
	call->handle->has_received = true;
	struct transfer_options options = begin(call, request->form, request->coding);
	error = transfer_receive(&options, &destination);
	return error < 0 ? error : CALL_RUNS;
}

int
instance_begin_commit(struct call *call)
{
	struct handle *handle = call->handle;
	if (handle->kind != HANDLE_UPLOAD)
		return -EBADF;
	struct path *path = (struct path *)(void *)call->room;
	*path = *upload_path(handle->upload);
	call->recorded_path = path_bytes(path);
	call->body.committed.path = path_bytes(path);
	call->job.is_brief = call->tree->uploads.sync == SYNC_NONE; /* a disk takes its time */
	return handle->is_revoked ? -EACCES : 0;
}

int
instance_run_commit(struct call *call, union pathio_body *body)
{
	struct handle *handle = call->handle;
	int error = handle->must_be_new ? upload_claim(handle->upload) : 0;
	if (error == 0)
		error = upload_commit(&handle->upload, &body->committed.attributes);
	handle_close_object(handle);
	return error;
}

int
instance_begin_discard(struct call *call)
{
	return call->handle->kind == HANDLE_UPLOAD ? 0 : -EBADF;
}

int
instance_run_discard(struct call *call, union pathio_body *body)
{
	(void)body;
	handle_close_object(call->handle);
	return 0;
}
