/*
 * Time limits of path-I/O over a channel (PATHIO 4, remote.h), by a clock that the test sets and a
 * timer that it fires: remote.c is compiled into this program. And its tags, which begin anew after
 * 2^32.
 */
#include <stdbool.h>
#include <time.h>

static int read_test_clock(clockid_t clock, struct timespec *result);
#define clock_gettime read_test_clock
#include "ipc/remote.c"
#undef clock_gettime

#include "tests/unit/ipc/worker_stub.h"

#include <sys/socket.h>

enum {
	DEADLINE_MS = 1000,
	STALL_MS = 5000,
	SLOW_MS = 60000,
	FILE_1 = 11, /* handles */
	FILE_2 = 12,
};

static const struct remote_options limits = {
	.deadline_ms = DEADLINE_MS,
	.stall_ms = STALL_MS,
	.slow_deadline_ms = SLOW_MS,
};

static uint64_t test_ms = 1;

static int
read_test_clock(clockid_t clock, struct timespec *result)
{
	assert_int_equal(clock, CLOCK_MONOTONIC);
	result->tv_sec = (time_t)(test_ms / 1000);
	result->tv_nsec = (long)(test_ms % 1000 * 1000000);
	return 0;
}

static struct remote *
remote_of(struct worker_stub *stub)
{
	return (struct remote *)stub->io;
}

/* Lets that time pass; the timer fires if it is due by then, and as often as it is. */
static void
pass(struct worker_stub *stub, uint64_t ms)
{
	uint64_t end_ms = test_ms + ms;
	worker_stub_settle(stub);
	while (stub->io != NULL && remote_of(stub)->timer_due_ms != 0 &&
		remote_of(stub)->timer_due_ms <= end_ms) {
		if (remote_of(stub)->timer_due_ms > test_ms)
			test_ms = remote_of(stub)->timer_due_ms;
		event_active(&remote_of(stub)->timer, EV_TIMEOUT, 0);
		worker_stub_settle(stub);
	}
	test_ms = end_ms;
}

/* ---- requests ---- */

static uint32_t
stat_path(struct worker_stub *stub, struct call *call)
{
	const struct pathio_stat request = { .path = bytes_of_text("/a") };
	return pathio_stat(stub->io, &request, call_done, call);
}

static uint32_t
open_file(struct worker_stub *stub, struct call *call, uint32_t file)
{
	const struct pathio_open request = { .path = bytes_of_text("/a"), .file = file };
	return pathio_open(stub->io, &request, call_done, call);
}

static uint32_t
close_handle(struct worker_stub *stub, struct call *call, uint32_t file)
{
	return pathio_close(stub->io, &(struct pathio_close){ .file = file }, call_done, call);
}

static uint32_t
send_file(struct worker_stub *stub, struct call *call, uint32_t file)
{
	int ends[2];
	const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	assert_int_equal(socketpair(AF_UNIX, type, 0, ends), 0);
	const struct pathio_send request = { .file = file, .count = UINT64_MAX };
	uint32_t tag = pathio_send(stub->io, &request, ends[0], call_done, call);
	close(ends[0]);
	close(ends[1]);
	return tag;
}

/* ---- answers ---- */

static void
answer_stat(struct worker_stub *stub, uint32_t tag)
{
	const struct pathio_attributes_of answer = { 0 };
	assert_int_equal(pathio_post_attributes_of(stub->worker, tag, &answer), 0);
	worker_stub_settle(stub);
}

static void
answer_opened(struct worker_stub *stub, uint32_t tag)
{
	assert_int_equal(pathio_post_opened(stub->worker, tag, &(struct pathio_opened){ 0 }), 0);
	worker_stub_settle(stub);
}

static void
answer_moved(struct worker_stub *stub, uint32_t tag)
{
	assert_int_equal(pathio_post_moved(stub->worker, tag, &(struct pathio_moved){ 0 }), 0);
	worker_stub_settle(stub);
}

static void
answer_failed(struct worker_stub *stub, uint32_t tag, int error)
{
	const struct pathio_failed failed = { .error = (uint16_t)error };
	assert_int_equal(pathio_post_failed(stub->worker, tag, &failed), 0);
	worker_stub_settle(stub);
}

static void
report_progress(struct worker_stub *stub, uint32_t tag)
{
	const struct pathio_progress progress = { .bytes = 1 };
	assert_int_equal(pathio_post_progress(stub->worker, tag, &progress), 0);
	worker_stub_settle(stub);
}

static void
check_request(const struct worker_stub *stub, size_t index, uint32_t code, uint32_t file)
{
	assert_true(index < stub->received);
	assert_int_equal(stub->requests[index].code, code);
	assert_int_equal(stub->requests[index].file, file);
}

