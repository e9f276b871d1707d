/*
 * Operations over backends beyond the contract's cases: in pieces, bounded, dropped half-way; the
 * resolution of links. Every case runs on a real tree and on one in memory.
 */
#include "tests/table.h"
#include "tests/unit/worker/trees.h"
#include "worker/operations.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
put(struct tree *tree, const char *text, char letter, uint64_t size)
{
	static char block[1 << 16];
	struct path path = test_path(text);
	struct backend_file *file;
	memset(block, letter, sizeof(block));
	assert_int_equal(tree->backend->open(tree->state, &path, BACKEND_WRITE | BACKEND_CREATE,
				 0666, &file, NULL),
		0);
	for (uint64_t at = 0; at < size; at += sizeof(block)) {
		size_t length = size - at < sizeof(block) ? (size_t)(size - at) : sizeof(block);
		assert_int_equal(tree->backend->write(file, at, block, length), length);
	}
	tree->backend->close(&file);
}

static void
make_folder(struct tree *tree, const char *text)
{
	struct path path = test_path(text);
	assert_int_equal(operation_mkdir(tree, &path, 0777, true, true), 0);
}

static int
count_entries(struct tree *tree, const char *text)
{
	struct path path = test_path(text);
	struct backend_directory *directory;
	struct backend_entry entry;
	int count = 0;
	assert_int_equal(
		tree->backend->directory_open(tree->state, &path, BACKEND_NAMES, &directory), 0);
	while (tree->backend->directory_next(directory, &entry) > 0)
		count++;
	tree->backend->directory_close(&directory);
	return count;
}

static int
finish(struct operation *operation, int *steps)
{
	int more = 1;
	for (*steps = 0; more > 0; ++*steps)
		more = operation_step(operation);
	operation_free(&operation);
	return more;
}

/* ---- mkdir ---- */

/* The mode is the last folder's; the others stay open to their owner. */
static void
check_parents_mode(struct tree *tree)
{
	struct path path = test_path("/a/b/c");
	struct pathio_attributes found;
	assert_int_equal(operation_mkdir(tree, &path, 0500, true, false), 0);
	assert_int_equal(tree->backend->stat(tree->state, &path, true, &found), 0);
	assert_int_equal(found.mode, 0500);
	path = test_path("/a/b");
	assert_int_equal(tree->backend->stat(tree->state, &path, true, &found), 0);
	assert_int_equal(found.mode, 0755);
}

/* ---- remove_tree ---- */

static void
make_deep(struct tree *tree, int levels)
{
	struct path path = test_path("/deep");
	for (int i = 0; i < levels; i++) {
		assert_int_equal(tree->backend->mkdir(tree->state, &path, 0777), 0);
		assert_int_equal(path_append(&path, bytes_of_text("d")), 0);
	}
}

static void
check_depth(struct tree *tree)
{
	struct path path = test_path("/deep");
	struct operation *operation;
	int steps;
	make_deep(tree, OPERATION_DEPTH_MAX);
	assert_int_equal(operation_remove_tree(tree, &path, &operation), 0);
	assert_int_equal(finish(operation, &steps), 0);
	assert_false(test_exists(tree, "/deep"));
}

static void
check_too_deep(struct tree *tree)
{
	struct path path = test_path("/deep");
	struct operation *operation;
	int steps;
	make_deep(tree, OPERATION_DEPTH_MAX + 1);
	assert_int_equal(operation_remove_tree(tree, &path, &operation), 0);
	assert_int_equal(finish(operation, &steps), -ELOOP);
	assert_true(test_exists(tree, "/deep"));
}

static void
make_many(struct tree *tree, int count)
{
	char name[32];
	make_folder(tree, "/many");
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "/many/%d", i);
		if (i % 3 == 0)
			make_folder(tree, name);
		else
			put(tree, name, 'x', 0);
	}
}

static void
check_removed_in_pieces(struct tree *tree)
{
	struct path path = test_path("/many");
	struct operation *operation;
	int steps;
	make_many(tree, 1500);
	assert_int_equal(operation_remove_tree(tree, &path, &operation), 0);
	assert_int_equal(operation_step(operation), 1);
	assert_in_range(count_entries(tree, "/many"), 1000, 1499);
	assert_int_equal(finish(operation, &steps), 0);
	assert_in_range(steps, 4, 20);
	assert_false(test_exists(tree, "/many"));
}

static void
check_removal_dropped(struct tree *tree)
{
	struct path path = test_path("/many");
	struct operation *operation;
	make_many(tree, 1500);
	int descriptors = count_descriptors();
	assert_int_equal(operation_remove_tree(tree, &path, &operation), 0);
	assert_int_equal(operation_step(operation), 1);
	operation_free(&operation);
	assert_null(operation);
	assert_int_equal(count_descriptors(), descriptors);
	assert_in_range(count_entries(tree, "/many"), 1000, 1499);
}

