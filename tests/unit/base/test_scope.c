/*
 * Clean-up by scope: given back on every way out, once, and errno kept (scope.h).
 */
#include "ipc/base/scope.h"
#include "tests/table.h"

#include <fcntl.h>
#include <stdbool.h>

static int
open_something(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int
leave_early(int *seen)
{
	SCOPE_FD int fd = open_something();
	*seen = fd;
	if (*seen >= 0)
		return 1;
	return 0;
}

static void
check_closed_on_the_way_out(UNUSED void **state)
{
	int seen = -1;
	assert_int_equal(leave_early(&seen), 1);
	assert_false(is_open(seen));
}

static int
take_out(void)
{
	SCOPE_FD int fd = open_something();
	return fd_take(&fd);
}

static void
check_taken(UNUSED void **state)
{
	int fd = take_out();
	assert_true(is_open(fd));
	fd_close(&fd);
	assert_int_equal(fd, -1);
}

static void
check_closed_once(UNUSED void **state)
{
	int fd = open_something();
	fd_close(&fd);
	int other = open_something(); /* most likely the same number */
	fd_close(&fd);
	assert_true(is_open(other));
	fd_close(&other);
}

static void
check_errno_kept(UNUSED void **state)
{
	int fd = 1 << 20; /* not open: close fails with EBADF */
	errno = ENOSPC;
	fd_close(&fd);
	assert_int_equal(errno, ENOSPC);
}

static void
check_freed(UNUSED void **state)
{
	void *memory = malloc(16);
	assert_non_null(memory);
	scope_free_(&memory);
	assert_null(memory);
	scope_free_(&memory);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("a descriptor is closed on the way out", check_closed_on_the_way_out),
		CASE("a descriptor that was taken stays open", check_taken),
		CASE("a descriptor is closed once", check_closed_once),
		CASE("errno is kept", check_errno_kept),
		CASE("memory is freed and the pointer emptied", check_freed),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
