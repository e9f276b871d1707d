/*
 * What backend.h promises beyond paths and errors (those are in tests/contract/): handles, flags,
 * holes, extents, open directories. Every case runs on a real tree and on one in memory.
 */
#include "tests/table.h"
#include "tests/unit/worker/trees.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct backend_file *
open_file(struct tree *tree, const char *text, unsigned flags)
{
	struct path path = test_path(text);
	struct backend_file *file;
	assert_int_equal(tree->backend->open(tree->state, &path, flags, 0666, &file, NULL), 0);
	return file;
}

static int
try_open(struct tree *tree, const char *text, unsigned flags)
{
	struct path path = test_path(text);
	struct backend_file *file = NULL;
	int error = tree->backend->open(tree->state, &path, flags, 0666, &file, NULL);
	tree->backend->close(&file);
	return error;
}

static void
put(struct tree *tree, const char *text, const char *content)
{
	struct backend_file *file =
		open_file(tree, text, BACKEND_WRITE | BACKEND_CREATE | BACKEND_TRUNCATE);
	assert_int_equal(tree->backend->write(file, 0, content, strlen(content)), strlen(content));
	tree->backend->close(&file);
}

static void
expect_content(struct tree *tree, struct backend_file *file, const char *want)
{
	char content[64];
	ssize_t got = tree->backend->read(file, 0, content, sizeof(content));
	assert_int_equal(got, strlen(want));
	assert_memory_equal(content, want, strlen(want));
}

static void
expect(struct tree *tree, const char *text, const char *want)
{
	struct backend_file *file = open_file(tree, text, BACKEND_READ);
	expect_content(tree, file, want);
	tree->backend->close(&file);
}

static void
make_folder(struct tree *tree, const char *text)
{
	struct path path = test_path(text);
	assert_int_equal(tree->backend->mkdir(tree->state, &path, 0777), 0);
}

static void
make_link(struct tree *tree, const char *target, const char *text)
{
	struct path path = test_path(text);
	assert_int_equal(tree->backend->symlink(tree->state, bytes_of_text(target), &path), 0);
}

static void
remove_file(struct tree *tree, const char *text)
{
	struct path path = test_path(text);
	assert_int_equal(tree->backend->unlink(tree->state, &path), 0);
}

/* ---- flags of open ---- */

static void
check_direction(struct tree *tree)
{
	put(tree, "/f", "text");
	char byte;
	struct backend_extent extent;
	struct backend_file *reader = open_file(tree, "/f", BACKEND_READ);
	assert_int_equal(tree->backend->write(reader, 0, "x", 1), -EBADF);
	tree->backend->close(&reader);
	assert_null(reader);
	struct backend_file *writer = open_file(tree, "/f", BACKEND_WRITE);
	assert_int_equal(tree->backend->read(writer, 0, &byte, 1), -EBADF);
	assert_int_equal(tree->backend->extent(writer, 0, 1, &extent), -EBADF);
	tree->backend->close(&writer);
	expect(tree, "/f", "text");
}

static void
check_append(struct tree *tree)
{
	put(tree, "/f", "one");
	struct backend_file *a = open_file(tree, "/f", BACKEND_WRITE | BACKEND_APPEND);
	struct backend_file *b = open_file(tree, "/f", BACKEND_WRITE | BACKEND_APPEND);
	assert_int_equal(tree->backend->write(a, 0, "two", 3), 3);
	assert_int_equal(tree->backend->write(b, 0, "three", 5), 5);
	assert_int_equal(tree->backend->write(a, 1, "four", 4), 4);
	tree->backend->close(&a);
	tree->backend->close(&b);
	expect(tree, "/f", "onetwothreefour");
}

static void
check_exclusive(struct tree *tree)
{
	unsigned flags = BACKEND_WRITE | BACKEND_CREATE | BACKEND_EXCLUSIVE;
	make_folder(tree, "/folder");
	make_link(tree, "nothing", "/link");
	put(tree, "/f", "");
	assert_int_equal(try_open(tree, "/folder", flags), -EEXIST);
	assert_int_equal(try_open(tree, "/link", flags), -EEXIST);
	assert_int_equal(try_open(tree, "/f", flags), -EEXIST);
	assert_int_equal(try_open(tree, "/", flags), -EEXIST);
	assert_int_equal(try_open(tree, "/new", flags), 0);
}

static void
check_nofollow(struct tree *tree)
{
	put(tree, "/f", "text");
	make_link(tree, "f", "/link");
	assert_int_equal(try_open(tree, "/link", BACKEND_READ | BACKEND_NOFOLLOW), -ELOOP);
	assert_int_equal(try_open(tree, "/f", BACKEND_READ | BACKEND_NOFOLLOW), 0);
}

static void
check_held(struct tree *tree)
{
	put(tree, "/f", "");
	struct backend_file *holder = open_file(tree, "/f", BACKEND_READ | BACKEND_HELD);
	assert_int_equal(try_open(tree, "/f", BACKEND_READ | BACKEND_HELD), -EAGAIN);
	assert_int_equal(try_open(tree, "/f", BACKEND_READ), 0);
	tree->backend->close(&holder);
	assert_int_equal(try_open(tree, "/f", BACKEND_READ | BACKEND_HELD), 0);
}

