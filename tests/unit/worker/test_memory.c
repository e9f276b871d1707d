/*
 * What the memory backend alone promises: its limit, its account, and that bytes on their way
 * through a socket stay what they were (DECISIONS 29).
 */
#include "tests/table.h"
#include "tests/unit/worker/trees.h"

#include "ipc/base/scope.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#define PAGE ((size_t)4096)

static struct test_tree test;

static void
open_tree(uint64_t limit_bytes)
{
	struct backend_options options = { .memory_limit_bytes = limit_bytes, .umask = 022 };
	struct upload_policy uploads = { .sync = SYNC_NONE };
	test_tree_open_with(&test, &backend_memory, &options, &uploads);
}

static uint64_t
space(void)
{
	struct path path = test_path("/");
	uint64_t bytes;
	assert_int_equal(backend_memory.space(test.tree.state, &path, &bytes), 0);
	return bytes;
}

static struct backend_file *
open_file(const char *text, unsigned flags)
{
	struct path path = test_path(text);
	struct backend_file *file;
	assert_int_equal(backend_memory.open(test.tree.state, &path, flags, 0666, &file, NULL), 0);
	return file;
}

static struct backend_file *
create_file(const char *text)
{
	return open_file(text, BACKEND_READ | BACKEND_WRITE | BACKEND_CREATE | BACKEND_TRUNCATE);
}

static void
fill(struct backend_file *file, uint64_t offset, char letter, size_t length)
{
	static char block[1 << 20];
	assert_true(length <= sizeof(block));
	memset(block, letter, length);
	assert_int_equal(backend_memory.write(file, offset, block, length), length);
}

static void
expect_letters(int fd, off_t offset, char letter, size_t length)
{
	static char block[1 << 20];
	assert_int_equal(pread(fd, block, length, offset), length);
	for (size_t i = 0; i < length; i++)
		if (block[i] != letter)
			fail_msg("byte %zu is %d and not %d", i, block[i], letter);
}

static void
remove_name(const char *text)
{
	struct path path = test_path(text);
	assert_int_equal(backend_memory.unlink(test.tree.state, &path), 0);
}

/* ---- the limit ---- */

static void
check_contents_limit(UNUSED void **state)
{
	static char block[64 * PAGE];
	open_tree(32 * PAGE);
	uint64_t before = space();
	struct backend_file *file = create_file("/f");
	ssize_t written = backend_memory.write(file, 0, block, sizeof(block));
	assert_in_range(written, 28 * PAGE, 31 * PAGE); /* a node takes a little of it */
	assert_int_equal(backend_memory.write(file, (uint64_t)written, block, 1), -ENOSPC);
	struct pathio_attributes found;
	assert_int_equal(backend_memory.attributes(file, &found), 0);
	assert_int_equal(found.size, written);
	assert_true(space() < PAGE);
	backend_memory.close(&file);
	remove_name("/f");
	/* A folder keeps the table that it once needed. */
	assert_in_range(before - space(), 0, 8 * sizeof(void *));
	test_tree_close(&test);
}

static void
check_nodes_limit(UNUSED void **state)
{
	open_tree(100000);
	struct path path = test_path("/");
	char name[32];
	int error = 0;
	int made = 0;
	for (; error == 0 && made < 100000; made++) {
		snprintf(name, sizeof(name), "/folder-%d", made);
		path = test_path(name);
		error = backend_memory.mkdir(test.tree.state, &path, 0777);
	}
	assert_int_equal(error, -ENOSPC);
	assert_in_range(made, 100, 1000);
	struct pathio_attributes found;
	assert_int_equal(backend_memory.stat(test.tree.state, &path, true, &found), -ENOENT);
	path = test_path("/l");
	static char target[4000];
	memset(target, 'x', sizeof(target));
	assert_int_equal(
		backend_memory.symlink(test.tree.state, bytes_of(target, sizeof(target)), &path),
		-ENOSPC);
	test_tree_close(&test);
}

