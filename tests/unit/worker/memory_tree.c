/*
 * A tree of the memory backend for tests (see memory_tree.h).
 */
#include "tests/unit/worker/memory_tree.h"

#include "tests/table.h"

#include <unistd.h>

struct test_tree memory_test;

void
memory_test_open(uint64_t limit_bytes)
{
	struct backend_options options = { .memory_limit_bytes = limit_bytes, .umask = 022 };
	struct upload_policy uploads = { .sync = SYNC_NONE };
	test_tree_open_with(&memory_test, &backend_memory, &options, &uploads);
}

uint64_t
memory_test_space(void)
{
	struct path path = test_path("/");
	uint64_t bytes;
	assert_int_equal(backend_memory.space(memory_test.tree.state, &path, &bytes), 0);
	return bytes;
}

struct backend_file *
memory_test_open_file(const char *text, unsigned flags)
{
	struct path path = test_path(text);
	struct backend_file *file;
	assert_int_equal(
		backend_memory.open(memory_test.tree.state, &path, flags, 0666, &file, NULL), 0);
	return file;
}

struct backend_file *
memory_test_create(const char *text)
{
	return memory_test_open_file(
		text, BACKEND_READ | BACKEND_WRITE | BACKEND_CREATE | BACKEND_TRUNCATE);
}

void
memory_test_fill(struct backend_file *file, uint64_t offset, char letter, size_t length)
{
	static char block[1 << 20];
	assert_true(length <= sizeof(block));
	memset(block, letter, length);
	assert_int_equal(backend_memory.write(file, offset, block, length), length);
}

void
memory_test_expect(int fd, off_t offset, char letter, size_t length)
{
	static char block[1 << 20];
	assert_int_equal(pread(fd, block, length, offset), length);
	for (size_t i = 0; i < length; i++)
		if (block[i] != letter)
			fail_msg("byte %zu is %d and not %d", i, block[i], letter);
}

void
memory_test_remove(const char *text)
{
	struct path path = test_path(text);
	assert_int_equal(backend_memory.unlink(memory_test.tree.state, &path), 0);
}
