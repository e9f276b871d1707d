/*
 * Trees for tests (see trees.h).
 */
#include "tests/unit/worker/trees.h"

#include "ipc/base/scope.h"
#include "tests/table.h"

#include <fcntl.h>
#include <fts.h>
#include <grp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>

enum { NOBODY = 65534 };

void
tree_tests_begin(void)
{
	if (geteuid() != 0)
		return;
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
		setresuid(NOBODY, NOBODY, NOBODY) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0) {
		perror("cannot become nobody");
		exit(EXIT_FAILURE);
	}
}

void
test_tree_open_with(struct test_tree *test, const struct backend *backend,
	const struct backend_options *options, const struct upload_policy *uploads)
{
	*test = (struct test_tree){ .folder = "" };
	struct backend_options filled = *options;
	filled.uid = geteuid();
	filled.gid = getegid();
	filled.root_fd = -1;
	if (backend == &backend_kernel) {
		test_new_folder(test->folder, sizeof(test->folder));
		filled.root_fd = open(test->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(filled.root_fd >= 0);
	}
	assert_int_equal(tree_open(&test->tree, backend, &filled, uploads), 0);
}

void
test_tree_open(struct test_tree *test, const struct backend *backend)
{
	struct backend_options options = { .memory_limit_bytes = TEST_MEMORY_LIMIT, .umask = 022 };
	struct upload_policy uploads = { .sync = SYNC_NONE };
	test_tree_open_with(test, backend, &options, &uploads);
}

void
test_new_folder(char *folder, size_t size)
{
	const char *below = getenv("TMPDIR");
	int length =
		snprintf(folder, size, "%s/sallyport-test-XXXXXX", below == NULL ? "/tmp" : below);
	assert_in_range(length, 1, size - 1);
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chmod(folder, 0755), 0);
}

void
test_remove_folder(char *folder)
{
	char *roots[] = { folder, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL, NULL);
	assert_non_null(tree);
	for (const FTSENT *entry; (entry = fts_read(tree)) != NULL;) {
		bool is_closed = (entry->fts_statp->st_mode & S_IRWXU) != S_IRWXU;
		if (entry->fts_info == FTS_D && is_closed)
			assert_int_equal(chmod(entry->fts_accpath, S_IRWXU), 0);
		else if (entry->fts_info == FTS_D)
			continue;
		else if (entry->fts_info == FTS_DP)
			assert_int_equal(rmdir(entry->fts_accpath), 0);
		else
			assert_int_equal(unlink(entry->fts_accpath), 0);
	}
	assert_int_equal(fts_close(tree), 0);
}

void
test_tree_close(struct test_tree *test)
{
	tree_close(&test->tree);
	fd_close(&test->tree.options.root_fd);
	if (test->folder[0] != '\0')
		test_remove_folder(test->folder);
}

struct path
test_path(const char *text)
{
	struct path path;
	assert_int_equal(path_fold(NULL, bytes_of_text(text), &path), 0);
	return path;
}

static void
run(const struct backend *backend, const struct tree_row *row)
{
	int descriptors = count_descriptors();
	struct test_tree test;
	test_tree_open(&test, backend);
	row->check(&test.tree);
	test_tree_close(&test);
	assert_int_equal(count_descriptors(), descriptors);
}

void
tree_row_run_kernel(void **state)
{
	run(&backend_kernel, *state);
}

void
tree_row_run_memory(void **state)
{
	run(&backend_memory, *state);
}

/* ---- files of a tree ---- */

struct backend_file *
test_open(struct tree *tree, const char *text, unsigned flags)
{
	struct path path = test_path(text);
	struct backend_file *file;
	assert_int_equal(tree->backend->open(tree->state, &path, flags, 0666, &file, NULL), 0);
	return file;
}

int
test_try_open(struct tree *tree, const char *text, unsigned flags)
{
	struct path path = test_path(text);
	struct backend_file *file = NULL;
	int error = tree->backend->open(tree->state, &path, flags, 0666, &file, NULL);
	tree->backend->close(&file);
	return error;
}

void
test_put(struct tree *tree, const char *text, const char *content)
{
	struct backend_file *file =
		test_open(tree, text, BACKEND_WRITE | BACKEND_CREATE | BACKEND_TRUNCATE);
	assert_int_equal(tree->backend->write(file, 0, content, strlen(content)), strlen(content));
	tree->backend->close(&file);
}

void
test_expect_content(struct tree *tree, struct backend_file *file, const char *want)
{
	char content[64];
	ssize_t got = tree->backend->read(file, 0, content, sizeof(content));
	assert_int_equal(got, strlen(want));
	assert_memory_equal(content, want, strlen(want));
}

void
test_expect(struct tree *tree, const char *text, const char *want)
{
	struct backend_file *file = test_open(tree, text, BACKEND_READ);
	test_expect_content(tree, file, want);
	tree->backend->close(&file);
}

void
test_make_folder(struct tree *tree, const char *text)
{
	struct path path = test_path(text);
	assert_int_equal(tree->backend->mkdir(tree->state, &path, 0777), 0);
}

void
test_make_link(struct tree *tree, const char *target, const char *text)
{
	struct path path = test_path(text);
	assert_int_equal(tree->backend->symlink(tree->state, bytes_of_text(target), &path), 0);
}

void
test_remove(struct tree *tree, const char *text)
{
	struct path path = test_path(text);
	assert_int_equal(tree->backend->unlink(tree->state, &path), 0);
}

bool
test_exists(struct tree *tree, const char *text)
{
	struct path path = test_path(text);
	struct pathio_attributes attributes;
	return tree->backend->stat(tree->state, &path, false, &attributes) == 0;
}
