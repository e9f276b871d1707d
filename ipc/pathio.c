/*
 * What is the same for every implementation of path-I/O (see pathio.h): the questions and the
 * blocking helper. Runs in the gateway, in tests and in small programs.
 */
#include "ipc/pathio.h"

#include "ipc/base/ends.h"
#include "ipc/base/path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void
pathio_free(struct pathio **io)
{
	struct pathio *freed = *io;
	*io = NULL;
	if (freed != NULL)
		freed->operations->free(freed);
}

/* ---- what may be asked ---- */

const void *
pathio_bound(uint32_t code, const void *request, struct pathio_bounded *bounded)
{
	switch (code) {
	case PATHIO_READ:
		memcpy(&bounded->read, request, sizeof(bounded->read));
		if (bounded->read.count > PATHIO_BLOCK_BYTES)
			bounded->read.count = PATHIO_BLOCK_BYTES;
		return &bounded->read;
	case PATHIO_WRITE:
		memcpy(&bounded->write, request, sizeof(bounded->write));
		if (bounded->write.content.length > PATHIO_BLOCK_BYTES)
			bounded->write.content.length = PATHIO_BLOCK_BYTES;
		return &bounded->write;
	default:
		return request;
	}
}

/* The errno of the path alone. */
static int
path_refusal(struct bytes path)
{
	struct path folded;
	return path.length == 0 || path.data[0] != '/' ? -EINVAL : path_fold(NULL, path, &folded);
}

int
pathio_check(uint32_t code, const void *request)
{
	const struct wire_record *record = pathio_messages.rules[code].record;
	if (wire_is_in_range(record, request))
		return 0;
	int error = 0;
	for (const struct wire_field *field = record->fields; field->kind != WIRE_END && error == 0;
		field++) {
		struct bytes path;
		if (field->kind != WIRE_PATH)
			continue;
		memcpy(&path, (const char *)request + field->offset, sizeof(path));
		error = path_refusal(path);
	}
	return error < 0 ? error : -EINVAL;
}

/* ---- questions ---- */

struct question {
	enum pathio_question kind;
	pathio_reply *done;
	void *argument;
};

/* "No" is an answer, not an error, where nothing that one could open has this path. */
static bool
means_missing(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -ENAMETOOLONG || error == -ELOOP;
}

static bool
answer_is_yes(enum pathio_question kind, enum pathio_type type)
{
	switch (kind) {
	case PATHIO_EXISTS:
		return true;
	case PATHIO_IS_FILE:
		return type == PATHIO_TYPE_FILE;
	case PATHIO_IS_DIR:
		return type == PATHIO_TYPE_DIRECTORY;
	}
	bug("question %d", (int)kind);
}

static void
on_stat(void *argument, const struct pathio_answer *answer)
{
	struct question *asked = argument;
	struct question question = *asked;
	free(asked);
	if (answer->error == 0) {
		enum pathio_type type = answer->body->attributes_of.attributes.type;
		question.done(question.argument, 0, answer_is_yes(question.kind, type));
	} else {
		int error = means_missing(answer->error) ? 0 : answer->error;
		question.done(question.argument, error, false);
	}
}

void
pathio_ask(struct pathio *io, enum pathio_question question, struct bytes path, pathio_reply *done,
	void *argument)
{
	struct question *asked = malloc(sizeof(*asked));
	if (asked == NULL)
		die("out of memory");
	*asked = (struct question){ .kind = question, .done = done, .argument = argument };
	pathio_stat(io, &(struct pathio_stat){ .path = path, .follow = true }, on_stat, asked);
}

/* ---- errors ---- */

/* Where strerror(3) speaks of something else than path-I/O does. */
static const struct {
	int error;
	const char *text;
} texts[] = {
	{ -ETIMEDOUT, "Time limit exceeded" },
	{ -ENOTSUP, "Not offered by this backend" },
	{ -EBADF, "Not an open file, or not open for this" },
};

static const char *
text_of(int error)
{
	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		if (texts[i].error == error)
			return texts[i].text;
	return strerror(-error);
}

void
pathio_error_set(struct pathio_error *error, const char *operation, struct bytes path, int number)
{
	char *copy = malloc(path.length + 1);
	if (copy == NULL)
		die("out of memory");
	if (path.length > 0)
		memcpy(copy, path.data, path.length);
	copy[path.length] = '\0';
	free(error->path);
	*error = (struct pathio_error){
		.operation = operation,
		.path = copy,
		.path_length = path.length,
		.error = number,
	};
}

char *
pathio_error_text(const struct pathio_error *error)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	if (out == NULL)
		return NULL;
	fprintf(out, "%s%s", error->operation, error->path_length > 0 ? " " : "");
	for (size_t i = 0; i < error->path_length; i++) {
		unsigned char byte = (unsigned char)error->path[i];
		if (byte < ' ' || byte == 0x7f || byte == '\\')
			fprintf(out, "\\%03o", byte);
		else
			fputc(byte, out);
	}
	fprintf(out, ": %s", text_of(error->error));
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* ---- blocking use ---- */

/* Moves what an answer points to into memory of the waiter. */
static void
keep_bytes(struct pathio_wait *wait, void *member)
{
	struct bytes bytes;
	memcpy(&bytes, member, sizeof(bytes));
	ensure(wait->copied == NULL); /* no answer has two of these */
	wait->copied = malloc(bytes.length + 1);
	if (wait->copied == NULL)
		die("out of memory");
	if (bytes.length > 0)
		memcpy(wait->copied, bytes.data, bytes.length);
	bytes.data = wait->copied;
	memcpy(member, &bytes, sizeof(bytes));
}

static void
keep_body(struct pathio_wait *wait, const struct wire_record *record)
{
	char *body = (char *)&wait->body;
	for (const struct wire_field *field = record->fields; field->kind != WIRE_END; field++)
		if (field->kind == WIRE_LIST)
			keep_bytes(
				wait, body + field->offset + offsetof(struct wire_list, encoded));
		else if (wire_is_bytes(field->kind))
			keep_bytes(wait, body + field->offset);
}

void
pathio_wait_done(void *argument, const struct pathio_answer *answer)
{
	struct pathio_wait *wait = argument;
	free(wait->copied);
	wait->copied = NULL;
	wait->finished = true;
	wait->error = answer->error;
	if (answer->error == 0 && answer->body != NULL) {
		const struct wire_record *record = pathio_messages.rules[answer->code].record;
		memcpy(&wait->body, answer->body, record->size); /* it is no larger than its row */
		keep_body(wait, record);
	}
	event_base_loopbreak(wait->base);
}

int
pathio_wait_finish(struct pathio_wait *wait)
{
	while (!wait->finished)
		if (event_base_dispatch(wait->base) != 0)
			bug("waiting for an answer that nothing will bring");
	wait->finished = false;
	return wait->error;
}

void
pathio_wait_free(struct pathio_wait *wait)
{
	free(wait->copied);
	free(wait->failure.path);
	wait->copied = NULL;
	wait->failure = (struct pathio_error){ 0 };
}
