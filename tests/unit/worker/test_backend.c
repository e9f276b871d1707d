/*
 * What backend.h promises of open files beyond paths and errors (those are in tests/contract/):
 * flags, holes, extents. Every case runs on a real tree and on one in memory.
 */
#include "tests/table.h"
#include "tests/unit/worker/trees.h"

#include <errno.h>
#include <unistd.h>

/* ---- flags of open ---- */

static void
check_direction(struct tree *tree)
{
	test_put(tree, "/f", "text");
	char byte;
	struct backend_extent extent;
	struct backend_file *reader = test_open(tree, "/f", BACKEND_READ);
	assert_int_equal(tree->backend->write(reader, 0, "x", 1), -EBADF);
	tree->backend->close(&reader);
	assert_null(reader);
	struct backend_file *writer = test_open(tree, "/f", BACKEND_WRITE);
	assert_int_equal(tree->backend->read(writer, 0, &byte, 1), -EBADF);
	assert_int_equal(tree->backend->extent(writer, 0, 1, &extent), -EBADF);
	tree->backend->close(&writer);
	test_expect(tree, "/f", "text");
}

static void
check_append(struct tree *tree)
{
	test_put(tree, "/f", "one");
	struct backend_file *a = test_open(tree, "/f", BACKEND_WRITE | BACKEND_APPEND);
	struct backend_file *b = test_open(tree, "/f", BACKEND_WRITE | BACKEND_APPEND);
	assert_int_equal(tree->backend->write(a, 0, "two", 3), 3);
	assert_int_equal(tree->backend->write(b, 0, "three", 5), 5);
	assert_int_equal(tree->backend->write(a, 1, "four", 4), 4);
	tree->backend->close(&a);
	tree->backend->close(&b);
	test_expect(tree, "/f", "onetwothreefour");
}

static void
check_exclusive(struct tree *tree)
{
	unsigned flags = BACKEND_WRITE | BACKEND_CREATE | BACKEND_EXCLUSIVE;
	test_make_folder(tree, "/folder");
	test_make_link(tree, "nothing", "/link");
	test_put(tree, "/f", "");
	assert_int_equal(test_try_open(tree, "/folder", flags), -EEXIST);
	assert_int_equal(test_try_open(tree, "/link", flags), -EEXIST);
	assert_int_equal(test_try_open(tree, "/f", flags), -EEXIST);
	assert_int_equal(test_try_open(tree, "/", flags), -EEXIST);
	assert_int_equal(test_try_open(tree, "/new", flags), 0);
}

static void
check_nofollow(struct tree *tree)
{
	test_put(tree, "/f", "text");
	test_make_link(tree, "f", "/link");
	assert_int_equal(test_try_open(tree, "/link", BACKEND_READ | BACKEND_NOFOLLOW), -ELOOP);
	assert_int_equal(test_try_open(tree, "/f", BACKEND_READ | BACKEND_NOFOLLOW), 0);
}

static void
check_held(struct tree *tree)
{
	test_put(tree, "/f", "");
	struct backend_file *holder = test_open(tree, "/f", BACKEND_READ | BACKEND_HELD);
	assert_int_equal(test_try_open(tree, "/f", BACKEND_READ | BACKEND_HELD), -EAGAIN);
	assert_int_equal(test_try_open(tree, "/f", BACKEND_READ), 0);
	tree->backend->close(&holder);
	assert_int_equal(test_try_open(tree, "/f", BACKEND_READ | BACKEND_HELD), 0);
}

static void
check_create_through_link(struct tree *tree)
{
	test_make_link(tree, "/target", "/link");
	assert_int_equal(test_try_open(tree, "/link", BACKEND_WRITE), -ENOENT);
	test_put(tree, "/link", "text");
	test_expect(tree, "/target", "text");
}

static void
check_umask(struct tree *tree)
{
	struct path path = test_path("/f");
	struct backend_file *file;
	struct pathio_attributes found;
	assert_int_equal(tree->backend->open(tree->state, &path, BACKEND_WRITE | BACKEND_CREATE,
				 0666, &file, &found),
		0);
	assert_int_equal(found.mode, 0644);
	assert_int_equal(tree->backend->change_mode(file, 0640), 0);
	assert_int_equal(tree->backend->attributes(file, &found), 0);
	assert_int_equal(found.mode, 0640);
	tree->backend->close(&file);
}

static void
check_attributes(struct tree *tree)
{
	struct pathio_attributes folder, file, link;
	test_make_folder(tree, "/folder");
	test_put(tree, "/folder/f", "12345");
	test_make_link(tree, "folder/f", "/link");
	struct path path = test_path("/folder");
	assert_int_equal(tree->backend->stat(tree->state, &path, true, &folder), 0);
	path = test_path("/folder/f");
	assert_int_equal(tree->backend->stat(tree->state, &path, true, &file), 0);
	path = test_path("/link");
	assert_int_equal(tree->backend->stat(tree->state, &path, false, &link), 0);
	assert_int_equal(folder.type, PATHIO_TYPE_DIRECTORY);
	assert_int_equal(file.type, PATHIO_TYPE_FILE);
	assert_int_equal(link.type, PATHIO_TYPE_SYMLINK);
	assert_int_equal(file.size, 5);
	assert_int_equal(link.size, strlen("folder/f"));
	assert_int_equal(file.links, 1);
	assert_int_equal(file.uid, geteuid());
	assert_int_equal(file.device, folder.device);
	assert_int_not_equal(file.inode, folder.inode);
	assert_true(file.mtime_ns > INT64_C(1600000000) * 1000000000);
	assert_true(file.mtime_ns >= folder.btime_ns);
	assert_true(folder.mtime_ns >= file.btime_ns || !file.has_btime);
}

