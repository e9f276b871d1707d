/*
 * What a tree in memory begins with: folders, and archives as Debian's tar writes them; what is
 * left out, and what is refused. Archives that mean harm: test_memory_archive.c.
 */
#include "tests/table.h"
#include "tests/unit/worker/loads.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void
expect_content(const char *name, const char *want)
{
	char got[64];
	struct backend_file *file = memory_test_open_file(name, BACKEND_READ);
	ssize_t length = backend_memory.read(file, 0, got, sizeof(got));
	assert_int_equal(length, strlen(want));
	assert_memory_equal(got, want, strlen(want));
	backend_memory.close(&file);
}

/* ---- what it is for ---- */

struct source_row {
	const char *name;
	const char *make; /* in the folder of the tree; empty: the tree itself */
	const char *load;
	const char *lacks; /* if the command fails */
};

static const struct source_row source_rows[] = {
	{ "the folder itself", "", "tree", NULL },
	{ "GNU tar's own format", "tar -cf t --format=gnu -C tree .", "t", NULL },
	{ "pax", "tar -cf t --format=pax -C tree .", "t", NULL },
	{ "no leading dot", "cd tree && tar -cf ../t *", "t", NULL },
	{ "sparse, gnu", "tar -cSf t --format=gnu -C tree .", "t", NULL },
	{ "sparse, pax", "tar -cSf t --format=pax -C tree .", "t", NULL },
	{ "gzip", "tar -czf t -C tree .", "t", "gzip" },
	{ "bzip2", "tar -cjf t -C tree .", "t", "bzip2" },
	{ "xz", "tar -cJf t -C tree .", "t", "xz" },
	{ "zstd", "tar -c --zstd -f t -C tree .", "t", "zstd" },
};

static void
expect_source(void)
{
	char name[400];
	expect_content("/file", "one\n");
	assert_int_equal(loads_attributes("/file").mode, 0640);
	assert_int_equal(loads_attributes("/file").mtime_ns, INT64_C(1000000000000000000));
	assert_int_equal(loads_attributes("/empty").type, PATHIO_TYPE_DIRECTORY);
	assert_int_equal(loads_attributes("/empty").mode, 0700);
	expect_content("/deep/er/file", "two\n");
	assert_int_equal(loads_attributes("/deep/er").mtime_ns, INT64_C(1000000002000000000));
	assert_int_equal(loads_attributes("/deep").mtime_ns, INT64_C(1000000003000000000));
	assert_int_equal(loads_attributes("/deep").links, 3);
	expect_content("/a \303\244 \377", "odd\n");
	assert_int_equal(loads_attributes("/deep/link").type, PATHIO_TYPE_SYMLINK);
	assert_int_equal(loads_attributes("/deep/link").size, strlen("../../outside"));
	assert_int_equal(loads_attributes("/absolute").mtime_ns, INT64_C(1000000001000000000));
	expect_content("/absolute", "one\n"); /* the root is the tree's */
	assert_int_equal(loads_attributes("/holes").size, 1000003);
	snprintf(name, sizeof(name), "/%0100d/%0200d", 1, 2);
	expect_content(name, "long\n");
}

static void
check_source(void **state)
{
	const struct source_row *row = *state;
	struct memory_load *load = NULL;
	loads_begin();
	assert_int_equal(loads_run(loads_make_source), 0);
	if (row->make[0] != '\0' && loads_run(row->make) != 0) {
		test_remove_folder(loads_folder);
		case_skip(row->lacks);
	}
	int error = loads_name(row->load, &load);
	if (error < 0)
		fail_msg("%s", memory_load_text(load));
	memory_load_free(&load);
	expect_source();
	test_tree_close(&memory_test);
	test_remove_folder(loads_folder);
}

/* A year that nanoseconds do not reach is the last that they do, if the file system has it. */
static void
check_far_time(UNUSED void **state)
{
	static const char *const sources[] = { "tree", "t" };
	struct memory_load *load = NULL;
	char path[128];
	struct stat found;
	loads_begin();
	assert_int_equal(
		loads_run("mkdir tree && echo x > tree/f && touch -d @9300000000 tree/f && "
			  "tar -cf t --format=pax -C tree ."),
		0);
	snprintf(path, sizeof(path), "%s/tree/f", loads_folder);
	assert_int_equal(stat(path, &found), 0);
	bool is_reached = found.st_mtim.tv_sec <= INT64_MAX / 1000000000;
	int64_t want = is_reached ? found.st_mtim.tv_sec * INT64_C(1000000000) : INT64_MAX;
	for (size_t i = 0; i < ARRAY_LENGTH(sources); i++) {
		assert_int_equal(loads_name(sources[i], &load), 0);
		memory_load_free(&load);
		assert_int_equal(loads_attributes("/f").mtime_ns, want);
		test_tree_close(&memory_test);
	}
	test_remove_folder(loads_folder);
}