static void
check_no_room_at_all(UNUSED void **state)
{
	open_tree(1024);
	struct backend_file *file = create_file("/f");
	assert_int_equal(backend_memory.write(file, 0, "x", 1), -ENOSPC);
	assert_int_equal(backend_memory.truncate(file, 1 << 30), 0); /* a hole needs no room */
	char byte = 'x';
	assert_int_equal(backend_memory.read(file, 1 << 20, &byte, 1), 1);
	assert_int_equal(byte, 0);
	backend_memory.close(&file);
	test_tree_close(&test);
}

/* Everything that was taken is given back, in whatever state it was. */
static void
check_account(UNUSED void **state)
{
	open_tree(1 << 20);
	struct backend_file *keep = create_file("/keep"); /* so that the root has its table */
	uint64_t before = space();
	for (int round = 0; round < 100; round++) {
		struct backend_file *file = create_file("/f");
		struct backend_extent extent;
		fill(file, 0, 'a', 10 * PAGE);
		assert_int_equal(backend_memory.extent(file, 0, 10 * PAGE, &extent), 1);
		fill(file, 100, 'b', 3 * PAGE);
		assert_int_equal(backend_memory.truncate(file, PAGE + 1), 0);
		fill(file, 30 * PAGE, 'c', PAGE);
		if (round % 2 == 0)
			remove_name("/f");
		backend_memory.close(&file);
		if (round % 2 != 0)
			remove_name("/f");
		assert_int_equal(space(), before);
	}
	backend_memory.close(&keep);
	test_tree_close(&test);
}

/* ---- bytes on their way ---- */

struct change_row {
	const char *name;
	void (*change)(void);
};

static void
overwrite(void)
{
	struct backend_file *file = open_file("/f", BACKEND_WRITE);
	fill(file, 0, 'b', 8 * PAGE);
	backend_memory.close(&file);
}

static void
overwrite_the_middle(void)
{
	struct backend_file *file = open_file("/f", BACKEND_WRITE);
	fill(file, 2 * PAGE + 100, 'b', PAGE);
	fill(file, 5 * PAGE + 1, 'b', 1);
	backend_memory.close(&file);
}

static void
truncate_and_write(void)
{
	struct backend_file *file = open_file("/f", BACKEND_WRITE | BACKEND_TRUNCATE);
	fill(file, 0, 'b', 3 * PAGE);
	backend_memory.close(&file);
}

static void
cut_short(void)
{
	struct backend_file *file = open_file("/f", BACKEND_WRITE);
	assert_int_equal(backend_memory.truncate(file, 2 * PAGE + 5), 0);
	fill(file, 3 * PAGE, 'b', PAGE);
	backend_memory.close(&file);
}

static void
delete_and_create(void)
{
	remove_name("/f");
	for (int i = 0; i < 4; i++) {
		char name[16];
		snprintf(name, sizeof(name), "/f%d", i);
		struct backend_file *file = create_file(name);
		fill(file, 0, 'b', 8 * PAGE);
		backend_memory.close(&file);
	}
}

static void
replace_by_rename(void)
{
	struct path from = test_path("/g");
	struct path to = test_path("/f");
	struct backend_file *file = create_file("/g");
	fill(file, 0, 'b', 8 * PAGE);
	backend_memory.close(&file);
	assert_int_equal(backend_memory.rename(test.tree.state, &from, &to), 0);
}

static const struct change_row change_rows[] = {
	{ "overwritten", overwrite },
	{ "overwritten in the middle", overwrite_the_middle },
	{ "truncated and written", truncate_and_write },
	{ "cut short and grown", cut_short },
	{ "deleted and created", delete_and_create },
	{ "replaced by a rename", replace_by_rename },
};

static void
make_eight_pages(void)
{
	struct backend_file *file = create_file("/f");
	fill(file, 0, 'a', 8 * PAGE);
	backend_memory.close(&file);
}

/* Between two calls of sendfile(2): what was handed out stays until the reader closes. */
static void
check_handed_out(void **state)
{
	const struct change_row *row = *state;
	open_tree(1 << 20);
	make_eight_pages();
	struct backend_file *reader = open_file("/f", BACKEND_READ);
	struct backend_extent extent;
	assert_int_equal(backend_memory.extent(reader, 0, 8 * PAGE, &extent), 1);
	assert_int_equal(extent.length, 8 * PAGE);
	row->change();
	expect_letters(extent.fd, extent.offset, 'a', 8 * PAGE);
	backend_memory.close(&reader);
	test_tree_close(&test);
}

