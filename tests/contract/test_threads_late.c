/*
 * A pool of threads and time (executor.h, DESIGN 4, PATHIO 4): deadlines, a queue that is full,
 * threads written off and back, and what comes too late: answers, files, transfers.
 */
#include "tests/contract/threads.h"
#include "tests/unit/worker/trees.h"

#include "ipc/base/scope.h"

#include <errno.h>

enum { SHORT_MS = 150 };

/* ---- deadlines ---- */

static void
check_deadline(struct session *session)
{
	struct threads_answer late = { .count = 0 }, next = { .count = 0 };
	gate_set(true);
	threads_stat(session->io, &late);
	gate_await(1);
	assert_int_equal(late.count, 0);
	threads_await(session, &late, -ETIMEDOUT);
	threads_release(session);
	threads_stat(session->io, &next);
	threads_await(session, &next, 0);
	assert_int_equal(late.count, 1); /* the late answer was dropped */
}

/* The one thread is taken: what never began is out of time as well. */
static void
check_deadline_in_queue(struct session *session)
{
	struct threads_answer first = { .count = 0 }, second = { .count = 0 };
	gate_set(true);
	threads_stat(session->io, &first);
	gate_await(1);
	threads_stat(session->io, &second);
	threads_await(session, &first, -ETIMEDOUT);
	threads_await(session, &second, -ETIMEDOUT);
	threads_release(session);
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
	struct threads_answer late[2] = { { .count = 0 } }, refused = { .count = 0 };
	struct threads_answer served = { .count = 0 };
	gate_set(true);
	for (int i = 0; i < 2; i++)
		threads_stat(session->io, &late[i]);
	gate_await(2);
	for (int i = 0; i < 2; i++)
		threads_await(session, &late[i], -ETIMEDOUT);
	threads_stat(patient, &refused);
	assert_int_equal(refused.count, 0); /* never from inside the call */
	threads_await(session, &refused, -ETIMEDOUT);
	threads_release(session);
	threads_stat(patient, &served);
	threads_await(session, &served, 0);
	pathio_free(&patient);
}

static void
check_full_queue(struct session *session)
{
	static struct threads_answer queued[NURSERY_QUEUE_MAX + 1];
	struct threads_answer refused = { .count = 0 };
	memset(queued, 0, sizeof(queued));
	session->count_only = true;
	gate_set(true);
	threads_stat(session->io, &queued[0]);
	gate_await(1);
	for (size_t i = 1; i < ARRAY_LENGTH(queued); i++)
		threads_stat(session->io, &queued[i]);
	threads_stat(session->io, &refused);
	threads_await(session, &refused, -EBUSY);
	gate_set(false);
	for (size_t i = 0; i < ARRAY_LENGTH(queued); i++)
		threads_await(session, &queued[i], 0);
}

/* A file that was opened too late is closed, and its number is free. */
static void
check_late_open(struct session *session)
{
	struct threads_answer late = { .count = 0 }, meanwhile = { .count = 0 };
	int descriptors = count_descriptors();
	gate_set(true);
	threads_open(session, 1, &late);
	gate_await(1);
	threads_await(session, &late, -ETIMEDOUT);
	threads_read(session, 1, &meanwhile);
	threads_await(session, &meanwhile, -ETIMEDOUT);
	threads_release(session);
	assert_int_equal(count_descriptors(), descriptors);
	threads_open_file(session, 1);
}

/* While a read hangs its file is out of time, the session's others are not; then it is back. */
static void
check_late_read(struct session *session)
{
	struct threads_answer late = { .count = 0 }, behind = { .count = 0 }, next = { .count = 0 };
	threads_open_file(session, 1);
	gate_set(true);
	threads_read(session, 1, &late);
	threads_read(session, 1, &behind);
	gate_await(1);
	threads_await(session, &late, -ETIMEDOUT);
	threads_await(session, &behind, -ETIMEDOUT);
	threads_read(session, 1, &next);
	threads_await(session, &next, -ETIMEDOUT);
	threads_release(session);
	next.count = 0;
	threads_read(session, 1, &next);
	threads_await(session, &next, 0);
	assert_int_equal(late.count, 1);
	assert_int_equal(behind.count, 1);
}

/* A close of such a file takes effect: the number can be opened again while the thread hangs. */
static void
check_close_while_late(struct session *session)
{
	struct threads_answer late = { .count = 0 }, closed = { .count = 0 },
			      opened = { .count = 0 };
	threads_open_file(session, 1);
	gate_set(true);
	threads_read(session, 1, &late);
	gate_await(1);
	threads_await(session, &late, -ETIMEDOUT);
	pathio_close(session->io, &(struct pathio_close){ .file = 1 }, threads_on_answer, &closed);
	threads_await(session, &closed, -ETIMEDOUT);
	threads_open(session, 1, &opened);
	gate_await(2); /* it does not wait for the one before it */
	threads_release(session);
	assert_int_equal(opened.count, 1);
}

static void
check_late_transfer(struct session *session)
{
	struct threads_answer sent = { .count = 0 };
	int ends[2];
	session_pair(ends);
	threads_open_file(session, 1);
	gate_set(true);
	threads_send(session, 1, ends[0], &sent);
	gate_await(1);
	threads_await(session, &sent, -ETIMEDOUT);
	threads_release(session);
	assert_int_equal(sent.count, 1);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

/* ---- */

static const struct threads_row late_rows[] = {
	{ "a deadline", 1, SHORT_MS, check_deadline, NULL },
	{ "a deadline in the queue", 1, SHORT_MS, check_deadline_in_queue, NULL },
	{ "no thread is left", 2, SHORT_MS, check_exhausted, NULL },
	{ "the queue is full", 1, 0, check_full_queue, NULL },
	{ "an opening that is late", 1, SHORT_MS, check_late_open, NULL },
	{ "a read that is late", 2, SHORT_MS, check_late_read, NULL },
	{ "a close of what is late", 2, SHORT_MS, check_close_while_late, NULL },
	{ "a transfer that is late", 1, SHORT_MS, check_late_transfer, NULL },
};

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = { TABLE("threads", late_rows, threads_run) };
	return table_run(tables, ARRAY_LENGTH(tables));
}
