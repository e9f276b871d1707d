/*
 * An instance (instance.h): handles, the order of requests on a file, cancelling, what is recorded,
 * and what is left when it is freed.
 */
#include "ipc/base/scope.h"
#include "tests/unit/worker/session.h"
#include "tests/unit/worker/trees.h"
#include "tests/unit/worker/wire_end.h"
#include "worker/instance_private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define PATH(literal) bytes_of((literal), sizeof(literal) - 1)

enum { BIG = 4 * 1024 * 1024 };

/* What a completion got, for requests that are not waited for one by one. */
struct answered {
	int count;
	int error;
	uint64_t bytes;
	int turn;              /* the how-many-th answer of all */
	struct pathio **freed; /* freed by this completion */
};

static int turns;

static void
on_answer(void *argument, const struct pathio_answer *answer)
{
	struct answered *answered = argument;
	answered->count++;
	answered->error = answer->error;
	answered->turn = ++turns;
	if (answer->code == PATHIO_MOVED)
		answered->bytes = answer->body->moved.bytes;
	if (answered->freed != NULL)
		pathio_free(answered->freed);
}

static struct session *
with_big_file(void)
{
	static char content[BIG];
	struct session *session = session_new(&backend_memory, NULL, 0);
	session_plant(session, "/big", content, sizeof(content));
	turns = 0;
	return session;
}

static uint32_t
open_file(struct session *session, uint32_t number, struct answered *answered)
{
	return pathio_open(session->io,
		&(struct pathio_open){ .file = number, .path = PATH("/big") }, on_answer, answered);
}

static uint32_t
send_file(struct session *session, uint32_t number, int descriptor, struct answered *answered)
{
	return pathio_send(session->io,
		&(struct pathio_send){ .file = number, .count = UINT64_MAX }, descriptor, on_answer,
		answered);
}

static uint32_t
close_file(struct session *session, uint32_t number, struct answered *answered)
{
	return pathio_close(
		session->io, &(struct pathio_close){ .file = number }, on_answer, answered);
}

static uint32_t
upload(struct session *session, uint32_t number, struct bytes path, struct answered *answered)
{
	return pathio_upload_open(session->io,
		&(struct pathio_upload_open){ .file = number, .path = path }, on_answer, answered);
}

static void
run_until(struct session *session, const struct answered *answered)
{
	while (answered->count == 0)
		event_base_loop(session->base, EVLOOP_ONCE);
}

static bool
is_there(struct session *session, struct bytes path)
{
	return call_stat(session->io, &session->wait, &(struct pathio_stat){ .path = path }) == 0;
}

/* ---- handles ---- */

static void
check_numbers(void **state)
{
	(void)state;
	struct session *session = with_big_file();
	struct answered answered[4] = { { .count = 0 } };
	open_file(session, UINT32_MAX, &answered[0]);
	assert_int_equal(answered[0].error, 0);
	open_file(session, UINT32_MAX, &answered[1]);
	assert_int_equal(answered[1].error, -EINVAL); /* in use */
	close_file(session, UINT32_MAX, &answered[2]);
	assert_int_equal(answered[2].error, 0);
	close_file(session, UINT32_MAX, &answered[3]);
	assert_int_equal(answered[3].error, -EBADF); /* closing twice */
	open_file(session, UINT32_MAX, &answered[0]);
	assert_int_equal(answered[0].error, 0); /* free again */
	session_free(session);
}

static void
check_failed_opening(void **state)
{
	(void)state;
	struct session *session = with_big_file();
	struct answered answered = { .count = 0 };
	pathio_open(session->io, &(struct pathio_open){ .file = 1, .path = PATH("/none") },
		on_answer, &answered);
	assert_int_equal(answered.error, -ENOENT);
	pathio_list(session->io, &(struct pathio_list){ .file = 1, .path = PATH("/big") },
		on_answer, &answered);
	assert_int_equal(answered.error, -ENOTDIR);
	upload(session, 1, PATH("/none/f"), &answered);
	assert_int_equal(answered.error, -ENOENT);
	open_file(session, 1, &answered);
	assert_int_equal(answered.error, 0); /* none of them left the number in use */
	session_free(session);
}