static void
check_create_through_link(struct tree *tree)
{
	make_link(tree, "/target", "/link");
	assert_int_equal(try_open(tree, "/link", BACKEND_WRITE), -ENOENT);
	put(tree, "/link", "text");
	expect(tree, "/target", "text");
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
	make_folder(tree, "/folder");
	put(tree, "/folder/f", "12345");
	make_link(tree, "folder/f", "/link");
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
	put(tree, "/f", "before");
	struct backend_file *file = open_file(tree, "/f", BACKEND_READ | BACKEND_WRITE);
	remove_file(tree, "/f");
	assert_int_equal(tree->backend->write(file, 6, " and after", 10), 10);
	expect_content(tree, file, "before and after");
	struct pathio_attributes found;
	assert_int_equal(tree->backend->attributes(file, &found), 0);
	assert_int_equal(found.links, 0);
	put(tree, "/f", "another");
	expect_content(tree, file, "before and after");
	tree->backend->close(&file);
	expect(tree, "/f", "another");
}

static void
check_replaced(struct tree *tree)
{
	put(tree, "/f", "old");
	put(tree, "/g", "new");
	struct backend_file *file = open_file(tree, "/f", BACKEND_READ);
	struct path from = test_path("/g");
	struct path to = test_path("/f");
	assert_int_equal(tree->backend->rename(tree->state, &from, &to), 0);
	expect_content(tree, file, "old");
	expect(tree, "/f", "new");
	tree->backend->close(&file);
}

