/*
 * Path-I/O by a pool of threads (executor.h, DESIGN 4): deadlines, threads written off and back,
 * the end of the pool and of its queue, order, cancelling, sessions that leave while a thread is at
 * work. The backend has a gate (gate.h), so that nothing here waits for time but what tests time.
 */
#include "tests/contract/gate.h"
#include "tests/unit/worker/session.h"
#include "tests/unit/worker/trees.h"

#include "ipc/base/scope.h"
#include "worker/instance_private.h"

#include <errno.h>
#include <sys/socket.h>

enum { SHORT_MS = 150 };

/* With a view of the caches; making a folder needs a thread. */
static struct backend
make_cached(void)
{
	struct backend cached = backend_kernel;
	cached.mkdir = gate_mkdir;
	return cached;
}

/* ---- requests ---- */

struct awaited {
	int count;
	int error;
	char first; /* byte that was read */
};

static void
on_answer(void *argument, const struct pathio_answer *answer)
{
	struct awaited *awaited = argument;
	awaited->count++;
	awaited->error = answer->error;
	if (answer->code == PATHIO_CONTENT && answer->body->content.bytes.length > 0)
		awaited->first = answer->body->content.bytes.data[0];
}

static void
on_limit(UNUSED evutil_socket_t fd, UNUSED short what, UNUSED void *argument)
{
	fail_msg("%s", "no answer");
}

/* Runs the loop until it is answered. */
static void
await(struct session *session, const struct awaited *awaited, int error)
{
	struct event *limit = evtimer_new(session->base, on_limit, NULL);
	evtimer_add(limit, &(struct timeval){ .tv_sec = GATE_LIMIT_S });
	while (awaited->count == 0)
		event_base_loop(session->base, EVLOOP_ONCE);
	event_free(limit);
	assert_int_equal(awaited->error, error);
}

static uint32_t
submit_stat(struct pathio *io, struct awaited *awaited)
{
	const struct pathio_stat stat = { .path = bytes_of_text("/f") };
	return pathio_stat(io, &stat, on_answer, awaited);
}

static uint32_t
submit_open(struct session *session, uint32_t file, struct awaited *awaited)
{
	const struct pathio_open open = {
		.file = file, .path = bytes_of_text("/f"), .mode = PATHIO_MODE_RB
	};
	return pathio_open(session->io, &open, on_answer, awaited);
}

static uint32_t
submit_read(struct session *session, uint32_t file, struct awaited *awaited)
{
	const struct pathio_read read = { .file = file, .count = 1 };
	return pathio_read(session->io, &read, on_answer, awaited);
}

static void
open_file(struct session *session, uint32_t file)
{
	struct awaited opened = { .count = 0 };
	submit_open(session, file, &opened);
	await(session, &opened, 0);
}

/* Lets all go, and hears of whatever they bring. */
static void
release(struct session *session)
{
	gate_set(false);
	assert_true(nursery_rest(session->nursery, GATE_LIMIT_S * 1000));
}

/* ---- time ---- */

static void
check_deadline(struct session *session)
{
	struct awaited late = { .count = 0 }, next = { .count = 0 };
	gate_set(true);
	submit_stat(session->io, &late);
	gate_await(1);
	assert_int_equal(late.count, 0);
	await(session, &late, -ETIMEDOUT);
	release(session);
	submit_stat(session->io, &next);
	await(session, &next, 0);
	assert_int_equal(late.count, 1); /* the late answer was dropped */
}

/* The one thread is taken: what never began is out of time as well. */
static void
check_deadline_in_queue(struct session *session)
{
	struct awaited first = { .count = 0 }, second = { .count = 0 };
	gate_set(true);
	submit_stat(session->io, &first);
	gate_await(1);
	submit_stat(session->io, &second);
	await(session, &first, -ETIMEDOUT);
	await(session, &second, -ETIMEDOUT);
	release(session);
	assert_int_equal(gate_passed(), 1);
}

static struct pathio *
without_deadline(struct session *session)
{
	struct pathio *io;
	struct rights *rights = session_rights(NULL);
	const struct instance_options options = { .identity = { .session = 77 } };
	assert_int_equal(nursery_make(session->nursery, &options, &rights, &io), 0);
	return io;
}

