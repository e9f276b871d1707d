/*
 * The contract of path-I/O where it is asynchronous (PATHIO 1, pathio.h): answers exactly once,
 * requests in one breath, cancelling, two instances over one tree. Each case in each world.
 */
#include "tests/unit/worker/session.h"
#include "tests/unit/worker/trees.h"

#include "ipc/base/scope.h"
#include "ipc/pathio_wait.h"

#include <errno.h>
#include <stdio.h>

enum { LIMIT_S = 10, LONG_BYTES = 8 << 20 };

/* One completion that is waited for. */
struct awaited {
	int count;
	int error;
	union pathio_body body;
};

static void
on_answer(void *argument, const struct pathio_answer *answer)
{
	struct awaited *awaited = argument;
	awaited->count++;
	awaited->error = answer->error;
	if (answer->error == 0 && answer->body != NULL)
		memcpy(&awaited->body, answer->body,
			pathio_messages.rules[answer->code].record->size);
}

static void
on_time_out(UNUSED evutil_socket_t fd, UNUSED short what, UNUSED void *argument)
{
	fail_msg("%s", "no answer");
}

/* Runs the loop until all of them have come, and once more for one that comes twice. */
static void
await(struct session *session, const struct awaited *awaited, size_t count)
{
	struct event *limit = evtimer_new(session->base, on_time_out, NULL);
	evtimer_add(limit, &(struct timeval){ .tv_sec = LIMIT_S });
	for (size_t i = 0; i < count; i++)
		while (awaited[i].count == 0)
			event_base_loop(session->base, EVLOOP_ONCE);
	event_free(limit);
	event_base_loop(session->base, EVLOOP_NONBLOCK);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(awaited[i].count, 1);
}

struct world_row {
	const char *name;
	void (*check)(const struct session_world *world, struct session *session);
	bool looks_inside; /* the worker's side must be the test's own loop */
};

/* ---- requests in one breath ---- */

static void
check_one_breath(const struct session_world *world, struct session *session)
{
	struct awaited answers[6] = { { .count = 0 } };
	char path[] = "/f";
	struct pathio *io = session->io;
	struct bytes name = bytes_of_text(path);
	const struct pathio_open create = { .file = 1, .path = name, .mode = PATHIO_MODE_WB };
	const struct pathio_write write = { .file = 1, .content = bytes_of_text("hello") };
	const struct pathio_close close = { .file = 1 };
	const struct pathio_open open = { .file = 1, .path = name, .mode = PATHIO_MODE_RB };
	const struct pathio_read read = { .file = 1, .count = 100 };
	pathio_open(io, &create, on_answer, &answers[0]);
	pathio_write(io, &write, on_answer, &answers[1]);
	pathio_close(io, &close, on_answer, &answers[2]);
	pathio_open(io, &open, on_answer, &answers[3]); /* the number is free again */
	pathio_read(io, &read, on_answer, &answers[4]);
	pathio_close(io, &close, on_answer, &answers[5]);
	if (world->remote || world->threads > 0)
		for (size_t i = 0; i < ARRAY_LENGTH(answers); i++)
			assert_int_equal(answers[i].count, 0); /* never from inside the call */
	memset(path, 'x', sizeof(path) - 1);                   /* the request was the caller's */
	await(session, answers, ARRAY_LENGTH(answers));
	for (size_t i = 0; i < ARRAY_LENGTH(answers); i++)
		assert_int_equal(answers[i].error, 0);
	assert_int_equal(answers[1].body.written.count, 5);
	assert_int_equal(answers[3].body.opened.attributes.size, 5);
	assert_int_equal(answers[4].body.content.bytes.length, 5);
}

/* What follows a failed open in the same breath fails too, each by itself. */
static void
check_failed_breath(UNUSED const struct session_world *world, struct session *session)
{
	struct awaited answers[3] = { { .count = 0 } };
	const struct pathio_open open = {
		.file = 1, .path = bytes_of_text("/n"), .mode = PATHIO_MODE_RB
	};
	pathio_open(session->io, &open, on_answer, &answers[0]);
	pathio_read(session->io, &(struct pathio_read){ .file = 1, .count = 1 }, on_answer,
		&answers[1]);
	pathio_close(session->io, &(struct pathio_close){ .file = 1 }, on_answer, &answers[2]);
	await(session, answers, ARRAY_LENGTH(answers));
	assert_int_equal(answers[0].error, -ENOENT);
	assert_int_equal(answers[1].error, -EBADF);
	assert_int_equal(answers[2].error, -EBADF);
}