/* What comes while the folder is emptied goes with it. */
static void
check_added_meanwhile(struct tree *tree)
{
	struct path path = test_path("/many");
	struct operation *operation;
	int more = 1;
	make_many(tree, 600);
	assert_int_equal(operation_remove_tree(tree, &path, &operation), 0);
	for (int i = 0; more > 0; i++) {
		char name[32];
		more = operation_step(operation);
		if (more <= 0 || i >= 3)
			continue;
		snprintf(name, sizeof(name), "/many/late%d", i);
		put(tree, name, 'x', 10);
	}
	operation_free(&operation);
	assert_int_equal(more, 0);
	assert_false(test_exists(tree, "/many"));
}

/* ---- copy, digest, size_as ---- */

static void
check_copy_dropped(struct tree *tree)
{
	struct path source = test_path("/f");
	struct path destination = test_path("/g");
	struct operation *operation;
	put(tree, "/f", 'x', 20 << 20);
	tree->uploads.keep_partial = true;
	int descriptors = count_descriptors();
	assert_int_equal(operation_copy(tree, &source, &destination, false, &operation), 0);
	assert_int_equal(operation_step(operation), 1);
	assert_true(operation_bytes(operation) < 20 << 20);
	operation_free(&operation);
	assert_int_equal(count_descriptors(), descriptors);
	assert_int_equal(count_entries(tree, "/"), 1);
}

static ssize_t
write_nothing(UNUSED struct backend_file *file, UNUSED uint64_t offset, UNUSED const void *data,
	UNUSED size_t length)
{
	return 0;
}

static ssize_t
copy_nothing(UNUSED struct backend_file *source, UNUSED uint64_t source_offset,
	UNUSED struct backend_file *destination, UNUSED uint64_t destination_offset,
	UNUSED uint64_t length)
{
	return -ENOTSUP;
}

/* A backend that never stores a byte and never says why is not asked for ever. */
static void
check_copy_stores_nothing(struct tree *tree)
{
	struct path source = test_path("/f");
	struct path destination = test_path("/g");
	struct operation *operation;
	int steps;
	put(tree, "/f", 'x', 1000);
	const struct backend *sound = tree->backend;
	struct backend idle = *sound;
	idle.write = write_nothing;
	idle.copy_range = copy_nothing;
	tree->backend = &idle;
	assert_int_equal(operation_copy(tree, &source, &destination, false, &operation), 0);
	assert_int_equal(finish(operation, &steps), -EIO);
	tree->backend = sound;
	assert_int_equal(count_entries(tree, "/"), 1);
}

static void
check_digest_in_pieces(struct tree *tree)
{
	struct path path = test_path("/f");
	struct operation *operation;
	int steps = 0;
	put(tree, "/f", 'x', 5 << 20);
	assert_int_equal(operation_digest(tree, &path, PATHIO_CRC32, 1, UINT64_MAX, &operation), 0);
	while (operation_step(operation) > 0)
		steps++;
	assert_in_range(steps, 4, 10);
	assert_int_equal(operation_bytes(operation), (5 << 20) - 1);
	assert_int_equal(operation_digest_value(operation).length, 4);
	operation_free(&operation);
}

static void
check_size_as_limit(struct tree *tree)
{
	struct path path = test_path("/f");
	struct backend_file *file;
	uint64_t bytes = 1;
	assert_int_equal(tree->backend->open(tree->state, &path, BACKEND_WRITE | BACKEND_CREATE,
				 0666, &file, NULL),
		0);
	assert_int_equal(tree->backend->truncate(file, PATHIO_ASCII_SIZE_MAX), 0);
	assert_int_equal(operation_size_as(tree, &path, PATHIO_FORM_ASCII, &bytes), 0);
	assert_int_equal(bytes, PATHIO_ASCII_SIZE_MAX);
	assert_int_equal(tree->backend->truncate(file, PATHIO_ASCII_SIZE_MAX + 1), 0);
	assert_int_equal(operation_size_as(tree, &path, PATHIO_FORM_ASCII, &bytes), -EFBIG);
	assert_int_equal(bytes, PATHIO_ASCII_SIZE_MAX);
	assert_int_equal(operation_size_as(tree, &path, PATHIO_FORM_IMAGE, &bytes), 0);
	assert_int_equal(bytes, PATHIO_ASCII_SIZE_MAX + 1);
	tree->backend->close(&file);
}

/* ---- resolve ---- */

struct resolve_row {
	const char *name; /* the path */
	int want_result;
	const char *want;
};

/* In: /d/e/ (folders), /d/f (a file), and the links of make_links(). */
static const struct resolve_row resolve_rows[] = {
	{ "/", 0, "/" },
	{ "/d/f", 0, "/d/f" },
	{ "/d/new", 0, "/d/new" },
	{ "/no/new", -ENOENT, NULL },
	{ "/d/f/new", -ENOTDIR, NULL },
	{ "/to-f", 0, "/d/f" },
	{ "/to-new", 0, "/d/new" },
	{ "/to-d/f", 0, "/d/f" },
	{ "/to-d/to-root/d/f", 0, "/d/f" },
	{ "/chain", 0, "/d/f" },
	{ "/ring", -ELOOP, NULL },
	{ "/up-and-out", 0, "/d/f" },
	{ "/to-e/up", 0, "/d/f" },
	{ "/slash-at-end", 0, "/d/new" },
	{ "/to-d", 0, "/d" },
	{ "/to-root", 0, "/" },
	{ "/long", -ENAMETOOLONG, NULL },
};

