/*
 * Time limits of path-I/O over a channel (PATHIO 4, remote.h), by the clock of remote_clock.h: in
 * time, out of time, transfers and what waits behind them. And tags, which begin anew after 2^32.
 */
#include "tests/unit/ipc/remote_clock.h"

#include <errno.h>
#include <unistd.h>

enum { FILE_1 = 11, FILE_2 = 12 }; /* handles */

/* ---- one request ---- */

static void
check_in_time(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&remote_clock_limits);
	struct call call = { 0 };
	uint32_t tag = worker_stub_stat(stub, &call);
	remote_clock_pass(stub, DEADLINE_MS - 1);
	call_check(&call, 0, 0);
	worker_stub_answer_stat(stub, tag, 0);
	worker_stub_settle(stub);
	call_check(&call, 1, 0);
	remote_clock_pass(stub, 10 * DEADLINE_MS);
	call_check(&call, 1, 0);
	assert_int_equal(stub->late, 0);
	worker_stub_end(&stub);
}

static void
check_expired(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&remote_clock_limits);
	struct call call = { 0 };
	uint32_t tag = worker_stub_stat(stub, &call);
	remote_clock_pass(stub, DEADLINE_MS);
	call_check(&call, 1, -ETIMEDOUT);
	assert_int_equal(call.tag, tag);
	assert_int_equal(stub->late, 1);
	worker_stub_check(stub, 1, PATHIO_CANCEL, tag);
	pathio_cancel(stub->io, tag); /* nothing is left to cancel */
	remote_clock_pass(stub, 10 * DEADLINE_MS);
	assert_int_equal(stub->received, 2);
	worker_stub_answer_stat(stub, tag, 0); /* late: dropped */
	worker_stub_settle(stub);
	call_check(&call, 1, -ETIMEDOUT);
	assert_int_equal(stub->closed, 0);
	worker_stub_answer_failed(stub, tag, ECANCELED); /* but only once */
	worker_stub_settle(stub);
	assert_string_equal(stub->malformed, "an answer to nothing");
	worker_stub_end(&stub);
}

/* The late answer is checked like any other. */
static void
check_expired_wrong_kind(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&remote_clock_limits);
	struct call call = { 0 };
	uint32_t tag = worker_stub_stat(stub, &call);
	remote_clock_pass(stub, DEADLINE_MS);
	worker_stub_answer_moved(stub, tag, 0);
	worker_stub_settle(stub);
	assert_string_equal(stub->malformed, "an answer of the wrong kind");
	call_check(&call, 1, -ETIMEDOUT);
	worker_stub_end(&stub);
}

static void
check_no_limit(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&(struct remote_options){ 0 });
	struct call call = { 0 };
	worker_stub_stat(stub, &call);
	assert_int_equal(remote_clock_due(stub), 0);
	remote_clock_pass(stub, UINT32_MAX);
	call_check(&call, 0, 0);
	worker_stub_end(&stub);
}

/* Requests at different times run out at different times, by one timer. */
static void
check_several(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&remote_clock_limits);
	struct call calls[3] = { 0 };
	uint32_t first = worker_stub_stat(stub, &calls[0]);
	remote_clock_pass(stub, 100);
	worker_stub_stat(stub, &calls[1]);
	remote_clock_pass(stub, 100);
	worker_stub_stat(stub, &calls[2]);
	worker_stub_answer_stat(stub, first, 0);
	worker_stub_settle(stub);
	remote_clock_pass(stub, DEADLINE_MS - 101); /* one before the second's end */
	call_check(&calls[1], 0, 0);
	remote_clock_pass(stub, 1);
	call_check(&calls[1], 1, -ETIMEDOUT);
	call_check(&calls[2], 0, 0);
	remote_clock_pass(stub, 100);
	call_check(&calls[2], 1, -ETIMEDOUT);
	call_check(&calls[0], 1, 0);
	worker_stub_end(&stub);
}

static void
check_slow(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&remote_clock_limits);
	struct call calls[3] = { 0 };
	const struct pathio_remove_tree remove = { .path = bytes_of_text("/a") };
	const struct pathio_sync sync = { .file = 1 };
	pathio_remove_tree(stub->io, &remove, call_done, &calls[0]);
	pathio_sync(stub->io, &sync, call_done, &calls[1]);
	worker_stub_stat(stub, &calls[2]);
	remote_clock_pass(stub, SLOW_MS - 1);
	call_check(&calls[0], 0, 0);
	call_check(&calls[1], 0, 0);
	call_check(&calls[2], 1, -ETIMEDOUT);
	remote_clock_pass(stub, 1);
	call_check(&calls[0], 1, -ETIMEDOUT);
	call_check(&calls[1], 1, -ETIMEDOUT);
	worker_stub_end(&stub);
}

/* ---- transfers ---- */

