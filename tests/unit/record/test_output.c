/*
 * Log files: appended to, never cut, opened anew after rotation (output.h).
 */
#include "ipc/base/scope.h"
#include "policy/record/output.h"
#include "tests/table.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char folder[] = "/tmp/sallyport-test-XXXXXX";

static void
expect_file(const char *name, const char *want)
{
	char text[256] = "";
	SCOPE_FD int fd = open(name, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	assert_string_equal(text, want);
}

static void
write_line(struct output *output, enum output_log log, const char *line)
{
	fputs(line, output_stream(output, log));
	assert_int_equal(output_flush(output), 0);
}

static void
check_files(void **state)
{
	struct output *output = NULL;
	struct stat status;
	(void)state;
	assert_int_equal(output_open_files(&output), 0);
	write_line(output, OUTPUT_SERVER, "a long first line\n");
	write_line(output, OUTPUT_SERVER, "b\n");
	write_line(output, OUTPUT_AUDIT, "c\n");
	write_line(output, OUTPUT_TRANSFER, "d\n");
	output_free(&output);
	assert_null(output);
	assert_int_equal(output_open_files(&output), 0);
	write_line(output, OUTPUT_AUDIT, "e\n");
	output_free(&output);
	expect_file("server.jsonl", "a long first line\nb\n");
	expect_file("audit.jsonl", "c\ne\n");
	expect_file("transfer.jsonl", "d\n");
	assert_int_equal(stat("audit.jsonl", &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
}

static void
check_rotation(void **state)
{
	struct output *output = NULL;
	(void)state;
	assert_int_equal(output_open_files(&output), 0);
	write_line(output, OUTPUT_SERVER, "before\n");
	assert_int_equal(rename("server.jsonl", "server.jsonl.1"), 0);
	write_line(output, OUTPUT_SERVER, "between\n");
	assert_int_equal(output_reopen(output), 0);
	write_line(output, OUTPUT_SERVER, "after\n");
	output_free(&output);
	expect_file("server.jsonl", "after\n");
}

/* Writes a line of which the disk takes four bytes. */
static void
write_cut(struct output *output, const char *line)
{
	struct stat status;
	struct rlimit before, tight;
	assert_int_equal(stat("server.jsonl", &status), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	tight = before;
	tight.rlim_cur = (rlim_t)status.st_size + 4;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	fputs(line, output_stream(output, OUTPUT_SERVER));
	assert_int_equal(output_flush(output), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
}

static void
check_cut(void **state)
{
	struct output *output = NULL;
	(void)state;
	assert_int_equal(unlink("server.jsonl"), 0);
	assert_int_equal(output_open_files(&output), 0);
	write_line(output, OUTPUT_SERVER, "whole\n");
	write_cut(output, "first\n");
	assert_int_equal(output_reopen(output), 0); /* and it is the same file */
	assert_int_equal(output_flush(output), 0);
	expect_file("server.jsonl", "whole\nfirst\n");
	write_cut(output, "second\n");
	assert_int_equal(rename("server.jsonl", "server.jsonl.1"), 0);
	assert_int_equal(output_reopen(output), 0);
	assert_int_equal(output_flush(output), 0);
	expect_file("server.jsonl.1", "whole\nfirst\nseco");
	expect_file("server.jsonl", "second\n");
	write_cut(output, "third\n");
	output_free(&output); /* the process ends, and the next one is told it again */
	assert_int_equal(output_open_files(&output), 0);
	write_line(output, OUTPUT_SERVER, "third\n");
	output_free(&output);
	expect_file("server.jsonl", "second\nthir\nthird\n");
}

static void
check_link_refused(void **state)
{
	struct output *output = NULL;
	(void)state;
	assert_int_equal(unlink("server.jsonl"), 0);
	assert_int_equal(symlink("/dev/null", "server.jsonl"), 0);
	assert_int_equal(output_open_files(&output), -ELOOP);
	assert_null(output);
	assert_int_equal(unlink("server.jsonl"), 0);
}

static void
check_full_keeps_the_rest(void **state)
{
	struct output *output = NULL;
	(void)state;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_equal(output_open_descriptor(&fd, &output), 0);
	assert_int_equal(fd, -1);
	fputs("kept\n", output_stream(output, OUTPUT_AUDIT));
	assert_int_equal(output_flush(output), -ENOSPC);
	assert_int_equal(output_flush(output), -ENOSPC);
	output_free(&output);
}

int
main(void)
{
	umask(022);
	signal(SIGXFSZ, SIG_IGN);
	if (mkdtemp(folder) == NULL || chdir(folder) < 0)
		return EXIT_FAILURE;
	const struct table tables[] = {
		CASE("lines go to their files and are appended", check_files),
		CASE("rotation", check_rotation),
		CASE("a line that a full disk cuts is whole all the same", check_cut),
		CASE("a symbolic link in place of a file", check_link_refused),
		CASE("a full disk", check_full_keeps_the_rest),
	};
	int result = table_run(tables, ARRAY_LENGTH(tables));
	static const char *const left[] = { "server.jsonl", "server.jsonl.1", "audit.jsonl",
		"transfer.jsonl" };
	for (size_t i = 0; i < ARRAY_LENGTH(left); i++)
		unlink(left[i]);
	rmdir(folder);
	return result;
}
