/*
 * Uploads beyond the contract's cases: left-overs, what is kept of an interrupted one, commits that
 * fail, names that run out, a disk that is full. Every case runs on a real tree and on one in
 * memory, but where it says so.
 */
#include "policy/rules/rights.h"
#include "tests/table.h"
#include "tests/unit/worker/trees.h"
#include "worker/upload.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static void
put_with_mode(struct tree *tree, const char *text, const char *content, uint32_t mode)
{
	struct path path = test_path(text);
	test_put(tree, text, content);
	assert_int_equal(tree->backend->set_mode(tree->state, &path, mode), 0);
}

/* Entries of a folder; the last hidden one's path goes to *hidden. */
static int
count_entries(struct tree *tree, const char *text, struct path *hidden)
{
	struct path path = test_path(text);
	struct backend_directory *directory;
	struct backend_entry entry;
	int count = 0;
	assert_int_equal(tree->backend->directory_open(tree->state, &path, 0, &directory), 0);
	for (; tree->backend->directory_next(directory, &entry) > 0; count++) {
		if (hidden == NULL || !rights_name_is_hidden(entry.name))
			continue;
		*hidden = path;
		assert_int_equal(path_append(hidden, entry.name), 0);
	}
	tree->backend->directory_close(&directory);
	return count;
}

static struct upload *
begin(struct tree *tree, const char *text, enum pathio_how how, const char *content)
{
	struct path path = test_path(text);
	struct upload *upload;
	struct pathio_attributes found;
	struct backend_file *file;
	uint64_t offset;
	assert_int_equal(upload_open(tree, &path, how, 0, 0, &upload, &found), 0);
	assert_int_equal(upload_begin(upload, &file, &offset), 0);
	assert_int_equal(
		tree->backend->write(file, offset, content, strlen(content)), strlen(content));
	return upload;
}

/* ---- the temporary file ---- */

static void
check_temporary(struct tree *tree)
{
	struct path hidden = test_path("/");
	struct pathio_attributes found;
	struct backend_file *file;
	test_put(tree, "/f", "old");
	struct upload *upload = begin(tree, "/f", PATHIO_HOW_REPLACE, "new");
	assert_int_equal(count_entries(tree, "/", &hidden), 2);
	assert_int_equal(hidden.length, strlen("/.sallyport-0123456789abcdef.part"));
	assert_int_equal(tree->backend->stat(tree->state, &hidden, false, &found), 0);
	assert_int_equal(found.mode, 0600);
	assert_int_equal(found.size, 3);
	assert_int_equal(tree->backend->open(
				 tree->state, &hidden, BACKEND_READ | BACKEND_HELD, 0, &file, NULL),
		-EAGAIN);
	upload_drop(&upload);
	assert_null(upload);
	assert_int_equal(count_entries(tree, "/", NULL), 1);
	upload_drop(&upload);
	upload_discard(&upload);
}

/* ---- commits ---- */

static void
check_synced(struct tree *tree)
{
	struct pathio_attributes found;
	tree->uploads.sync = SYNC_DATA;
	struct upload *upload = begin(tree, "/f", PATHIO_HOW_REPLACE, "new");
	assert_int_equal(upload_commit(&upload, &found), 0);
	assert_int_equal(found.size, 3);
	upload = begin(tree, "/f", PATHIO_HOW_APPEND, "er");
	assert_int_equal(upload_commit(&upload, &found), 0);
	test_expect(tree, "/f", "newer");
}

/* Meanwhile a folder has taken the name. */
static void
check_commit_fails(struct tree *tree)
{
	struct pathio_attributes found = { .size = 77 };
	struct path path = test_path("/f");
	struct upload *upload = begin(tree, "/f", PATHIO_HOW_REPLACE, "new");
	assert_int_equal(tree->backend->mkdir(tree->state, &path, 0777), 0);
	assert_int_equal(upload_commit(&upload, &found), -EISDIR);
	assert_null(upload);
	assert_int_equal(found.size, 77);
	assert_int_equal(count_entries(tree, "/", NULL), 1);
}

