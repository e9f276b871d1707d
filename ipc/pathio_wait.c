/*
 * Waiting for path-I/O (see pathio_wait.h). Runs in tests and small programs, never in a process
 * that serves others.
 */
#include "ipc/pathio_wait.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/pathio_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- one request ---- */

/* What it was about: the first path among its fields, or nothing. */
static struct bytes
path_of(uint32_t code, const void *request)
{
	struct bytes path = bytes_of(NULL, 0);
	const struct wire_field *field = pathio_messages.rules[code].record->fields;
	while (field->kind != WIRE_END && field->kind != WIRE_PATH)
		field++;
	if (field->kind == WIRE_PATH)
		memcpy(&path, (const char *)request + field->offset, sizeof(path));
	return path;
}

static int
fail(struct pathio_wait *wait, const char *operation, struct bytes path, int error)
{
	pathio_error_set(&wait->failure, operation, path, error);
	return error;
}

int
pathio_wait_for(struct pathio_wait *wait, struct pathio *io, uint32_t code, const void *request,
	int descriptor)
{
	io->operations->submit(io, code, request, descriptor, pathio_wait_done, wait);
	int error = pathio_wait_finish(wait);
	if (error == 0)
		return 0;
	return fail(wait, pathio_messages.rules[code].name, path_of(code, request), error);
}

/* ---- questions ---- */

static const char *const question_names[] = {
	[PATHIO_EXISTS] = "exists",
	[PATHIO_IS_FILE] = "is_file",
	[PATHIO_IS_DIR] = "is_dir",
};

struct asked {
	struct pathio_wait *wait;
	bool yes;
};

static void
on_reply(void *argument, int error, bool yes)
{
	struct asked *asked = argument;
	const struct pathio_answer answer = { .error = error };
	asked->yes = yes;
	pathio_wait_done(asked->wait, &answer);
}

int
pathio_wait_ask(struct pathio_wait *wait, struct pathio *io, enum pathio_question question,
	const char *path)
{
	struct asked asked = { .wait = wait };
	pathio_ask(io, question, bytes_of_text(path), on_reply, &asked);
	int error = pathio_wait_finish(wait);
	if (error < 0)
		return fail(wait, question_names[question], bytes_of_text(path), error);
	return asked.yes ? 1 : 0;
}

/* ---- open files ---- */

/* The requests of an open file do not name its path; its errors do. */
static int
fail_file(const struct pathio_file *file, const char *operation, int error)
{
	const char *path = file->path == NULL ? "" : file->path;
	return fail(file->wait, operation, bytes_of_text(path), error);
}

static int
note_open(struct pathio_file *file, const char *path)
{
	free(file->path);
	file->path = strdup(path);
	file->is_open = true;
	return 0;
}

int
pathio_file_open(struct pathio_file *file, const char *path, enum pathio_mode mode)
{
	const struct pathio_open request = {
		.file = file->number, .path = bytes_of_text(path), .mode = mode
	};
	if (file->is_open)
		return fail(file->wait, "open", request.path, -EINVAL);
	int error = pathio_wait_open(file->wait, file->io, &request);
	if (error < 0)
		return error;
	return note_open(file, path);
}

int
pathio_file_close(struct pathio_file *file)
{
	const struct pathio_close request = { .file = file->number };
	if (!file->is_open)
		return fail_file(file, "close", -EBADF);
	file->is_open = false;
	int error = pathio_wait_close(file->wait, file->io, &request);
	return error < 0 ? fail_file(file, "close", error) : 0;
}

void
pathio_file_end(struct pathio_file *file)
{
	const struct pathio_close request = { .file = file->number };
	if (file->is_open) {
		pathio_close(file->io, &request, pathio_wait_done, file->wait);
		int error = pathio_wait_finish(file->wait);
		(void)error; /* whoever wants to know closes by pathio_file_close() */
	}
	free(file->path);
	*file = (struct pathio_file){ .wait = file->wait };
}

