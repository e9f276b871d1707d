/*
 * A tree on its way to an administrator (saving.h): what ends it, and that it holds up nobody.
 */
#include "ipc/base/scope.h"
#include "tests/unit/worker/session.h"
#include "tests/unit/worker/trees.h"
#include "worker/saving.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { FILE_BYTES = 8 << 20, STALL_MS = 50, NO_END = 1 };

struct scene {
	struct session *session;
	struct saving *running;
	int ends[2];
	struct saving_result result;
	int ended;
};

static void
on_ended(void *owner, const struct saving_result *result)
{
	struct scene *scene = owner;
	assert_null(scene->running);
	scene->result = *result;
	scene->ended++;
	event_base_loopbreak(scene->session->base);
}

static int
begin(struct scene *scene, const struct backend *backend, uint32_t stall_timeout_ms)
{
	static char content[FILE_BYTES];
	*scene = (struct scene){ .session = session_new(backend, NULL, 0) };
	session_plant(scene->session, "/f", content, sizeof(content));
	session_pair(scene->ends);
	return saving_begin(&(struct saving_options){
		.nursery = scene->session->nursery,
		.descriptor = scene->ends[1],
		.stall_timeout_ms = stall_timeout_ms,
		.running = &scene->running,
		.ended = on_ended,
		.owner = scene,
	});
}

static void
finish(struct scene *scene)
{
	fd_close(&scene->ends[0]);
	fd_close(&scene->ends[1]);
	session_free(scene->session);
}

static uint64_t
read_some(const struct scene *scene, uint64_t most)
{
	static char block[1 << 16];
	uint64_t bytes = 0;
	ssize_t got = 1;
	while (bytes < most && (got = recv(scene->ends[0], block, sizeof(block), 0)) > 0)
		bytes += (uint64_t)got;
	return bytes;
}

static void
check_whole(UNUSED void **state)
{
	struct scene scene;
	uint64_t bytes = 0;
	assert_int_equal(begin(&scene, &backend_memory, 0), 0);
	fd_close(&scene.ends[1]);
	while (scene.ended == 0) {
		bytes += read_some(&scene, UINT64_MAX);
		event_base_loop(scene.session->base, EVLOOP_NONBLOCK);
	}
	bytes += read_some(&scene, UINT64_MAX);
	assert_int_equal(scene.ended, 1);
	assert_int_equal(scene.result.error, 0);
	assert_int_equal(scene.result.bytes, bytes);
	assert_true(bytes > FILE_BYTES && bytes % 512 == 0);
	assert_int_equal(scene.result.totals.files, 1);
	finish(&scene);
}

/* The administrator does not read, or slowly; the user goes on. */
static void
check_others(UNUSED void **state)
{
	struct scene scene;
	assert_int_equal(begin(&scene, &backend_memory, 0), 0);
	for (int i = 0; i < 20; i++) {
		const struct pathio_stat stat = { .path = bytes_of_text("/f"), .follow = true };
		(void)read_some(&scene, 100000);
		assert_int_equal(call_stat(scene.session->io, &scene.session->wait, &stat), 0);
	}
	const struct pathio_unlink unlink = { .path = bytes_of_text("/f") };
	assert_int_equal(call_unlink(scene.session->io, &scene.session->wait, &unlink), 0);
	assert_int_equal(scene.ended, 0);
	saving_cancel(scene.running);
	assert_int_equal(scene.ended, 1);
	assert_int_equal(scene.result.error, -ECANCELED);
	finish(&scene);
}

struct end_row {
	const char *name;
	const struct backend *backend;
	uint32_t stall_timeout_ms;
	bool hangs_up;
	int refused; /* by the call */
	int error;
};

static const struct end_row end_rows[] = {
	{ "who hangs up ends it", &backend_memory, 0, true, 0, -EPIPE },
	{ "who reads nothing ends it", &backend_memory, STALL_MS, false, 0, -ETIMEDOUT },
	{ "real files are not saved", &backend_kernel, 0, false, -ENOTSUP, NO_END },
};

static void
check_end(void **state)
{
	const struct end_row *row = *state;
	struct scene scene;
	assert_int_equal(begin(&scene, row->backend, row->stall_timeout_ms), row->refused);
	if (row->hangs_up)
		fd_close(&scene.ends[0]);
	while (row->error != NO_END && scene.ended == 0)
		event_base_loop(scene.session->base, EVLOOP_ONCE);
	assert_null(scene.running);
	assert_int_equal(scene.ended, row->error == NO_END ? 0 : 1);
	if (scene.ended == 1)
		assert_int_equal(scene.result.error, row->error);
	finish(&scene);
}

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = {
		CASE("all of it", check_whole),
		CASE("others have their turn", check_others),
		TABLE("its end", end_rows, check_end),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