/* The folder itself has gone: there is nothing to clean up, and no crash. */
static void
check_folder_renamed(struct tree *tree)
{
	struct pathio_attributes found;
	struct path from = test_path("/d");
	struct path to = test_path("/e");
	assert_int_equal(tree->backend->mkdir(tree->state, &from, 0777), 0);
	struct upload *upload = begin(tree, "/d/f", PATHIO_HOW_REPLACE, "new");
	assert_int_equal(tree->backend->rename(tree->state, &from, &to), 0);
	assert_int_equal(upload_commit(&upload, &found), -ENOENT);
	assert_null(upload);
}

static void
check_modes(struct tree *tree)
{
	struct pathio_attributes found;
	struct upload *upload = begin(tree, "/new", PATHIO_HOW_REPLACE, "x");
	assert_int_equal(upload_commit(&upload, &found), 0);
	assert_int_equal(found.mode, 0644);
	put_with_mode(tree, "/tool", "old", 0755);
	upload = begin(tree, "/tool", PATHIO_HOW_REPLACE, "x");
	assert_int_equal(upload_commit(&upload, &found), 0);
	assert_int_equal(found.mode, 0755);
	upload = begin(tree, "/tool", PATHIO_HOW_UNIQUE, "x");
	assert_string_equal(upload_path(upload)->text, "/tool.1");
	assert_int_equal(upload_commit(&upload, &found), 0);
	assert_int_equal(found.mode, 0644);
}

/* ---- unique ---- */

static void
check_many_names(struct tree *tree)
{
	char name[32];
	test_put(tree, "/f", "");
	for (int i = 1; i <= 100; i++) {
		snprintf(name, sizeof(name), "/f.%d", i);
		test_put(tree, name, "");
	}
	struct pathio_attributes found;
	struct upload *upload = begin(tree, "/f", PATHIO_HOW_UNIQUE, "x");
	struct path path = *upload_path(upload);
	assert_int_equal(upload_commit(&upload, &found), 0);
	assert_int_equal(strncmp(path.text, "/f.", 3), 0);
	test_expect(tree, path.text, "x");
	assert_int_equal(count_entries(tree, "/", NULL), 102);
}

static void
check_long_name(struct tree *tree)
{
	struct path path = test_path("/");
	char name[NAME_BYTES_MAX + 1] = "";
	memset(name, 'n', NAME_BYTES_MAX);
	assert_int_equal(path_append(&path, bytes_of_text(name)), 0);
	test_put(tree, path.text, "old");
	struct upload *upload = begin(tree, path.text, PATHIO_HOW_UNIQUE, "x");
	assert_int_equal(strlen(path_name(upload_path(upload))), NAME_BYTES_MAX);
	upload_drop(&upload);
	test_expect(tree, path.text, "old");
}

/* Somebody else has written to the reserved name: it is not ours to remove. */
static void
check_reserved_taken(struct tree *tree)
{
	struct upload *upload = begin(tree, "/f", PATHIO_HOW_UNIQUE, "x");
	test_put(tree, "/f", "theirs");
	upload_drop(&upload);
	test_expect(tree, "/f", "theirs");
}

/* ---- interrupted ---- */

static void
check_kept(struct tree *tree)
{
	tree->uploads.keep_partial = true;
	put_with_mode(tree, "/f", "old", 0600);
	struct upload *upload = begin(tree, "/f", PATHIO_HOW_REPLACE, "half");
	upload_discard(&upload);
	test_expect(tree, "/f", "old");
	test_expect(tree, "/f.partial", "half");
	upload = begin(tree, "/f", PATHIO_HOW_REPLACE, "more than half");
	upload_discard(&upload);
	test_expect(tree, "/f.partial", "more than half");
	assert_int_equal(count_entries(tree, "/", NULL), 2);
	upload = begin(tree, "/g", PATHIO_HOW_UNIQUE, "half");
	upload_discard(&upload);
	test_expect(tree, "/g.partial", "half");
	assert_false(test_exists(tree, "/g"));
}

