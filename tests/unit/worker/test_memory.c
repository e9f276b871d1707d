/*
 * What the memory backend alone promises: its limit and its account, where contents lie in the
 * arena, large folders. Bytes on their way through a socket: test_memory_lending.c.
 */
#include "tests/table.h"
#include "tests/unit/worker/memory_tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* ---- the limit ---- */

static void
check_contents_limit(UNUSED void **state)
{
	static char block[64 * PAGE];
	memory_test_open(32 * PAGE);
	uint64_t before = memory_test_space();
	struct backend_file *file = memory_test_create("/f");
	ssize_t written = backend_memory.write(file, 0, block, sizeof(block));
	assert_in_range(written, 28 * PAGE, 31 * PAGE); /* a node takes a little of it */
	assert_int_equal(backend_memory.write(file, (uint64_t)written, block, 1), -ENOSPC);
	struct pathio_attributes found;
	assert_int_equal(backend_memory.attributes(file, &found), 0);
	assert_int_equal(found.size, written);
	assert_true(memory_test_space() < PAGE);
	backend_memory.close(&file);
	memory_test_remove("/f");
	/* A folder keeps the table that it once needed. */
	assert_in_range(before - memory_test_space(), 0, 8 * sizeof(void *));
	test_tree_close(&memory_test);
}

static void
check_nodes_limit(UNUSED void **state)
{
	memory_test_open(100000);
	struct path path = test_path("/");
	char name[32];
	int error = 0;
	int made = 0;
	for (; error == 0 && made < 100000; made++) {
		snprintf(name, sizeof(name), "/folder-%d", made);
		path = test_path(name);
		error = backend_memory.mkdir(memory_test.tree.state, &path, 0777);
	}
	assert_int_equal(error, -ENOSPC);
	assert_in_range(made, 100, 1000);
	struct pathio_attributes found;
	assert_int_equal(backend_memory.stat(memory_test.tree.state, &path, true, &found), -ENOENT);
	path = test_path("/l");
	static char target[4000];
	memset(target, 'x', sizeof(target));
	assert_int_equal(backend_memory.symlink(
				 memory_test.tree.state, bytes_of(target, sizeof(target)), &path),
		-ENOSPC);
	test_tree_close(&memory_test);
}

static void
check_no_room_at_all(UNUSED void **state)
{
	memory_test_open(1024);
	struct backend_file *file = memory_test_create("/f");
	assert_int_equal(backend_memory.write(file, 0, "x", 1), -ENOSPC);
	assert_int_equal(backend_memory.truncate(file, 1 << 30), 0); /* a hole needs no room */
	char byte = 'x';
	assert_int_equal(backend_memory.read(file, 1 << 20, &byte, 1), 1);
	assert_int_equal(byte, 0);
	backend_memory.close(&file);
	test_tree_close(&memory_test);
}

/* Everything that was taken is given back, in whatever state it was. */
static void
check_account(UNUSED void **state)
{
	memory_test_open(1 << 20);
	struct backend_file *keep =
		memory_test_create("/keep"); /* so that the root has its table */
	uint64_t before = memory_test_space();
	for (int round = 0; round < 100; round++) {
		struct backend_file *file = memory_test_create("/f");
		struct backend_extent extent;
		memory_test_fill(file, 0, 'a', 10 * PAGE);
		assert_int_equal(backend_memory.extent(file, 0, 10 * PAGE, &extent), 1);
		memory_test_fill(file, 100, 'b', 3 * PAGE);
		assert_int_equal(backend_memory.truncate(file, PAGE + 1), 0);
		memory_test_fill(file, 30 * PAGE, 'c', PAGE);
		if (round % 2 == 0)
			memory_test_remove("/f");
		backend_memory.close(&file);
		if (round % 2 != 0)
			memory_test_remove("/f");
		assert_int_equal(memory_test_space(), before);
	}
	backend_memory.close(&keep);
	test_tree_close(&memory_test);
}

/* A file of many small pieces takes more than its pages. */
static void
check_table_counts(UNUSED void **state)
{
	memory_test_open(4 << 20);
	struct backend_file *file = memory_test_create("/f");
	uint64_t before = memory_test_space();
	for (uint64_t page = 0; page < 400; page += 2)
		memory_test_fill(file, page * PAGE, 'a', 1);
	uint64_t taken = before - memory_test_space();
	assert_in_range(taken, 200 * PAGE + 200 * 24, 200 * PAGE * 102 / 100);
	assert_int_equal(backend_memory.truncate(file, 0), 0);
	assert_int_equal(memory_test_space(), before);
	backend_memory.close(&file);
	test_tree_close(&memory_test);
}

