/*
 * An instance (instance.h): long operations, uploads in two steps, what is recorded, and what is
 * left when it is freed.
 */
#include "tests/unit/worker/collected.h"
#include "tests/unit/worker/trees.h"
#include "tests/unit/worker/wire_end.h"

#include <errno.h>
#include <sys/socket.h>

static void
check_long(void **state)
{
	(void)state;
	struct session *session = collected_session();
	struct collected digested = { .count = 0 }, side_by_side = { .count = 0 };
	static char zeros[1024 * 1024];
	for (int i = 0; i < 40; i++) { /* more than one piece */
		struct path path = test_path("/long");
		const struct tree *tree = session_tree(session);
		struct backend_file *file;
		assert_int_equal(tree->backend->open(tree->state, &path,
					 BACKEND_WRITE | BACKEND_CREATE, 0666, &file, NULL),
			0);
		assert_true(tree->backend->write(
				    file, (uint64_t)i * sizeof(zeros), zeros, sizeof(zeros)) > 0);
		tree->backend->close(&file);
	}
	const struct pathio_digest request = {
		.path = PATH("/long"), .algorithm = PATHIO_SHA256, .count = UINT64_MAX
	};
	uint32_t tag = pathio_digest(session->io, &request, collect, &digested);
	assert_int_equal(digested.count, 0); /* others have their turn in between */
	pathio_cancel(session->io, tag);
	assert_int_equal(digested.count, 1);
	assert_int_equal(digested.error, -ECANCELED);
	for (int i = 0; i < INSTANCE_LONG_MAX; i++)
		pathio_digest(session->io, &request, collect, &side_by_side);
	assert_int_equal(side_by_side.count, 0);
	pathio_digest(session->io, &request, collect, &digested);
	assert_int_equal(digested.error, -EBUSY);
	while (side_by_side.count < INSTANCE_LONG_MAX)
		event_base_loop(session->base, EVLOOP_ONCE);
	assert_int_equal(side_by_side.error, 0);
	digested = (struct collected){ .count = 0 };
	pathio_digest(session->io, &request, collect, &digested);
	collected_await(session, &digested);
	assert_int_equal(digested.error, 0);
	session_free(session);
}

/* ---- the end ---- */

/* A completion may free the instance; what else is owed is answered first. */
static void
check_freed_by_completion(void **state)
{
	(void)state;
	struct session *session = collected_session();
	struct wire_end *end = wire_end_new(session->base);
	struct collected opened = { .count = 0 }, sent = { .freed = &session->io };
	struct collected sought = { .count = 0 }, closed = { .count = 0 }, other = { .count = 0 };
	struct wire_end *silent = wire_end_new_silent(session->base);
	collect_open(session, 1, &opened);
	collect_open(session, 2, &opened);
	collect_send(session, 2, silent->worker_fd, &other);
	collect_send(session, 1, end->worker_fd, &sent);
	pathio_seek(session->io, &(struct pathio_seek){ .file = 1 }, collect, &sought);
	collect_close(session, 1, &closed);
	collected_await(session, &sent);
	assert_null(session->io);
	assert_int_equal(sent.error, 0);
	assert_int_equal(sought.error, -ECANCELED);
	assert_int_equal(sought.count, 1);
	assert_int_equal(closed.count, 1);
	assert_int_equal(other.error, -ECANCELED);
	wire_end_free(&end);
	wire_end_free(&silent);
	session_free(session);
}

static void
check_freed_by_first(void **state)
{
	(void)state;
	struct session *session = collected_session();
	struct collected opened = { .freed = &session->io };
	collect_open(session, 1, &opened);
	assert_null(session->io);
	assert_int_equal(opened.count, 1);
	session_free(session);
}

/* ---- uploads ---- */

static void
check_upload(void **state)
{
	(void)state;
	struct session *session = collected_session();
	struct wire_end *end = wire_end_new_silent(session->base);
	struct collected opened = { .count = 0 }, received = { .count = 0 }, again = { .count = 0 };
	collect_upload(session, 1, PATH("/new"), &opened);
	assert_int_equal(send(end->fd, "hello", 5, 0), 5);
	shutdown(end->fd, SHUT_WR);
	pathio_receive(session->io, &(struct pathio_receive){ .file = 1 }, end->worker_fd, collect,
		&received);
	assert_int_equal(received.bytes, 5);
	assert_false(session_has(session, PATH("/new"))); /* nothing before the commit */
	pathio_receive(session->io, &(struct pathio_receive){ .file = 1 }, end->worker_fd, collect,
		&again);
	assert_int_equal(again.error, -EINVAL); /* one stream, one upload */
	assert_int_equal(
		call_commit(session->io, &session->wait, &(struct pathio_commit){ .file = 1 }), 0);
	assert_int_equal(session->wait.body.committed.attributes.size, 5);
	assert_true(bytes_equal_text(session->wait.body.committed.path, "/new"));
	assert_true(session_has(session, PATH("/new")));
	wire_end_free(&end);
	session_free(session);
}

