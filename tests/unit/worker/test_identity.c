/*
 * A backend sees for which session it works (identity.h): in every function that a request, a
 * transfer or a disposal calls, on the loop as on threads, and in none that is called for nobody.
 */
#include "tests/unit/worker/session.h"
#include "worker/identity.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

enum { SESSION = 77, THREADS = 4 };

/* ---- a backend that notes for whom it was called ---- */

enum noted { NOTED_TREE_OPEN, NOTED_STAT, NOTED_WRITE, NOTED_EXTENT, NOTED_CLOSE, NOTED_COUNT };

/* The session, or 0 for nobody; of the last call. */
static atomic_ullong noted[NOTED_COUNT];

static void
note(enum noted what)
{
	const struct instance_identity *identity = identity_current();
	atomic_store(&noted[what], identity == NULL ? 0 : identity->session);
}

static int
noting_tree_open(const struct backend_options *options, struct backend_tree **result)
{
	note(NOTED_TREE_OPEN);
	return backend_memory.tree_open(options, result);
}

static int
noting_stat(struct backend_tree *tree, const struct path *path, bool follow,
	struct pathio_attributes *result)
{
	note(NOTED_STAT);
	return backend_memory.stat(tree, path, follow, result);
}

static ssize_t
noting_write(struct backend_file *file, uint64_t offset, const void *data, size_t length)
{
	note(NOTED_WRITE);
	return backend_memory.write(file, offset, data, length);
}

static int
noting_extent(
	struct backend_file *file, uint64_t offset, uint64_t length, struct backend_extent *result)
{
	note(NOTED_EXTENT);
	return backend_memory.extent(file, offset, length, result);
}

static void
noting_close(struct backend_file **file)
{
	note(NOTED_CLOSE);
	backend_memory.close(file);
}

static struct backend
noting_backend(void)
{
	struct backend table = backend_memory;
	table.tree_open = noting_tree_open;
	table.stat = noting_stat;
	table.write = noting_write;
	table.extent = noting_extent;
	table.close = noting_close;
	for (size_t i = 0; i < NOTED_COUNT; i++)
		atomic_store(&noted[i], UINT64_MAX);
	return table;
}

/* ---- what sees it ---- */

static void
use(struct session *session)
{
	const struct pathio_stat stat = { .path = bytes_of_text("/") };
	const struct pathio_open open = {
		.file = 1, .path = bytes_of_text("/file"), .mode = PATHIO_MODE_WB
	};
	const struct pathio_open again = {
		.file = 2, .path = bytes_of_text("/file"), .mode = PATHIO_MODE_RB
	};
	const struct pathio_write write = { .file = 1, .content = bytes_of_text("content") };
	const struct pathio_send send = { .file = 2, .count = UINT64_MAX };
	char buffer[16];
	int ends[2];
	session_pair(ends);
	assert_int_equal(call_stat(session->io, &session->wait, &stat), 0);
	assert_int_equal(call_open(session->io, &session->wait, &open), 0);
	assert_int_equal(call_write(session->io, &session->wait, &write), 0);
	assert_int_equal(
		call_close(session->io, &session->wait, &(struct pathio_close){ .file = 1 }), 0);
	assert_int_equal(noted[NOTED_CLOSE], SESSION);
	atomic_store(&noted[NOTED_CLOSE], UINT64_MAX);
	assert_int_equal(call_open(session->io, &session->wait, &again), 0);
	assert_int_equal(call_send(session->io, &session->wait, &send, ends[0]), 0);
	assert_int_equal(read(ends[1], buffer, sizeof(buffer)), 7);
	close(ends[0]);
	close(ends[1]);
}

static void
check(uint32_t threads)
{
	const struct backend table = noting_backend();
	const struct session_world world = { .backend = &table, .threads = threads };
	struct session *session = session_new_in(&world);
	assert_int_equal(noted[NOTED_TREE_OPEN], 0);
	use(session);
	assert_int_equal(noted[NOTED_STAT], SESSION);
	assert_int_equal(noted[NOTED_WRITE], SESSION);
	assert_int_equal(noted[NOTED_EXTENT], SESSION);
	session_free(session);
	assert_int_equal(noted[NOTED_CLOSE], SESSION); /* of the file that was left open */
	assert_null(identity_current());
}

static void
check_loop(void **state)
{
	(void)state;
	check(0);
}

static void
check_threads(void **state)
{
	(void)state;
	check(THREADS);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("on the loop", check_loop),
		CASE("on threads", check_threads),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