static int
rename_name(const char *from, const char *to)
{
	struct path source = test_path(from), destination = test_path(to);
	return backend_memory.rename(memory_test.tree.state, &source, &destination);
}

/* So that an upload that fills the tree to the brim can be committed over its predecessor. */
static void
check_rename_when_full(UNUSED void **state)
{
	char name[32];
	int error = 0;
	memory_test_open(64 * PAGE);
	struct backend_file *old = memory_test_create("/old");
	struct backend_file *new = memory_test_create("/new");
	memory_test_fill(new, 0, 'n', PAGE);
	assert_int_equal(rename_name("/new", "/.hidden"), 0);
	for (int i = 0; error == 0; i++) {
		snprintf(name, sizeof(name), "/%d", i);
		struct path path = test_path(name);
		error = backend_memory.symlink(memory_test.tree.state, bytes_of_text("x"), &path);
	}
	assert_int_equal(error, -ENOSPC);
	char long_name[256];
	memset(long_name, 'n', sizeof(long_name));
	long_name[0] = '/';
	long_name[255] = '\0';
	uint64_t before = memory_test_space();
	assert_int_equal(rename_name("/.hidden", long_name), -ENOSPC);
	assert_int_equal(memory_test_space(), before);
	assert_int_equal(rename_name("/.hidden", "/new"), 0);
	assert_int_equal(memory_test_space(), before + strlen(".hidden") - strlen("new"));
	assert_int_equal(rename_name("/new", "/old"), 0);
	struct backend_file *found = memory_test_open_file("/old", BACKEND_READ);
	char letter;
	assert_int_equal(backend_memory.read(found, 0, &letter, 1), 1);
	assert_int_equal(letter, 'n');
	backend_memory.close(&found);
	backend_memory.close(&old);
	backend_memory.close(&new);
	test_tree_close(&memory_test);
}

/* ---- where contents lie ---- */

/* A file that is written from its start to its end needs one call of sendfile(2). */
static void
check_one_piece(UNUSED void **state)
{
	memory_test_open(64 << 20);
	struct backend_file *file = memory_test_create("/f");
	for (uint64_t at = 0; at < 32 << 20; at += 1 << 20)
		memory_test_fill(file, at, 'a', 1 << 20);
	struct backend_extent extent;
	assert_int_equal(backend_memory.extent(file, 0, UINT64_MAX, &extent), 1);
	assert_in_range(extent.length, 16 << 20, 32 << 20);
	backend_memory.close(&file);
	test_tree_close(&memory_test);
}

static size_t
count_pieces(struct backend_file *file)
{
	struct backend_extent extent;
	size_t count = 0;
	for (uint64_t at = 0; backend_memory.extent(file, at, UINT64_MAX, &extent) > 0; count++)
		at += extent.length;
	return count;
}

static void
check_side_by_side(UNUSED void **state)
{
	enum { FILES = 4, TURN = 8, TURNS = 1024 }; /* 32 MiB each, by 32 KiB */
	struct backend_file *files[FILES];
	char name[16];
	memory_test_open(160 << 20);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "/%d", i);
		files[i] = memory_test_create(name);
	}
	for (uint64_t turn = 0; turn < TURNS; turn++)
		for (int i = 0; i < FILES; i++)
			memory_test_fill(files[i], turn * TURN * PAGE, 'a', TURN * PAGE);
	for (int i = 0; i < FILES; i++) {
		assert_in_range(count_pieces(files[i]), 1, 32);
		backend_memory.close(&files[i]);
	}
	test_tree_close(&memory_test);
}

/* Small gaps everywhere do not cut a large file to pieces. */
static void
check_fragmented(UNUSED void **state)
{
	enum { FILES = 4000, LARGE_BYTES = 8 << 20 };
	char name[32];
	memory_test_open(32 << 20);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "/%d", i);
		struct backend_file *file = memory_test_create(name);
		memory_test_fill(file, 0, 'a', PAGE);
		backend_memory.close(&file);
	}
	for (int i = 0; i < FILES; i += 2) {
		snprintf(name, sizeof(name), "/%d", i);
		memory_test_remove(name);
	}
	struct backend_file *file = memory_test_create("/large");
	for (uint64_t at = 0; at < LARGE_BYTES; at += 8 * PAGE)
		memory_test_fill(file, at, 'b', 8 * PAGE);
	assert_in_range(count_pieces(file), 1, 8);
	backend_memory.close(&file);
	test_tree_close(&memory_test);
}

