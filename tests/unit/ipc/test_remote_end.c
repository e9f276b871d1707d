/*
 * Path-I/O over a channel (remote.h) against a stub for the worker: cancelling, the worker's end,
 * completions that free the instance or ask again.
 */
#include "tests/unit/ipc/worker_stub.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct remote_options no_limits = { 0 };

/* ---- cancel ---- */

static void
check_cancel(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call call = { 0 };
	uint32_t tag = worker_stub_send_file(stub, &call, 1);
	pathio_cancel(stub->io, tag);
	worker_stub_settle(stub);
	assert_int_equal(stub->received, 2);
	assert_int_equal(stub->requests[1].code, PATHIO_CANCEL);
	assert_int_equal(stub->requests[1].file, tag);
	assert_int_equal(call.count, 0);
	worker_stub_answer_failed(stub, tag, ECANCELED);
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
	uint32_t tag = worker_stub_stat(stub, &call);
	worker_stub_settle(stub);
	worker_stub_answer_stat(stub, stub->requests[0].tag, 1);
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
		worker_stub_stat(stub, &calls[i]);
	worker_stub_settle(stub);
	worker_stub_answer_stat(stub, stub->requests[1].tag, 5);
	channel_free(&stub->worker);
	worker_stub_settle(stub);
	assert_int_equal(calls[0].error, -EIO);
	assert_int_equal(calls[1].error, 0); /* its last words */
	assert_int_equal(calls[2].error, -EIO);
	assert_int_equal(stub->closed, 1);
	assert_null(stub->malformed);
	struct call after = { 0 };
	worker_stub_stat(stub, &after);
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
		worker_stub_stat(stub, &calls[i]);
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
		worker_stub_stat(stub, &calls[i]);
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
	worker_stub_stat(stub, &call);
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
	uint32_t tag = worker_stub_send_file(stub, &call, 1);
	for (int i = 0; i < 2; i++)
		worker_stub_report(stub, tag, 1);
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
		worker_stub_stat(stub, &calls[i]);
	worker_stub_settle(stub);
	for (size_t i = 0; i < ARRAY_LENGTH(calls) && row->answers; i++)
		worker_stub_answer_stat(stub, stub->requests[i].tag, 0);
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
	worker_stub_stat(call->stub, call->other);
	assert_int_equal(call->other->count, 0);
}

static void
check_submit_inside(UNUSED void **state)
{
	struct worker_stub *stub = worker_stub_new(&no_limits);
	struct call second = { 0 };
	struct call first = { .then = stat_again, .stub = stub, .other = &second };
	worker_stub_stat(stub, &first);
	worker_stub_settle(stub);
	worker_stub_answer_stat(stub, stub->requests[0].tag, 1);
	worker_stub_settle(stub);
	assert_int_equal(stub->received, 2);
	worker_stub_answer_stat(stub, stub->requests[1].tag, 2);
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
	worker_stub_stat(stub, &first);
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
