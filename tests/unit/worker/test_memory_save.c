/*
 * A tree in memory as an archive (memory_save.h): what is saved is what memory_load.h loads, to the
 * byte; and it is of one moment.
 */
#include "tests/table.h"
#include "tests/unit/worker/loads.h"
#include "tests/unit/worker/memory_same.h"
#include "worker/memory_save.h"

#include "ipc/base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PIECE_BYTES = 64 * 1024 };

static struct backend_tree *
state(void)
{
	return memory_test.tree.state;
}

/* ---- saving ---- */

static struct memory_save *
begin(void)
{
	struct memory_save *save;
	assert_int_equal(memory_save_begin(state(), &save), 0);
	return save;
}

/* The pieces that are left, to the end of the file "saved" in the folder; ends the save. */
static struct memory_save_totals
write_rest(struct memory_save *save, size_t piece_bytes)
{
	SCOPE_FREE char *piece = malloc(piece_bytes);
	char path[128];
	bool ended = false;
	snprintf(path, sizeof(path), "%s/saved", loads_folder);
	SCOPE_FD int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	while (!ended) {
		int length = memory_save_fill(save, piece, piece_bytes, &ended);
		assert_in_range(length, 1, piece_bytes);
		assert_int_equal(write(fd, piece, (size_t)length), length);
	}
	struct memory_save_totals totals = memory_save_totals(save);
	memory_save_free(&save);
	assert_null(save);
	return totals;
}

/* What has been saved is loaded, and is the same as this; both are closed. */
static void
expect_saved(struct test_tree *wanted)
{
	struct memory_load *load = NULL;
	int error = loads_name("saved", &load);
	if (error < 0)
		fail_msg("%s", memory_load_text(load));
	memory_load_free(&load);
	memory_expect_same(wanted, &memory_test);
	test_tree_close(&memory_test);
	test_tree_close(wanted);
}

/* ---- there and back ---- */

static void
make_file(const char *name, const char *text, uint64_t offset)
{
	struct backend_file *file = memory_test_create(name);
	if (text[0] != '\0')
		assert_int_equal(
			backend_memory.write(file, offset, text, strlen(text)), strlen(text));
	backend_memory.close(&file);
}

static void
make_nothing(void)
{
}

static void
make_empty_file(void)
{
	make_file("/f", "", 0);
}

static void
make_folder(const char *name)
{
	struct path path = test_path(name);
	assert_int_equal(backend_memory.mkdir(state(), &path, 0777), 0);
}

static void
make_link(const char *target, const char *name)
{
	struct path path = test_path(name);
	assert_int_equal(backend_memory.symlink(state(), bytes_of_text(target), &path), 0);
}

static void
make_odd_names(void)
{
	static const char *const names[] = { "/a b", "/a\nb", "/a\tb", "/\001", "/\377\376",
		"/\303\244", "/\355\240\200", "/-", "/-rf", "/..a", "/...", "/ ", "/\\", "/*", "/.",
		"/@LongLink", "/PaxHeaders", "/GNUSparseFile.0" };
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
		if (strcmp(names[i], "/.") != 0)
			make_file(names[i], names[i], 0);
}

/* Of each length round those at which another header is needed. */
static void
make_long_names(void)
{
	static const unsigned lengths[] = { 98, 99, 100, 101, 155, 156, 254, 255 };
	char name[300];
	for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
		memset(name, 'n', sizeof(name));
		name[0] = '/';
		name[lengths[i] + 1] = '\0';
		make_file(name, name, 0);
		name[2] = '\377';
		make_file(name, name, 0);
		name[1] = 'd';
		make_folder(name);
		make_link(name + 1, "/link");
		name[1] = 'l';
		struct path from = test_path("/link"), to = test_path(name);
		assert_int_equal(backend_memory.rename(state(), &from, &to), 0);
	}
}

/* The longest path that a client can name, of a folder and of a file: 4,095 bytes. */
static void
make_deep_folders(void)
{
	char path[PATH_BYTES_MAX + 1] = "";
	size_t length = 0;
	for (int i = 0; i < 15; i++) {
		length += (size_t)sprintf(path + length, "/%0255d", i);
		make_folder(path);
	}
	sprintf(path + length, "/%0*d", (int)(PATH_BYTES_MAX - 1 - length), 1);
	make_folder(path);
	path[strlen(path) - 1] = '2';
	make_file(path, "deep", 0);
	assert_int_equal(strlen(path), PATH_BYTES_MAX);
}

