/*
 * The file of an archive (output.h): it has its name when it is whole, and nothing stays otherwise.
 */
#include "ipc/base/scope.h"
#include "policy/admin/output.h"
#include "tests/table.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char folder[64];
static char path[80];

static void
write_file(const char *text)
{
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
begin(void)
{
	snprintf(folder, sizeof(folder), "/tmp/sallyport-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a", folder);
}

/* The folder holds the file with this text and nothing else; NULL: nothing at all. */
static void
end(const char *want)
{
	char text[64] = "";
	unsigned count = 0;
	DIR *directory = opendir(folder);
	assert_non_null(directory);
	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	assert_int_equal(count, 2 + (want != NULL));
	if (want != NULL) {
		SCOPE_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_true(read(fd, text, sizeof(text) - 1) >= 0);
		assert_string_equal(text, want);
	}
	(void)remove(path);
	assert_int_equal(rmdir(folder), 0);
}

static void
write_text(struct output *output)
{
	assert_int_equal(output_write(output, bytes_of_text("new")), 0);
}

static void
check_new(UNUSED void **state)
{
	struct output *output;
	struct stat status;
	begin();
	assert_int_equal(output_open(path, false, &output), 0);
	write_text(output);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(output_keep(&output), 0);
	assert_null(output);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	end("new");
}

static void
check_dropped(UNUSED void **state)
{
	struct output *output;
	begin();
	assert_int_equal(output_open(path, false, &output), 0);
	write_text(output);
	output_drop(&output);
	output_drop(&output);
	end(NULL);
}

static void
check_replaced(UNUSED void **state)
{
	struct output *output;
	begin();
	write_file("old");
	assert_int_equal(output_open(path, false, &output), -EEXIST);
	assert_int_equal(output_open(path, true, &output), 0);
	write_text(output);
	assert_int_equal(output_keep(&output), 0);
	end("new");
}

static void
check_not_replaced(UNUSED void **state)
{
	struct output *output;
	begin();
	write_file("old");
	assert_int_equal(output_open(path, true, &output), 0);
	write_text(output);
	output_drop(&output);
	end("old");
}

/* Somebody else was faster. */
static void
check_overtaken(UNUSED void **state)
{
	struct output *output;
	begin();
	assert_int_equal(output_open(path, false, &output), 0);
	write_text(output);
	write_file("other");
	assert_int_equal(output_keep(&output), -EEXIST);
	end("other");
}

/* Not even with --force: a device's place would be taken by a file. */
static void
check_no_file(UNUSED void **state)
{
	struct output *output;
	begin();
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(output_open(path, false, &output), -EEXIST);
	assert_int_equal(output_open(path, true, &output), -EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("elsewhere", path), 0);
	assert_int_equal(output_open(path, true, &output), -EINVAL);
	assert_int_equal(output_open("/nowhere/at/all", false, &output), -ENOENT);
	assert_int_equal(unlink(path), 0);
	end(NULL);
}

static void
check_full(UNUSED void **state)
{
	struct output *output;
	int kept = dup(STDOUT_FILENO);
	SCOPE_FD int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	(void)fflush(stdout);
	assert_int_equal(dup2(full, STDOUT_FILENO), STDOUT_FILENO);
	assert_int_equal(output_open("-", false, &output), 0);
	int error = output_write(output, bytes_of_text("new"));
	output_drop(&output);
	assert_int_equal(dup2(kept, STDOUT_FILENO), STDOUT_FILENO); /* it is still open */
	close(kept);
	assert_int_equal(error, -ENOSPC);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("a new file", check_new),
		CASE("one that is dropped", check_dropped),
		CASE("one that replaces another", check_replaced),
		CASE("one that does not replace another after all", check_not_replaced),
		CASE("one whose name is taken meanwhile", check_overtaken),
		CASE("what is no file stays", check_no_file),
		CASE("standard output", check_full),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
