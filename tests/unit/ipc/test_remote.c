/*
 * Path-I/O over a channel (remote.h) against a stub for the worker: requests and answers, errors,
 * lies. Its ends: test_remote_end.c; its time limits: test_remote_time.c.
 */
#include "tests/unit/ipc/worker_stub.h"

#include <errno.h>

static const struct remote_options no_limits = { 0 };

/* ---- requests and answers ---- */

static void
check_answer(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call call = { 0 };
	uint32_t tag = worker_stub_stat(stub, &call);
	assert_int_not_equal(tag, 0);
	worker_stub_settle(stub);
	assert_int_equal(stub->received, 1);
	assert_int_equal(stub->requests[0].code, PATHIO_STAT);
	assert_int_equal(stub->requests[0].tag, tag);
	assert_int_equal(call.count, 0);
	worker_stub_answer_stat(stub, stub->requests[0].tag, 42);
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
	worker_stub_stat(stub, &call);
	worker_stub_settle(stub);
	worker_stub_answer_failed(stub, stub->requests[0].tag, ENOENT);
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
		worker_stub_stat(stub, &calls[i]);
	worker_stub_settle(stub);
	assert_int_equal(stub->received, CALLS);
	for (size_t i = CALLS; i-- > 0;) {
		worker_stub_answer_stat(stub, stub->requests[i].tag, i);
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
		worker_stub_stat(stub, &calls[i]);
	worker_stub_settle(stub);
	worker_stub_answer_stat(stub, stub->requests[2].tag, 2);
	worker_stub_answer_stat(stub, stub->requests[0].tag, 0);
	worker_stub_settle(stub);
	worker_stub_stat(stub, &calls[3]);
	worker_stub_settle(stub);
	worker_stub_answer_stat(stub, stub->requests[3].tag, 3);
	worker_stub_answer_stat(stub, stub->requests[1].tag, 1);
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
	uint32_t tag = worker_stub_send_file(stub, &call, 3);
	worker_stub_settle(stub);
	assert_int_equal(stub->requests[0].code, PATHIO_SEND);
	assert_int_equal(stub->requests[0].file, 3);
	for (uint64_t bytes = 1; bytes <= 3; bytes++)
		worker_stub_report(stub, tag, bytes);
	worker_stub_settle(stub);
	assert_int_equal(stub->progressed, 3);
	assert_int_equal(stub->progress_bytes, 3);
	assert_int_equal(call.count, 0);
	worker_stub_answer_moved(stub, tag, 7);
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
		worker_stub_answer_done(stub, stub->requests[0].tag);
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
	worker_stub_answer_done(stub, tag);
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
	uint32_t tag = worker_stub_stat(stub, &call);
	worker_stub_answer_failed(stub, tag + 1, EIO);
	check_malformed(stub, "an answer to nothing");
	assert_int_equal(call.count, 1);
	assert_int_equal(call.error, -EIO);
	worker_stub_end(&stub);
}

static void
check_tag_0(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	worker_stub_answer_failed(stub, 0, EIO);
	check_malformed(stub, "an answer to nothing");
	worker_stub_end(&stub);
}

static void
check_answered_twice(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call call = { 0 };
	uint32_t tag = worker_stub_stat(stub, &call);
	worker_stub_answer_failed(stub, tag, ENOENT);
	worker_stub_answer_failed(stub, tag, EACCES);
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
	worker_stub_stat(stub, &call);
	worker_stub_settle(stub);
	worker_stub_answer_done(stub, stub->requests[0].tag);
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
	uint32_t tag = worker_stub_stat(stub, &call);
	worker_stub_report(stub, tag, 1);
	check_malformed(stub, "progress of no transfer");
	assert_int_equal(stub->progressed, 0);
	worker_stub_end(&stub);
}

static void
check_progress_of_nothing(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	worker_stub_report(stub, 1, 1);
	check_malformed(stub, "progress of no transfer");
	worker_stub_end(&stub);
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
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