/* Ten files written side by side (PATHIO 6, program 2). */
static void
check_ten_files(UNUSED const struct session_world *world, struct session *session)
{
	struct awaited answers[30] = { { .count = 0 } };
	for (uint32_t i = 0; i < 10; i++) {
		char path[8];
		snprintf(path, sizeof(path), "/%u", i);
		const struct pathio_open open = {
			.file = i, .path = bytes_of_text(path), .mode = PATHIO_MODE_XB
		};
		pathio_open(session->io, &open, on_answer, &answers[3 * i]);
	}
	for (uint32_t i = 0; i < 10; i++) {
		const struct pathio_write write = { .file = i, .content = bytes_of_text("text") };
		pathio_write(session->io, &write, on_answer, &answers[3 * i + 1]);
		pathio_close(session->io, &(struct pathio_close){ .file = i }, on_answer,
			&answers[3 * i + 2]);
	}
	await(session, answers, ARRAY_LENGTH(answers));
	for (size_t i = 0; i < ARRAY_LENGTH(answers); i++)
		assert_int_equal(answers[i].error, 0);
}

/* ---- listings ---- */

static void
check_batches(UNUSED const struct session_world *world, struct session *session)
{
	enum { ENTRIES = 600 };
	char path[32];
	uint32_t seen = 0;
	for (int i = 0; i < ENTRIES; i++) {
		snprintf(path, sizeof(path), "/%d", i);
		session_plant(session, path, "", 0);
	}
	const struct pathio_list list = { .file = 5, .path = bytes_of_text("/") };
	assert_int_equal(session_finish(session,
				 pathio_list(session->io, &list, pathio_wait_done, &session->wait)),
		0);
	const struct pathio_entries *batch = &session->wait.body.entries;
	do {
		const struct pathio_next next = { .file = 5 };
		assert_int_equal(session_finish(session, pathio_next(session->io, &next,
								 pathio_wait_done, &session->wait)),
			0);
		assert_true(batch->list.count <= PATHIO_BATCH_ENTRIES);
		seen += batch->list.count;
	} while (!batch->last);
	assert_int_equal(seen, ENTRIES);
}

/* ---- cancelling ---- */

