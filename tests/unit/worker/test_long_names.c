/*
 * Names that no path can hold: vfat, ntfs3, CIFS and FUSE have longer ones than 255 bytes, and all
 * that makes listings counts on none. What the kernel answers to getdents64(2) is made up here
 * (--wrap).
 */
#include "tests/table.h"
#include "tests/unit/worker/trees.h"

#include <dirent.h>
#include <stdio.h>

enum { LONG_BYTES = 1024 };

ssize_t __wrap_getdents64(int fd, void *buffer, size_t length);

static size_t left; /* entries that have not been told */

/* Puts an entry with a name of so many bytes: the bytes of the entry. */
static size_t
put_entry(char *at, size_t name_bytes)
{
	struct dirent64 *entry = (struct dirent64 *)(void *)at;
	size_t bytes = offsetof(struct dirent64, d_name) + name_bytes + 1;
	bytes = (bytes + 7) / 8 * 8;
	memset(at, 0, bytes);
	entry->d_ino = name_bytes;
	entry->d_reclen = (unsigned short)bytes;
	entry->d_type = DT_REG;
	memset(at + offsetof(struct dirent64, d_name), 'n', name_bytes);
	return bytes;
}

ssize_t
__wrap_getdents64(UNUSED int fd, void *buffer, size_t length)
{
	static const size_t names[] = { LONG_BYTES, NAME_BYTES_MAX + 1, NAME_BYTES_MAX, 1 };
	size_t used = 0;
	assert_true(length >= 4 * (size_t)LONG_BYTES);
	for (; left > 0; left--)
		used += put_entry((char *)buffer + used, names[ARRAY_LENGTH(names) - left]);
	return (ssize_t)used;
}

/* Those that a path can hold, and no other. */
static void
check_left_out(void **state)
{
	static const unsigned flags[] = { 0, BACKEND_NAMES };
	struct test_tree test;
	(void)state;
	test_tree_open(&test, &backend_kernel);
	for (size_t i = 0; i < ARRAY_LENGTH(flags); i++) {
		struct path path = test_path("/d");
		struct backend_directory *directory;
		struct backend_entry entry;
		left = 4;
		assert_int_equal(test.tree.backend->mkdir(test.tree.state, &path, 0444), 0);
		assert_int_equal(
			backend_kernel.directory_open(test.tree.state, &path, flags[i], &directory),
			0);
		assert_int_equal(backend_kernel.directory_next(directory, &entry), 1);
		assert_int_equal(entry.name.length, NAME_BYTES_MAX);
		assert_int_equal(backend_kernel.directory_next(directory, &entry), 1);
		assert_int_equal(entry.name.length, 1);
		assert_int_equal(backend_kernel.directory_next(directory, &entry), 0);
		backend_kernel.directory_close(&directory);
		assert_int_equal(test.tree.backend->rmdir(test.tree.state, &path), 0);
	}
	test_tree_close(&test);
}

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = { CASE("names that no path can hold", check_left_out) };
	return table_run(tables, ARRAY_LENGTH(tables));
}