static void
check_nothing_kept(struct tree *tree)
{
	struct path path = test_path("/f.partial");
	tree->uploads.keep_partial = true;
	struct upload *upload = begin(tree, "/f", PATHIO_HOW_REPLACE, "");
	upload_discard(&upload);
	assert_int_equal(count_entries(tree, "/", NULL), 0);
	assert_int_equal(tree->backend->mkdir(tree->state, &path, 0777), 0);
	upload = begin(tree, "/f", PATHIO_HOW_REPLACE, "half"); /* the name cannot be had */
	upload_discard(&upload);
	assert_int_equal(count_entries(tree, "/", NULL), 1);
	upload = begin(tree, "/g", PATHIO_HOW_REPLACE, "half");
	upload_drop(&upload);
	assert_int_equal(count_entries(tree, "/", NULL), 1);
}

/* ---- left-overs ---- */

static void
plant(struct tree *tree, const char *text, int age_s)
{
	struct path path = test_path(text);
	struct pathio_set_times times = { .has_mtime = true,
		.mtime_ns = (time(NULL) - age_s) * INT64_C(1000000000) };
	put_with_mode(tree, text, "left", 0600);
	assert_int_equal(tree->backend->set_times(tree->state, &path, &times), 0);
}

#define OLD   "/.sallyport-0000000000000001.part"
#define YOUNG "/.sallyport-0000000000000002.part"
#define HELD  "/.sallyport-0000000000000003.part"
#define OTHER "/.sallyport-000000000000000x.part"

static void
check_swept(struct tree *tree)
{
	plant(tree, OLD, 3700);
	plant(tree, YOUNG, 3500);
	plant(tree, HELD, 3700);
	plant(tree, OTHER, 3700);
	struct path path = test_path(HELD);
	struct backend_file *holder;
	assert_int_equal(tree->backend->open(
				 tree->state, &path, BACKEND_READ | BACKEND_HELD, 0, &holder, NULL),
		0);
	struct upload *upload = begin(tree, "/f", PATHIO_HOW_REPLACE, "x");
	assert_false(test_exists(tree, OLD));
	assert_true(test_exists(tree, YOUNG));
	assert_true(test_exists(tree, HELD));
	assert_true(test_exists(tree, OTHER));
	upload_drop(&upload);
	tree->backend->close(&holder);
}

static void
check_swept_once(struct tree *tree)
{
	struct upload *upload = begin(tree, "/f", PATHIO_HOW_REPLACE, "x");
	upload_drop(&upload);
	plant(tree, OLD, 3700);
	upload = begin(tree, "/f", PATHIO_HOW_REPLACE, "x");
	upload_drop(&upload);
	assert_true(test_exists(tree, OLD));
	for (size_t i = 0; i < TREE_SWEPT_SLOTS; i++)
		tree->swept[i].at -= 3600;
	upload = begin(tree, "/f", PATHIO_HOW_REPLACE, "x");
	upload_drop(&upload);
	assert_false(test_exists(tree, OLD));
}

static void
check_swept_by_listing(struct tree *tree)
{
	struct path folder = test_path("/");
	struct path path = test_path(OLD);
	struct backend_entry entry = { .name = bytes_of_text(&OLD[1]) };
	plant(tree, OLD, 3700);
	assert_int_equal(tree->backend->stat(tree->state, &path, false, &entry.attributes), 0);
	upload_sweep_entry(tree, &folder, &entry);
	assert_false(test_exists(tree, OLD));
	upload_sweep_entry(tree, &folder, &entry);
}

/* A link with such a name is no left-over, and what it points to is not touched. */
static void
check_link_not_swept(struct tree *tree)
{
	struct path path = test_path(OLD);
	plant(tree, "/f", 3700);
	assert_int_equal(tree->backend->symlink(tree->state, bytes_of_text("f"), &path), 0);
	struct upload *upload = begin(tree, "/g", PATHIO_HOW_REPLACE, "x");
	upload_drop(&upload);
	assert_true(test_exists(tree, "/f"));
	assert_true(test_exists(tree, OLD));
}