static void
check_cancel_receive(UNUSED const struct session_world *world, struct session *session)
{
	struct awaited answers[2] = { { .count = 0 } };
	int ends[2];
	const struct pathio_upload_open open = {
		.file = 1, .path = bytes_of_text("/f"), .how = PATHIO_HOW_REPLACE
	};
	session_pair(ends);
	pathio_upload_open(session->io, &open, on_answer, &answers[0]);
	uint32_t tag = pathio_receive(session->io, &(struct pathio_receive){ .file = 1 }, ends[0],
		on_answer, &answers[1]);
	await(session, answers, 1);
	assert_int_equal(answers[1].count, 0);
	pathio_cancel(session->io, tag);
	await(session, answers, 2);
	assert_int_equal(answers[1].error, -ECANCELED);
	pathio_cancel(session->io, tag); /* too late */
	pathio_cancel(session->io, 4711);
	assert_int_equal(session_finish(session,
				 pathio_discard(session->io, &(struct pathio_discard){ .file = 1 },
					 pathio_wait_done, &session->wait)),
		0);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

static void
check_cancel_digest(UNUSED const struct session_world *world, struct session *session)
{
	static char content[LONG_BYTES];
	struct awaited answer = { .count = 0 };
	session_plant(session, "/f", content, sizeof(content));
	const struct pathio_digest digest = {
		.path = bytes_of_text("/f"), .algorithm = PATHIO_SHA512, .count = UINT64_MAX
	};
	uint32_t tag = pathio_digest(session->io, &digest, on_answer, &answer);
	assert_int_equal(answer.count, 0);
	pathio_cancel(session->io, tag);
	await(session, &answer, 1);
	assert_int_equal(answer.error, -ECANCELED);
}

/* What `io` answers to exists, without the help of what is being tested. */
static bool
is_there(struct session *session, const char *path)
{
	int answer = pathio_wait_ask(&session->wait, session->io, PATHIO_EXISTS, path);
	assert_true(answer >= 0);
	return answer == 1;
}

/* A copy that is cancelled leaves nothing, not even under a hidden name. */
static void
check_cancel_copy(UNUSED const struct session_world *world, struct session *session)
{
	static char content[LONG_BYTES];
	struct awaited answer = { .count = 0 };
	session_plant_folder(session, "/d");
	session_plant(session, "/f", content, sizeof(content));
	const struct pathio_copy copy = { .source = bytes_of_text("/f"),
		.destination = bytes_of_text("/d/f") };
	uint32_t tag = pathio_copy(session->io, &copy, on_answer, &answer);
	assert_int_equal(answer.count, 0);
	pathio_cancel(session->io, tag);
	await(session, &answer, 1);
	assert_int_equal(answer.error, -ECANCELED);
	assert_true(nursery_rest(session->nursery, LIMIT_S * 1000)); /* a thread drops it */
	assert_false(is_there(session, "/d/f"));
	assert_int_equal(pathio_wait_rmdir(&session->wait, session->io,
				 &(struct pathio_rmdir){ .path = bytes_of_text("/d") }),
		0);
}

/* What a removal that is cancelled has not reached stays, and can be removed. */
static void
check_cancel_remove_tree(UNUSED const struct session_world *world, struct session *session)
{
	enum { ENTRIES = 600 };
	struct awaited answer = { .count = 0 };
	const struct pathio_remove_tree removal = { .path = bytes_of_text("/d") };
	session_plant_folder(session, "/d");
	for (int i = 0; i < ENTRIES; i++) {
		char path[32];
		snprintf(path, sizeof(path), "/d/%d", i);
		session_plant(session, path, "", 0);
	}
	uint32_t tag = pathio_remove_tree(session->io, &removal, on_answer, &answer);
	assert_int_equal(answer.count, 0);
	pathio_cancel(session->io, tag);
	await(session, &answer, 1);
	assert_int_equal(answer.error, -ECANCELED);
	assert_true(is_there(session, "/d"));
	assert_int_equal(pathio_wait_remove_tree(&session->wait, session->io, &removal), 0);
	assert_false(is_there(session, "/d"));
}

/* Nobody reads what is sent: it moves what fits into the socket, and waits. */
static void
check_cancel_send(UNUSED const struct session_world *world, struct session *session)
{
	static char content[LONG_BYTES];
	struct awaited answers[2] = { { .count = 0 } };
	int ends[2];
	session_plant(session, "/f", content, sizeof(content));
	session_pair(ends);
	const struct pathio_open open = { .file = 1, .path = bytes_of_text("/f") };
	const struct pathio_send send = { .file = 1, .count = UINT64_MAX };
	pathio_open(session->io, &open, on_answer, &answers[0]);
	uint32_t tag = pathio_send(session->io, &send, ends[0], on_answer, &answers[1]);
	await(session, answers, 1);
	assert_int_equal(answers[1].count, 0);
	pathio_cancel(session->io, tag);
	await(session, answers, 2);
	assert_int_equal(answers[1].error, -ECANCELED);
	/* The file is as it was: another descriptor gets it. */
	assert_int_equal(pathio_wait_read(&session->wait, session->io,
				 &(struct pathio_read){ .file = 1, .count = 1 }),
		0);
	assert_int_equal(session->wait.body.content.bytes.length, 1);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

/* A long operation holds up nobody. */
static void
check_stat_beside_digest(UNUSED const struct session_world *world, struct session *session)
{
	static char content[LONG_BYTES];
	struct awaited answers[2] = { { .count = 0 } };
	session_plant(session, "/f", content, sizeof(content));
	const struct pathio_digest digest = {
		.path = bytes_of_text("/f"), .algorithm = PATHIO_SHA512, .count = UINT64_MAX
	};
	const struct pathio_stat stat = { .path = bytes_of_text("/f") };
	pathio_digest(session->io, &digest, on_answer, &answers[1]);
	pathio_stat(session->io, &stat, on_answer, &answers[0]);
	while (answers[0].count == 0)
		event_base_loop(session->base, EVLOOP_ONCE);
	assert_int_equal(answers[1].count, 0);
	await(session, answers, 2);
	assert_int_equal(answers[0].error, 0);
	assert_int_equal(answers[1].error, 0);
}

/* The end of the instance ends what runs, exactly once, and drops the upload. */
static void
check_free_while_receiving(const struct session_world *world, struct session *session)
{
	struct awaited answers[2] = { { .count = 0 } };
	int ends[2];
	const struct pathio_upload_open open = {
		.file = 1, .path = bytes_of_text("/f"), .how = PATHIO_HOW_REPLACE
	};
	session_pair(ends);
	pathio_upload_open(session->io, &open, on_answer, &answers[0]);
	pathio_receive(session->io, &(struct pathio_receive){ .file = 1 }, ends[0], on_answer,
		&answers[1]);
	await(session, answers, 1);
	pathio_free(&session->io);
	assert_null(session->io);
	await(session, answers, 2);
	assert_int_equal(answers[1].error, -ECANCELED);
	/* The far end of a channel learns it from the loop. */
	while (world->remote && session->ended == 0)
		event_base_loop(session->base, EVLOOP_ONCE);
	assert_true(nursery_rest(session->nursery, LIMIT_S * 1000));
	struct path root = test_path("/");
	const struct tree *tree = session_tree(session);
	struct backend_directory *directory;
	struct backend_entry entry;
	assert_int_equal(
		tree->backend->directory_open(tree->state, &root, BACKEND_NAMES, &directory), 0);
	int left = tree->backend->directory_next(directory, &entry);
	tree->backend->directory_close(&directory);
	assert_int_equal(left, 0);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

/* ---- two instances over one tree ---- */

static void
check_two_instances(UNUSED const struct session_world *world, struct session *session)
{
	session_make_other(session);
	const struct pathio_mkdir mkdir = { .path = bytes_of_text("/d"), .mode = 0777 };
	const struct pathio_stat stat = { .path = bytes_of_text("/d") };
	assert_int_equal(session_finish(session, pathio_mkdir(session->io, &mkdir, pathio_wait_done,
							 &session->wait)),
		0);
	assert_int_equal(session_finish(session, pathio_stat(session->other, &stat,
							 pathio_wait_done, &session->wait)),
		0);
	assert_int_equal(session->wait.body.attributes_of.attributes.type, PATHIO_TYPE_DIRECTORY);
}

/* What is known of the account; who else is there. */
static uint32_t
count_siblings(struct session *session, struct pathio *io, uint32_t *own)
{
	struct pathio_sibling who;
	const struct pathio_account request = { 0 };
	assert_int_equal(session_finish(session,
				 pathio_account(io, &request, pathio_wait_done, &session->wait)),
		0);
	const struct pathio_account_is *account = &session->wait.body.account_is;
	struct wire_list list = account->sessions;
	assert_int_equal(account->umask, 022);
	assert_int_equal(account->session_count, list.count);
	*own = 0;
	while (wire_list_next(&list, &pathio_sibling_record, &who))
		*own += who.own;
	return account->session_count;
}

static void
check_account(UNUSED const struct session_world *world, struct session *session)
{
	uint32_t own;
	assert_int_equal(count_siblings(session, session->io, &own), 1);
	session_make_other(session);
	assert_int_equal(count_siblings(session, session->other, &own), 2);
	assert_int_equal(own, 1);
	assert_int_equal(count_siblings(session, session->io, &own), 2);
	assert_int_equal(own, 1);
	pathio_free(&session->other);
	/* Across a channel its end has to arrive. */
	for (int i = 0; i < 100 && count_siblings(session, session->io, &own) > 1; i++)
		event_base_loop(session->base, EVLOOP_NONBLOCK);
	assert_int_equal(count_siblings(session, session->io, &own), 1);
	assert_int_equal(own, 1);
}

static const struct world_row world_rows[] = {
	{ "open, write, close, open, read, close in one breath", check_one_breath, false },
	{ "a breath whose open fails", check_failed_breath, false },
	{ "ten files side by side", check_ten_files, false },
	{ "batches of a listing", check_batches, false },
	{ "cancel a receive", check_cancel_receive, false },
	{ "cancel a digest", check_cancel_digest, false },
	{ "cancel a copy", check_cancel_copy, false },
	{ "cancel a removal", check_cancel_remove_tree, false },
	{ "cancel a send", check_cancel_send, false },
	{ "a stat beside a digest", check_stat_beside_digest, false },
	{ "the end of an instance that receives", check_free_while_receiving, true },
	{ "two instances, one tree", check_two_instances, true },
	{ "an account and its instances", check_account, true },
};

static void
run(const struct session_world *world, void **state)
{
	const struct world_row *row = *state;
	int descriptors = count_descriptors();
	struct session_world here = *world;
	here.is_led = world->is_led && !row->looks_inside;
	struct session *session = session_new_in(&here);
	row->check(&here, session);
	session_free(session);
	assert_int_equal(count_descriptors(), descriptors);
}

#define WORLD(name, title, ...)                                           \
	static void run_##name(void **state)                              \
	{                                                                 \
		run(&(const struct session_world){ __VA_ARGS__ }, state); \
	}
#include "tests/contract/worlds.def"

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = {
#define WORLD(name, title, ...) TABLE(title, world_rows, run_##name),
#include "tests/contract/worlds.def"
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