static void
check_progress(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&remote_clock_limits);
	struct call call = { 0 };
	uint32_t tag = worker_stub_send_file(stub, &call, FILE_1);
	for (int i = 0; i < 20; i++) {
		remote_clock_pass(stub, STALL_MS - 1);
		worker_stub_report(stub, tag, 1);
		worker_stub_settle(stub);
	}
	call_check(&call, 0, 0);
	assert_int_equal(stub->progressed, 20);
	remote_clock_pass(stub, STALL_MS);
	call_check(&call, 1, -ETIMEDOUT);
	assert_int_equal(stub->late, 1);
	worker_stub_report(stub, tag, 1); /* late as well: of no interest, and no lie */
	worker_stub_settle(stub);
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
	struct worker_stub *stub = worker_stub_new(&remote_clock_limits);
	struct call calls[3] = { 0 };
	uint32_t opening = worker_stub_open(stub, &calls[0], FILE_1);
	uint32_t moving = worker_stub_send_file(stub, &calls[1], FILE_1);
	uint32_t closing = worker_stub_close(stub, &calls[2], FILE_1);
	remote_clock_pass(stub, DEADLINE_MS - 1);
	worker_stub_answer_opened(stub, opening);
	worker_stub_settle(stub);
	for (int i = 0; i < 3600; i++) {
		remote_clock_pass(stub, 1000);
		worker_stub_report(stub, moving, 1);
		worker_stub_settle(stub);
	}
	worker_stub_answer_moved(stub, moving, 0);
	worker_stub_settle(stub);
	call_check(&calls[1], 1, 0);
	remote_clock_pass(stub, DEADLINE_MS - 1);
	call_check(&calls[2], 0, 0);
	assert_int_equal(stub->late, 0);
	remote_clock_pass(stub, 1);
	call_check(&calls[2], 1, -ETIMEDOUT);
	worker_stub_check(stub, 3, PATHIO_CANCEL, closing);
	worker_stub_end(&stub);
}

/* Another file, and what names none, wait for nobody. */
static void
check_others_do_not_wait(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&remote_clock_limits);
	struct call calls[3] = { 0 };
	worker_stub_send_file(stub, &calls[0], FILE_1);
	worker_stub_close(stub, &calls[1], FILE_2);
	worker_stub_stat(stub, &calls[2]);
	remote_clock_pass(stub, DEADLINE_MS);
	call_check(&calls[0], 0, 0);
	call_check(&calls[1], 1, -ETIMEDOUT);
	call_check(&calls[2], 1, -ETIMEDOUT);
	worker_stub_end(&stub);
}

/* A stuck worker: what waits runs out one after the other, none is forgotten. */
static void
check_waiting_run_out(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&remote_clock_limits);
	struct call calls[3] = { 0 };
	worker_stub_open(stub, &calls[0], FILE_1);
	worker_stub_send_file(stub, &calls[1], FILE_1);
	worker_stub_close(stub, &calls[2], FILE_1);
	remote_clock_pass(stub, DEADLINE_MS);
	call_check(&calls[0], 1, -ETIMEDOUT);
	call_check(&calls[1], 0, 0);
	remote_clock_pass(stub, STALL_MS);
	call_check(&calls[1], 1, -ETIMEDOUT);
	call_check(&calls[2], 0, 0);
	remote_clock_pass(stub, DEADLINE_MS);
	call_check(&calls[2], 1, -ETIMEDOUT);
	worker_stub_end(&stub);
}

/* ---- with the real timer ---- */

static void
check_real_timer(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&(struct remote_options){ .deadline_ms = 1 });
	struct call calls[2] = { 0 };
	worker_stub_stat(stub, &calls[0]);
	remote_clock_ms++;
	worker_stub_wait(stub, &calls[0].count, 1);
	call_check(&calls[0], 1, -ETIMEDOUT);
	/* Too early by the clock: armed again until it is time. */
	worker_stub_stat(stub, &calls[1]);
	alarm(10);
	assert_int_equal(event_base_loop(stub->base, EVLOOP_ONCE), 0);
	alarm(0);
	remote_clock_ms++;
	worker_stub_wait(stub, &calls[1].count, 1);
	call_check(&calls[1], 1, -ETIMEDOUT);
	worker_stub_end(&stub);
}

/* ---- tags ---- */

static void
check_tags_begin_anew(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&remote_clock_limits);
	struct call calls[4] = { 0 };
	uint32_t first = worker_stub_stat(stub, &calls[0]);
	uint32_t second = worker_stub_stat(stub, &calls[1]);
	assert_int_equal(first, 1);
	assert_int_equal(second, 2);
	remote_clock_set_tag(stub, UINT32_MAX - 1);
	assert_int_equal(worker_stub_stat(stub, &calls[2]), UINT32_MAX);
	uint32_t next = worker_stub_stat(stub, &calls[3]);
	assert_int_equal(next, 3); /* not 0, and not those that wait */
	worker_stub_settle(stub);
	worker_stub_answer_stat(stub, next, 0);
	worker_stub_settle(stub);
	call_check(&calls[3], 1, 0);
	call_check(&calls[0], 0, 0);
	worker_stub_answer_stat(stub, first, 0);
	worker_stub_settle(stub);
	call_check(&calls[0], 1, 0);
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
		CASE("the real timer", check_real_timer),
		CASE("tags begin anew", check_tags_begin_anew),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
