/*
 * Path-I/O over a channel (remote.h) against a stub for the worker: requests and answers, errors,
 * lies, ends, and completions that free the instance. Its time limits: test_remote_time.c.
 */
#include "tests/unit/ipc/worker_stub.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct remote_options no_limits = { 0 };

static uint32_t
stat_path(struct worker_stub *stub, struct call *call)
{
	const struct pathio_stat request = { .path = bytes_of_text("/a"), .follow = true };
	return pathio_stat(stub->io, &request, call_done, call);
}

static uint32_t
send_file(struct worker_stub *stub, struct call *call, uint32_t file)
{
	int ends[2];
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	const struct pathio_send request = { .file = file, .count = UINT64_MAX };
	uint32_t tag = pathio_send(stub->io, &request, ends[0], call_done, call);
	close(ends[0]);
	close(ends[1]);
	return tag;
}

static void
answer_done(struct worker_stub *stub, size_t index)
{
	assert_int_equal(pathio_post_done(stub->worker, stub->requests[index].tag,
				 &(struct pathio_done){ 0 }),
		0);
}

static void
answer_stat(struct worker_stub *stub, size_t index, uint64_t size)
{
	const struct pathio_attributes_of answer = { .attributes = { .size = size } };
	uint32_t tag = stub->requests[index].tag;
	assert_int_equal(pathio_post_attributes_of(stub->worker, tag, &answer), 0);
}

static void
answer_failed(struct worker_stub *stub, uint32_t tag, int error)
{
	const struct pathio_failed failed = { .error = (uint16_t)error };
	assert_int_equal(pathio_post_failed(stub->worker, tag, &failed), 0);
}

/* ---- requests and answers ---- */

static void
check_answer(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call call = { 0 };
	uint32_t tag = stat_path(stub, &call);
	assert_int_not_equal(tag, 0);
	worker_stub_settle(stub);
	assert_int_equal(stub->received, 1);
	assert_int_equal(stub->requests[0].code, PATHIO_STAT);
	assert_int_equal(stub->requests[0].tag, tag);
	assert_int_equal(call.count, 0);
	answer_stat(stub, 0, 42);
	worker_stub_settle(stub);
	assert_int_equal(call.count, 1);
	assert_int_equal(call.error, 0);
	assert_int_equal(call.code, PATHIO_ATTRIBUTES_OF);
	assert_int_equal(call.tag, tag);
	assert_int_equal(call.body.attributes_of.attributes.size, 42);
	worker_stub_end(&stub);
}

static void
check_refusal(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call call = { 0 };
	stat_path(stub, &call);
	worker_stub_settle(stub);
	answer_failed(stub, stub->requests[0].tag, ENOENT);
	worker_stub_settle(stub);
	assert_int_equal(call.count, 1);
	assert_int_equal(call.error, -ENOENT);
	assert_int_equal(call.code, PATHIO_FAILED);
	assert_int_equal(stub->closed, 0);
	worker_stub_end(&stub);
}

/* All go out before the first answer; the last is answered first. */
static void
check_pipelined(UNUSED void **state)
{
	enum { CALLS = 100 };
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call calls[CALLS] = { 0 };
	for (size_t i = 0; i < CALLS; i++)
		stat_path(stub, &calls[i]);
	worker_stub_settle(stub);
	assert_int_equal(stub->received, CALLS);
	for (size_t i = CALLS; i-- > 0;) {
		answer_stat(stub, i, i);
		worker_stub_settle(stub);
		assert_int_equal(calls[i].count, 1);
		assert_int_equal(calls[i].body.attributes_of.attributes.size, i);
	}
	worker_stub_end(&stub);
}

/* One answer in the middle is missing: those around it find theirs, and so do later ones. */
static void
check_gap(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call calls[4] = { 0 };
	for (size_t i = 0; i < 3; i++)
		stat_path(stub, &calls[i]);
	worker_stub_settle(stub);
	answer_stat(stub, 2, 2);
	answer_stat(stub, 0, 0);
	worker_stub_settle(stub);
	stat_path(stub, &calls[3]);
	worker_stub_settle(stub);
	answer_stat(stub, 3, 3);
	answer_stat(stub, 1, 1);
	worker_stub_settle(stub);
	for (size_t i = 0; i < ARRAY_LENGTH(calls); i++) {
		assert_int_equal(calls[i].count, 1);
		assert_int_equal(calls[i].body.attributes_of.attributes.size, i);
	}
	worker_stub_end(&stub);
}

