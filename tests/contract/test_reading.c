/*
 * What stands on top of path-I/O for its callers: reading to the end in bounded pieces, waiting,
 * open-file scopes, errors in words (PATHIO 1, 2). In every world, since a local instance answers
 * from inside the call and a remote one later. Descriptors are counted before and after each case.
 */
#include "ipc/base/scope.h"
#include "ipc/pathio_read.h"
#include "ipc/pathio_wait.h"
#include "tests/unit/worker/session.h"
#include "tests/unit/worker/trees.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_BYTES = 20000, LARGE_BYTES = 3 * 1024 * 1024 + 1, MARK_EVERY = 251 };

static const struct session_world worlds[] = {
#define WORLD(name, title, ...) { __VA_ARGS__ },
#include "tests/contract/worlds.def"
};

/* So many bytes of which each tells where it is. */
static char *
make_content(size_t length)
{
	char *content = malloc(length);
	assert_non_null(content);
	for (size_t i = 0; i < length; i++)
		content[i] = (char)(i % MARK_EVERY);
	return content;
}

static void
plant(struct session *session, const char *path, size_t length)
{
	SCOPE_FREE char *content = make_content(length);
	session_plant(session, path, content, length);
}

static void
expect_failure(const struct session *session, const char *want)
{
	SCOPE_FREE char *text = pathio_error_text(&session->wait.failure);
	assert_non_null(text);
	assert_string_equal(text, want);
}

/* ---- iterate ---- */

struct iterated {
	struct pathio_wait *wait;
	size_t lengths[16];
	size_t count;
	size_t total;
	bool right;
	int stop_with; /* at the second block; 0: never */
};

static int
on_block(void *argument, struct bytes block)
{
	struct iterated *iterated = argument;
	for (size_t i = 0; i < block.length; i++)
		iterated->right &= block.data[i] == (char)((iterated->total + i) % MARK_EVERY);
	if (iterated->count < ARRAY_LENGTH(iterated->lengths))
		iterated->lengths[iterated->count] = block.length;
	iterated->count++;
	iterated->total += block.length;
	return iterated->count == 2 ? iterated->stop_with : 0;
}

static void
on_ended(void *argument, int error)
{
	struct iterated *iterated = argument;
	pathio_wait_done(iterated->wait, &(struct pathio_answer){ .error = error });
}

static int
iterate(struct session *session, const char *path, size_t block_bytes, struct iterated *iterated)
{
	SCOPE_FILE struct pathio_file file = pathio_file_of(&session->wait, session->io, 1);
	assert_int_equal(pathio_file_open(&file, path, PATHIO_MODE_RB), 0);
	iterated->wait = &session->wait;
	iterated->right = true;
	pathio_iterate(session->io, 1, block_bytes, on_block, on_ended, iterated);
	return pathio_wait_finish(&session->wait);
}

static void
check_iterate(struct session *session)
{
	struct iterated iterated = { 0 };
	plant(session, "/file", FILE_BYTES);
	assert_int_equal(iterate(session, "/file", 8192, &iterated), 0);
	assert_int_equal(iterated.count, 3);
	assert_int_equal(iterated.lengths[0], 8192);
	assert_int_equal(iterated.lengths[1], 8192);
	assert_int_equal(iterated.lengths[2], 3616);
	assert_true(iterated.right);
}

/* Blocks that take several reads, of a file that takes many blocks: the stack does not grow. */
static void
check_iterate_large(struct session *session)
{
	struct iterated iterated = { 0 };
	struct iterated small = { 0 };
	plant(session, "/file", LARGE_BYTES);
	assert_int_equal(iterate(session, "/file", 1024 * 1024, &iterated), 0);
	assert_int_equal(iterated.count, 4);
	assert_int_equal(iterated.lengths[2], 1024 * 1024);
	assert_int_equal(iterated.lengths[3], 1);
	assert_true(iterated.right);
	assert_int_equal(iterate(session, "/file", 100, &small), 0);
	assert_int_equal(small.count, LARGE_BYTES / 100 + 1);
	assert_int_equal(small.total, LARGE_BYTES);
	assert_true(small.right);
}

static void
check_iterate_exact(struct session *session)
{
	struct iterated iterated = { 0 };
	struct iterated empty = { 0 };
	plant(session, "/file", 400);
	plant(session, "/empty", 0);
	assert_int_equal(iterate(session, "/file", 200, &iterated), 0);
	assert_int_equal(iterated.count, 2);
	assert_int_equal(iterate(session, "/empty", 200, &empty), 0);
	assert_int_equal(empty.count, 0);
}

static void
check_iterate_stopped(struct session *session)
{
	struct iterated iterated = { .stop_with = -EPIPE };
	plant(session, "/file", FILE_BYTES);
	assert_int_equal(iterate(session, "/file", 1000, &iterated), -EPIPE);
	assert_int_equal(iterated.count, 2);
}

