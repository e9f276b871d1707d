/*
 * What is the same for every path-I/O (pathio.h), over an implementation that answers what the test
 * says: the questions, and the blocking helper. What else is true of all of them: tests/contract/.
 */
#include "ipc/pathio.h"
#include "tests/table.h"

#include <errno.h>
#include <stdlib.h>

/* Answers every request alike, at once or from the loop. */
struct script {
	struct pathio io;
	struct event_base *base;
	bool at_once;
	int error;
	uint32_t code;
	const union pathio_body *body;
	/* Of the last request. */
	struct bytes path;
	bool follow;
	pathio_completion *done;
	void *argument;
	unsigned answered, freed;
};

static void
answer(UNUSED evutil_socket_t fd, UNUSED short what, void *argument)
{
	struct script *script = argument;
	script->answered++;
	union pathio_body failed = { .failed = { .error = (uint16_t)-script->error } };
	const struct pathio_answer given = {
		.error = script->error,
		.code = script->error < 0 ? PATHIO_FAILED : script->code,
		.tag = 1,
		.body = script->error < 0 ? &failed : script->body,
	};
	script->done(script->argument, &given);
}

static uint32_t
submit(struct pathio *io, uint32_t code, const void *request, int descriptor,
	pathio_completion *done, void *argument)
{
	struct script *script = (struct script *)io;
	assert_int_equal(descriptor, -1);
	script->done = done;
	script->argument = argument;
	if (code == PATHIO_STAT) {
		const struct pathio_stat *stat = request;
		script->path = stat->path;
		script->follow = stat->follow;
	}
	if (script->at_once)
		answer(-1, 0, script);
	else
		assert_int_equal(event_base_once(script->base, -1, EV_TIMEOUT, answer, script,
					 &(struct timeval){ 0 }),
			0);
	return 1;
}

static void
free_script(struct pathio *io)
{
	struct script *script = (struct script *)io;
	script->freed++;
}

static const struct pathio_operations operations = { .submit = submit, .free = free_script };

static struct script
script_of(int error, uint32_t code, const union pathio_body *body)
{
	return (struct script){
		.io = { .operations = &operations },
		.error = error,
		.code = code,
		.body = body,
	};
}

/* ---- questions ---- */

enum { NO, YES };

struct question_row {
	const char *name;
	int error; /* of stat, or 0 and */
	enum pathio_type type;
	int want_error;
	bool exists, is_file, is_dir;
};

static const struct question_row question_rows[] = {
	{ "a file", 0, PATHIO_TYPE_FILE, 0, YES, YES, NO },
	{ "a directory", 0, PATHIO_TYPE_DIRECTORY, 0, YES, NO, YES },
	{ "a device", 0, PATHIO_TYPE_OTHER, 0, YES, NO, NO },
	{ "nothing, or a broken link", -ENOENT, 0, 0, NO, NO, NO },
	{ "under a file", -ENOTDIR, 0, 0, NO, NO, NO },
	{ "a name that is too long", -ENAMETOOLONG, 0, 0, NO, NO, NO },
	{ "links in a circle", -ELOOP, 0, 0, NO, NO, NO },
	{ "a NUL in the path", -EINVAL, 0, -EINVAL, NO, NO, NO },
	{ "no right on the way", -EACCES, 0, -EACCES, NO, NO, NO },
	{ "a broken disk", -EIO, 0, -EIO, NO, NO, NO },
	{ "out of time", -ETIMEDOUT, 0, -ETIMEDOUT, NO, NO, NO },
	{ "cancelled", -ECANCELED, 0, -ECANCELED, NO, NO, NO },
};

struct reply {
	unsigned count;
	int error;
	bool yes;
};

static void
on_reply(void *argument, int error, bool yes)
{
	struct reply *reply = argument;
	*reply = (struct reply){ reply->count + 1, error, yes };
}