static void
check_transfer(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call call = { 0 };
	uint32_t tag = send_file(stub, &call, 3);
	worker_stub_settle(stub);
	assert_int_equal(stub->requests[0].code, PATHIO_SEND);
	assert_int_equal(stub->requests[0].file, 3);
	for (uint64_t bytes = 1; bytes <= 3; bytes++)
		assert_int_equal(pathio_post_progress(stub->worker, tag,
					 &(struct pathio_progress){ .bytes = bytes }),
			0);
	worker_stub_settle(stub);
	assert_int_equal(stub->progressed, 3);
	assert_int_equal(stub->progress_bytes, 3);
	assert_int_equal(call.count, 0);
	assert_int_equal(pathio_post_moved(stub->worker, tag, &(struct pathio_moved){ 7 }), 0);
	worker_stub_settle(stub);
	assert_int_equal(call.count, 1);
	assert_int_equal(call.body.moved.bytes, 7);
	worker_stub_end(&stub);
}

/* ---- requests that are never sent ---- */

#define TEXT(literal)                                            \
	{                                                        \
		.data = (literal), .length = sizeof(literal) - 1 \
	}

struct refused_row {
	const char *name;
	struct bytes path;
	size_t bytes; /* if not 0: a path of that many slashes */
	uint32_t mode;
	int want;
};

static const struct refused_row refused_rows[] = {
	{ "the longest path", TEXT(""), PATH_BYTES_MAX, 0, 0 },
	{ "a longer path", TEXT(""), PATH_BYTES_MAX + 1, 0, -ENAMETOOLONG },
	{ "a path that no message could hold", TEXT(""), 70000, 0, -ENAMETOOLONG },
	{ "a NUL inside", TEXT("/a\0b"), 0, 0, -EINVAL },
	{ "a relative path", TEXT("a"), 0, 0, -EINVAL },
	{ "no path", TEXT(""), 0, 0, -EINVAL },
	{ "a mode with setuid", TEXT("/a"), 0, 04755, -EINVAL },
	{ "a mode", TEXT("/a"), 0, 0755, 0 },
};

static void
check_refused(void **state)
{
	const struct refused_row *row = *state;
	static char slashes[70000];
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call call = { 0 };
	memset(slashes, '/', sizeof(slashes));
	const struct pathio_mkdir request = {
		.path = row->bytes == 0 ? row->path : bytes_of(slashes, row->bytes),
		.mode = row->mode,
	};
	uint32_t tag = pathio_mkdir(stub->io, &request, call_done, &call);
	assert_int_equal(call.count, 0); /* never from inside the call */
	worker_stub_settle(stub);
	if (row->want == 0) {
		assert_int_equal(stub->received, 1);
		answer_done(stub, 0);
		worker_stub_settle(stub);
	}
	assert_int_equal(call.count, 1);
	assert_int_equal(call.error, row->want);
	assert_int_equal(call.tag, tag);
	assert_int_equal(stub->received, row->want == 0 ? 1 : 0);
	assert_int_equal(stub->late, 0);
	worker_stub_end(&stub);
}

/* The errno is that of the path that is wrong, be it the second. */
static void
check_second_path(UNUSED void **state)
{
	static char slashes[PATH_BYTES_MAX + 1];
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call calls[2] = { 0 };
	memset(slashes, '/', sizeof(slashes));
	struct pathio_rename request = {
		.source = bytes_of_text("/a"),
		.destination = bytes_of(slashes, sizeof(slashes)),
	};
	pathio_rename(stub->io, &request, call_done, &calls[0]);
	request.source = bytes_of_text("a");
	pathio_rename(stub->io, &request, call_done, &calls[1]);
	worker_stub_settle(stub);
	assert_int_equal(calls[0].error, -ENAMETOOLONG);
	assert_int_equal(calls[1].error, -EINVAL);
	worker_stub_end(&stub);
}

