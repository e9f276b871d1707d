/*
 * The archive of a tree in memory is of the moment at which its saving began, whatever becomes of
 * the tree while it is written (memory_save.h); and nothing stays behind.
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

enum { LIMIT_BYTES = 8 << 20, SIZE_MOST = 30000, NAMES = 40, CHANGES = 400, ROUNDS = 12 };

static uint64_t drawn;

static uint32_t
draw(uint32_t below)
{
	drawn ^= drawn >> 12;
	drawn ^= drawn << 25;
	drawn ^= drawn >> 27;
	return (uint32_t)((drawn * UINT64_C(2685821657736338717)) >> 33) % below;
}

/* One of a few names, in one of a few folders, so that they meet. */
static struct path
draw_path(void)
{
	char text[64];
	uint32_t folder = draw(4);
	if (folder == 0)
		snprintf(text, sizeof(text), "/%u", draw(NAMES));
	else
		snprintf(text, sizeof(text), "/d%u/%u", folder, draw(NAMES));
	return test_path(text);
}

static void
write_somewhere(const struct path *path)
{
	static char block[SIZE_MOST];
	struct backend_file *file;
	unsigned flags = BACKEND_WRITE | BACKEND_CREATE | (draw(3) == 0 ? BACKEND_TRUNCATE : 0u);
	if (backend_memory.open(memory_test.tree.state, path, flags, 0666, &file, NULL) < 0)
		return;
	size_t length = 1 + draw(draw(2) == 0 ? 300 : SIZE_MOST - 1);
	memset(block, (char)draw(256), length);
	(void)backend_memory.write(file, draw(SIZE_MOST), block, length);
	if (draw(4) == 0)
		(void)backend_memory.truncate(file, draw(SIZE_MOST));
	backend_memory.close(&file);
}

/* What cannot be done is no matter. */
static void
change(void)
{
	struct backend_tree *tree = memory_test.tree.state;
	struct path path = draw_path(), other = draw_path();
	const struct pathio_set_times times = { .has_mtime = true, .mtime_ns = draw(1 << 30) };
	switch (draw(12)) {
	case 0:
	case 1:
		(void)backend_memory.unlink(tree, &path);
		return;
	case 2:
		(void)backend_memory.rename(tree, &path, &other);
		return;
	case 3:
		(void)backend_memory.mkdir(tree, &path, 0777);
		return;
	case 4:
		(void)backend_memory.rmdir(tree, &path);
		return;
	case 5:
		(void)backend_memory.symlink(tree, bytes_of_text("/d1/3"), &path);
		return;
	case 6:
		(void)backend_memory.set_mode(tree, &path, draw(0777));
		return;
	case 7:
		(void)backend_memory.set_times(tree, &path, &times);
		return;
	default:
		write_somewhere(&path);
	}
}

static int
open_saved(const char *name)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", loads_folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	return fd;
}

/* Saves it, with that many changes between two pieces. */
static void
save_while(const char *name, int changes)
{
	static char piece[MEMORY_SAVE_PIECE_BYTES_MIN];
	struct memory_save *save;
	bool ended = false;
	SCOPE_FD int fd = open_saved(name);
	assert_int_equal(memory_save_begin(memory_test.tree.state, &save), 0);
	while (!ended) {
		for (int i = 0; i < changes; i++)
			change();
		int length = memory_save_fill(save, piece, sizeof(piece), &ended);
		assert_true(length > 0);
		assert_int_equal(write(fd, piece, (size_t)length), length);
	}
	memory_save_free(&save);
}

static void
load(const char *name, struct test_tree *result)
{
	struct test_tree kept = memory_test;
	struct memory_load *load = NULL;
	if (loads_name(name, &load) < 0)
		fail_msg("%s", memory_load_text(load));
	memory_load_free(&load);
	*result = memory_test;
	memory_test = kept;
}

static void
remove_anything(const struct path *path)
{
	if (backend_memory.unlink(memory_test.tree.state, path) < 0)
		(void)backend_memory.rmdir(memory_test.tree.state, path);
}