static void
make_links(struct tree *tree)
{
	static char name[NAME_BYTES_MAX + 2];
	memset(name, 'n', NAME_BYTES_MAX + 1);
	make_folder(tree, "/d/e");
	put(tree, "/d/f", 'x', 1);
	test_make_link(tree, "d/f", "/to-f");
	test_make_link(tree, "d/./new", "/to-new");
	test_make_link(tree, "/d", "/to-d");
	test_make_link(tree, "d/e", "/to-e");
	test_make_link(tree, "/", "/to-root");
	test_make_link(tree, "..", "/d/to-root");
	test_make_link(tree, "to-d/../to-f", "/chain");
	test_make_link(tree, "ring", "/ring");
	test_make_link(tree, "../../../../d/f", "/up-and-out");
	test_make_link(tree, "../f", "/d/e/up");
	test_make_link(tree, "d/new//", "/slash-at-end");
	test_make_link(tree, name, "/long");
}

static void
check_resolve(const struct backend *backend, void **state)
{
	const struct resolve_row *row = *state;
	struct test_tree test;
	struct path path = test_path(row->name);
	struct path result = test_path("/untouched");
	test_tree_open(&test, backend);
	make_links(&test.tree);
	assert_int_equal(operation_resolve(&test.tree, &path, &result), row->want_result);
	assert_string_equal(result.text, row->want == NULL ? "/untouched" : row->want);
	test_tree_close(&test);
}

static void
check_resolve_kernel(void **state)
{
	check_resolve(&backend_kernel, state);
}

static void
check_resolve_memory(void **state)
{
	check_resolve(&backend_memory, state);
}

/* ---- another mount ---- */

static bool
write_map(const char *name, const char *text)
{
	FILE *map = fopen(name, "we");
	if (map == NULL)
		return false;
	bool written = fputs(text, map) >= 0;
	return fclose(map) == 0 && written;
}

/* The user is himself in the new namespace, or no file could be his. */
static bool
map_user(uid_t uid, gid_t gid)
{
	char uid_map[32], gid_map[32];
	snprintf(uid_map, sizeof(uid_map), "%u %u 1\n", uid, uid);
	snprintf(gid_map, sizeof(gid_map), "%u %u 1\n", gid, gid);
	return write_map("/proc/self/uid_map", uid_map) &&
	       write_map("/proc/self/setgroups", "deny") &&
	       write_map("/proc/self/gid_map", gid_map);
}

/* In a child with a mount view of its own: 0 as it should be, 1 not, 2 no mount to be had. */
static int
remove_with_mount(void)
{
	struct test_tree test;
	char mounted[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || !map_user(uid, gid))
		return 2;
	test_tree_open(&test, &backend_kernel);
	make_folder(&test.tree, "/d/mounted");
	snprintf(mounted, sizeof(mounted), "%s/d/mounted", test.folder);
	if (mount("none", mounted, "tmpfs", 0, NULL) < 0)
		return 2;
	put(&test.tree, "/d/mounted/keep", 'x', 1);
	struct path path = test_path("/d");
	struct operation *operation;
	int steps;
	int error = operation_remove_tree(&test.tree, &path, &operation);
	if (error == 0)
		error = finish(operation, &steps);
	bool kept = test_exists(&test.tree, "/d/mounted/keep");
	if (umount(mounted) == 0)
		test_tree_close(&test);
	return error == -EXDEV && kept ? 0 : 1;
}

static void
check_mount(UNUSED void **state)
{
	int status;
	pid_t child = fork();
	if (child == 0)
		_exit(remove_with_mount());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 2)
		case_skip("user namespaces with mounts");
	assert_int_equal(WEXITSTATUS(status), 0);
}

static const struct tree_row tree_rows[] = {
	{ "mkdir: modes of parents", check_parents_mode },
	{ "remove_tree: as deep as may be", check_depth },
	{ "remove_tree: too deep", check_too_deep },
	{ "remove_tree: in pieces", check_removed_in_pieces },
	{ "remove_tree: dropped half-way", check_removal_dropped },
	{ "remove_tree: entries that come meanwhile", check_added_meanwhile },
	{ "copy: dropped half-way leaves nothing", check_copy_dropped },
	{ "copy: a backend that stores nothing", check_copy_stores_nothing },
	{ "digest: in pieces", check_digest_in_pieces },
	{ "size_as: ascii has a limit", check_size_as_limit },
};

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = {
		TABLE("sync", tree_rows, tree_row_run_kernel),
		TABLE("memory", tree_rows, tree_row_run_memory),
		TABLE("sync: resolve", resolve_rows, check_resolve_kernel),
		TABLE("memory: resolve", resolve_rows, check_resolve_memory),
		CASE("remove_tree stays on its mount", check_mount),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