/* ---- contents ---- */

static void
check_unlinked(struct tree *tree)
{
	test_put(tree, "/f", "before");
	struct backend_file *file = test_open(tree, "/f", BACKEND_READ | BACKEND_WRITE);
	test_remove(tree, "/f");
	assert_int_equal(tree->backend->write(file, 6, " and after", 10), 10);
	test_expect_content(tree, file, "before and after");
	struct pathio_attributes found;
	assert_int_equal(tree->backend->attributes(file, &found), 0);
	assert_int_equal(found.links, 0);
	test_put(tree, "/f", "another");
	test_expect_content(tree, file, "before and after");
	tree->backend->close(&file);
	test_expect(tree, "/f", "another");
}

static void
check_replaced(struct tree *tree)
{
	test_put(tree, "/f", "old");
	test_put(tree, "/g", "new");
	struct backend_file *file = test_open(tree, "/f", BACKEND_READ);
	struct path from = test_path("/g");
	struct path to = test_path("/f");
	assert_int_equal(tree->backend->rename(tree->state, &from, &to), 0);
	test_expect_content(tree, file, "old");
	test_expect(tree, "/f", "new");
	tree->backend->close(&file);
}

static void
check_cut_and_grown(struct tree *tree)
{
	test_put(tree, "/f", "0123456789");
	struct backend_file *file = test_open(tree, "/f", BACKEND_READ | BACKEND_WRITE);
	assert_int_equal(tree->backend->truncate(file, 3), 0);
	assert_int_equal(tree->backend->truncate(file, 6), 0);
	char content[16];
	assert_int_equal(tree->backend->read(file, 0, content, sizeof(content)), 6);
	assert_memory_equal(content, "012\0\0\0", 6);
	tree->backend->close(&file);
}

static void
check_beyond(struct tree *tree)
{
	struct backend_file *file =
		test_open(tree, "/f", BACKEND_READ | BACKEND_WRITE | BACKEND_CREATE);
	char byte;
	assert_int_equal(tree->backend->read(file, 0, &byte, 1), 0);
	assert_int_equal(tree->backend->read(file, INT64_MAX - 1, &byte, 1), 0);
	assert_int_equal(tree->backend->read(file, INT64_MAX, &byte, 1), 0);
	assert_int_equal(tree->backend->write(file, 1000000, "x", 1), 1);
	assert_int_equal(tree->backend->read(file, 999999, &byte, 1), 1);
	assert_int_equal(byte, 0);
	assert_int_equal(tree->backend->write(file, INT64_MAX, "x", 1), -EFBIG);
	tree->backend->close(&file);
}

/* Every byte of the file comes out of exactly one extent; a hole may be told as one. */
static void
check_extents(struct tree *tree)
{
	enum { SIZE = 300000, BLOCK = 10000 };
	static char want[SIZE], got[SIZE];
	memset(want, 0, sizeof(want));
	struct backend_file *file =
		test_open(tree, "/f", BACKEND_READ | BACKEND_WRITE | BACKEND_CREATE);
	for (size_t at = 0; at < SIZE; at += 2 * (size_t)BLOCK) {
		memset(want + at, 'a' + (int)(at / BLOCK % 26), BLOCK);
		assert_int_equal(tree->backend->write(file, at, want + at, BLOCK), BLOCK);
	}
	uint64_t at = 0;
	struct backend_extent extent;
	while (at < SIZE - BLOCK) {
		assert_int_equal(tree->backend->extent(file, at, 7777, &extent), 1);
		assert_in_range(extent.length, 1, 7777);
		memset(got + at, 0, extent.length);
		if (extent.fd >= 0)
			assert_int_equal(pread(extent.fd, got + at, extent.length, extent.offset),
				extent.length);
		at += extent.length;
	}
	assert_int_equal(at, SIZE - BLOCK);
	assert_int_equal(tree->backend->extent(file, at, 1, &extent), 0);
	assert_memory_equal(want, got, SIZE - BLOCK);
	tree->backend->close(&file);
}

static const struct tree_row tree_rows[] = {
	{ "a handle reads or writes as it was opened", check_direction },
	{ "append goes to the end of all that was appended", check_append },
	{ "exclusive refuses whatever has the name", check_exclusive },
	{ "no-follow refuses a link", check_nofollow },
	{ "one holder at a time", check_held },
	{ "creating through a link makes its target", check_create_through_link },
	{ "the umask, and a mode set later", check_umask },
	{ "attributes of each type", check_attributes },
	{ "an unlinked file lives in its handle", check_unlinked },
	{ "a replaced file lives in its handle", check_replaced },
	{ "cut and grown again reads zeros", check_cut_and_grown },
	{ "beyond the end", check_beyond },
	{ "extents are the file", check_extents },
};

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = {
		TABLE("sync", tree_rows, tree_row_run_kernel),
		TABLE("memory", tree_rows, tree_row_run_memory),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