ssize_t
pathio_file_read(struct pathio_file *file, void *buffer, size_t length)
{
	size_t filled = 0;
	while (filled < length) {
		size_t wanted = length - filled;
		const struct pathio_read request = {
			.file = file->number,
			.count =
				wanted < PATHIO_BLOCK_BYTES ? (uint32_t)wanted : PATHIO_BLOCK_BYTES,
		};
		int error = pathio_wait_read(file->wait, file->io, &request);
		if (error < 0)
			return fail_file(file, "read", error);
		struct bytes content = file->wait->body.content.bytes;
		if (content.length == 0)
			break;
		memcpy((char *)buffer + filled, content.data, content.length);
		filled += content.length;
	}
	return (ssize_t)filled;
}

struct reading {
	struct pathio_wait *wait;
	char *content;
	size_t length;
};

static void
on_content(void *argument, int error, struct bytes content)
{
	struct reading *reading = argument;
	struct pathio_answer answer = { .error = error };
	if (error == 0) {
		reading->content = malloc(content.length + 1);
		if (reading->content == NULL)
			answer.error = -ENOMEM;
		else {
			if (content.length > 0)
				memcpy(reading->content, content.data, content.length);
			reading->content[content.length] = '\0';
			reading->length = content.length;
		}
	}
	pathio_wait_done(reading->wait, &answer);
}

int
pathio_file_read_all(struct pathio_file *file, size_t limit_bytes, char **content, size_t *length)
{
	struct reading reading = { .wait = file->wait };
	pathio_read_all(file->io, file->number, limit_bytes, on_content, &reading);
	int error = pathio_wait_finish(file->wait);
	if (error < 0)
		return fail_file(file, "read", error);
	*content = reading.content;
	*length = reading.length;
	return 0;
}

int
pathio_file_write(struct pathio_file *file, struct bytes content)
{
	while (content.length > 0) {
		size_t count =
			content.length < PATHIO_BLOCK_BYTES ? content.length : PATHIO_BLOCK_BYTES;
		const struct pathio_write request = { .file = file->number,
			.content = bytes_of(content.data, count) };
		int error = pathio_wait_write(file->wait, file->io, &request);
		if (error < 0)
			return fail_file(file, "write", error);
		uint32_t written = file->wait->body.written.count;
		content = bytes_after(content, written);
	}
	return 0;
}

int64_t
pathio_file_seek(struct pathio_file *file, int64_t offset, enum pathio_whence whence)
{
	const struct pathio_seek request = {
		.file = file->number, .offset = offset, .whence = whence
	};
	int error = pathio_wait_seek(file->wait, file->io, &request);
	if (error < 0)
		return fail_file(file, "seek", error);
	return (int64_t)file->wait->body.position.offset;
}

/* ---- listings ---- */

int
pathio_folder_open(struct pathio_folder *folder, const char *path)
{
	struct pathio_file *handle = &folder->handle;
	const struct pathio_list request = { .file = handle->number, .path = bytes_of_text(path) };
	if (handle->is_open)
		return fail(handle->wait, "list", request.path, -EINVAL);
	int error = pathio_wait_list(handle->wait, handle->io, &request);
	return error < 0 ? error : note_open(handle, path);
}

int
pathio_folder_next(struct pathio_folder *folder, struct pathio_entry *entry)
{
	struct pathio_file *handle = &folder->handle;
	const struct pathio_next request = { .file = handle->number };
	while (!wire_list_next(&folder->entries, &pathio_entry_record, entry)) {
		if (folder->is_last)
			return 0;
		folder->batch.base = handle->wait->base;
		int error = pathio_wait_next(&folder->batch, handle->io, &request);
		if (error < 0)
			return fail_file(handle, "next", error);
		folder->entries = folder->batch.body.entries.list;
		folder->is_last = folder->batch.body.entries.last;
	}
	return 1;
}

void
pathio_folder_end(struct pathio_folder *folder)
{
	pathio_file_end(&folder->handle);
	pathio_wait_free(&folder->batch);
	*folder = (struct pathio_folder){ .handle = folder->handle };
}