/* ---- paths ---- */

static void
check_no_room_for_hidden_name(struct tree *tree)
{
	struct path path = test_path("/");
	struct upload *upload;
	struct pathio_attributes found;
	while (path.length < PATH_BYTES_MAX - 5) {
		assert_int_equal(path_append(&path, bytes_of_text("ddd")), 0);
		assert_int_equal(tree->backend->mkdir(tree->state, &path, 0777), 0);
	}
	assert_int_equal(path_append(&path, bytes_of_text("f")), 0);
	assert_int_equal(
		upload_open(tree, &path, PATHIO_HOW_REPLACE, 0, 0, &upload, &found), -ENAMETOOLONG);
	assert_int_equal(upload_open(tree, &path, PATHIO_HOW_APPEND, 0, 0, &upload, &found), 0);
	upload_drop(&upload);
	path_parent(&path, &path);
	assert_int_equal(count_entries(tree, path.text, NULL), 0);
}

/* ---- what may replace nothing ---- */

static void
check_claim(struct tree *tree)
{
	struct upload *upload = begin(tree, "/f", PATHIO_HOW_REPLACE, "new");
	struct pathio_attributes found;
	assert_int_equal(upload_claim(upload), 0);
	assert_true(test_exists(tree, "/f"));
	upload_drop(&upload);
	assert_int_equal(count_entries(tree, "/", NULL), 0);
	upload = begin(tree, "/f", PATHIO_HOW_REPLACE, "new");
	assert_int_equal(upload_claim(upload), 0);
	assert_int_equal(upload_commit(&upload, &found), 0);
	assert_int_equal(found.mode, 0644);
	test_expect(tree, "/f", "new");
	assert_int_equal(count_entries(tree, "/", NULL), 1);
}

/* Of two that both saw nothing there, one is the first. */
static void
check_claimed_by_other(struct tree *tree)
{
	struct upload *first = begin(tree, "/f", PATHIO_HOW_REPLACE, "first");
	struct upload *second = begin(tree, "/f", PATHIO_HOW_REPLACE, "second");
	struct pathio_attributes found;
	assert_int_equal(upload_claim(first), 0);
	assert_int_equal(upload_claim(second), -EACCES);
	upload_drop(&second);
	assert_int_equal(upload_commit(&first, &found), 0);
	test_expect(tree, "/f", "first");
	assert_int_equal(count_entries(tree, "/", NULL), 1);
}

static uint32_t
mode_after(struct tree *tree, const char *text, enum pathio_how how, uint32_t umask)
{
	struct path path = test_path(text);
	struct upload *upload;
	struct pathio_attributes found;
	assert_int_equal(upload_open(tree, &path, how, 0, umask, &upload, &found), 0);
	assert_int_equal(upload_commit(&upload, &found), 0);
	return found.mode;
}

/* It adds to the tree's, which is 022, and leaves alone what was there. */
static void
check_own_umask(struct tree *tree)
{
	assert_int_equal(mode_after(tree, "/a", PATHIO_HOW_REPLACE, 0), 0644);
	assert_int_equal(mode_after(tree, "/b", PATHIO_HOW_REPLACE, 077), 0600);
	assert_int_equal(mode_after(tree, "/c", PATHIO_HOW_APPEND, 004), 0640);
	assert_int_equal(mode_after(tree, "/d", PATHIO_HOW_UNIQUE, 077), 0600);
	assert_int_equal(mode_after(tree, "/a", PATHIO_HOW_REPLACE, 077), 0644);
	assert_int_equal(mode_after(tree, "/a", PATHIO_HOW_APPEND, 077), 0644);
}