static void
check_shrinks(UNUSED void **state)
{
	struct stat found;
	memory_test_open(64 << 20);
	struct backend_file *keep = memory_test_create("/keep");
	memory_test_fill(keep, 0, 'k', PAGE);
	struct backend_extent extent;
	assert_int_equal(backend_memory.extent(keep, 0, 1, &extent), 1);
	struct backend_file *file = memory_test_create("/f");
	for (uint64_t at = 0; at < 32 << 20; at += 1 << 20)
		memory_test_fill(file, at, 'a', 1 << 20);
	assert_int_equal(fstat(extent.fd, &found), 0);
	assert_in_range(found.st_size, 32 << 20, 160 << 20);
	assert_int_equal(found.st_blocks, ((32 << 20) + PAGE) / 512);
	assert_int_equal(backend_memory.truncate(file, 0), 0);
	assert_int_equal(fstat(extent.fd, &found), 0);
	assert_in_range(found.st_size, 1, 1 << 20);
	assert_int_equal(found.st_blocks, PAGE / 512);
	memory_test_expect(extent.fd, extent.offset, 'k', PAGE);
	memory_test_fill(file, 0, 'b', 1 << 20); /* and grows again */
	memory_test_expect(extent.fd, extent.offset, 'k', PAGE);
	backend_memory.close(&file);
	backend_memory.close(&keep);
	test_tree_close(&memory_test);
}

static void
copy_all(struct backend_file *from, struct backend_file *to)
{
	ssize_t copied;
	uint64_t at = 0;
	while ((copied = backend_memory.copy_range(from, at, to, at, UINT64_MAX)) > 0)
		at += (uint64_t)copied;
	assert_int_equal(copied, 0);
}

static void
expect_same(struct backend_file *file, struct backend_file *other)
{
	static char a[1 << 20], b[1 << 20];
	ssize_t length = backend_memory.read(file, 0, a, sizeof(a));
	assert_in_range(length, 1, sizeof(a) - 1);
	assert_int_equal(backend_memory.read(other, 0, b, sizeof(b)), length);
	assert_memory_equal(a, b, (size_t)length);
}

/* Data, a hole, data, and a hole at the end. */
static struct backend_file *
create_with_holes(const char *path)
{
	struct backend_file *file = memory_test_create(path);
	memory_test_fill(file, 10, 'a', 3 * PAGE);
	memory_test_fill(file, 50 * PAGE + 7, 'b', PAGE);
	assert_int_equal(backend_memory.truncate(file, 100 * PAGE + 1), 0);
	return file;
}

static void
check_copy(UNUSED void **state)
{
	memory_test_open(4 << 20);
	uint64_t before = memory_test_space();
	struct backend_file *file = create_with_holes("/f");
	uint64_t taken = before - memory_test_space();
	struct backend_file *copy = memory_test_create("/copy");
	copy_all(file, copy);
	expect_same(file, copy);
	assert_in_range(before - memory_test_space(), 2 * taken - 200, 2 * taken);
	memory_test_fill(copy, 10, 'c', PAGE); /* shares nothing */
	char letter;
	assert_int_equal(backend_memory.read(file, 10, &letter, 1), 1);
	assert_int_equal(letter, 'a');
	assert_int_equal(backend_memory.copy_range(file, 0, file, PAGE, 1), -ENOTSUP);
	backend_memory.close(&copy);
	copy = memory_test_open_file("/copy", BACKEND_READ);
	assert_int_equal(backend_memory.copy_range(file, 0, copy, 0, 1), -EBADF);
	backend_memory.close(&copy);
	backend_memory.close(&file);
	test_tree_close(&memory_test);
}

static void
check_copy_over(UNUSED void **state)
{
	memory_test_open(4 << 20);
	struct backend_file *file = create_with_holes("/f");
	struct backend_file *copy = memory_test_create("/copy");
	memory_test_fill(copy, 0, 'x', 120 * PAGE);
	assert_int_equal(backend_memory.truncate(copy, 100 * PAGE + 1), 0);
	struct backend_file *reader = memory_test_open_file("/copy", BACKEND_READ);
	struct backend_extent extent;
	assert_int_equal(backend_memory.extent(reader, 0, 100 * PAGE, &extent), 1);
	copy_all(file, copy);
	expect_same(file, copy);
	memory_test_expect(extent.fd, extent.offset, 'x', extent.length);
	backend_memory.close(&reader);
	backend_memory.close(&copy);
	backend_memory.close(&file);
	test_tree_close(&memory_test);
}