static void
check_too_many(void **state)
{
	(void)state;
	struct session *session = with_big_file();
	struct answered answered = { .count = 0 };
	for (uint32_t i = 0; i < INSTANCE_FILES_MAX; i++) {
		open_file(session, i, &answered);
		assert_int_equal(answered.error, 0);
	}
	open_file(session, INSTANCE_FILES_MAX, &answered);
	assert_int_equal(answered.error, -EMFILE);
	close_file(session, 5, &answered);
	open_file(session, INSTANCE_FILES_MAX, &answered);
	assert_int_equal(answered.error, 0);
	session_free(session);
}

/* Each kind of handle serves its own operations. */
static void
check_kinds(void **state)
{
	(void)state;
	struct session *session = with_big_file();
	struct answered answered = { .count = 0 };
	int ends[2];
	session_pair(ends);
	open_file(session, 1, &answered);
	pathio_list(session->io, &(struct pathio_list){ .file = 2, .path = PATH("/") }, on_answer,
		&answered);
	upload(session, 3, PATH("/new"), &answered);
	assert_int_equal(answered.error, 0);
	for (uint32_t file = 1; file <= 4; file++) {
		if (file != 1) {
			pathio_read(session->io, &(struct pathio_read){ .file = file }, on_answer,
				&answered);
			assert_int_equal(answered.error, -EBADF);
			pathio_seek(session->io, &(struct pathio_seek){ .file = file }, on_answer,
				&answered);
			assert_int_equal(answered.error, -EBADF);
			pathio_sync(session->io, &(struct pathio_sync){ .file = file }, on_answer,
				&answered);
			assert_int_equal(answered.error, -EBADF);
			send_file(session, file, ends[0], &answered);
			assert_int_equal(answered.error, -EBADF);
		}
		if (file != 2) {
			pathio_next(session->io, &(struct pathio_next){ .file = file }, on_answer,
				&answered);
			assert_int_equal(answered.error, -EBADF);
			pathio_send_listing(session->io,
				&(struct pathio_send_listing){ .file = file }, ends[0], on_answer,
				&answered);
			assert_int_equal(answered.error, -EBADF);
		}
		if (file != 3) {
			pathio_receive(session->io, &(struct pathio_receive){ .file = file },
				ends[0], on_answer, &answered);
			assert_int_equal(answered.error, -EBADF);
		}
		pathio_write(session->io, /* 1 is open to read */
			&(struct pathio_write){ .file = file, .content = PATH("x") }, on_answer,
			&answered);
		assert_int_equal(answered.error, -EBADF);
	}
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	session_free(session);
}

/* ---- order ---- */

/* open, send, close and open again in one breath: each in its turn, the number is one file's. */
static void
check_one_breath(void **state)
{
	(void)state;
	struct session *session = with_big_file();
	struct wire_end *first = wire_end_new(session->base), *second = wire_end_new(session->base);
	struct answered opened[2] = { { .count = 0 } }, sent[2] = { { .count = 0 } };
	struct answered closed[2] = { { .count = 0 } };
	open_file(session, 1, &opened[0]);
	send_file(session, 1, first->worker_fd, &sent[0]);
	close_file(session, 1, &closed[0]);
	open_file(session, 1, &opened[1]);
	send_file(session, 1, second->worker_fd, &sent[1]);
	close_file(session, 1, &closed[1]);
	assert_int_equal(opened[0].count, 1);
	assert_int_equal(closed[0].count, 0); /* waits for the transfer */
	assert_int_equal(opened[1].count, 0); /* waits for the close */
	run_until(session, &closed[0]);
	run_until(session, &closed[1]);
	assert_true(closed[0].turn < opened[1].turn);
	assert_int_equal(opened[1].error, 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sent[i].error, 0);
		assert_int_equal(sent[i].bytes, BIG);
		assert_int_equal(closed[i].error, 0);
		assert_true(sent[i].turn < closed[i].turn);
		assert_int_equal(sent[i].count + closed[i].count, 2);
	}
	wire_end_finish(first);
	assert_int_equal(first->length, BIG);
	wire_end_free(&first);
	wire_end_free(&second);
	session_free(session);
}

