/*
 * What backend.h promises of folders and links beyond paths and errors (those are in
 * tests/contract/): open directories, names with their types, targets. Every case runs on a real
 * tree and on one in memory.
 */
#include "tests/table.h"
#include "tests/unit/worker/trees.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

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
	test_make_folder(tree, "/d");
	for (int i = 0; i < STAY; i++) {
		snprintf(name, sizeof(name), "/d/stay%d", i);
		test_put(tree, name, "");
		snprintf(name, sizeof(name), "/d/go%d", i);
		test_put(tree, name, "");
	}
	struct backend_directory *directory = open_directory(tree, "/d", 0);
	struct backend_entry entry;
	for (int gone = 0; tree->backend->directory_next(directory, &entry) > 0;) {
		if (strncmp(entry.name.data, "stay", 4) == 0)
			seen[strtol(entry.name.data + 4, NULL, 10)]++;
		if (gone == STAY)
			continue;
		snprintf(name, sizeof(name), "/d/go%d", gone++);
		test_remove(tree, name);
		snprintf(name, sizeof(name), "/d/come%d", gone);
		test_put(tree, name, "");
	}
	assert_int_equal(tree->backend->directory_next(directory, &entry), 0);
	tree->backend->directory_close(&directory);
	for (int i = 0; i < STAY; i++)
		assert_int_equal(seen[i], 1);
}

static void
check_removed_folder(struct tree *tree)
{
	test_make_folder(tree, "/d");
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
	test_make_folder(tree, "/d");
	test_make_folder(tree, "/d/folder");
	test_make_link(tree, "folder", "/d/link");
	test_put(tree, "/d/.f", "");
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
	test_make_folder(tree, "/d");
	test_make_folder(tree, "/d/folder");
	test_make_link(tree, "folder", "/d/link");
	test_put(tree, "/d/f", "");
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
	test_put(tree, "/l0", "end");
	for (int i = 1; i <= 41; i++) {
		snprintf(name, sizeof(name), "/l%d", i);
		snprintf(target, sizeof(target), "l%d", i - 1);
		test_make_link(tree, target, name);
	}
	test_expect(tree, "/l40", "end");
	assert_int_equal(test_try_open(tree, "/l41", BACKEND_READ), -ELOOP);
}

static void
check_links_inside(struct tree *tree)
{
	test_make_folder(tree, "/d");
	test_put(tree, "/f", "the root's");
	test_make_link(tree, "../../../../f", "/d/up");
	test_make_link(tree, "/f", "/d/absolute");
	test_make_link(tree, "/", "/d/root");
	test_expect(tree, "/d/up", "the root's");
	test_expect(tree, "/d/absolute", "the root's");
	test_expect(tree, "/d/root/f", "the root's");
	test_expect(tree, "/d/root/d/root/d/absolute", "the root's");
}

static void
check_readlink(struct tree *tree)
{
	char target[8];
	test_make_link(tree, "1234567", "/seven");
	test_make_link(tree, "12345678", "/eight");
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
	test_make_folder(tree, "/d");
	test_put(tree, "/f", "");
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