static void
check_call(const struct call *call, unsigned count, int error)
{
	assert_int_equal(call->count, count);
	assert_int_equal(call->error, error);
}

/* ---- one request ---- */

static void
check_in_time(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&limits);
	struct call call = { 0 };
	uint32_t tag = stat_path(stub, &call);
	pass(stub, DEADLINE_MS - 1);
	check_call(&call, 0, 0);
	answer_stat(stub, tag);
	check_call(&call, 1, 0);
	pass(stub, 10 * DEADLINE_MS);
	check_call(&call, 1, 0);
	assert_int_equal(stub->late, 0);
	worker_stub_end(&stub);
}

static void
check_expired(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&limits);
	struct call call = { 0 };
	uint32_t tag = stat_path(stub, &call);
	pass(stub, DEADLINE_MS);
	check_call(&call, 1, -ETIMEDOUT);
	assert_int_equal(call.tag, tag);
	assert_int_equal(stub->late, 1);
	check_request(stub, 1, PATHIO_CANCEL, tag);
	pathio_cancel(stub->io, tag); /* nothing is left to cancel */
	pass(stub, 10 * DEADLINE_MS);
	assert_int_equal(stub->received, 2);
	answer_stat(stub, tag); /* late: dropped */
	check_call(&call, 1, -ETIMEDOUT);
	assert_int_equal(stub->closed, 0);
	answer_failed(stub, tag, ECANCELED); /* but only once */
	assert_string_equal(stub->malformed, "an answer to nothing");
	worker_stub_end(&stub);
}

/* The late answer is checked like any other. */
static void
check_expired_wrong_kind(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&limits);
	struct call call = { 0 };
	uint32_t tag = stat_path(stub, &call);
	pass(stub, DEADLINE_MS);
	answer_moved(stub, tag);
	assert_string_equal(stub->malformed, "an answer of the wrong kind");
	check_call(&call, 1, -ETIMEDOUT);
	worker_stub_end(&stub);
}

static void
check_no_limit(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&(struct remote_options){ 0 });
	struct call call = { 0 };
	stat_path(stub, &call);
	assert_int_equal(remote_of(stub)->timer_due_ms, 0);
	pass(stub, UINT32_MAX);
	check_call(&call, 0, 0);
	worker_stub_end(&stub);
}

/* Requests at different times run out at different times, by one timer. */
static void
check_several(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&limits);
	struct call calls[3] = { 0 };
	uint32_t first = stat_path(stub, &calls[0]);
	pass(stub, 100);
	stat_path(stub, &calls[1]);
	pass(stub, 100);
	stat_path(stub, &calls[2]);
	answer_stat(stub, first);
	pass(stub, DEADLINE_MS - 101); /* one before the second's end */
	check_call(&calls[1], 0, 0);
	pass(stub, 1);
	check_call(&calls[1], 1, -ETIMEDOUT);
	check_call(&calls[2], 0, 0);
	pass(stub, 100);
	check_call(&calls[2], 1, -ETIMEDOUT);
	check_call(&calls[0], 1, 0);
	worker_stub_end(&stub);
}

static void
check_slow(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&limits);
	struct call calls[2] = { 0 };
	const struct pathio_remove_tree remove = { .path = bytes_of_text("/a") };
	pathio_remove_tree(stub->io, &remove, call_done, &calls[0]);
	stat_path(stub, &calls[1]);
	pass(stub, SLOW_MS - 1);
	check_call(&calls[0], 0, 0);
	check_call(&calls[1], 1, -ETIMEDOUT);
	pass(stub, 1);
	check_call(&calls[0], 1, -ETIMEDOUT);
	worker_stub_end(&stub);
}

/* ---- transfers ---- */

static void
check_progress(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&limits);
	struct call call = { 0 };
	uint32_t tag = send_file(stub, &call, FILE_1);
	for (int i = 0; i < 20; i++) {
		pass(stub, STALL_MS - 1);
		report_progress(stub, tag);
	}
	check_call(&call, 0, 0);
	assert_int_equal(stub->progressed, 20);
	pass(stub, STALL_MS);
	check_call(&call, 1, -ETIMEDOUT);
	assert_int_equal(stub->late, 1);
	report_progress(stub, tag); /* late as well: of no interest, and no lie */
	assert_int_equal(stub->progressed, 20);
	assert_int_equal(stub->closed, 0);
	worker_stub_end(&stub);
}

/*
 * Open, send and close in one breath, and the transfer takes an hour: the close waits on the worker
 * for all of it and is not late.
 */