/* A failed opening fails what was sent after it, and nothing else. */
static void
check_one_breath_fails(void **state)
{
	(void)state;
	struct session *session = with_big_file();
	struct answered opened = { .count = 0 }, sent = { .count = 0 }, closed = { .count = 0 };
	int ends[2];
	session_pair(ends);
	pathio_open(session->io, &(struct pathio_open){ .file = 1, .path = PATH("/none") },
		on_answer, &opened);
	send_file(session, 1, ends[0], &sent);
	close_file(session, 1, &closed);
	assert_int_equal(opened.error, -ENOENT);
	assert_int_equal(sent.error, -EBADF);
	assert_int_equal(closed.error, -EBADF);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	session_free(session);
}

/* Other files, and paths, do not wait. */
static void
check_others_go_on(void **state)
{
	(void)state;
	struct session *session = with_big_file();
	struct wire_end *end = wire_end_new_silent(session->base);
	struct answered sent = { .count = 0 }, other = { .count = 0 };
	open_file(session, 1, &other);
	send_file(session, 1, end->worker_fd, &sent);
	open_file(session, 2, &other);
	pathio_read(
		session->io, &(struct pathio_read){ .file = 2, .count = 10 }, on_answer, &other);
	assert_int_equal(other.count, 3);
	assert_int_equal(other.error, 0);
	assert_true(is_there(session, PATH("/big")));
	assert_int_equal(sent.count, 0);
	wire_end_free(&end);
	session_free(session);
	assert_int_equal(sent.count, 1);
	assert_int_equal(sent.error, -ECANCELED);
}

/* What waits for a transfer is bounded, in number and in bytes. */
static void
check_bounded(void **state)
{
	(void)state;
	static char content[PATHIO_BLOCK_BYTES];
	struct session *session = with_big_file();
	struct wire_end *end = wire_end_new_silent(session->base);
	struct answered sent = { .count = 0 }, waits = { .count = 0 }, refused = { .count = 0 };
	open_file(session, 1, &refused);
	send_file(session, 1, end->worker_fd, &sent);
	refused.count = 0;
	pathio_write(session->io,
		&(struct pathio_write){ .file = 1, .content = bytes_of(content, sizeof(content)) },
		on_answer, &waits);
	pathio_write(session->io,
		&(struct pathio_write){ .file = 1, .content = bytes_of(content, sizeof(content)) },
		on_answer, &refused);
	assert_int_equal(waits.count, 0);
	assert_int_equal(refused.error, -EBUSY);
	for (int i = 0; i < INSTANCE_WAITING_MAX - 1; i++)
		pathio_seek(session->io, &(struct pathio_seek){ .file = 1 }, on_answer, &waits);
	assert_int_equal(waits.count, 0);
	pathio_seek(session->io, &(struct pathio_seek){ .file = 1 }, on_answer, &refused);
	assert_int_equal(refused.count, 2);
	wire_end_read(end);
	run_until(session, &sent);
	assert_int_equal(waits.count, INSTANCE_WAITING_MAX);
	wire_end_free(&end);
	session_free(session);
}

/* What a completion asks of the same file comes after what waits already. */
struct asks_again {
	struct session *session;
	struct answered first, second;
};

static void
on_first_answer(void *argument, const struct pathio_answer *answer)
{
	struct asks_again *asks = argument;
	on_answer(&asks->first, answer);
	pathio_seek(
		asks->session->io, &(struct pathio_seek){ .file = 1 }, on_answer, &asks->second);
}