/* No thread is left: who comes next is told so at once, and is served when one is back. */
static void
check_exhausted(struct session *session)
{
	struct pathio *patient = without_deadline(session);
	struct awaited late[2] = { { .count = 0 } }, refused = { .count = 0 };
	struct awaited served = { .count = 0 };
	gate_set(true);
	for (int i = 0; i < 2; i++)
		submit_stat(session->io, &late[i]);
	gate_await(2);
	for (int i = 0; i < 2; i++)
		await(session, &late[i], -ETIMEDOUT);
	submit_stat(patient, &refused);
	assert_int_equal(refused.count, 0); /* never from inside the call */
	await(session, &refused, -ETIMEDOUT);
	release(session);
	submit_stat(patient, &served);
	await(session, &served, 0);
	pathio_free(&patient);
}

static void
check_full_queue(struct session *session)
{
	static struct awaited queued[NURSERY_QUEUE_MAX + 1];
	struct awaited refused = { .count = 0 };
	memset(queued, 0, sizeof(queued));
	session->count_only = true;
	gate_set(true);
	submit_stat(session->io, &queued[0]);
	gate_await(1);
	for (size_t i = 1; i < ARRAY_LENGTH(queued); i++)
		submit_stat(session->io, &queued[i]);
	submit_stat(session->io, &refused);
	await(session, &refused, -EBUSY);
	gate_set(false);
	for (size_t i = 0; i < ARRAY_LENGTH(queued); i++)
		await(session, &queued[i], 0);
}

/* A file that was opened too late is closed, and its number is free. */
static void
check_late_open(struct session *session)
{
	struct awaited late = { .count = 0 }, meanwhile = { .count = 0 };
	int descriptors = count_descriptors();
	gate_set(true);
	submit_open(session, 1, &late);
	gate_await(1);
	await(session, &late, -ETIMEDOUT);
	submit_read(session, 1, &meanwhile);
	await(session, &meanwhile, -ETIMEDOUT);
	release(session);
	assert_int_equal(count_descriptors(), descriptors);
	open_file(session, 1);
}

/* While a read hangs its file is out of time, the session's others are not; then it is back. */
static void
check_late_read(struct session *session)
{
	struct awaited late = { .count = 0 }, behind = { .count = 0 }, next = { .count = 0 };
	open_file(session, 1);
	gate_set(true);
	submit_read(session, 1, &late);
	submit_read(session, 1, &behind);
	gate_await(1);
	await(session, &late, -ETIMEDOUT);
	await(session, &behind, -ETIMEDOUT);
	submit_read(session, 1, &next);
	await(session, &next, -ETIMEDOUT);
	release(session);
	next.count = 0;
	submit_read(session, 1, &next);
	await(session, &next, 0);
	assert_int_equal(late.count, 1);
	assert_int_equal(behind.count, 1);
}

/* A close of such a file takes effect: the number can be opened again while the thread hangs. */
static void
check_close_while_late(struct session *session)
{
	struct awaited late = { .count = 0 }, closed = { .count = 0 }, opened = { .count = 0 };
	open_file(session, 1);
	gate_set(true);
	submit_read(session, 1, &late);
	gate_await(1);
	await(session, &late, -ETIMEDOUT);
	pathio_close(session->io, &(struct pathio_close){ .file = 1 }, on_answer, &closed);
	await(session, &closed, -ETIMEDOUT);
	submit_open(session, 1, &opened);
	gate_await(2); /* it does not wait for the one before it */
	release(session);
	assert_int_equal(opened.count, 1);
}