static const struct tree_row tree_rows[] = {
	{ "the temporary file is hidden, the owner's alone and held", check_temporary },
	{ "commit with everything flushed", check_synced },
	{ "a commit that fails leaves nothing", check_commit_fails },
	{ "the folder is renamed meanwhile", check_folder_renamed },
	{ "modes", check_modes },
	{ "modes with an umask of its own", check_own_umask },
	{ "unique among many names", check_many_names },
	{ "unique of a name that is full", check_long_name },
	{ "unique, and somebody else has the name", check_reserved_taken },
	{ "interrupted and kept", check_kept },
	{ "interrupted, and nothing to keep", check_nothing_kept },
	{ "left-overs are swept", check_swept },
	{ "a folder is swept once an hour", check_swept_once },
	{ "listings sweep", check_swept_by_listing },
	{ "a link is no left-over", check_link_not_swept },
	{ "no room for the hidden name", check_no_room_for_hidden_name },
	{ "a claim", check_claim },
	{ "a claim comes too late", check_claimed_by_other },
};

/* Where links are refused, an upload is not led anywhere. */
static void
check_refused(const struct backend *backend)
{
	struct backend_options options = {
		.memory_limit_bytes = TEST_MEMORY_LIMIT, .umask = 022, .symlinks = SYMLINKS_REFUSE
	};
	struct upload_policy uploads = { .sync = SYNC_NONE };
	struct test_tree test;
	struct upload *upload;
	struct pathio_attributes found;
	test_tree_open_with(&test, backend, &options, &uploads);
	test_put(&test.tree, "/f", "old");
	struct path path = test_path("/l");
	assert_int_equal(backend->symlink(test.tree.state, bytes_of_text("f"), &path), 0);
	for (int how = PATHIO_HOW_REPLACE; how < PATHIO_HOW_UNIQUE; how++)
		assert_int_equal(
			upload_open(&test.tree, &path, (enum pathio_how)how, 0, 0, &upload, &found),
			-ELOOP);
	test_expect(&test.tree, "/f", "old");
	assert_int_equal(count_entries(&test.tree, "/", NULL), 2);
	test_tree_close(&test);
}

static void
check_refused_kernel(UNUSED void **state)
{
	check_refused(&backend_kernel);
}

static void
check_refused_memory(UNUSED void **state)
{
	check_refused(&backend_memory);
}

/* Memory only: ENOSPC on the way, and what stood there before still stands. */
static void
check_full(UNUSED void **state)
{
	static char block[1 << 16];
	struct backend_options options = { .memory_limit_bytes = 1 << 18, .umask = 022 };
	struct upload_policy uploads = { .sync = SYNC_NONE };
	struct test_tree test;
	test_tree_open_with(&test, &backend_memory, &options, &uploads);
	test_put(&test.tree, "/f", "old");
	struct path root = test_path("/");
	uint64_t before, after;
	assert_int_equal(backend_memory.space(test.tree.state, &root, &before), 0);
	struct path path = test_path("/f");
	struct upload *upload;
	struct pathio_attributes found;
	struct backend_file *file;
	uint64_t offset;
	assert_int_equal(
		upload_open(&test.tree, &path, PATHIO_HOW_REPLACE, 0, 0, &upload, &found), 0);
	assert_int_equal(upload_begin(upload, &file, &offset), 0);
	ssize_t written = 1;
	while (written > 0) {
		written = backend_memory.write(file, offset, block, sizeof(block));
		offset += (uint64_t)written;
	}
	assert_int_equal(written, -ENOSPC);
	upload_discard(&upload);
	test_expect(&test.tree, "/f", "old");
	assert_int_equal(count_entries(&test.tree, "/", NULL), 1);
	assert_int_equal(backend_memory.space(test.tree.state, &root, &after), 0);
	assert_int_equal(before, after);
	test_tree_close(&test);
}

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = {
		TABLE("sync", tree_rows, tree_row_run_kernel),
		TABLE("memory", tree_rows, tree_row_run_memory),
		CASE("sync: links are refused", check_refused_kernel),
		CASE("memory: links are refused", check_refused_memory),
		CASE("memory: full", check_full),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