/* Folders among the names are empty, since draw_path() leads into none of them. */
static void
empty_tree(void)
{
	char text[64];
	for (unsigned folder = 1; folder < 4; folder++) {
		for (unsigned i = 0; i < NAMES; i++) {
			snprintf(text, sizeof(text), "/d%u/%u", folder, i);
			struct path path = test_path(text);
			remove_anything(&path);
			snprintf(text, sizeof(text), "/%u", i);
			path = test_path(text);
			remove_anything(&path);
		}
		snprintf(text, sizeof(text), "/d%u", folder);
		struct path path = test_path(text);
		remove_anything(&path);
	}
}

static void
make_folders(void)
{
	for (unsigned i = 1; i < 4; i++) {
		char name[16];
		snprintf(name, sizeof(name), "/d%u", i);
		struct path path = test_path(name);
		assert_int_equal(backend_memory.mkdir(memory_test.tree.state, &path, 0777), 0);
	}
}

static void
check_moment(UNUSED void **argument)
{
	loads_begin();
	memory_test_open(LIMIT_BYTES);
	drawn = 88172645463325252;
	make_folders();
	for (int round = 0; round < ROUNDS; round++) {
		struct test_tree before, during;
		for (int i = 0; i < CHANGES; i++)
			change();
		save_while("before", 0);
		save_while("during", round * 10);
		load("before", &before);
		load("during", &during);
		memory_expect_same(&before, &during);
		test_tree_close(&before);
		test_tree_close(&during);
	}
	test_tree_close(&memory_test);
	test_remove_folder(loads_folder);
}

/* What was lent, held and replaced is given back, to the byte. */
static void
check_given_back(UNUSED void **argument)
{
	loads_begin();
	memory_test_open(LIMIT_BYTES);
	uint64_t empty[2];
	drawn = 42;
	for (int round = 0; round < 2; round++) {
		make_folders();
		for (int i = 0; i < CHANGES; i++)
			change();
		if (round == 1)
			save_while("saved", 50);
		empty_tree();
		empty[round] = memory_test_space();
	}
	assert_int_equal(empty[0], empty[1]);
	test_tree_close(&memory_test);
	test_remove_folder(loads_folder);
}

/* While it is written, the pages of before count, and after it only those of now. */
static void
check_overwritten(UNUSED void **argument)
{
	struct memory_save *save;
	memory_test_open(LIMIT_BYTES);
	struct backend_file *file = memory_test_create("/f");
	memory_test_fill(file, 0, 'a', 100 * PAGE);
	uint64_t before = memory_test_space();
	assert_int_equal(memory_save_begin(memory_test.tree.state, &save), 0);
	assert_int_equal(memory_test_space(), before); /* a full tree can be saved */
	memory_test_fill(file, 0, 'b', 100 * PAGE);
	assert_true(before - memory_test_space() >= 100 * PAGE);
	memory_save_free(&save);
	assert_int_equal(memory_test_space(), before);
	backend_memory.close(&file);
	test_tree_close(&memory_test);
}

/* A save that ends early, at any piece. */
static void
check_left(UNUSED void **argument)
{
	static char piece[MEMORY_SAVE_PIECE_BYTES_MIN];
	memory_test_open(LIMIT_BYTES);
	make_folders();
	drawn = 7;
	for (int i = 0; i < CHANGES; i++)
		change();
	uint64_t before = memory_test_space();
	bool ended = false;
	for (int pieces = 0; !ended; pieces++) {
		struct memory_save *save;
		assert_int_equal(memory_save_begin(memory_test.tree.state, &save), 0);
		for (int i = 0; i < pieces && !ended; i++)
			assert_true(memory_save_fill(save, piece, sizeof(piece), &ended) > 0);
		memory_save_free(&save);
		assert_int_equal(memory_test_space(), before);
	}
	test_tree_close(&memory_test);
}

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = {
		CASE("changed while it is saved", check_moment),
		CASE("everything is given back", check_given_back),
		CASE("overwritten while it is saved", check_overwritten),
		CASE("a save that is not finished", check_left),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
