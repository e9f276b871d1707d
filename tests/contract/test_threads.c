/*
 * A pool of threads (executor.h, DESIGN 4): order on a file, side by side elsewhere, what needs no
 * thread, cancelling, sessions that leave and rights that change while a thread is at work.
 */
#include "tests/contract/threads.h"
#include "tests/unit/worker/trees.h"

#include "ipc/base/scope.h"
#include "worker/instance_private.h"

#include <errno.h>
#include <sys/socket.h>

/* ---- order ---- */

static void
check_order(struct session *session)
{
	struct threads_answer reads[3] = { { .count = 0 } }, other = { .count = 0 };
	threads_open_file(session, 1);
	threads_open_file(session, 2);
	gate_set(true);
	for (int i = 0; i < 3; i++)
		threads_read(session, 1, &reads[i]);
	threads_read(session, 2, &other);
	gate_await(2); /* one of each file, though four threads are free */
	gate_set(false);
	threads_await(session, &other, 0);
	for (int i = 0; i < 3; i++) {
		threads_await(session, &reads[i], 0);
		assert_int_equal(reads[i].first, "abc"[i]);
	}
}

static void
check_side_by_side(struct session *session)
{
	struct threads_answer answers[4] = { { .count = 0 } };
	gate_set(true);
	for (int i = 0; i < 4; i++)
		threads_stat(session->io, &answers[i]);
	gate_await(4);
	gate_set(false);
	for (int i = 0; i < 4; i++)
		threads_await(session, &answers[i], 0);
}

/* ---- the caches ---- */

/* With a view of the caches; making a folder needs a thread. */
static struct backend
make_cached(void)
{
	struct backend cached = backend_kernel;
	cached.mkdir = gate_mkdir;
	return cached;
}

/* The one thread hangs, and what needs none is served: a look, and a download from end to end. */
static void
check_cached(struct session *session)
{
	struct threads_answer made = { .count = 0 }, answers[5] = { { .count = 0 } };
	char got[8];
	int ends[2];
	if (session->nursery->cached.state == NULL)
		case_skip("/tmp on a local file system, and Linux 5.12");
	session_pair(ends);
	gate_set(true);
	const struct pathio_mkdir mkdir = { .path = bytes_of_text("/d"), .mode = 0777 };
	pathio_mkdir(session->io, &mkdir, threads_on_answer, &made);
	gate_await(1);
	threads_stat(session->io, &answers[0]);
	threads_open(session, 1, &answers[1]);
	threads_read(session, 1, &answers[2]);
	threads_send(session, 1, ends[0], &answers[3]);
	pathio_close(
		session->io, &(struct pathio_close){ .file = 1 }, threads_on_answer, &answers[4]);
	assert_int_equal(answers[0].count, 0); /* never from inside the call */
	for (size_t i = 0; i < ARRAY_LENGTH(answers); i++)
		threads_await(session, &answers[i], 0);
	assert_int_equal(answers[2].first, 'a');
	assert_int_equal(recv(ends[1], got, sizeof(got), 0), 3);
	assert_int_equal(made.count, 0);
	gate_set(false);
	threads_await(session, &made, 0);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

/* ---- cancelling, leaving ---- */

static void
check_cancel_queued(struct session *session)
{
	struct threads_answer first = { .count = 0 }, second = { .count = 0 };
	gate_set(true);
	threads_stat(session->io, &first);
	gate_await(1);
	uint32_t tag = threads_stat(session->io, &second);
	pathio_cancel(session->io, tag);
	threads_await(session, &second, -ECANCELED);
	gate_set(false);
	threads_await(session, &first, 0);
	assert_int_equal(gate_passed(), 1);
	assert_int_equal(second.count, 1);
}

static void
check_cancel_running(struct session *session)
{
	struct threads_answer cancelled = { .count = 0 };
	gate_set(true);
	uint32_t tag = threads_stat(session->io, &cancelled);
	gate_await(1);
	pathio_cancel(session->io, tag);
	threads_await(session, &cancelled, -ECANCELED);
	pathio_cancel(session->io, tag); /* too late */
	threads_release(session);
	assert_int_equal(cancelled.count, 1);
}

static void
check_cancel_transfer(struct session *session)
{
	struct threads_answer sent = { .count = 0 }, closed = { .count = 0 };
	int ends[2];
	session_pair(ends);
	threads_open_file(session, 1);
	gate_set(true);
	uint32_t tag = threads_send(session, 1, ends[0], &sent);
	gate_await(1);
	pathio_cancel(session->io, tag);
	threads_await(session, &sent, -ECANCELED);
	pathio_close(session->io, &(struct pathio_close){ .file = 1 }, threads_on_answer, &closed);
	assert_int_equal(closed.count, 0); /* waits for the turn that is under way */
	gate_set(false);
	threads_await(session, &closed, 0);
	assert_int_equal(sent.count, 1);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

/* The session leaves in the middle of an opening, a read and a transfer, and of what waits. */
static void
check_free(struct session *session)
{
	struct threads_answer answers[4] = { { .count = 0 } };
	int ends[2];
	session_pair(ends);
	threads_open_file(session, 1);
	threads_open_file(session, 2);
	gate_set(true);
	threads_read(session, 1, &answers[0]);
	threads_send(session, 2, ends[0], &answers[1]);
	threads_open(session, 3, &answers[2]);
	threads_read(session, 1, &answers[3]);
	gate_await(3);
	pathio_free(&session->io);
	for (size_t i = 0; i < ARRAY_LENGTH(answers); i++) {
		assert_int_equal(answers[i].count, 1);
		assert_int_equal(answers[i].error, -ECANCELED);
	}
	threads_release(session);
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
	struct threads_answer before = { .count = 0 }, after = { .count = 0 };
	struct rights *rights = session_rights(nothing);
	gate_set(true);
	threads_stat(session->io, &before);
	gate_await(1);
	instance_change_rights(session->io, &rights);
	threads_stat(session->io, &after);
	threads_await(session, &after, -EACCES);
	gate_set(false);
	threads_await(session, &before, 0);
}

/* A file that was being opened when the rights to it went is of no use. */
static void
check_rights_change_under_open(struct session *session)
{
	static const struct session_right nothing[] = { { NULL, 0 } };
	struct threads_answer opened = { .count = 0 }, read = { .count = 0 };
	struct rights *rights = session_rights(nothing);
	gate_set(true);
	threads_open(session, 1, &opened);
	gate_await(1);
	instance_change_rights(session->io, &rights);
	gate_set(false);
	threads_await(session, &opened, 0);
	threads_read(session, 1, &read);
	threads_await(session, &read, -EACCES);
}

/* ---- */

static const struct threads_row thread_rows[] = {
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

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = { TABLE("threads", thread_rows, threads_run) };
	return table_run(tables, ARRAY_LENGTH(tables));
}
