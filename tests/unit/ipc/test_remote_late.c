/*
 * What comes too late over a channel (PATHIO 4, remote.h), by the clock of remote_clock.h: answers
 * of requests that had been given up, files that are open by then, and ends in the meantime.
 */
#include "tests/unit/ipc/remote_clock.h"

#include <errno.h>

enum { FILE_1 = 11 }; /* a handle */

/* Behind one that has run out, time begins at once; its late answer moves nobody up twice. */
static void
check_behind_expired(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&remote_clock_limits);
	struct call calls[3] = { 0 };
	uint32_t first = worker_stub_open(stub, &calls[0], FILE_1);
	remote_clock_pass(stub, DEADLINE_MS);
	uint32_t second = worker_stub_send_file(stub, &calls[1], FILE_1);
	worker_stub_close(stub, &calls[2], FILE_1);
	worker_stub_answer_failed(stub, first, ECANCELED);
	worker_stub_settle(stub);
	for (int i = 0; i < 3; i++) {
		remote_clock_pass(stub, STALL_MS - 1);
		worker_stub_report(stub, second, 1);
		worker_stub_settle(stub);
	}
	call_check(&calls[1], 0, 0);
	call_check(&calls[2], 0, 0);
	remote_clock_pass(stub, STALL_MS);
	call_check(&calls[1], 1, -ETIMEDOUT);
	worker_stub_end(&stub);
}

/* The late answer comes when the next one has been at work for long: its time goes on. */
static void
check_late_before_active(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&remote_clock_limits);
	struct call calls[2] = { 0 };
	uint32_t first = worker_stub_open(stub, &calls[0], FILE_1);
	remote_clock_pass(stub, DEADLINE_MS);
	worker_stub_send_file(stub, &calls[1], FILE_1);
	remote_clock_pass(stub, STALL_MS - 1);
	worker_stub_answer_failed(stub, first, ECANCELED);
	worker_stub_settle(stub);
	call_check(&calls[1], 0, 0);
	remote_clock_pass(stub, 1);
	call_check(&calls[1], 1, -ETIMEDOUT);
	worker_stub_end(&stub);
}

/* What was never sent holds nobody up. */
static void
check_behind_refused(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&remote_clock_limits);
	struct call calls[2] = { 0 };
	const struct pathio_open refused = { .path = bytes_of_text("a"), .file = FILE_1 };
	pathio_open(stub->io, &refused, call_done, &calls[0]);
	worker_stub_close(stub, &calls[1], FILE_1);
	remote_clock_pass(stub, DEADLINE_MS);
	call_check(&calls[0], 1, -EINVAL);
	call_check(&calls[1], 1, -ETIMEDOUT);
	worker_stub_end(&stub);
}

/* ---- files that open too late ---- */

static void
check_opened_late(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&remote_clock_limits);
	struct call call = { 0 };
	uint32_t tag = worker_stub_open(stub, &call, FILE_1);
	remote_clock_pass(stub, DEADLINE_MS);
	call_check(&call, 1, -ETIMEDOUT);
	worker_stub_answer_opened(stub, tag);
	worker_stub_settle(stub);
	assert_int_equal(stub->received, 3);
	worker_stub_check(stub, 2, PATHIO_CLOSE, FILE_1);
	worker_stub_answer_done(stub, stub->requests[2].tag);
	worker_stub_settle(stub);
	call_check(&call, 1, -ETIMEDOUT);
	assert_int_equal(stub->closed, 0);
	worker_stub_end(&stub);
}

static void
check_failed_late(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&remote_clock_limits);
	struct call call = { 0 };
	uint32_t tag = worker_stub_open(stub, &call, FILE_1);
	remote_clock_pass(stub, DEADLINE_MS);
	worker_stub_answer_failed(stub, tag, ENOENT);
	worker_stub_settle(stub);
	assert_int_equal(stub->received, 2);
	worker_stub_end(&stub);
}

struct opener_row {
	const char *name;
	uint32_t code;
};