static void
check_asks_again(void **state)
{
	(void)state;
	struct session *session = with_big_file();
	struct wire_end *end = wire_end_new(session->base);
	struct asks_again asks = { .session = session };
	struct answered opened = { .count = 0 }, waits = { .count = 0 };
	open_file(session, 1, &opened);
	pathio_send(session->io, &(struct pathio_send){ .file = 1, .count = UINT64_MAX },
		end->worker_fd, on_first_answer, &asks);
	pathio_seek(session->io, &(struct pathio_seek){ .file = 1 }, on_answer, &waits);
	run_until(session, &asks.second);
	assert_true(asks.first.turn < waits.turn);
	assert_true(waits.turn < asks.second.turn);
	wire_end_free(&end);
	session_free(session);
}

/* ---- cancelling ---- */

static void
check_cancel_transfer(void **state)
{
	(void)state;
	struct session *session = with_big_file();
	struct wire_end *end = wire_end_new_silent(session->base);
	struct answered opened = { .count = 0 }, sent = { .count = 0 }, closed = { .count = 0 };
	open_file(session, 1, &opened);
	uint32_t tag = send_file(session, 1, end->worker_fd, &sent);
	close_file(session, 1, &closed);
	pathio_cancel(session->io, tag);
	assert_int_equal(sent.count, 1);
	assert_int_equal(sent.error, -ECANCELED);
	assert_int_equal(closed.count, 1);
	assert_int_equal(closed.error, 0);
	pathio_cancel(session->io, tag); /* answered already */
	pathio_cancel(session->io, 0);
	pathio_cancel(session->io, UINT32_MAX);
	assert_int_equal(sent.count, 1);
	assert_true(TAILQ_EMPTY(&((struct instance *)(void *)session->io)->handles));
	wire_end_free(&end);
	session_free(session);
}

/* A close that is cancelled while it waits is answered so, and the file goes all the same. */
static void
check_cancel_waiting(void **state)
{
	(void)state;
	struct session *session = with_big_file();
	struct wire_end *end = wire_end_new_silent(session->base);
	struct answered opened = { .count = 0 }, sent = { .count = 0 }, sought = { .count = 0 },
			closed = { .count = 0 };
	open_file(session, 1, &opened);
	send_file(session, 1, end->worker_fd, &sent);
	uint32_t seek_tag =
		pathio_seek(session->io, &(struct pathio_seek){ .file = 1 }, on_answer, &sought);
	uint32_t close_tag = close_file(session, 1, &closed);
	pathio_cancel(session->io, seek_tag);
	pathio_cancel(session->io, close_tag);
	assert_int_equal(sought.error, -ECANCELED);
	assert_int_equal(closed.error, -ECANCELED);
	assert_int_equal(sent.count, 0);
	wire_end_read(end);
	run_until(session, &sent);
	assert_int_equal(sent.error, 0);
	assert_int_equal(closed.count, 1);
	assert_true(TAILQ_EMPTY(&((struct instance *)(void *)session->io)->handles));
	wire_end_free(&end);
	session_free(session);
}

/* A commit that is cancelled leaves nothing in place. */
static void
check_cancel_commit(void **state)
{
	(void)state;
	struct session *session = with_big_file();
	struct wire_end *end = wire_end_new_silent(session->base);
	struct answered opened = { .count = 0 }, received = { .count = 0 },
			committed = { .count = 0 };
	upload(session, 1, PATH("/new"), &opened);
	pathio_receive(session->io, &(struct pathio_receive){ .file = 1 }, end->worker_fd,
		on_answer, &received);
	uint32_t tag = pathio_commit(
		session->io, &(struct pathio_commit){ .file = 1 }, on_answer, &committed);
	pathio_cancel(session->io, tag);
	assert_int_equal(committed.error, -ECANCELED);
	assert_int_equal(send(end->fd, "x", 1, 0), 1);
	shutdown(end->fd, SHUT_WR);
	run_until(session, &received);
	assert_int_equal(received.error, 0);
	assert_false(is_there(session, PATH("/new")));
	assert_int_equal(session->totals.uploads_dropped, 1);
	wire_end_free(&end);
	session_free(session);
}

