/*
 * An instance (instance.h): handles, the order of requests on a file, cancelling.
 */
#include "ipc/base/scope.h"
#include "tests/unit/worker/collected.h"
#include "tests/unit/worker/wire_end.h"
#include "worker/instance_private.h"

#include <errno.h>
#include <sys/socket.h>

/* ---- handles ---- */

static void
check_numbers(void **state)
{
	(void)state;
	struct session *session = collected_session();
	struct collected answered[4] = { { .count = 0 } };
	collect_open(session, UINT32_MAX, &answered[0]);
	assert_int_equal(answered[0].error, 0);
	collect_open(session, UINT32_MAX, &answered[1]);
	assert_int_equal(answered[1].error, -EINVAL); /* in use */
	collect_close(session, UINT32_MAX, &answered[2]);
	assert_int_equal(answered[2].error, 0);
	collect_close(session, UINT32_MAX, &answered[3]);
	assert_int_equal(answered[3].error, -EBADF); /* closing twice */
	collect_open(session, UINT32_MAX, &answered[0]);
	assert_int_equal(answered[0].error, 0); /* free again */
	session_free(session);
}

static void
check_failed_opening(void **state)
{
	(void)state;
	struct session *session = collected_session();
	struct collected answered = { .count = 0 };
	pathio_open(session->io, &(struct pathio_open){ .file = 1, .path = PATH("/none") }, collect,
		&answered);
	assert_int_equal(answered.error, -ENOENT);
	pathio_list(session->io, &(struct pathio_list){ .file = 1, .path = PATH("/big") }, collect,
		&answered);
	assert_int_equal(answered.error, -ENOTDIR);
	collect_upload(session, 1, PATH("/none/f"), &answered);
	assert_int_equal(answered.error, -ENOENT);
	collect_open(session, 1, &answered);
	assert_int_equal(answered.error, 0); /* none of them left the number in use */
	session_free(session);
}

static void
check_too_many(void **state)
{
	(void)state;
	struct session *session = collected_session();
	struct collected answered = { .count = 0 };
	for (uint32_t i = 0; i < INSTANCE_FILES_MAX; i++) {
		collect_open(session, i, &answered);
		assert_int_equal(answered.error, 0);
	}
	collect_open(session, INSTANCE_FILES_MAX, &answered);
	assert_int_equal(answered.error, -EMFILE);
	collect_close(session, 5, &answered);
	collect_open(session, INSTANCE_FILES_MAX, &answered);
	assert_int_equal(answered.error, 0);
	session_free(session);
}

/* ---- order ---- */

/* open, send, close and open again in one breath: each in its turn, the number is one file's. */
static void
check_one_breath(void **state)
{
	(void)state;
	struct session *session = collected_session();
	struct wire_end *first = wire_end_new(session->base), *second = wire_end_new(session->base);
	struct collected opened[2] = { { .count = 0 } }, sent[2] = { { .count = 0 } };
	struct collected closed[2] = { { .count = 0 } };
	collect_open(session, 1, &opened[0]);
	collect_send(session, 1, first->worker_fd, &sent[0]);
	collect_close(session, 1, &closed[0]);
	collect_open(session, 1, &opened[1]);
	collect_send(session, 1, second->worker_fd, &sent[1]);
	collect_close(session, 1, &closed[1]);
	assert_int_equal(opened[0].count, 1);
	assert_int_equal(closed[0].count, 0); /* waits for the transfer */
	assert_int_equal(opened[1].count, 0); /* waits for the close */
	collected_await(session, &closed[0]);
	collected_await(session, &closed[1]);
	assert_true(closed[0].turn < opened[1].turn);
	assert_int_equal(opened[1].error, 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sent[i].error, 0);
		assert_int_equal(sent[i].bytes, COLLECTED_BIG);
		assert_int_equal(closed[i].error, 0);
		assert_true(sent[i].turn < closed[i].turn);
		assert_int_equal(sent[i].count + closed[i].count, 2);
	}
	wire_end_finish(first);
	assert_int_equal(first->length, COLLECTED_BIG);
	wire_end_free(&first);
	wire_end_free(&second);
	session_free(session);
}