/* A refused request has a tag, but no answer of the worker can be for it. */
static void
check_answer_to_refused(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call call = { 0 };
	const struct pathio_unlink request = { .path = bytes_of_text("a") };
	uint32_t tag = pathio_unlink(stub->io, &request, call_done, &call);
	assert_int_equal(pathio_post_done(stub->worker, tag, &(struct pathio_done){ 0 }), 0);
	worker_stub_settle(stub);
	assert_int_equal(call.count, 1);
	assert_int_not_equal(call.error, 0);
	assert_string_equal(stub->malformed, "an answer to nothing");
	worker_stub_end(&stub);
}

/* The worker reads nothing: what its queue does not take fails, and none of it waits. */
static void
check_unread(UNUSED void **state)
{
	enum { CALLS = 60 };
	static char block[PATHIO_BLOCK_BYTES];
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call calls[CALLS] = { 0 };
	channel_pause(stub->worker);
	const struct pathio_write request = { .file = 1,
		.content = bytes_of(block, sizeof(block)) };
	for (size_t i = 0; i < CALLS; i++)
		pathio_write(stub->io, &request, call_done, &calls[i]);
	worker_stub_settle(stub);
	assert_int_equal(calls[0].count, 0);
	assert_int_equal(calls[CALLS - 1].count, 1);
	assert_int_equal(calls[CALLS - 1].error, -EIO);
	pathio_free(&stub->io);
	for (size_t i = 0; i < CALLS; i++)
		assert_int_equal(calls[i].count, 1);
	worker_stub_end(&stub);
}

/* ---- lies ---- */

static void
check_malformed(struct worker_stub *stub, const char *want)
{
	worker_stub_settle(stub);
	assert_int_equal(stub->closed, 1);
	assert_non_null(stub->malformed);
	assert_string_equal(stub->malformed, want);
}

static void
check_answer_to_nothing(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call call = { 0 };
	uint32_t tag = stat_path(stub, &call);
	answer_failed(stub, tag + 1, EIO);
	check_malformed(stub, "an answer to nothing");
	assert_int_equal(call.count, 1);
	assert_int_equal(call.error, -EIO);
	worker_stub_end(&stub);
}

static void
check_tag_0(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	answer_failed(stub, 0, EIO);
	check_malformed(stub, "an answer to nothing");
	worker_stub_end(&stub);
}

static void
check_answered_twice(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call call = { 0 };
	uint32_t tag = stat_path(stub, &call);
	answer_failed(stub, tag, ENOENT);
	answer_failed(stub, tag, EACCES);
	check_malformed(stub, "an answer to nothing");
	assert_int_equal(call.count, 1);
	assert_int_equal(call.error, -ENOENT);
	worker_stub_end(&stub);
}

static void
check_wrong_kind(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call call = { 0 };
	stat_path(stub, &call);
	worker_stub_settle(stub);
	answer_done(stub, 0);
	check_malformed(stub, "an answer of the wrong kind");
	assert_int_equal(call.count, 1);
	assert_int_equal(call.error, -EIO);
	worker_stub_end(&stub);
}

static void
check_wrong_progress(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call call = { 0 };
	uint32_t tag = stat_path(stub, &call);
	assert_int_equal(
		pathio_post_progress(stub->worker, tag, &(struct pathio_progress){ 1 }), 0);
	check_malformed(stub, "progress of no transfer");
	assert_int_equal(stub->progressed, 0);
	worker_stub_end(&stub);
}

static void
check_progress_of_nothing(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	assert_int_equal(pathio_post_progress(stub->worker, 1, &(struct pathio_progress){ 1 }), 0);
	check_malformed(stub, "progress of no transfer");
	worker_stub_end(&stub);
}

/* ---- cancel ---- */

static void
check_cancel(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call call = { 0 };
	uint32_t tag = send_file(stub, &call, 1);
	pathio_cancel(stub->io, tag);
	worker_stub_settle(stub);
	assert_int_equal(stub->received, 2);
	assert_int_equal(stub->requests[1].code, PATHIO_CANCEL);
	assert_int_equal(stub->requests[1].file, tag);
	assert_int_equal(call.count, 0);
	answer_failed(stub, tag, ECANCELED);
	worker_stub_settle(stub);
	assert_int_equal(call.count, 1);
	assert_int_equal(call.error, -ECANCELED);
	pathio_cancel(stub->io, tag); /* too late: nobody has it any more */
	pathio_cancel(stub->io, 4711);
	pathio_cancel(stub->io, 0);
	worker_stub_settle(stub);
	assert_int_equal(stub->received, 2);
	assert_int_equal(call.count, 1);
	worker_stub_end(&stub);
}