static void
check_late_transfer(struct session *session)
{
	struct awaited sent = { .count = 0 };
	int ends[2];
	session_pair(ends);
	open_file(session, 1);
	gate_set(true);
	pathio_send(session->io, &(struct pathio_send){ .file = 1, .count = UINT64_MAX }, ends[0],
		on_answer, &sent);
	gate_await(1);
	await(session, &sent, -ETIMEDOUT);
	release(session);
	assert_int_equal(sent.count, 1);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

/* ---- order ---- */

static void
check_order(struct session *session)
{
	struct awaited reads[3] = { { .count = 0 } }, other = { .count = 0 };
	open_file(session, 1);
	open_file(session, 2);
	gate_set(true);
	for (int i = 0; i < 3; i++)
		submit_read(session, 1, &reads[i]);
	submit_read(session, 2, &other);
	gate_await(2); /* one of each file, though four threads are free */
	gate_set(false);
	await(session, &other, 0);
	for (int i = 0; i < 3; i++) {
		await(session, &reads[i], 0);
		assert_int_equal(reads[i].first, "abc"[i]);
	}
}

static void
check_side_by_side(struct session *session)
{
	struct awaited answers[4] = { { .count = 0 } };
	gate_set(true);
	for (int i = 0; i < 4; i++)
		submit_stat(session->io, &answers[i]);
	gate_await(4);
	gate_set(false);
	for (int i = 0; i < 4; i++)
		await(session, &answers[i], 0);
}

/* ---- the caches ---- */

/* The one thread hangs, and what needs none is served: a look, and a download from end to end. */
static void
check_cached(struct session *session)
{
	struct awaited made = { .count = 0 }, answers[5] = { { .count = 0 } };
	char got[8];
	int ends[2];
	if (session->nursery->cached.state == NULL)
		case_skip("/tmp on a local file system, and Linux 5.12");
	session_pair(ends);
	gate_set(true);
	const struct pathio_mkdir mkdir = { .path = bytes_of_text("/d"), .mode = 0777 };
	pathio_mkdir(session->io, &mkdir, on_answer, &made);
	gate_await(1);
	submit_stat(session->io, &answers[0]);
	submit_open(session, 1, &answers[1]);
	submit_read(session, 1, &answers[2]);
	pathio_send(session->io, &(struct pathio_send){ .file = 1, .count = UINT64_MAX }, ends[0],
		on_answer, &answers[3]);
	pathio_close(session->io, &(struct pathio_close){ .file = 1 }, on_answer, &answers[4]);
	assert_int_equal(answers[0].count, 0); /* never from inside the call */
	for (size_t i = 0; i < ARRAY_LENGTH(answers); i++)
		await(session, &answers[i], 0);
	assert_int_equal(answers[2].first, 'a');
	assert_int_equal(recv(ends[1], got, sizeof(got), 0), 3);
	assert_int_equal(made.count, 0);
	gate_set(false);
	await(session, &made, 0);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

/* ---- cancelling, leaving ---- */

static void
check_cancel_queued(struct session *session)
{
	struct awaited first = { .count = 0 }, second = { .count = 0 };
	gate_set(true);
	submit_stat(session->io, &first);
	gate_await(1);
	uint32_t tag = submit_stat(session->io, &second);
	pathio_cancel(session->io, tag);
	await(session, &second, -ECANCELED);
	gate_set(false);
	await(session, &first, 0);
	assert_int_equal(gate_passed(), 1);
	assert_int_equal(second.count, 1);
}

static void
check_cancel_running(struct session *session)
{
	struct awaited cancelled = { .count = 0 };
	gate_set(true);
	uint32_t tag = submit_stat(session->io, &cancelled);
	gate_await(1);
	pathio_cancel(session->io, tag);
	await(session, &cancelled, -ECANCELED);
	pathio_cancel(session->io, tag); /* too late */
	release(session);
	assert_int_equal(cancelled.count, 1);
}

static void
check_cancel_transfer(struct session *session)
{
	struct awaited sent = { .count = 0 }, closed = { .count = 0 };
	int ends[2];
	session_pair(ends);
	open_file(session, 1);
	gate_set(true);
	uint32_t tag = pathio_send(session->io,
		&(struct pathio_send){ .file = 1, .count = UINT64_MAX }, ends[0], on_answer, &sent);
	gate_await(1);
	pathio_cancel(session->io, tag);
	await(session, &sent, -ECANCELED);
	pathio_close(session->io, &(struct pathio_close){ .file = 1 }, on_answer, &closed);
	assert_int_equal(closed.count, 0); /* waits for the turn that is under way */
	gate_set(false);
	await(session, &closed, 0);
	assert_int_equal(sent.count, 1);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

/* The session leaves in the middle of an opening, a read and a transfer, and of what waits. */
static void
check_free(struct session *session)
{
	struct awaited answers[4] = { { .count = 0 } };
	int ends[2];
	session_pair(ends);
	open_file(session, 1);
	open_file(session, 2);
	gate_set(true);
	submit_read(session, 1, &answers[0]);
	pathio_send(session->io, &(struct pathio_send){ .file = 2, .count = UINT64_MAX }, ends[0],
		on_answer, &answers[1]);
	submit_open(session, 3, &answers[2]);
	submit_read(session, 1, &answers[3]);
	gate_await(3);
	pathio_free(&session->io);
	for (size_t i = 0; i < ARRAY_LENGTH(answers); i++) {
		assert_int_equal(answers[i].count, 1);
		assert_int_equal(answers[i].error, -ECANCELED);
	}
	release(session);
	for (size_t i = 0; i < ARRAY_LENGTH(answers); i++)
		assert_int_equal(answers[i].count, 1);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

/* Rights are those of the moment when the request began. */
static void
check_rights_change(struct session *session)
{
	static const struct session_right nothing[] = { { NULL, 0 } };
	struct awaited before = { .count = 0 }, after = { .count = 0 };
	struct rights *rights = session_rights(nothing);
	gate_set(true);
	submit_stat(session->io, &before);
	gate_await(1);
	instance_change_rights(session->io, &rights);
	submit_stat(session->io, &after);
	await(session, &after, -EACCES);
	gate_set(false);
	await(session, &before, 0);
}

/* A file that was being opened when the rights to it went is of no use. */
static void
check_rights_change_under_open(struct session *session)
{
	static const struct session_right nothing[] = { { NULL, 0 } };
	struct awaited opened = { .count = 0 }, read = { .count = 0 };
	struct rights *rights = session_rights(nothing);
	gate_set(true);
	submit_open(session, 1, &opened);
	gate_await(1);
	instance_change_rights(session->io, &rights);
	gate_set(false);
	await(session, &opened, 0);
	submit_read(session, 1, &read);
	await(session, &read, -EACCES);
}

/* ---- */

struct thread_row {
	const char *name;
	uint32_t threads;
	uint32_t deadline_ms;
	void (*check)(struct session *session);
	struct backend (*make)(void); /* NULL: gate_backend */
};

static const struct thread_row thread_rows[] = {
	{ "a deadline", 1, SHORT_MS, check_deadline, NULL },
	{ "a deadline in the queue", 1, SHORT_MS, check_deadline_in_queue, NULL },
	{ "no thread is left", 2, SHORT_MS, check_exhausted, NULL },
	{ "the queue is full", 1, 0, check_full_queue, NULL },
	{ "an opening that is late", 1, SHORT_MS, check_late_open, NULL },
	{ "a read that is late", 2, SHORT_MS, check_late_read, NULL },
	{ "a close of what is late", 2, SHORT_MS, check_close_while_late, NULL },
	{ "a transfer that is late", 1, SHORT_MS, check_late_transfer, NULL },
	{ "order on a file", 4, 0, check_order, NULL },
	{ "side by side", 4, 0, check_side_by_side, NULL },
	{ "what the caches have needs no thread", 1, 0, check_cached, make_cached },
	{ "cancel what is queued", 1, 0, check_cancel_queued, NULL },
	{ "cancel what runs", 1, 0, check_cancel_running, NULL },
	{ "cancel a transfer in its turn", 2, 0, check_cancel_transfer, NULL },
	{ "a session that leaves", 4, 0, check_free, NULL },
	{ "rights change while a request runs", 2, 0, check_rights_change, NULL },
	{ "rights change while a file is opened", 2, 0, check_rights_change_under_open, NULL },
};

static void
run(void **state)
{
	const struct thread_row *row = *state;
	const struct backend gated = row->make == NULL ? gate_backend() : row->make();
	int descriptors = count_descriptors();
	gate_set(false);
	const struct session_world world = {
		.backend = &gated, .threads = row->threads, .deadline_ms = row->deadline_ms
	};
	struct session *session = session_new_in(&world);
	session_plant(session, "/f", "abc", 3);
	row->check(session);
	gate_set(false);
	session_free(session);
	assert_int_equal(count_descriptors(), descriptors);
}

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = { TABLE("threads", thread_rows, run) };
	return table_run(tables, ARRAY_LENGTH(tables));
}