/* What has no place in memory is left out and counted; a file of two names keeps both. */
static void
check_left_out(UNUSED void **state)
{
	struct memory_load *load = NULL;
	loads_begin();
	assert_int_equal(
		loads_run("mkdir tree && cd tree && mkfifo pipe && echo x > f && ln f g && "
			  "echo x > .sallyport-0123456789abcdef.part && "
			  "tar -cf ../t --exclude=t ."),
		0);
	assert_int_equal(loads_name("tree", &load), 0);
	loads_expect_text(load, "2 files, 0 folders, 0 symbolic links; 2 entries left out");
	memory_load_free(&load);
	assert_int_equal(loads_attributes("/f").links, 1);
	test_tree_close(&memory_test);
	assert_int_equal(loads_name("t", &load), 0);
	loads_expect_text(load, "2 files, 0 folders, 0 symbolic links; 2 entries left out");
	memory_load_free(&load);
	assert_int_equal(loads_attributes("/f").links, 2);
	assert_int_equal(loads_attributes("/f").inode, loads_attributes("/g").inode);
	test_tree_close(&memory_test);
	test_remove_folder(loads_folder);
}

/* An archive that was added to: the last entry of a name counts. */
static void
check_added_to(UNUSED void **state)
{
	struct memory_load *load = NULL;
	loads_begin();
	assert_int_equal(loads_run("echo old > f && ln -s f l && mkdir d && tar -cf t f l d && "
				   "echo new > f && rm l && echo file > l && echo x > d/x && "
				   "tar -rf t f l d"),
		0);
	assert_int_equal(loads_name("t", &load), 0);
	memory_load_free(&load);
	expect_content("/f", "new\n");
	expect_content("/l", "file\n");
	expect_content("/d/x", "x\n");
	test_tree_close(&memory_test);
	test_remove_folder(loads_folder);
}

/* ---- what is refused ---- */

struct refused_row {
	const char *name;
	const char *make;
	const char *load;
	int error;
	const char *text;
};

static const struct refused_row refused_rows[] = {
	{ "nothing there", "true", "n", -ENOENT, "/n: No such file" },
	{ "a link on the way", "mkdir d && ln -s d l && touch d/t", "l/t", -ELOOP, "without it" },
	{ "a link", "mkdir d && ln -s d l", "l", -ELOOP, "without it" },
	{ "a pipe", "mkfifo p", "p", -EINVAL, "neither a folder nor a file" },
	{ "may not be read", "touch t && chmod 0 t", "t", -EACCES, "/t: Permission" },
	{ "a file that may not be read", "mkdir -p d/e && touch d/e/f && chmod 0 d/e/f", "d",
		-EACCES, "/d: e/f: Permission" },
	{ "a folder that may not be read", "mkdir -p d/e && chmod 0 d/e", "d", -EACCES,
		"/d: e/: Permission" },
	{ "a folder beyond the limit", "mkdir d && head -c 5000000 /dev/zero | tr '\\0' x > d/f",
		"d", -ENOSPC, "d: f: does not fit into memory_limit, which is 4194304 bytes" },
	{ "an archive beyond the limit",
		"head -c 5000000 /dev/zero | tr '\\0' x > f && tar -cf t f", "t", -ENOSPC,
		"/t: f: does not fit into memory_limit" },
	{ "a bomb", "truncate -s 300M f && tar -czf t f", "t", -ENOSPC,
		"/t: f: does not fit into memory_limit" },
	{ "no archive", "echo text > t", "t", -EINVAL, "/t: Unrecognized archive format" },
	{ "an empty file", "touch t", "t", -EINVAL, "/t: Unrecognized archive format" },
	{ "cut short in contents",
		"head -c 9000 /dev/zero > f && tar -cf a f && head -c 4096 a > t", "t", -EINVAL,
		"/t: f: Truncated" },
	{ "cut short in a header", "touch f g && tar -cf a f g && head -c 700 a > t", "t", -EINVAL,
		"/t: Truncated" },
	{ "cut short in gzip",
		"head -c 99999 /dev/urandom > f && tar -czf a f && "
		"head -c 5000 a > t",
		"t", -EINVAL, "/t: truncated gzip" },
	{ "a damaged header",
		"touch f && tar -cf t f && printf x | "
		"dd of=t bs=1 seek=20 conv=notrunc status=none",
		"t", -EINVAL, "/t: " },
	{ "zip", "printf 'PK\\003\\004' > t && head -c 999 /dev/zero >> t", "t", -EINVAL,
		"Unrecognized" },
};

static void
check_refused(void **state)
{
	const struct refused_row *row = *state;
	struct memory_load *load = NULL;
	int descriptors = count_descriptors();
	loads_begin();
	assert_int_equal(loads_run(row->make), 0);
	int error = loads_name(row->load, &load);
	if (load != NULL)
		loads_expect_text(load, row->text);
	assert_int_equal(error, row->error);
	memory_load_free(&load);
	assert_int_equal(count_descriptors(), descriptors);
	test_remove_folder(loads_folder);
}

static void
check_not_absolute(UNUSED void **state)
{
	struct memory_load *load = NULL;
	assert_int_equal(loads_path("relative", &load), -EINVAL);
	loads_expect_text(load, "is not absolute");
	memory_load_free(&load);
}

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = {
		TABLE("begins with", source_rows, check_source),
		CASE("a time beyond nanoseconds", check_far_time),
		CASE("what is left out", check_left_out),
		CASE("an archive that was added to", check_added_to),
		TABLE("refused", refused_rows, check_refused),
		CASE("a path that is not absolute", check_not_absolute),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