static void
check_close_waits(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&limits);
	struct call calls[3] = { 0 };
	uint32_t opening = open_file(stub, &calls[0], FILE_1);
	uint32_t moving = send_file(stub, &calls[1], FILE_1);
	uint32_t closing = close_handle(stub, &calls[2], FILE_1);
	pass(stub, DEADLINE_MS - 1);
	answer_opened(stub, opening);
	for (int i = 0; i < 3600; i++) {
		pass(stub, 1000);
		report_progress(stub, moving);
	}
	answer_moved(stub, moving);
	check_call(&calls[1], 1, 0);
	pass(stub, DEADLINE_MS - 1);
	check_call(&calls[2], 0, 0);
	assert_int_equal(stub->late, 0);
	pass(stub, 1);
	check_call(&calls[2], 1, -ETIMEDOUT);
	check_request(stub, 3, PATHIO_CANCEL, closing);
	worker_stub_end(&stub);
}

/* Another file, and what names none, wait for nobody. */
static void
check_others_do_not_wait(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&limits);
	struct call calls[3] = { 0 };
	send_file(stub, &calls[0], FILE_1);
	close_handle(stub, &calls[1], FILE_2);
	stat_path(stub, &calls[2]);
	pass(stub, DEADLINE_MS);
	check_call(&calls[0], 0, 0);
	check_call(&calls[1], 1, -ETIMEDOUT);
	check_call(&calls[2], 1, -ETIMEDOUT);
	worker_stub_end(&stub);
}

/* A stuck worker: what waits runs out one after the other, none is forgotten. */
static void
check_waiting_run_out(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&limits);
	struct call calls[3] = { 0 };
	open_file(stub, &calls[0], FILE_1);
	send_file(stub, &calls[1], FILE_1);
	close_handle(stub, &calls[2], FILE_1);
	pass(stub, DEADLINE_MS);
	check_call(&calls[0], 1, -ETIMEDOUT);
	check_call(&calls[1], 0, 0);
	pass(stub, STALL_MS);
	check_call(&calls[1], 1, -ETIMEDOUT);
	check_call(&calls[2], 0, 0);
	pass(stub, DEADLINE_MS);
	check_call(&calls[2], 1, -ETIMEDOUT);
	worker_stub_end(&stub);
}

/* Behind one that has run out, time begins at once; its late answer moves nobody up twice. */
static void
check_behind_expired(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&limits);
	struct call calls[3] = { 0 };
	uint32_t first = open_file(stub, &calls[0], FILE_1);
	pass(stub, DEADLINE_MS);
	uint32_t second = send_file(stub, &calls[1], FILE_1);
	close_handle(stub, &calls[2], FILE_1);
	answer_failed(stub, first, ECANCELED);
	for (int i = 0; i < 3; i++) {
		pass(stub, STALL_MS - 1);
		report_progress(stub, second);
	}
	check_call(&calls[1], 0, 0);
	check_call(&calls[2], 0, 0);
	pass(stub, STALL_MS);
	check_call(&calls[1], 1, -ETIMEDOUT);
	worker_stub_end(&stub);
}

/* The late answer comes when the next one has been at work for long: its time goes on. */
static void
check_late_before_active(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&limits);
	struct call calls[2] = { 0 };
	uint32_t first = open_file(stub, &calls[0], FILE_1);
	pass(stub, DEADLINE_MS);
	send_file(stub, &calls[1], FILE_1);
	pass(stub, STALL_MS - 1);
	answer_failed(stub, first, ECANCELED);
	check_call(&calls[1], 0, 0);
	pass(stub, 1);
	check_call(&calls[1], 1, -ETIMEDOUT);
	worker_stub_end(&stub);
}

/* What was never sent holds nobody up. */
static void
check_behind_refused(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&limits);
	struct call calls[2] = { 0 };
	const struct pathio_open refused = { .path = bytes_of_text("a"), .file = FILE_1 };
	pathio_open(stub->io, &refused, call_done, &calls[0]);
	close_handle(stub, &calls[1], FILE_1);
	pass(stub, DEADLINE_MS);
	check_call(&calls[0], 1, -EINVAL);
	check_call(&calls[1], 1, -ETIMEDOUT);
	worker_stub_end(&stub);
}

/* ---- files that open too late ---- */

static void
check_opened_late(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&limits);
	struct call call = { 0 };
	uint32_t tag = open_file(stub, &call, FILE_1);
	pass(stub, DEADLINE_MS);
	check_call(&call, 1, -ETIMEDOUT);
	answer_opened(stub, tag);
	assert_int_equal(stub->received, 3);
	check_request(stub, 2, PATHIO_CLOSE, FILE_1);
	assert_int_equal(
		pathio_post_done(stub->worker, stub->requests[2].tag, &(struct pathio_done){ 0 }),
		0);
	worker_stub_settle(stub);
	check_call(&call, 1, -ETIMEDOUT);
	assert_int_equal(stub->closed, 0);
	worker_stub_end(&stub);
}