/* A failed opening fails what was sent after it, and nothing else. */
static void
check_one_breath_fails(void **state)
{
	(void)state;
	struct session *session = collected_session();
	struct collected opened = { .count = 0 }, sent = { .count = 0 }, closed = { .count = 0 };
	int ends[2];
	session_pair(ends);
	pathio_open(session->io, &(struct pathio_open){ .file = 1, .path = PATH("/none") }, collect,
		&opened);
	collect_send(session, 1, ends[0], &sent);
	collect_close(session, 1, &closed);
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
	struct session *session = collected_session();
	struct wire_end *end = wire_end_new_silent(session->base);
	struct collected sent = { .count = 0 }, other = { .count = 0 };
	collect_open(session, 1, &other);
	collect_send(session, 1, end->worker_fd, &sent);
	collect_open(session, 2, &other);
	pathio_read(session->io, &(struct pathio_read){ .file = 2, .count = 10 }, collect, &other);
	assert_int_equal(other.count, 3);
	assert_int_equal(other.error, 0);
	assert_true(session_has(session, PATH("/big")));
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
	struct session *session = collected_session();
	struct wire_end *end = wire_end_new_silent(session->base);
	struct collected sent = { .count = 0 }, waits = { .count = 0 }, refused = { .count = 0 };
	collect_open(session, 1, &refused);
	collect_send(session, 1, end->worker_fd, &sent);
	refused.count = 0;
	pathio_write(session->io,
		&(struct pathio_write){ .file = 1, .content = bytes_of(content, sizeof(content)) },
		collect, &waits);
	pathio_write(session->io,
		&(struct pathio_write){ .file = 1, .content = bytes_of(content, sizeof(content)) },
		collect, &refused);
	assert_int_equal(waits.count, 0);
	assert_int_equal(refused.error, -EBUSY);
	for (int i = 0; i < INSTANCE_WAITING_MAX - 1; i++)
		pathio_seek(session->io, &(struct pathio_seek){ .file = 1 }, collect, &waits);
	assert_int_equal(waits.count, 0);
	pathio_seek(session->io, &(struct pathio_seek){ .file = 1 }, collect, &refused);
	assert_int_equal(refused.count, 2);
	wire_end_read(end);
	collected_await(session, &sent);
	assert_int_equal(waits.count, INSTANCE_WAITING_MAX);
	wire_end_free(&end);
	session_free(session);
}

/* What a completion asks of the same file comes after what waits already. */
struct asks_again {
	struct session *session;
	struct collected first, second;
};

static void
on_first_answer(void *argument, const struct pathio_answer *answer)
{
	struct asks_again *asks = argument;
	collect(&asks->first, answer);
	pathio_seek(asks->session->io, &(struct pathio_seek){ .file = 1 }, collect, &asks->second);
}

static void
check_asks_again(void **state)
{
	(void)state;
	struct session *session = collected_session();
	struct wire_end *end = wire_end_new(session->base);
	struct asks_again asks = { .session = session };
	struct collected opened = { .count = 0 }, waits = { .count = 0 };
	collect_open(session, 1, &opened);
	pathio_send(session->io, &(struct pathio_send){ .file = 1, .count = UINT64_MAX },
		end->worker_fd, on_first_answer, &asks);
	pathio_seek(session->io, &(struct pathio_seek){ .file = 1 }, collect, &waits);
	collected_await(session, &asks.second);
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
	struct session *session = collected_session();
	struct wire_end *end = wire_end_new_silent(session->base);
	struct collected opened = { .count = 0 }, sent = { .count = 0 }, closed = { .count = 0 };
	collect_open(session, 1, &opened);
	uint32_t tag = collect_send(session, 1, end->worker_fd, &sent);
	collect_close(session, 1, &closed);
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
	struct session *session = collected_session();
	struct wire_end *end = wire_end_new_silent(session->base);
	struct collected opened = { .count = 0 }, sent = { .count = 0 }, sought = { .count = 0 },
			 closed = { .count = 0 };
	collect_open(session, 1, &opened);
	collect_send(session, 1, end->worker_fd, &sent);
	uint32_t seek_tag =
		pathio_seek(session->io, &(struct pathio_seek){ .file = 1 }, collect, &sought);
	uint32_t close_tag = collect_close(session, 1, &closed);
	pathio_cancel(session->io, seek_tag);
	pathio_cancel(session->io, close_tag);
	assert_int_equal(sought.error, -ECANCELED);
	assert_int_equal(closed.error, -ECANCELED);
	assert_int_equal(sent.count, 0);
	wire_end_read(end);
	collected_await(session, &sent);
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
	struct session *session = collected_session();
	struct wire_end *end = wire_end_new_silent(session->base);
	struct collected opened = { .count = 0 }, received = { .count = 0 },
			 committed = { .count = 0 };
	collect_upload(session, 1, PATH("/new"), &opened);
	pathio_receive(session->io, &(struct pathio_receive){ .file = 1 }, end->worker_fd, collect,
		&received);
	uint32_t tag = pathio_commit(
		session->io, &(struct pathio_commit){ .file = 1 }, collect, &committed);
	pathio_cancel(session->io, tag);
	assert_int_equal(committed.error, -ECANCELED);
	assert_int_equal(send(end->fd, "x", 1, 0), 1);
	shutdown(end->fd, SHUT_WR);
	collected_await(session, &received);
	assert_int_equal(received.error, 0);
	assert_false(session_has(session, PATH("/new")));
	assert_int_equal(session->totals.uploads_dropped, 1);
	wire_end_free(&end);
	session_free(session);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("numbers of handles", check_numbers),
		CASE("a failed opening leaves no handle", check_failed_opening),
		CASE("too many files", check_too_many),
		CASE("one breath", check_one_breath),
		CASE("one breath that fails", check_one_breath_fails),
		CASE("other files go on", check_others_go_on),
		CASE("what waits is bounded", check_bounded),
		CASE("a completion asks again", check_asks_again),
		CASE("cancel a transfer", check_cancel_transfer),
		CASE("cancel what waits", check_cancel_waiting),
		CASE("cancel a commit", check_cancel_commit),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
