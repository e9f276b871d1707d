/*
 * Trees for tests (see trees.h).
 */
#include "tests/unit/worker/trees.h"

#include "ipc/base/scope.h"
#include "tests/table.h"

#include <dirent.h>
#include <fcntl.h>
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
		snprintf(test->folder, sizeof(test->folder), "/tmp/sallyport-test-XXXXXX");
		assert_non_null(mkdtemp(test->folder));
		assert_int_equal(chmod(test->folder, 0755), 0);
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
test_tree_close(struct test_tree *test)
{
	char command[128];
	tree_close(&test->tree);
	fd_close(&test->tree.options.root_fd);
	if (test->folder[0] == '\0')
		return;
	/* Cases leave folders that their owner may not read, and paths longer than PATH_MAX. */
	snprintf(command, sizeof(command), "chmod -R u+rwX '%s' && rm -rf '%s'", test->folder,
		test->folder);
	assert_int_equal(system(command), 0);
}

int
count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	assert_non_null(folder);
	int count = -1; /* the folder's own */
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count;
}

struct path
test_path(const char *text)
{
	struct path path;
	assert_int_equal(path_fold(NULL, bytes_of_text(text), &path), 0);
	return path;
}
