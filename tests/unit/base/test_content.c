/*
 * Contents of files (content.h): all of it or an error, and the offset stays where it was.
 */
#include "ipc/base/content.h"
#include "ipc/base/scope.h"
#include "tests/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 8 };

static int
file_of(const char *content)
{
	int fd = memfd_create("content", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	return fd;
}

struct content_row {
	const char *name, *content;
	int error;
};

static const struct content_row content_rows[] = {
	{ "some", "some", 0 },
	{ "as much as may be", "12345678", 0 },
	{ "one byte more", "123456789", -EFBIG },
	{ "nothing", "", -EFBIG },
};

static void
check_content(void **state)
{
	const struct content_row *row = *state;
	SCOPE_FD int fd = file_of(row->content);
	SCOPE_FREE char *owner = NULL;
	struct bytes read = { 0 };
	assert_int_equal(content_read(fd, MOST, &owner, &read), row->error);
	assert_int_equal(owner != NULL, row->error == 0);
	assert_int_equal(read.length, row->error == 0 ? strlen(row->content) : 0);
	if (row->error == 0)
		assert_memory_equal(read.data, row->content, read.length);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), strlen(row->content));
}

static void
check_no_file(UNUSED void **state)
{
	char *owner = NULL;
	struct bytes read;
	assert_int_equal(content_read(-1, MOST, &owner, &read), -EBADF);
	assert_null(owner);
}

/* What is there, where less is than was asked for. */
static void
check_shorter(UNUSED void **state)
{
	SCOPE_FD int fd = file_of("some");
	char buffer[MOST];
	assert_int_equal(content_read_into(fd, buffer, sizeof(buffer)), 4);
	assert_memory_equal(buffer, "some", 4);
	assert_int_equal(content_read_into(fd, buffer, 2), 2);
	assert_int_equal(content_read_into(-1, buffer, 2), -EBADF);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("all of", content_rows, check_content),
		CASE("no file", check_no_file),
		CASE("less than was asked for", check_shorter),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