static const struct opener_row opener_rows[] = {
	{ "list", PATHIO_LIST },
	{ "upload_open", PATHIO_UPLOAD_OPEN },
};

static uint32_t
open_by(struct worker_stub *stub, struct call *call, uint32_t code)
{
	if (code == PATHIO_LIST)
		return pathio_list(stub->io,
			&(struct pathio_list){ .file = FILE_1, .path = bytes_of_text("/") },
			call_done, call);
	return pathio_upload_open(stub->io,
		&(struct pathio_upload_open){ .file = FILE_1, .path = bytes_of_text("/a") },
		call_done, call);
}

static void
check_opener(void **state)
{
	const struct opener_row *row = *state;
	struct worker_stub *stub = worker_stub_new(&remote_clock_limits);
	struct call call = { 0 };
	uint32_t tag = open_by(stub, &call, row->code);
	remote_clock_pass(stub, DEADLINE_MS);
	worker_stub_answer_opened(stub, tag);
	worker_stub_settle(stub);
	worker_stub_check(stub, 2, PATHIO_CLOSE, FILE_1);
	worker_stub_end(&stub);
}

/*
 * Open and close in one breath: the close is on its way, the handle is free again and perhaps
 * another file's by now. A second close would close that one.
 */
static void
check_opened_late_and_closed(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&remote_clock_limits);
	struct call calls[3] = { 0 };
	uint32_t first = worker_stub_open(stub, &calls[0], FILE_1);
	worker_stub_close(stub, &calls[1], FILE_1);
	remote_clock_pass(stub, DEADLINE_MS);
	call_check(&calls[0], 1, -ETIMEDOUT);
	worker_stub_open(stub, &calls[2], FILE_1);
	worker_stub_settle(stub);
	size_t received = stub->received;
	worker_stub_answer_opened(stub, first);
	worker_stub_settle(stub);
	assert_int_equal(stub->received, received);
	worker_stub_end(&stub);
}

/* ---- freeing ---- */

static void
check_free_in_expiry(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&remote_clock_limits);
	struct call calls[3] = { { 0 }, { .frees = stub }, { 0 } };
	for (size_t i = 0; i < ARRAY_LENGTH(calls); i++)
		worker_stub_stat(stub, &calls[i]);
	remote_clock_pass(stub, DEADLINE_MS);
	call_check(&calls[0], 1, -ETIMEDOUT);
	call_check(&calls[1], 1, -ETIMEDOUT);
	call_check(&calls[2], 1, -ECANCELED);
	assert_int_equal(stub->late, 0);
	worker_stub_end(&stub);
}

static void
check_free_when_late(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&remote_clock_limits);
	struct call call = { 0 };
	stub->frees_when_late = true;
	worker_stub_stat(stub, &call);
	remote_clock_pass(stub, DEADLINE_MS);
	call_check(&call, 1, -ETIMEDOUT);
	assert_int_equal(stub->late, 1);
	worker_stub_end(&stub);
}

/* An expired request has had its answer; the end of the channel is none of its business. */
static void
check_end_after_expiry(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&remote_clock_limits);
	struct call call = { 0 };
	worker_stub_stat(stub, &call);
	remote_clock_pass(stub, DEADLINE_MS);
	channel_free(&stub->worker);
	worker_stub_settle(stub);
	assert_int_equal(stub->closed, 1);
	call_check(&call, 1, -ETIMEDOUT);
	worker_stub_end(&stub);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("behind one that has run out", check_behind_expired),
		CASE("late, and the next one is at work", check_late_before_active),
		CASE("behind one that was never sent", check_behind_refused),
		CASE("opened too late", check_opened_late),
		CASE("failed too late", check_failed_late),
		TABLE("opened too late by", opener_rows, check_opener),
		CASE("opened too late, and closed already", check_opened_late_and_closed),
		CASE("freed by a completion that is out of time", check_free_in_expiry),
		CASE("freed when told that it is late", check_free_when_late),
		CASE("the end comes after the deadline", check_end_after_expiry),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