static void
check_failed_late(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&limits);
	struct call call = { 0 };
	uint32_t tag = open_file(stub, &call, FILE_1);
	pass(stub, DEADLINE_MS);
	answer_failed(stub, tag, ENOENT);
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
	struct worker_stub *stub = worker_stub_new(&limits);
	struct call call = { 0 };
	uint32_t tag = open_by(stub, &call, row->code);
	pass(stub, DEADLINE_MS);
	answer_opened(stub, tag);
	check_request(stub, 2, PATHIO_CLOSE, FILE_1);
	worker_stub_end(&stub);
}

/*
 * Open and close in one breath: the close is on its way, the handle is free again and perhaps
 * another file's by now. A second close would close that one.
 */
static void
check_opened_late_and_closed(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&limits);
	struct call calls[3] = { 0 };
	uint32_t first = open_file(stub, &calls[0], FILE_1);
	close_handle(stub, &calls[1], FILE_1);
	pass(stub, DEADLINE_MS);
	check_call(&calls[0], 1, -ETIMEDOUT);
	open_file(stub, &calls[2], FILE_1);
	worker_stub_settle(stub);
	size_t received = stub->received;
	answer_opened(stub, first);
	assert_int_equal(stub->received, received);
	worker_stub_end(&stub);
}

/* ---- freeing ---- */

static void
check_free_in_expiry(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&limits);
	struct call calls[3] = { { 0 }, { .frees = stub }, { 0 } };
	for (size_t i = 0; i < ARRAY_LENGTH(calls); i++)
		stat_path(stub, &calls[i]);
	pass(stub, DEADLINE_MS);
	check_call(&calls[0], 1, -ETIMEDOUT);
	check_call(&calls[1], 1, -ETIMEDOUT);
	check_call(&calls[2], 1, -ECANCELED);
	assert_int_equal(stub->late, 0);
	worker_stub_end(&stub);
}

static void
check_free_when_late(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&limits);
	struct call call = { 0 };
	stub->frees_when_late = true;
	stat_path(stub, &call);
	pass(stub, DEADLINE_MS);
	check_call(&call, 1, -ETIMEDOUT);
	assert_int_equal(stub->late, 1);
	worker_stub_end(&stub);
}

/* An expired request has had its answer; the end of the channel is none of its business. */
static void
check_end_after_expiry(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&limits);
	struct call call = { 0 };
	stat_path(stub, &call);
	pass(stub, DEADLINE_MS);
	channel_free(&stub->worker);
	worker_stub_settle(stub);
	assert_int_equal(stub->closed, 1);
	check_call(&call, 1, -ETIMEDOUT);
	worker_stub_end(&stub);
}

/* ---- with the real timer ---- */

static void
check_real_timer(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&(struct remote_options){ .deadline_ms = 1 });
	struct call calls[2] = { 0 };
	stat_path(stub, &calls[0]);
	test_ms++;
	worker_stub_wait(stub, &calls[0].count, 1);
	check_call(&calls[0], 1, -ETIMEDOUT);
	/* Too early by the clock: armed again until it is time. */
	stat_path(stub, &calls[1]);
	alarm(10);
	assert_int_equal(event_base_loop(stub->base, EVLOOP_ONCE), 0);
	alarm(0);
	test_ms++;
	worker_stub_wait(stub, &calls[1].count, 1);
	check_call(&calls[1], 1, -ETIMEDOUT);
	worker_stub_end(&stub);
}

/* ---- tags ---- */

static void
check_tags_begin_anew(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&limits);
	struct call calls[4] = { 0 };
	uint32_t first = stat_path(stub, &calls[0]);
	uint32_t second = stat_path(stub, &calls[1]);
	assert_int_equal(first, 1);
	assert_int_equal(second, 2);
	remote_of(stub)->last_tag = UINT32_MAX - 1;
	assert_int_equal(stat_path(stub, &calls[2]), UINT32_MAX);
	uint32_t next = stat_path(stub, &calls[3]);
	assert_int_equal(next, 3); /* not 0, and not those that wait */
	worker_stub_settle(stub);
	answer_stat(stub, next);
	check_call(&calls[3], 1, 0);
	check_call(&calls[0], 0, 0);
	answer_stat(stub, first);
	check_call(&calls[0], 1, 0);
	worker_stub_end(&stub);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("in time", check_in_time),
		CASE("out of time", check_expired),
		CASE("out of time, then an answer of the wrong kind", check_expired_wrong_kind),
		CASE("no limit", check_no_limit),
		CASE("several limits", check_several),
		CASE("slow operations have their own limit", check_slow),
		CASE("progress begins a transfer's time anew", check_progress),
		CASE("a close waits for the transfer before it", check_close_waits),
		CASE("others do not wait", check_others_do_not_wait),
		CASE("what waits runs out as well", check_waiting_run_out),
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
		CASE("the real timer", check_real_timer),
		CASE("tags begin anew", check_tags_begin_anew),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