/* The answer was on its way: that is the answer. */
static void
check_cancel_crosses(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call call = { 0 };
	uint32_t tag = stat_path(stub, &call);
	worker_stub_settle(stub);
	answer_stat(stub, 0, 1);
	pathio_cancel(stub->io, tag);
	worker_stub_settle(stub);
	assert_int_equal(call.count, 1);
	assert_int_equal(call.error, 0);
	worker_stub_end(&stub);
}

/* ---- ends ---- */

static void
check_worker_ends(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call calls[3] = { 0 };
	for (size_t i = 0; i < ARRAY_LENGTH(calls); i++)
		stat_path(stub, &calls[i]);
	worker_stub_settle(stub);
	answer_stat(stub, 1, 5);
	channel_free(&stub->worker);
	worker_stub_settle(stub);
	assert_int_equal(calls[0].error, -EIO);
	assert_int_equal(calls[1].error, 0); /* its last words */
	assert_int_equal(calls[2].error, -EIO);
	assert_int_equal(stub->closed, 1);
	assert_null(stub->malformed);
	struct call after = { 0 };
	stat_path(stub, &after);
	assert_int_equal(after.count, 0);
	worker_stub_settle(stub);
	assert_int_equal(after.count, 1);
	assert_int_equal(after.error, -EIO);
	worker_stub_end(&stub);
}

static void
check_abandoned(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call calls[2] = { 0 };
	for (size_t i = 0; i < ARRAY_LENGTH(calls); i++)
		stat_path(stub, &calls[i]);
	worker_stub_settle(stub);
	remote_abandon(stub->io);
	for (size_t i = 0; i < ARRAY_LENGTH(calls); i++) {
		assert_int_equal(calls[i].count, 1);
		assert_int_equal(calls[i].error, -EIO);
	}
	assert_int_equal(stub->closed, 1);
	assert_null(stub->malformed);
	worker_stub_end(&stub);
}

static void
check_free(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call calls[3] = { 0 };
	for (size_t i = 0; i < ARRAY_LENGTH(calls); i++)
		stat_path(stub, &calls[i]);
	pathio_free(&stub->io);
	for (size_t i = 0; i < ARRAY_LENGTH(calls); i++) {
		assert_int_equal(calls[i].count, 1);
		assert_int_equal(calls[i].error, -ECANCELED);
	}
	worker_stub_settle(stub);
	assert_int_equal(stub->closed, 0);
	pathio_free(&stub->io);
	worker_stub_end(&stub);
}

static void
check_free_when_closed(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call call = { 0 };
	stub->frees_when_closed = true;
	stat_path(stub, &call);
	channel_free(&stub->worker);
	worker_stub_settle(stub);
	assert_int_equal(stub->closed, 1);
	assert_int_equal(call.error, -EIO);
	assert_null(stub->io);
	worker_stub_end(&stub);
}

static void
check_free_when_progressed(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call call = { 0 };
	stub->frees_when_progressed = true;
	uint32_t tag = send_file(stub, &call, 1);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			pathio_post_progress(stub->worker, tag, &(struct pathio_progress){ 1 }), 0);
	worker_stub_settle(stub);
	assert_int_equal(stub->progressed, 1);
	assert_int_equal(call.count, 1);
	assert_int_equal(call.error, -ECANCELED);
	worker_stub_end(&stub);
}

/* How three requests end of which the second one's completion frees the instance. */
struct freeing_row {
	const char *name;
	int first, second, third; /* errors */
	bool answers;             /* by answers of the worker, else by the worker's end */
};

static const struct freeing_row freeing_rows[] = {
	{ "by an answer", 0, 0, -ECANCELED, true },
	{ "by the end of the channel", -EIO, -EIO, -ECANCELED, false },
};