static void
check_long(void **state)
{
	(void)state;
	struct session *session = with_big_file();
	struct answered digested = { .count = 0 }, side_by_side = { .count = 0 };
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
	uint32_t tag = pathio_digest(session->io, &request, on_answer, &digested);
	assert_int_equal(digested.count, 0); /* others have their turn in between */
	pathio_cancel(session->io, tag);
	assert_int_equal(digested.count, 1);
	assert_int_equal(digested.error, -ECANCELED);
	for (int i = 0; i < INSTANCE_LONG_MAX; i++)
		pathio_digest(session->io, &request, on_answer, &side_by_side);
	assert_int_equal(side_by_side.count, 0);
	pathio_digest(session->io, &request, on_answer, &digested);
	assert_int_equal(digested.error, -EBUSY);
	while (side_by_side.count < INSTANCE_LONG_MAX)
		event_base_loop(session->base, EVLOOP_ONCE);
	assert_int_equal(side_by_side.error, 0);
	digested = (struct answered){ .count = 0 };
	pathio_digest(session->io, &request, on_answer, &digested);
	run_until(session, &digested);
	assert_int_equal(digested.error, 0);
	session_free(session);
}

/* ---- the end ---- */

/* A completion may free the instance; what else is owed is answered first. */
static void
check_freed_by_completion(void **state)
{
	(void)state;
	struct session *session = with_big_file();
	struct wire_end *end = wire_end_new(session->base);
	struct answered opened = { .count = 0 }, sent = { .freed = &session->io };
	struct answered sought = { .count = 0 }, closed = { .count = 0 }, other = { .count = 0 };
	struct wire_end *silent = wire_end_new_silent(session->base);
	open_file(session, 1, &opened);
	open_file(session, 2, &opened);
	send_file(session, 2, silent->worker_fd, &other);
	send_file(session, 1, end->worker_fd, &sent);
	pathio_seek(session->io, &(struct pathio_seek){ .file = 1 }, on_answer, &sought);
	close_file(session, 1, &closed);
	run_until(session, &sent);
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
	struct session *session = with_big_file();
	struct answered opened = { .freed = &session->io };
	open_file(session, 1, &opened);
	assert_null(session->io);
	assert_int_equal(opened.count, 1);
	session_free(session);
}

/* ---- uploads ---- */