struct drop_row {
	const char *name;
	uint32_t code; /* how it ends; 0: with the session */
	uint32_t want_dropped;
};

static const struct drop_row drop_rows[] = {
	{ "discarded", PATHIO_DISCARD, 0 },
	{ "closed", PATHIO_CLOSE, 1 },
	{ "left to the end of the session", 0, 1 },
};

static void
check_drop(void **state)
{
	const struct drop_row *row = *state;
	struct session *session = collected_session();
	struct collected answered = { .count = 0 };
	collect_upload(session, 1, PATH("/new"), &answered);
	if (row->code == PATHIO_DISCARD)
		pathio_discard(
			session->io, &(struct pathio_discard){ .file = 1 }, collect, &answered);
	else if (row->code == PATHIO_CLOSE)
		collect_close(session, 1, &answered);
	else
		pathio_free(&session->io);
	assert_int_equal(answered.error, 0);
	assert_int_equal(session->totals.uploads_dropped, row->want_dropped);
	const struct tree *tree = session_tree(session);
	const struct path root = test_path("/");
	struct backend_directory *directory;
	struct backend_entry entry;
	assert_int_equal(tree->backend->directory_open(tree->state, &root, true, &directory), 0);
	assert_int_equal(tree->backend->directory_next(directory, &entry), 1);
	assert_true(bytes_equal_text(entry.name, "big")); /* no temporary is left */
	assert_int_equal(tree->backend->directory_next(directory, &entry), 0);
	tree->backend->directory_close(&directory);
	session_free(session);
}

/* ---- the record ---- */

static void
check_recorded(void **state)
{
	(void)state;
	static const struct recorded want[] = {
		{ "mkdir", "/d", "", 0, 0 },
		{ "rename", "/d", "/e", 0, 0 },
		{ "stat", "/d", "", ENOENT, 0 },
		{ "symlink", "/l", "big", 0, 0 },
		{ "open", "/big", "", 0, 0 },
		{ "send", "/big", "", 0, COLLECTED_BIG },
		{ "upload_open", "/l", "", 0, 0 },
		{ "receive", "/big", "", 0, 3 },
		{ "commit", "/big", "", 0, 0 },
	};
	struct session *session = collected_session();
	struct wire_end *end = wire_end_new(session->base);
	struct wire_end *in = wire_end_new_silent(session->base);
	struct collected answered = { .count = 0 }, sent = { .count = 0 };
	pathio_mkdir(session->io, &(struct pathio_mkdir){ .path = PATH("/x/../d/"), .mode = 0777 },
		collect, &answered);
	pathio_rename(session->io,
		&(struct pathio_rename){ .source = PATH("/d"), .destination = PATH("//e") },
		collect, &answered);
	pathio_stat(session->io, &(struct pathio_stat){ .path = PATH("/d") }, collect, &answered);
	pathio_symlink(session->io,
		&(struct pathio_symlink){ .path = PATH("/l"), .target = PATH("big") }, collect,
		&answered);
	collect_open(session, 1, &answered);
	collect_send(session, 1, end->worker_fd, &sent);
	collected_await(session, &sent);
	collect_close(session, 1, &answered);
	collect_upload(session, 2, PATH("/l"), &answered);
	assert_int_equal(send(in->fd, "abc", 3, 0), 3);
	shutdown(in->fd, SHUT_WR);
	pathio_receive(session->io, &(struct pathio_receive){ .file = 2 }, in->worker_fd, collect,
		&answered);
	pathio_commit(session->io, &(struct pathio_commit){ .file = 2 }, collect, &answered);
	assert_int_equal(answered.error, 0);
	assert_int_equal(session->recorded_count, ARRAY_LENGTH(want));
	for (size_t i = 0; i < ARRAY_LENGTH(want); i++) {
		assert_string_equal(session->recorded[i].name, want[i].name);
		assert_string_equal(session->recorded[i].path, want[i].path);
		assert_string_equal(session->recorded[i].destination, want[i].destination);
		assert_int_equal(session->recorded[i].error, want[i].error);
		assert_int_equal(session->recorded[i].bytes, want[i].bytes);
	}
	assert_int_equal(session->totals.sent_bytes, COLLECTED_BIG);
	assert_int_equal(session->totals.received_bytes, 3);
	assert_int_equal(session->totals.operations, ARRAY_LENGTH(want) + 1); /* and a close */
	wire_end_free(&end);
	wire_end_free(&in);
	session_free(session);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("long operations: cancelled, too many, done", check_long),
		CASE("freed by a completion", check_freed_by_completion),
		CASE("freed by the first completion", check_freed_by_first),
		CASE("an upload in two steps", check_upload),
		TABLE("an upload that is dropped", drop_rows, check_drop),
		CASE("the record", check_recorded),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