static void
check_cut_and_grown(struct tree *tree)
{
	put(tree, "/f", "0123456789");
	struct backend_file *file = open_file(tree, "/f", BACKEND_READ | BACKEND_WRITE);
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
		open_file(tree, "/f", BACKEND_READ | BACKEND_WRITE | BACKEND_CREATE);
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
		open_file(tree, "/f", BACKEND_READ | BACKEND_WRITE | BACKEND_CREATE);
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

/* ---- directories ---- */

static struct backend_directory *
open_directory(struct tree *tree, const char *text, unsigned flags)
{
	struct path path = test_path(text);
	struct backend_directory *directory;
	assert_int_equal(tree->backend->directory_open(tree->state, &path, flags, &directory), 0);
	return directory;
}

/* Entries stay, go and come while the folder is read; those that stay are each seen once. */
static void
check_changing_folder(struct tree *tree)
{
	enum { STAY = 500 };
	int seen[STAY] = { 0 };
	char name[32];
	make_folder(tree, "/d");
	for (int i = 0; i < STAY; i++) {
		snprintf(name, sizeof(name), "/d/stay%d", i);
		put(tree, name, "");
		snprintf(name, sizeof(name), "/d/go%d", i);
		put(tree, name, "");
	}
	struct backend_directory *directory = open_directory(tree, "/d", 0);
	struct backend_entry entry;
	for (int gone = 0; tree->backend->directory_next(directory, &entry) > 0;) {
		if (strncmp(entry.name.data, "stay", 4) == 0)
			seen[strtol(entry.name.data + 4, NULL, 10)]++;
		if (gone == STAY)
			continue;
		snprintf(name, sizeof(name), "/d/go%d", gone++);
		remove_file(tree, name);
		snprintf(name, sizeof(name), "/d/come%d", gone);
		put(tree, name, "");
	}
	assert_int_equal(tree->backend->directory_next(directory, &entry), 0);
	tree->backend->directory_close(&directory);
	for (int i = 0; i < STAY; i++)
		assert_int_equal(seen[i], 1);
}

static void
check_removed_folder(struct tree *tree)
{
	make_folder(tree, "/d");
	struct backend_directory *directory = open_directory(tree, "/d", 0);
	struct path path = test_path("/d");
	assert_int_equal(tree->backend->rmdir(tree->state, &path), 0);
	struct backend_entry entry;
	assert_int_equal(tree->backend->directory_next(directory, &entry), 0);
	tree->backend->directory_close(&directory);
}

static void
check_names(struct tree *tree)
{
	make_folder(tree, "/d");
	make_folder(tree, "/d/folder");
	make_link(tree, "folder", "/d/link");
	put(tree, "/d/.f", "");
	struct backend_directory *directory = open_directory(tree, "/d", BACKEND_NAMES);
	struct backend_entry entry;
	int count = 0;
	for (; tree->backend->directory_next(directory, &entry) > 0; count++) {
		if (bytes_equal_text(entry.name, "folder"))
			assert_int_equal(entry.attributes.type, PATHIO_TYPE_DIRECTORY);
		else if (bytes_equal_text(entry.name, "link"))
			assert_int_equal(entry.attributes.type, PATHIO_TYPE_SYMLINK);
		else if (bytes_equal_text(entry.name, ".f"))
			assert_int_equal(entry.attributes.type, PATHIO_TYPE_FILE);
		else
			fail_msg("%.*s", (int)entry.name.length, entry.name.data);
	}
	assert_int_equal(count, 3);
	tree->backend->directory_close(&directory);
}

/* By descriptor: names only, no link, the right errors. */
static void
check_in_folder(struct tree *tree)
{
	make_folder(tree, "/d");
	make_folder(tree, "/d/folder");
	make_link(tree, "folder", "/d/link");
	put(tree, "/d/f", "");
	struct backend_directory *directory = open_directory(tree, "/d", 0);
	struct backend_directory *inner;
	const struct backend *backend = tree->backend;
	int error = backend->directory_open_in(directory, "link", 0, &inner);
	assert_true(error == -ENOTDIR || error == -ELOOP);
	assert_int_equal(backend->directory_open_in(directory, "f", 0, &inner), -ENOTDIR);
	assert_int_equal(backend->directory_open_in(directory, "nothing", 0, &inner), -ENOENT);
	assert_int_equal(backend->directory_open_in(directory, "folder", 0, &inner), 0);
	backend->directory_close(&inner);
	assert_null(inner);
	assert_int_equal(backend->directory_unlink(directory, "folder"), -EISDIR);
	assert_int_equal(backend->directory_unlink(directory, "nothing"), -ENOENT);
	assert_int_equal(backend->directory_rmdir(directory, "f"), -ENOTDIR);
	assert_int_equal(backend->directory_rmdir(directory, "link"), -ENOTDIR);
	assert_int_equal(backend->directory_unlink(directory, "link"), 0);
	assert_int_equal(backend->directory_unlink(directory, "f"), 0);
	assert_int_equal(backend->directory_rmdir(directory, "folder"), 0);
	backend->directory_close(&directory);
}

/* ---- links ---- */

static void
check_forty_links(struct tree *tree)
{
	char name[16];
	char target[16];
	put(tree, "/l0", "end");
	for (int i = 1; i <= 41; i++) {
		snprintf(name, sizeof(name), "/l%d", i);
		snprintf(target, sizeof(target), "l%d", i - 1);
		make_link(tree, target, name);
	}
	expect(tree, "/l40", "end");
	assert_int_equal(try_open(tree, "/l41", BACKEND_READ), -ELOOP);
}

static void
check_links_inside(struct tree *tree)
{
	make_folder(tree, "/d");
	put(tree, "/f", "the root's");
	make_link(tree, "../../../../f", "/d/up");
	make_link(tree, "/f", "/d/absolute");
	make_link(tree, "/", "/d/root");
	expect(tree, "/d/up", "the root's");
	expect(tree, "/d/absolute", "the root's");
	expect(tree, "/d/root/f", "the root's");
	expect(tree, "/d/root/d/root/d/absolute", "the root's");
}

static void
check_readlink(struct tree *tree)
{
	char target[8];
	make_link(tree, "1234567", "/seven");
	make_link(tree, "12345678", "/eight");
	struct path path = test_path("/seven");
	assert_int_equal(tree->backend->readlink(tree->state, &path, target, sizeof(target)), 7);
	assert_memory_equal(target, "1234567", 7);
	path = test_path("/eight");
	assert_int_equal(
		tree->backend->readlink(tree->state, &path, target, sizeof(target)), -ERANGE);
}

static void
check_bad_targets(struct tree *tree)
{
	static char large[PATH_BYTES_MAX + 1];
	struct path path = test_path("/link");
	memset(large, 'a', sizeof(large));
	const struct backend *backend = tree->backend;
	assert_int_equal(backend->symlink(tree->state, bytes_of("a\0b", 3), &path), -EINVAL);
	assert_int_equal(backend->symlink(tree->state, bytes_of("", 0), &path), -ENOENT);
	assert_int_equal(backend->symlink(tree->state, bytes_of(large, sizeof(large)), &path),
		-ENAMETOOLONG);
	assert_int_equal(backend->symlink(tree->state, bytes_of(large, PATH_BYTES_MAX), &path), 0);
}

static void
check_sync_folder(struct tree *tree)
{
	make_folder(tree, "/d");
	put(tree, "/f", "");
	const struct backend *backend = tree->backend;
	struct path path = test_path("/d");
	assert_int_equal(backend->sync_folder(tree->state, &path), 0);
	assert_int_equal(backend->set_mode(tree->state, &path, 0333), 0);
	assert_int_equal(backend->sync_folder(tree->state, &path), 0);
	path = test_path("/f");
	assert_int_equal(backend->sync_folder(tree->state, &path), -ENOTDIR);
	path = test_path("/nothing");
	assert_int_equal(backend->sync_folder(tree->state, &path), -ENOENT);
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
	{ "a folder that changes while it is read", check_changing_folder },
	{ "a folder that is removed while it is read", check_removed_folder },
	{ "names with their types", check_names },
	{ "operations in an open folder", check_in_folder },
	{ "40 links are followed, 41 are a loop", check_forty_links },
	{ "links stay inside the root", check_links_inside },
	{ "a link's target that does not fit", check_readlink },
	{ "targets that no link may have", check_bad_targets },
	{ "syncing folders", check_sync_folder },
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