static void
check_upload(void **state)
{
	(void)state;
	struct session *session = with_big_file();
	struct wire_end *end = wire_end_new_silent(session->base);
	struct answered opened = { .count = 0 }, received = { .count = 0 }, again = { .count = 0 };
	upload(session, 1, PATH("/new"), &opened);
	assert_int_equal(send(end->fd, "hello", 5, 0), 5);
	shutdown(end->fd, SHUT_WR);
	pathio_receive(session->io, &(struct pathio_receive){ .file = 1 }, end->worker_fd,
		on_answer, &received);
	assert_int_equal(received.bytes, 5);
	assert_false(is_there(session, PATH("/new"))); /* nothing before the commit */
	pathio_receive(session->io, &(struct pathio_receive){ .file = 1 }, end->worker_fd,
		on_answer, &again);
	assert_int_equal(again.error, -EINVAL); /* one stream, one upload */
	assert_int_equal(
		call_commit(session->io, &session->wait, &(struct pathio_commit){ .file = 1 }), 0);
	assert_int_equal(session->wait.body.committed.attributes.size, 5);
	assert_true(bytes_equal_text(session->wait.body.committed.path, "/new"));
	assert_true(is_there(session, PATH("/new")));
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
	struct session *session = with_big_file();
	struct answered answered = { .count = 0 };
	upload(session, 1, PATH("/new"), &answered);
	if (row->code == PATHIO_DISCARD)
		pathio_discard(
			session->io, &(struct pathio_discard){ .file = 1 }, on_answer, &answered);
	else if (row->code == PATHIO_CLOSE)
		close_file(session, 1, &answered);
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
		{ "send", "/big", "", 0, BIG },
		{ "upload_open", "/l", "", 0, 0 },
		{ "receive", "/big", "", 0, 3 },
		{ "commit", "/big", "", 0, 0 },
	};
	struct session *session = with_big_file();
	struct wire_end *end = wire_end_new(session->base);
	struct wire_end *in = wire_end_new_silent(session->base);
	struct answered answered = { .count = 0 }, sent = { .count = 0 };
	pathio_mkdir(session->io, &(struct pathio_mkdir){ .path = PATH("/x/../d/"), .mode = 0777 },
		on_answer, &answered);
	pathio_rename(session->io,
		&(struct pathio_rename){ .source = PATH("/d"), .destination = PATH("//e") },
		on_answer, &answered);
	pathio_stat(session->io, &(struct pathio_stat){ .path = PATH("/d") }, on_answer, &answered);
	pathio_symlink(session->io,
		&(struct pathio_symlink){ .path = PATH("/l"), .target = PATH("big") }, on_answer,
		&answered);
	open_file(session, 1, &answered);
	send_file(session, 1, end->worker_fd, &sent);
	run_until(session, &sent);
	close_file(session, 1, &answered);
	upload(session, 2, PATH("/l"), &answered);
	assert_int_equal(send(in->fd, "abc", 3, 0), 3);
	shutdown(in->fd, SHUT_WR);
	pathio_receive(session->io, &(struct pathio_receive){ .file = 2 }, in->worker_fd, on_answer,
		&answered);
	pathio_commit(session->io, &(struct pathio_commit){ .file = 2 }, on_answer, &answered);
	assert_int_equal(answered.error, 0);
	assert_int_equal(session->recorded_count, ARRAY_LENGTH(want));
	for (size_t i = 0; i < ARRAY_LENGTH(want); i++) {
		assert_string_equal(session->recorded[i].name, want[i].name);
		assert_string_equal(session->recorded[i].path, want[i].path);
		assert_string_equal(session->recorded[i].destination, want[i].destination);
		assert_int_equal(session->recorded[i].error, want[i].error);
		assert_int_equal(session->recorded[i].bytes, want[i].bytes);
	}
	assert_int_equal(session->totals.sent_bytes, BIG);
	assert_int_equal(session->totals.received_bytes, 3);
	assert_int_equal(session->totals.operations, ARRAY_LENGTH(want) + 1); /* and a close */
	wire_end_free(&end);
	wire_end_free(&in);
	session_free(session);
}

/* ---- the nursery ---- */

/* What one session makes the other sees; their handles are their own. */
static void
check_nursery(void **state)
{
	(void)state;
	struct session *session = with_big_file();
	struct rights *rights = session_rights(NULL);
	struct pathio *other;
	struct answered answered = { .count = 0 };
	assert_int_equal(nursery_make(session->nursery,
				 &(struct instance_options){ .identity = { .session = 77 } },
				 &rights, &other),
		0);
	assert_null(rights);
	pathio_mkdir(other, &(struct pathio_mkdir){ .path = PATH("/made"), .mode = 0777 },
		on_answer, &answered);
	assert_true(is_there(session, PATH("/made")));
	open_file(session, 1, &answered);
	pathio_read(other, &(struct pathio_read){ .file = 1 }, on_answer, &answered);
	assert_int_equal(answered.error, -EBADF); /* a foreign handle */
	pathio_free(&other);
	assert_null(other);
	session_free(session);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("numbers of handles", check_numbers),
		CASE("a failed opening leaves no handle", check_failed_opening),
		CASE("too many files", check_too_many),
		CASE("kinds of handles", check_kinds),
		CASE("one breath", check_one_breath),
		CASE("one breath that fails", check_one_breath_fails),
		CASE("other files go on", check_others_go_on),
		CASE("what waits is bounded", check_bounded),
		CASE("a completion asks again", check_asks_again),
		CASE("cancel a transfer", check_cancel_transfer),
		CASE("cancel what waits", check_cancel_waiting),
		CASE("cancel a commit", check_cancel_commit),
		CASE("long operations: cancelled, too many, done", check_long),
		CASE("freed by a completion", check_freed_by_completion),
		CASE("freed by the first completion", check_freed_by_first),
		CASE("an upload in two steps", check_upload),
		TABLE("an upload that is dropped", drop_rows, check_drop),
		CASE("the record", check_recorded),
		CASE("a nursery", check_nursery),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
