/*
 * Trees for tests: one of each backend, real ones in a new folder that goes with them.
 *
 * Tests of trees run as an ordinary user, so that permission bits mean something: started as root,
 * tree_tests_begin() becomes nobody.
 */
#ifndef SALLYPORT_TESTS_UNIT_WORKER_TREES_H
#define SALLYPORT_TESTS_UNIT_WORKER_TREES_H

#include "tests/descriptors.h"
#include "worker/tree.h"

enum { TEST_MEMORY_LIMIT = 64 << 20 };

struct test_tree {
	struct tree tree;
	char folder[40]; /* of a real tree; "" of one in memory */
};

/* First thing in main(). */
void tree_tests_begin(void);

/* With SYMLINKS_FOLLOW, umask 022, SYNC_NONE and 64 MiB of memory. */
void test_tree_open(struct test_tree *test, const struct backend *backend);
/* What is not given stays: options->root_fd, uid and gid are filled in. */
void test_tree_open_with(struct test_tree *test, const struct backend *backend,
	const struct backend_options *options, const struct upload_policy *uploads);
void test_tree_close(struct test_tree *test);

/*
 * A case that holds for every backend: rows of a TABLE whose check is tree_row_run_*(). Each has a
 * new tree, and must leave no descriptor behind.
 */
struct tree_row {
	const char *name;
	void (*check)(struct tree *tree);
};
void tree_row_run_kernel(void **state);
void tree_row_run_memory(void **state);

/* ---- files of a tree; what cannot be done fails the case ---- */

/* `flags` of enum backend_open_flag. The caller closes it. */
struct backend_file *test_open(struct tree *tree, const char *text, unsigned flags);

/* Opens and closes: 0 or negative errno. */
MUST_CHECK int test_try_open(struct tree *tree, const char *text, unsigned flags);

void test_put(struct tree *tree, const char *text, const char *content);
void test_expect_content(struct tree *tree, struct backend_file *file, const char *want);
void test_expect(struct tree *tree, const char *text, const char *want);
void test_make_folder(struct tree *tree, const char *text);
void test_make_link(struct tree *tree, const char *target, const char *text);
void test_remove(struct tree *tree, const char *text);
bool test_exists(struct tree *tree, const char *text);

/* ---- others ---- */

/* A new one that all may enter, below TMPDIR, or else /tmp; its path, of up to `size` bytes. */
void test_new_folder(char *folder, size_t size);

/* With all in it, be it unreadable or deeper than a path is long. */
void test_remove_folder(char *folder);

/* Folds; a path that does not fold fails the case. */
struct path test_path(const char *text);

#endif