static void
check_iterate_wrong(struct session *session)
{
	struct iterated iterated = { 0 };
	plant(session, "/file", FILE_BYTES);
	assert_int_equal(iterate(session, "/file", 0, &iterated), -EINVAL);
	assert_int_equal(
		iterate(session, "/file", PATHIO_ITERATE_BYTES_MAX + 1, &iterated), -EINVAL);
	pathio_iterate(session->io, 9, 100, on_block, on_ended, &iterated);
	assert_int_equal(pathio_wait_finish(&session->wait), -EBADF);
	assert_int_equal(iterated.count, 0);
}

/* ---- read to the end ---- */

static int
read_all(struct session *session, size_t limit, size_t *length)
{
	SCOPE_FREE char *content = NULL;
	SCOPE_FILE struct pathio_file file = pathio_file_of(&session->wait, session->io, 1);
	assert_int_equal(pathio_file_open(&file, "/file", PATHIO_MODE_RB), 0);
	int error = pathio_file_read_all(&file, limit, &content, length);
	if (error < 0) {
		assert_null(content);
		return error;
	}
	SCOPE_FREE char *want = make_content(*length);
	assert_memory_equal(content, want, *length);
	assert_int_equal(content[*length], 0);
	return 0;
}

static void
check_read_all(struct session *session)
{
	size_t length = 0;
	plant(session, "/file", LARGE_BYTES);
	assert_int_equal(read_all(session, SIZE_MAX, &length), 0);
	assert_int_equal(length, LARGE_BYTES);
	assert_int_equal(read_all(session, LARGE_BYTES, &length), 0);
	length = 0;
	assert_int_equal(read_all(session, LARGE_BYTES - 1, &length), -EFBIG);
	assert_int_equal(length, 0);
	expect_failure(session, "read /file: File too large");
	plant(session, "/file", 0);
	assert_int_equal(read_all(session, 0, &length), 0);
	assert_int_equal(length, 0);
}

/* ---- open-file scopes ---- */

static void
check_scope(struct session *session)
{
	char buffer[FILE_BYTES];
	SCOPE_FREE char *content = make_content(LARGE_BYTES);
	{
		SCOPE_FILE struct pathio_file file = pathio_file_of(&session->wait, session->io, 1);
		assert_int_equal(pathio_file_open(&file, "/file", PATHIO_MODE_WB), 0);
		assert_int_equal(pathio_file_write(&file, bytes_of(content, LARGE_BYTES)), 0);
	}
	/* The scope has closed it: the number is free. */
	SCOPE_FILE struct pathio_file file = pathio_file_of(&session->wait, session->io, 1);
	assert_int_equal(pathio_file_open(&file, "/file", PATHIO_MODE_RB), 0);
	assert_int_equal(pathio_file_seek(&file, -5000, PATHIO_SEEK_END), LARGE_BYTES - 5000);
	assert_int_equal(pathio_file_read(&file, buffer, sizeof(buffer)), 5000);
	assert_memory_equal(buffer, content + LARGE_BYTES - 5000, 5000);
	assert_int_equal(pathio_file_read(&file, buffer, sizeof(buffer)), 0);
	assert_int_equal(pathio_file_seek(&file, 0, PATHIO_SEEK_SET), 0);
	assert_int_equal(pathio_file_read(&file, buffer, sizeof(buffer)), sizeof(buffer));
	assert_memory_equal(buffer, content, sizeof(buffer));
	assert_int_equal(pathio_file_close(&file), 0);
}

static void
check_scope_twice(struct session *session)
{
	plant(session, "/file", 10);
	SCOPE_FILE struct pathio_file file = pathio_file_of(&session->wait, session->io, 1);
	assert_int_equal(pathio_file_close(&file), -EBADF);
	assert_int_equal(pathio_file_open(&file, "/file", PATHIO_MODE_RB), 0);
	assert_int_equal(pathio_file_open(&file, "/other", PATHIO_MODE_WB), -EINVAL);
	expect_failure(session, "open /other: Invalid argument");
	assert_int_equal(pathio_wait_ask(&session->wait, session->io, PATHIO_EXISTS, "/other"), 0);
	assert_int_equal(pathio_file_close(&file), 0);
	assert_int_equal(pathio_file_close(&file), -EBADF);
	expect_failure(session, "close /file: Not an open file, or not open for this");
	assert_int_equal(pathio_file_open(&file, "/file", PATHIO_MODE_RB), 0);
}

static void
check_scope_failed(struct session *session)
{
	char byte;
	plant(session, "/file", 10);
	SCOPE_FILE struct pathio_file file = pathio_file_of(&session->wait, session->io, 1);
	assert_int_equal(pathio_file_open(&file, "/none", PATHIO_MODE_RB), -ENOENT);
	expect_failure(session, "open /none: No such file or directory");
	assert_int_equal(pathio_file_close(&file), -EBADF);
	assert_int_equal(pathio_file_open(&file, "/file", PATHIO_MODE_RB), 0);
	assert_int_equal(pathio_file_write(&file, bytes_of("x", 1)), -EBADF);
	expect_failure(session, "write /file: Not an open file, or not open for this");
	assert_int_equal(pathio_file_seek(&file, -1, PATHIO_SEEK_SET), -EINVAL);
	expect_failure(session, "seek /file: Invalid argument");
	assert_int_equal(pathio_file_close(&file), 0);
	assert_int_equal(pathio_file_open(&file, "/file", PATHIO_MODE_WB), 0);
	assert_int_equal(pathio_file_read(&file, &byte, 1), -EBADF);
}

