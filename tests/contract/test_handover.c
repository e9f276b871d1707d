/*
 * A worker's side whose loop is handed over because an effect lasts (executor_lead.c), seen by the
 * sessions of its user: all but the one that asked for it are served as ever. The backend has a
 * gate (gate.h); every case waits for what it is about.
 */
#include "ipc/base/scope.h"
#include "ipc/pathio_wait.h"
#include "tests/contract/gate.h"
#include "tests/unit/worker/session.h"
#include "tests/unit/worker/trees.h"

#include <errno.h>

enum { SHORT_MS = 150 };

struct handover_row {
	const char *name;
	uint32_t threads;
	uint32_t deadline_ms;
	void (*check)(struct session *session);
};

/* ---- requests ---- */

/* Its effect stands before the gate, if that is closed. */
static uint32_t
ask_stat(struct pathio *io, struct pathio_wait *wait)
{
	const struct pathio_stat stat = { .path = bytes_of_text("/f") };
	return pathio_stat(io, &stat, pathio_wait_done, wait);
}

/* Its effect does not. */
static void
ask_mkdir(struct pathio *io, const char *path, struct pathio_wait *wait)
{
	const struct pathio_mkdir mkdir = { .path = bytes_of_text(path), .mode = 0777 };
	pathio_mkdir(io, &mkdir, pathio_wait_done, wait);
}

static int
make_folder(struct pathio *io, const char *path, struct pathio_wait *wait)
{
	ask_mkdir(io, path, wait);
	return pathio_wait_finish(wait);
}

/* A lengthy one, which is a thread's from the start. */
static int
size_as_text(struct pathio *io, struct pathio_wait *wait)
{
	const struct pathio_size_as size = { .path = bytes_of_text("/f"),
		.form = PATHIO_FORM_ASCII };
	pathio_size_as(io, &size, pathio_wait_done, wait);
	return pathio_wait_finish(wait);
}

/* What is no open file is refused on the loop, without an effect: so somebody leads it. */
static void
see_led(struct session *session)
{
	SCOPE_WAIT struct pathio_wait wait = { .base = session->base };
	pathio_close(session->other, &(struct pathio_close){ .file = 99 }, pathio_wait_done, &wait);
	assert_int_equal(pathio_wait_finish(&wait), -EBADF);
}

/* The first session's request is held, and the thread with it; another one leads. */
static uint32_t
hold_one(struct session *session, struct pathio_wait *held)
{
	gate_set(true);
	uint32_t tag = ask_stat(session->io, held);
	gate_await(1);
	see_led(session);
	return tag;
}

/* ---- one that lasts ---- */

/* Other sessions are served, and the one that asked for it too, as for what else it asks. */
static void
check_others(struct session *session)
{
	SCOPE_WAIT struct pathio_wait held = { .base = session->base };
	SCOPE_WAIT struct pathio_wait wait = { .base = session->base };
	hold_one(session, &held);
	assert_int_equal(make_folder(session->other, "/1", &wait), 0);
	assert_int_equal(make_folder(session->io, "/2", &wait), 0);
	assert_false(held.finished);
	gate_set(false);
	assert_int_equal(pathio_wait_finish(&held), 0);
}

static void
check_deadline(struct session *session)
{
	SCOPE_WAIT struct pathio_wait held = { .base = session->base };
	SCOPE_WAIT struct pathio_wait wait = { .base = session->base };
	hold_one(session, &held);
	assert_int_equal(pathio_wait_finish(&held), -ETIMEDOUT);
	assert_int_equal(make_folder(session->other, "/1", &wait), 0);
	gate_set(false);
}

static void
check_cancel(struct session *session)
{
	SCOPE_WAIT struct pathio_wait held = { .base = session->base };
	SCOPE_WAIT struct pathio_wait wait = { .base = session->base };
	uint32_t tag = hold_one(session, &held);
	pathio_cancel(session->io, tag);
	assert_int_equal(pathio_wait_finish(&held), -ECANCELED);
	assert_int_equal(make_folder(session->io, "/1", &wait), 0);
	gate_set(false);
}