static void
make_links(void)
{
	char target[PATH_BYTES_MAX + 1];
	static const int lengths[] = { 1, 99, 100, 101, 1023, 1024, PATH_BYTES_MAX };
	for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
		char name[16];
		snprintf(name, sizeof(name), "/l%zu", i);
		snprintf(target, sizeof(target), "%0*d", lengths[i], 0);
		make_link(target, name);
	}
	make_link("../\377\n/nowhere", "/odd");
	make_link("/", "/root");
}

static void
make_modes(void)
{
	char name[16];
	for (uint32_t mode = 0; mode <= 0777; mode += 7) {
		snprintf(name, sizeof(name), "/f%o", mode);
		make_file(name, "x", 0);
		struct path path = test_path(name);
		assert_int_equal(backend_memory.set_mode(state(), &path, mode), 0);
	}
	make_folder("/d");
	make_file("/d/f", "x", 0);
	struct path path = test_path("/d");
	assert_int_equal(backend_memory.set_mode(state(), &path, 0), 0);
}

static void
make_times(void)
{
	static const int64_t second = 1000000000;
	const int64_t times[] = { 0, 1, -1, second, -second, second * 3 / 2, -second * 3 / 2,
		second << 33, (second << 33) - 1, INT64_MAX / second * second,
		INT64_MIN / second * second };
	char name[16];
	for (size_t i = 0; i < ARRAY_LENGTH(times); i++) {
		snprintf(name, sizeof(name), "/t%zu", i);
		if (i % 2 == 0)
			make_folder(name);
		else
			make_file(name, "x", 0);
		struct path path = test_path(name);
		const struct pathio_set_times set = { .has_mtime = true, .mtime_ns = times[i] };
		assert_int_equal(backend_memory.set_times(state(), &path, &set), 0);
	}
}

/* Round the ends of blocks, pages and pieces. */
static void
make_sizes(void)
{
	static const size_t sizes[] = { 1, 511, 512, 513, 4095, 4096, 4097, 65535, 65536, 65537,
		200000, 1 << 20 };
	char name[16];
	for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
		snprintf(name, sizeof(name), "/s%zu", sizes[i]);
		struct backend_file *file = memory_test_create(name);
		memory_test_fill(file, 0, (char)('a' + i), sizes[i]);
		backend_memory.close(&file);
	}
}

static void
truncate_to(const char *name, uint64_t size)
{
	struct backend_file *file = memory_test_open_file(name, BACKEND_WRITE);
	assert_int_equal(backend_memory.truncate(file, size), 0);
	backend_memory.close(&file);
}

static void
make_holes(void)
{
	make_file("/in front", "x", 1000000);
	make_file("/behind", "x", 0);
	truncate_to("/behind", 1000000);
	make_file("/only", "", 0);
	truncate_to("/only", 5);
	make_file("/only of nine gigabytes", "", 0);
	truncate_to("/only of nine gigabytes", UINT64_C(9) << 30);
	make_file("/nine gigabytes", "x", UINT64_C(9) << 30);
	make_file("/largest", "x", INT64_MAX - 1);
	make_file("/both", "x", 100000);
	truncate_to("/both", 300000);
	make_file("/odd end", "x", 8192);
	truncate_to("/odd end", 12289);
	char name[260];
	snprintf(name, sizeof(name), "/%0255d", 0);
	make_file(name, "x", 100000);
	make_file("/\377", "x", 100000);
}

/* More extents than a piece holds lines of. */
static void
make_many_holes(void)
{
	struct backend_file *file = memory_test_create("/f");
	for (uint64_t i = 0; i < 500; i++)
		memory_test_fill(file, UINT64_C(10000000000) + i * 2 * PAGE, (char)i, PAGE);
	backend_memory.close(&file);
}

static void
make_hidden(void)
{
	make_file("/.sallyport-0123456789abcdef.part", "half an upload", 0);
	make_file("/f", "committed", 0);
}

static void
make_unlinked_and_open(void)
{
	make_file("/f", "gone", 0);
	struct path path = test_path("/f");
	static struct backend_file *file;
	file = memory_test_open_file("/f", BACKEND_READ);
	assert_int_equal(backend_memory.unlink(state(), &path), 0);
	backend_memory.close(&file);
	make_file("/g", "there", 0);
}

struct there_row {
	const char *name;
	void (*make)(void);
	struct memory_save_totals totals;
};