static void
check_folder(struct session *session)
{
	struct pathio_entry entry;
	unsigned files = 0;
	for (unsigned i = 0; i < 2 * PATHIO_BATCH_ENTRIES; i++) {
		char path[32];
		snprintf(path, sizeof(path), "/%u", i);
		session_plant(session, path, "x", 1);
	}
	SCOPE_FOLDER struct pathio_folder folder = pathio_folder_of(&session->wait, session->io, 1);
	assert_int_equal(pathio_folder_open(&folder, "/none"), -ENOENT);
	expect_failure(session, "list /none: No such file or directory");
	assert_int_equal(pathio_folder_next(&folder, &entry), -EBADF);
	assert_int_equal(pathio_folder_open(&folder, "/"), 0);
	assert_int_equal(pathio_folder_open(&folder, "/"), -EINVAL);
	while (pathio_folder_next(&folder, &entry) > 0) {
		/* Another wait leaves the entry as it is. */
		assert_int_equal(
			pathio_wait_ask(&session->wait, session->io, PATHIO_EXISTS, "/0"), 1);
		assert_in_range(entry.name.length, 1, 3);
		assert_int_equal(entry.attributes.size, 1);
		files++;
	}
	assert_int_equal(files, 2 * PATHIO_BATCH_ENTRIES);
	assert_int_equal(pathio_folder_next(&folder, &entry), 0);
}

/* ---- errors ---- */

static void
check_errors(struct session *session)
{
	struct pathio_wait *wait = &session->wait;
	const struct pathio_rename rename = { .source = bytes_of_text("/none"),
		.destination = bytes_of_text("/b") };
	const struct pathio_unlink odd = { .path = bytes_of_text("/a\nb\\c\x7f") };
	const struct pathio_stat zero = { .path = bytes_of("/a\0b", 4) };
	assert_null(wait->failure.operation);
	assert_int_equal(pathio_wait_rename(wait, session->io, &rename), -ENOENT);
	expect_failure(session, "rename /none: No such file or directory");
	assert_string_equal(wait->failure.operation, "rename");
	assert_string_equal(wait->failure.path, "/none");
	assert_int_equal(wait->failure.error, -ENOENT);
	assert_int_equal(pathio_wait_unlink(wait, session->io, &odd), -ENOENT);
	expect_failure(session, "unlink /a\\012b\\134c\\177: No such file or directory");
	assert_int_equal(pathio_wait_stat(wait, session->io, &zero), -EINVAL);
	expect_failure(session, "stat /a\\000b: Invalid argument");
	assert_int_equal(pathio_wait_sync(wait, session->io, &(struct pathio_sync){ 7 }), -EBADF);
	expect_failure(session, "sync: Not an open file, or not open for this");
}

static void
check_questions(struct session *session)
{
	struct pathio_wait *wait = &session->wait;
	plant(session, "/file", 10);
	assert_int_equal(pathio_wait_ask(wait, session->io, PATHIO_IS_FILE, "/file"), 1);
	assert_int_equal(pathio_wait_ask(wait, session->io, PATHIO_IS_DIR, "/file"), 0);
	assert_int_equal(pathio_wait_ask(wait, session->io, PATHIO_EXISTS, "/file/x"), 0);
	assert_null(wait->failure.operation);
	assert_int_equal(pathio_wait_ask(wait, session->io, PATHIO_IS_DIR, ""), -EINVAL);
}

/* ---- every case in every world ---- */

static const struct reading_row {
	const char *name;
	void (*check)(struct session *session);
} reading_rows[] = {
	{ "20,000 bytes by 8,192", check_iterate },
	{ "blocks of several reads, and thousands of blocks", check_iterate_large },
	{ "no empty block at the end", check_iterate_exact },
	{ "an iteration that is told to stop", check_iterate_stopped },
	{ "no sensible block, no open file", check_iterate_wrong },
	{ "all of it, within a limit", check_read_all },
	{ "a scope closes its file", check_scope },
	{ "a scope opened or closed twice", check_scope_twice },
	{ "a scope whose calls fail", check_scope_failed },
	{ "a listing in a scope", check_folder },
	{ "errors have operation, path, errno and text", check_errors },
	{ "questions", check_questions },
};

static void
run(void **state)
{
	const struct reading_row *row = *state;
	for (size_t i = 0; i < ARRAY_LENGTH(worlds); i++) {
		int descriptors = count_descriptors();
		struct session *session = session_new_in(&worlds[i]);
		session->count_only = true;
		row->check(session);
		session_free(session);
		assert_int_equal(count_descriptors(), descriptors);
	}
}

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = { TABLE("every world", reading_rows, run) };
	return table_run(tables, ARRAY_LENGTH(tables));
}