static void
check_copy_limit(UNUSED void **state)
{
	memory_test_open(32 * PAGE);
	struct backend_file *file = memory_test_create("/f");
	memory_test_fill(file, 0, 'a', 20 * PAGE);
	struct backend_file *copy = memory_test_create("/copy");
	ssize_t copied = backend_memory.copy_range(file, 0, copy, 0, UINT64_MAX);
	assert_in_range(copied, 8 * PAGE, 11 * PAGE);
	assert_int_equal(backend_memory.copy_range(
				 file, (uint64_t)copied, copy, (uint64_t)copied, UINT64_MAX),
		-ENOSPC);
	backend_memory.close(&copy);
	backend_memory.close(&file);
	test_tree_close(&memory_test);
}

/* ---- a large folder ---- */

static void
check_large_folder(UNUSED void **state)
{
	enum { ENTRIES = 100000 };
	static bool seen[ENTRIES];
	char name[32];
	memory_test_open(256 << 20);
	uint64_t before = memory_test_space();
	for (int i = 0; i < ENTRIES; i++) {
		snprintf(name, sizeof(name), "/%d", i);
		struct backend_file *file = memory_test_create(name);
		backend_memory.close(&file);
	}
	struct path path = test_path("/");
	struct backend_directory *directory;
	struct backend_entry entry;
	assert_int_equal(
		backend_memory.directory_open(memory_test.tree.state, &path, 0, &directory), 0);
	int count = 0;
	for (; backend_memory.directory_next(directory, &entry) > 0; count++) {
		long number = strtol(entry.name.data, NULL, 10);
		assert_in_range(number, 0, ENTRIES - 1);
		assert_false(seen[number]);
		seen[number] = true;
		assert_int_equal(backend_memory.directory_unlink(directory, entry.name.data), 0);
	}
	assert_int_equal(count, ENTRIES);
	assert_in_range(before - memory_test_space(), 0, 8 * sizeof(void *));
	backend_memory.directory_close(&directory);
	test_tree_close(&memory_test);
}

/* Whatever comes, goes and is replaced meanwhile: what stays is seen once, and there is an end. */
static void
check_busy_folder(UNUSED void **state)
{
	enum { STAY = 10 };
	char name[32];
	int seen[STAY] = { 0 };
	memory_test_open(4 << 20);
	for (int i = 0; i < STAY; i++) {
		snprintf(name, sizeof(name), "/%d", i);
		struct backend_file *file = memory_test_create(name);
		backend_memory.close(&file);
	}
	struct path root = test_path("/");
	struct backend_directory *directory;
	struct backend_entry entry;
	assert_int_equal(
		backend_memory.directory_open(memory_test.tree.state, &root, 0, &directory), 0);
	int steps = 0;
	for (; backend_memory.directory_next(directory, &entry) > 0; steps++) {
		assert_in_range(steps, 0, 2 * STAY);
		if (entry.name.data[0] != 't')
			seen[strtol(entry.name.data, NULL, 10)]++;
		struct backend_file *file = memory_test_create("/t");
		backend_memory.close(&file);
		snprintf(name, sizeof(name), "/%d", steps % STAY);
		assert_int_equal(rename_name("/t", name), 0);
		snprintf(name, sizeof(name), "/t%d", steps);
		file = memory_test_create(name);
		backend_memory.close(&file);
	}
	for (int i = 0; i < STAY; i++)
		assert_int_equal(seen[i], 1);
	backend_memory.directory_close(&directory);
	test_tree_close(&memory_test);
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
		CASE("the table of a shredded file counts", check_table_counts),
		CASE("a full tree lets names be replaced", check_rename_when_full),
		CASE("a file written in order is in one piece", check_one_piece),
		CASE("files that grow side by side stay in large pieces", check_side_by_side),
		CASE("a large file among small gaps", check_fragmented),
		CASE("the arena shrinks", check_shrinks),
		CASE("a copy has the bytes and the holes", check_copy),
		CASE("a copy onto what is lent and what is there", check_copy_over),
		CASE("a copy ends at the limit", check_copy_limit),
		CASE("100,000 entries", check_large_folder),
		CASE("a listing of a busy folder ends", check_busy_folder),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