static void
check_question(void **state)
{
	const struct question_row *row = *state;
	const bool want[] = { row->exists, row->is_file, row->is_dir };
	const union pathio_body body = {
		.attributes_of = { .attributes = { .type = row->type } },
	};
	for (unsigned question = PATHIO_EXISTS; question <= PATHIO_IS_DIR; question++) {
		struct script script = script_of(row->error, PATHIO_ATTRIBUTES_OF, &body);
		struct reply reply = { 0 };
		script.at_once = true;
		pathio_ask(&script.io, (enum pathio_question)question, bytes_of_text("/a"),
			on_reply, &reply);
		assert_int_equal(reply.count, 1);
		assert_int_equal(reply.error, row->want_error);
		assert_int_equal(reply.yes, want[question]);
		assert_true(bytes_equal_text(script.path, "/a"));
		assert_true(script.follow);
	}
}

/* ---- the blocking helper ---- */

static char last_name[] = "name";
static char content[] = "some content";
static char encoded[] = "an encoded list";
static char target[] = "/a/b";

struct wait_row {
	const char *name;
	bool at_once;
	int error;
	uint32_t code;
	union pathio_body body;
	size_t offset;       /* of the struct bytes in the body */
	const char *pointee; /* NULL: the body points to nothing */
};

#define POINTEE(member) offsetof(union pathio_body, member)

static const struct wait_row wait_rows[] = {
	{ "done", false, 0, PATHIO_DONE, { .done = { 0 } }, 0, NULL },
	{ "done at once", true, 0, PATHIO_DONE, { .done = { 0 } }, 0, NULL },
	{ "failed", false, -ENOENT, 0, { .done = { 0 } }, 0, NULL },
	{ "failed at once", true, -ENOENT, 0, { .done = { 0 } }, 0, NULL },
	{ "opened", false, 0, PATHIO_OPENED, { .opened = { .name = { last_name, 4 } } },
		POINTEE(opened.name), last_name },
	{ "content", true, 0, PATHIO_CONTENT, { .content = { .bytes = { content, 12 } } },
		POINTEE(content.bytes), content },
	{ "no content", false, 0, PATHIO_CONTENT, { .content = { .bytes = { content, 0 } } },
		POINTEE(content.bytes), content },
	{ "entries", false, 0, PATHIO_ENTRIES,
		{ .entries = { .list = { .encoded = { encoded, 15 }, .count = 1 } } },
		POINTEE(entries.list.encoded), encoded },
	{ "committed", false, 0, PATHIO_COMMITTED, { .committed = { .path = { target, 4 } } },
		POINTEE(committed.path), target },
	{ "text", false, 0, PATHIO_TEXT, { .text = { .bytes = { content, 12 } } },
		POINTEE(text.bytes), content },
	{ "digested", false, 0, PATHIO_DIGESTED, { .digested = { .digest = { content, 12 } } },
		POINTEE(digested.digest), content },
};

/* The answer is the waiter's own: its bytes are a copy. */
static void
check_kept(const struct wait_row *row, const struct pathio_wait *wait)
{
	struct bytes given, kept;
	memcpy(&given, (const char *)&row->body + row->offset, sizeof(given));
	memcpy(&kept, (const char *)&wait->body + row->offset, sizeof(kept));
	assert_true(bytes_equal(kept, given));
	assert_ptr_not_equal(kept.data, given.data);
	assert_ptr_equal(kept.data, wait->copied);
}

static void
check_wait(void **state)
{
	const struct wait_row *row = *state;
	struct script script = script_of(row->error, row->code, &row->body);
	struct pathio_wait wait = { .base = event_base_new() };
	script.base = wait.base;
	script.at_once = row->at_once;
	for (unsigned i = 0; i < 2; i++) { /* a second time with the same waiter */
		pathio_unlink(&script.io, &(struct pathio_unlink){ .path = bytes_of_text("/a") },
			pathio_wait_done, &wait);
		assert_int_equal(pathio_wait_finish(&wait), row->error);
		assert_int_equal(script.answered, i + 1);
		if (row->pointee != NULL)
			check_kept(row, &wait);
	}
	pathio_wait_free(&wait);
	pathio_wait_free(&wait);
	event_base_free(wait.base);
}

/* ---- freeing ---- */

static void
check_free(UNUSED void **state)
{
	struct script script = script_of(0, PATHIO_DONE, NULL);
	struct pathio *io = &script.io;
	pathio_free(&io);
	assert_null(io);
	pathio_free(&io);
	assert_int_equal(script.freed, 1);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("question", question_rows, check_question),
		TABLE("wait", wait_rows, check_wait),
		CASE("freed once", check_free),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