/* The session that asked for it leaves. */
static void
check_leaving(struct session *session)
{
	SCOPE_WAIT struct pathio_wait held = { .base = session->base };
	SCOPE_WAIT struct pathio_wait wait = { .base = session->base };
	hold_one(session, &held);
	pathio_free(&session->io);
	assert_int_equal(held.error, -ECANCELED);
	assert_int_equal(make_folder(session->other, "/1", &wait), 0);
	gate_set(false);
	assert_int_equal(size_as_text(session->other, &wait), 0);
}

/* A download whose first turn, a brief one, does not come back. */
static void
check_transfer(struct session *session)
{
	SCOPE_WAIT struct pathio_wait held = { .base = session->base };
	SCOPE_WAIT struct pathio_wait wait = { .base = session->base };
	int ends[2];
	session_pair(ends);
	pathio_open(session->io, &(struct pathio_open){ .path = bytes_of_text("/f") },
		pathio_wait_done, &wait);
	assert_int_equal(pathio_wait_finish(&wait), 0);
	gate_set(true);
	pathio_send(session->io, &(struct pathio_send){ .count = UINT64_MAX }, ends[0],
		pathio_wait_done, &held);
	gate_await(1);
	assert_int_equal(make_folder(session->other, "/1", &wait), 0);
	assert_int_equal(pathio_wait_finish(&held), -ETIMEDOUT);
	assert_int_equal(make_folder(session->other, "/2", &wait), 0);
	gate_set(false);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

/* ---- threads that led ---- */

/*
 * One is left, which leads and begins nothing; then the one that was held is back, and is there
 * for what needs a thread and to stand by.
 */
static void
check_comes_back(struct session *session)
{
	SCOPE_WAIT struct pathio_wait held = { .base = session->base };
	SCOPE_WAIT struct pathio_wait wait = { .base = session->base };
	for (int i = 0; i < 5; i++) {
		hold_one(session, &held);
		gate_set(false);
		assert_int_equal(pathio_wait_finish(&held), 0);
		assert_int_equal(size_as_text(session->other, &wait), 0);
	}
}

/* As many as there may be effects; the loop is led all the same. */
static void
check_all_held(struct session *session)
{
	enum { HELD = 3 };
	struct pathio_wait held[HELD];
	SCOPE_WAIT struct pathio_wait wait = { .base = session->base };
	uint32_t tags[HELD];
	gate_set(true);
	for (unsigned i = 0; i < HELD; i++) {
		held[i] = (struct pathio_wait){ .base = session->base };
		tags[i] = ask_stat(session->io, &held[i]);
		gate_await(i + 1);
		see_led(session);
	}
	ask_mkdir(session->other, "/1", &wait); /* waits for a thread */
	for (unsigned i = 0; i < HELD; i++) {
		pathio_cancel(session->io, tags[i]);
		assert_int_equal(pathio_wait_finish(&held[i]), -ECANCELED);
		pathio_wait_free(&held[i]);
	}
	assert_false(wait.finished);
	gate_set(false);
	assert_int_equal(pathio_wait_finish(&wait), 0);
}

static const struct handover_row handover_rows[] = {
	{ "others are served", 2, 0, check_others },
	{ "it is answered when its time is up", 2, SHORT_MS, check_deadline },
	{ "it is cancelled", 2, 0, check_cancel },
	{ "its session leaves", 2, 0, check_leaving },
	{ "a download", 2, SHORT_MS, check_transfer },
	{ "a thread comes back", 1, 0, check_comes_back },
	{ "all threads are held", 3, 0, check_all_held },
};

static void
run(void **state)
{
	const struct handover_row *row = *state;
	const struct backend gated = gate_backend();
	int descriptors = count_descriptors();
	gate_set(false);
	struct session *session = session_new_in(&(struct session_world){
		.backend = &gated,
		.threads = row->threads,
		.deadline_ms = row->deadline_ms,
		.remote = true,
		.is_led = true,
	});
	session_plant(session, "/f", "abc", 3);
	row->check(session);
	session_free(session);
	assert_int_equal(count_descriptors(), descriptors);
}

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = { TABLE("handover", handover_rows, run) };
	return table_run(tables, ARRAY_LENGTH(tables));
}