static void
check_free_inside(void **state)
{
	const struct freeing_row *row = *state;
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call calls[3] = { { 0 }, { .frees = stub }, { 0 } };
	for (size_t i = 0; i < ARRAY_LENGTH(calls); i++)
		stat_path(stub, &calls[i]);
	worker_stub_settle(stub);
	for (size_t i = 0; i < ARRAY_LENGTH(calls) && row->answers; i++)
		answer_stat(stub, i, 0);
	if (!row->answers)
		channel_free(&stub->worker);
	worker_stub_settle(stub);
	for (size_t i = 0; i < ARRAY_LENGTH(calls); i++)
		assert_int_equal(calls[i].count, 1);
	assert_int_equal(calls[0].error, row->first);
	assert_int_equal(calls[1].error, row->second);
	assert_int_equal(calls[2].error, row->third);
	assert_int_equal(stub->closed, 0);
	worker_stub_end(&stub);
}

/* Never posted, and its completion frees the instance. */
static void
check_free_inside_refused(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call calls[2] = { { .frees = stub }, { 0 } };
	const struct pathio_unlink request = { .path = bytes_of_text("a") };
	for (size_t i = 0; i < ARRAY_LENGTH(calls); i++)
		pathio_unlink(stub->io, &request, call_done, &calls[i]);
	worker_stub_settle(stub);
	assert_int_equal(calls[0].error, -EINVAL);
	assert_int_equal(calls[1].count, 1);
	worker_stub_end(&stub);
}

/* ---- requests out of completions ---- */

static void
stat_again(struct call *call)
{
	stat_path(call->stub, call->other);
	assert_int_equal(call->other->count, 0);
}

static void
check_submit_inside(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call second = { 0 };
	struct call first = { .then = stat_again, .stub = stub, .other = &second };
	stat_path(stub, &first);
	worker_stub_settle(stub);
	answer_stat(stub, 0, 1);
	worker_stub_settle(stub);
	assert_int_equal(stub->received, 2);
	answer_stat(stub, 1, 2);
	worker_stub_settle(stub);
	assert_int_equal(second.count, 1);
	assert_int_equal(second.error, 0);
	worker_stub_end(&stub);
}

/* Asked again because the worker is gone: that fails as well, once, and the loop comes to rest. */
static void
check_submit_inside_end(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call second = { 0 };
	struct call first = { .then = stat_again, .stub = stub, .other = &second };
	stat_path(stub, &first);
	channel_free(&stub->worker);
	worker_stub_settle(stub);
	assert_int_equal(first.error, -EIO);
	assert_int_equal(second.count, 1);
	assert_int_equal(second.error, -EIO);
	assert_int_equal(stub->closed, 1);
	worker_stub_end(&stub);
}

static void
check_no_channel(UNUSED void **state)
{
	struct pathio *io = NULL;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct event_base *base = event_base_new();
	const struct remote_options options = { .base = base };
	assert_int_equal(remote_new(&options, &fd, &io), -EBADMSG);
	assert_null(io);
	assert_true(fd >= 0);
	close(fd);
	event_base_free(base);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("an answer", check_answer),
		CASE("a refusal", check_refusal),
		CASE("a hundred in one breath, answered backwards", check_pipelined),
		CASE("answered around a gap", check_gap),
		CASE("a transfer and its progress", check_transfer),
		TABLE("never sent", refused_rows, check_refused),
		CASE("the second path is the wrong one", check_second_path),
		CASE("an answer to what was never sent", check_answer_to_refused),
		CASE("a worker that does not read", check_unread),
		CASE("an answer to nothing", check_answer_to_nothing),
		CASE("an answer to tag 0", check_tag_0),
		CASE("answered twice", check_answered_twice),
		CASE("an answer of the wrong kind", check_wrong_kind),
		CASE("progress of what is no transfer", check_wrong_progress),
		CASE("progress of nothing", check_progress_of_nothing),
		CASE("cancelled", check_cancel),
		CASE("cancelled too late", check_cancel_crosses),
		CASE("the worker ends", check_worker_ends),
		CASE("the worker is given up", check_abandoned),
		CASE("freed", check_free),
		CASE("freed when closed", check_free_when_closed),
		CASE("freed on progress", check_free_when_progressed),
		TABLE("freed inside a completion", freeing_rows, check_free_inside),
		CASE("freed inside the completion of one never sent", check_free_inside_refused),
		CASE("asked inside a completion", check_submit_inside),
		CASE("asked inside a completion at the end", check_submit_inside_end),
		CASE("what is no channel", check_no_channel),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