/* In the queue of a socket, long after the reader has closed. */
static void
check_in_socket(void **state)
{
	const struct change_row *row = *state;
	static char got[8 * PAGE];
	int ends[2];
	open_tree(1 << 20);
	make_eight_pages();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	struct backend_file *reader = open_file("/f", BACKEND_READ);
	struct backend_extent extent;
	assert_int_equal(backend_memory.extent(reader, 0, 8 * PAGE, &extent), 1);
	assert_int_equal(sendfile(ends[0], extent.fd, &extent.offset, 8 * PAGE), 8 * PAGE);
	backend_memory.close(&reader);
	row->change();
	assert_int_equal(recv(ends[1], got, sizeof(got), MSG_WAITALL), sizeof(got));
	for (size_t i = 0; i < sizeof(got); i++)
		assert_int_equal(got[i], 'a');
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	test_tree_close(&test);
}

/* Pages that were replaced while they were lent count until the lender closes. */
static void
check_lent_pages(UNUSED void **state)
{
	open_tree(1 << 20);
	make_eight_pages();
	struct backend_file *keep = open_file("/f", BACKEND_READ);
	uint64_t before = space();
	struct backend_file *first = open_file("/f", BACKEND_READ);
	struct backend_file *second = open_file("/f", BACKEND_READ);
	struct backend_extent extent;
	assert_int_equal(backend_memory.extent(first, 0, 1, &extent), 1);
	assert_int_equal(backend_memory.extent(second, 0, 1, &extent), 1);
	overwrite();
	assert_int_equal(before - space(), 8 * PAGE);
	backend_memory.close(&first);
	assert_int_equal(before - space(), 8 * PAGE);
	backend_memory.close(&second);
	assert_int_equal(space(), before);
	backend_memory.close(&keep);
	test_tree_close(&test);
}

/* A file that is written from its start to its end needs one call of sendfile(2). */
static void
check_one_piece(UNUSED void **state)
{
	open_tree(64 << 20);
	struct backend_file *file = create_file("/f");
	for (uint64_t at = 0; at < 32 << 20; at += 1 << 20)
		fill(file, at, 'a', 1 << 20);
	struct backend_extent extent;
	assert_int_equal(backend_memory.extent(file, 0, UINT64_MAX, &extent), 1);
	assert_in_range(extent.length, 16 << 20, 32 << 20);
	backend_memory.close(&file);
	test_tree_close(&test);
}

/* ---- a large folder ---- */

static void
check_large_folder(UNUSED void **state)
{
	enum { ENTRIES = 100000 };
	static bool seen[ENTRIES];
	char name[32];
	open_tree(256 << 20);
	for (int i = 0; i < ENTRIES; i++) {
		snprintf(name, sizeof(name), "/%d", i);
		struct backend_file *file = create_file(name);
		backend_memory.close(&file);
	}
	struct path path = test_path("/");
	struct backend_directory *directory;
	struct backend_entry entry;
	assert_int_equal(backend_memory.directory_open(test.tree.state, &path, 0, &directory), 0);
	int count = 0;
	for (; backend_memory.directory_next(directory, &entry) > 0; count++) {
		long number = strtol(entry.name.data, NULL, 10);
		assert_in_range(number, 0, ENTRIES - 1);
		assert_false(seen[number]);
		seen[number] = true;
		assert_int_equal(backend_memory.directory_unlink(directory, entry.name.data), 0);
	}
	assert_int_equal(count, ENTRIES);
	backend_memory.directory_close(&directory);
	test_tree_close(&test);
}

/* ---- a model ---- */

/*
 * Random writes, cuts and loans of one file beside a plain array; what was lent is looked at again
 * before it is returned.
 */
enum { MODEL_BYTES = 20 * PAGE, LOANS = 4, MODEL_STEPS = 20000 };

struct loan {
	struct backend_file *file;
	struct backend_extent extent;
	char bytes[MODEL_BYTES];
};