static const struct there_row there_rows[] = {
	{ "nothing", make_nothing, { 0, 0, 0, 0 } },
	{ "an empty file", make_empty_file, { 1, 0, 0, 0 } },
	{ "odd names", make_odd_names, { 17, 0, 0, 0 } },
	{ "long names", make_long_names, { 16, 8, 8, 0 } },
	{ "the longest path", make_deep_folders, { 1, 16, 0, 0 } },
	{ "symbolic links", make_links, { 0, 0, 9, 0 } },
	{ "each mode", make_modes, { 75, 1, 0, 0 } },
	{ "times", make_times, { 5, 6, 0, 0 } },
	{ "sizes", make_sizes, { 12, 0, 0, 0 } },
	{ "holes", make_holes, { 10, 0, 0, 0 } },
	{ "many holes", make_many_holes, { 1, 0, 0, 0 } },
	{ "an upload that is not committed", make_hidden, { 1, 0, 0, 0 } },
	{ "a file without a name", make_unlinked_and_open, { 1, 0, 0, 0 } },
};

static void
check_there_and_back(void **argument)
{
	const struct there_row *row = *argument;
	loads_begin();
	memory_test_open(LOADS_LIMIT_BYTES);
	uint64_t empty = memory_test_space();
	row->make();
	uint64_t before = memory_test_space();
	assert_true(before <= empty);
	struct memory_save_totals totals = write_rest(begin(), PIECE_BYTES);
	assert_memory_equal(&totals, &row->totals, sizeof(totals));
	assert_int_equal(memory_test_space(), before);
	struct test_tree saved = memory_test;
	expect_saved(&saved);
	test_remove_folder(loads_folder);
}

/* All kinds of entries, from files; and several names of one. */
static void
check_loaded_tree(UNUSED void **argument)
{
	struct memory_load *load;
	loads_begin();
	assert_int_equal(loads_run(loads_make_source), 0);
	assert_int_equal(loads_run("cd tree && echo same > deep/one && ln deep/one another && "
				   "ln deep/one deep/er/third && "
				   "ln deep/one $(printf '%0100d' 1)/$(printf '%0200d' 3) && "
				   "tar -cf ../tree.tar ."),
		0);
	assert_int_equal(loads_name("tree.tar", &load), 0);
	memory_load_free(&load);
	assert_int_equal(loads_attributes("/another").links, 4);
	struct memory_save_totals totals = write_rest(begin(), MEMORY_SAVE_PIECE_BYTES_MIN);
	assert_int_equal(totals.files, 9);
	assert_int_equal(totals.folders, 4);
	assert_int_equal(totals.links, 2);
	struct test_tree saved = memory_test;
	expect_saved(&saved);
	test_remove_folder(loads_folder);
}

/* Others read it, too: tar(1) makes the same files of it. */
static void
check_tar(UNUSED void **argument)
{
	struct memory_load *load;
	loads_begin();
	assert_int_equal(loads_run(loads_make_source), 0);
	assert_int_equal(loads_name("tree", &load), 0);
	memory_load_free(&load);
	(void)write_rest(begin(), PIECE_BYTES);
	test_tree_close(&memory_test);
	assert_int_equal(loads_run("mkdir out && tar -xpf saved -C out 2>warnings && "
				   "! grep . warnings && diff -r --no-dereference tree out"),
		0);
	assert_int_equal(loads_run("for each in tree out; do (cd $each && find . -printf "
				   "'%p %m %T@ %b %l\\n' | sort > ../$each.txt); done; "
				   "diff tree.txt out.txt"),
		0);
	test_remove_folder(loads_folder);
}

/* A folder that grew by a rename can hold paths that no client can name. */
static void
check_too_deep(UNUSED void **argument)
{
	loads_begin();
	memory_test_open(LOADS_LIMIT_BYTES);
	make_deep_folders();
	make_folder("/above");
	char name[300];
	snprintf(name, sizeof(name), "/%0255d", 0);
	struct path from = test_path(name), to = test_path("/above/moved");
	assert_int_equal(backend_memory.rename(state(), &from, &to), 0);
	make_file("/f", "x", 0);
	/* One folder and one file below the fifteen are out of reach by as much as it grew. */
	snprintf(name, sizeof(name), "/above/moved/%0250d", 0);
	make_folder(name);
	struct memory_save_totals totals = write_rest(begin(), PIECE_BYTES);
	assert_int_equal(totals.left_out, 0);
	struct path back = test_path("/above"), longer;
	snprintf(name, sizeof(name), "/%0255d", 7);
	longer = test_path(name);
	assert_int_equal(backend_memory.rename(state(), &back, &longer), 0);
	totals = write_rest(begin(), PIECE_BYTES);
	assert_int_equal(totals.left_out, 2);
	assert_int_equal(totals.files, 1);
	assert_int_equal(totals.folders, 17);
	test_tree_close(&memory_test);
	test_remove_folder(loads_folder);
}

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = {
		TABLE("there and back", there_rows, check_there_and_back),
		CASE("there and back: what a folder holds", check_loaded_tree),
		CASE("tar(1) reads it", check_tar),
		CASE("what no client can name is left out", check_too_deep),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