struct model {
	uint64_t random;
	size_t size;
	char bytes[MODEL_BYTES];
	struct loan loans[LOANS];
};

static uint32_t
draw(struct model *model, uint32_t below)
{
	model->random ^= model->random >> 12;
	model->random ^= model->random << 25;
	model->random ^= model->random >> 27;
	return (uint32_t)((model->random * UINT64_C(2685821657736338717)) >> 33) % below;
}

static void
model_write(struct model *model, struct backend_file *file)
{
	static char block[MODEL_BYTES];
	size_t at = draw(model, MODEL_BYTES);
	size_t length = 1 + draw(model, draw(model, 2) == 0 ? 300 : MODEL_BYTES);
	if (length > MODEL_BYTES - at)
		length = MODEL_BYTES - at;
	for (size_t i = 0; i < length; i++)
		block[i] = (char)draw(model, 256);
	assert_int_equal(backend_memory.write(file, at, block, length), length);
	memcpy(model->bytes + at, block, length);
	if (at + length > model->size)
		model->size = at + length;
}

static void
model_truncate(struct model *model, struct backend_file *file)
{
	size_t size = draw(model, MODEL_BYTES);
	assert_int_equal(backend_memory.truncate(file, size), 0);
	if (size < model->size)
		memset(model->bytes + size, 0, model->size - size);
	model->size = size;
}

static void
model_return(struct loan *loan)
{
	static char now[MODEL_BYTES];
	if (loan->file == NULL)
		return;
	if (loan->extent.fd >= 0)
		assert_int_equal(
			pread(loan->extent.fd, now, loan->extent.length, loan->extent.offset),
			loan->extent.length);
	else
		memset(now, 0, loan->extent.length);
	assert_memory_equal(now, loan->bytes, loan->extent.length);
	backend_memory.close(&loan->file);
}

static void
model_lend(struct model *model)
{
	struct loan *loan = &model->loans[draw(model, LOANS)];
	model_return(loan);
	size_t at = draw(model, MODEL_BYTES);
	loan->file = open_file("/f", BACKEND_READ);
	int more =
		backend_memory.extent(loan->file, at, 1 + draw(model, MODEL_BYTES), &loan->extent);
	assert_int_equal(more, at < model->size);
	if (more == 0)
		backend_memory.close(&loan->file);
	else
		memcpy(loan->bytes, model->bytes + at, loan->extent.length);
}

static void
model_compare(struct model *model, struct backend_file *file)
{
	static char now[MODEL_BYTES];
	assert_int_equal(backend_memory.read(file, 0, now, sizeof(now)), model->size);
	assert_memory_equal(now, model->bytes, model->size);
}

static void
check_model(UNUSED void **state)
{
	static struct model model;
	memset(&model, 0, sizeof(model));
	model.random = 88172645463325252;
	open_tree(1 << 20);
	struct backend_file *file = create_file("/f");
	uint64_t before = space();
	for (int i = 0; i < MODEL_STEPS; i++) {
		uint32_t what = draw(&model, 10);
		if (what < 5)
			model_write(&model, file);
		else if (what < 6)
			model_truncate(&model, file);
		else if (what < 9)
			model_lend(&model);
		else
			model_compare(&model, file);
	}
	for (size_t i = 0; i < LOANS; i++)
		model_return(&model.loans[i]);
	model_compare(&model, file);
	assert_int_equal(backend_memory.truncate(file, 0), 0);
	assert_int_equal(space(), before);
	backend_memory.close(&file);
	test_tree_close(&test);
}

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = {
		CASE("contents end at the limit", check_contents_limit),
		CASE("nodes end at the limit", check_nodes_limit),
		CASE("no room at all", check_no_room_at_all),
		CASE("the account returns to where it was", check_account),
		TABLE("between two calls of sendfile:", change_rows, check_handed_out),
		TABLE("in a socket's queue:", change_rows, check_in_socket),
		CASE("pages that are lent count", check_lent_pages),
		CASE("a file written in order is in one piece", check_one_piece),
		CASE("100,000 entries", check_large_folder),
		CASE("random writes, cuts and loans", check_model),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
