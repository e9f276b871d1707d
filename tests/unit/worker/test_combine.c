/*
 * combine beyond the contract's cases: in pieces, dropped half-way, with files that change
 * meanwhile, without room. Every case runs on a real tree and on one in memory.
 */
#include "tests/table.h"
#include "tests/unit/worker/trees.h"
#include "worker/operations.h"

#include <errno.h>
#include <stdlib.h>

enum { PART_BYTES = 20 << 20 };

static struct backend_file *
open_file(struct tree *tree, const char *text, unsigned flags)
{
	struct path path = test_path(text);
	struct backend_file *file;
	assert_int_equal(tree->backend->open(tree->state, &path, flags, 0666, &file, NULL), 0);
	return file;
}

/* A file of one letter, as long as that. */
static void
put(struct tree *tree, const char *text, char letter, uint64_t size)
{
	struct backend_file *file =
		open_file(tree, text, BACKEND_WRITE | BACKEND_CREATE | BACKEND_TRUNCATE);
	assert_int_equal(tree->backend->truncate(file, size), 0);
	if (size > 0)
		assert_int_equal(tree->backend->write(file, size - 1, &letter, 1), 1);
	tree->backend->close(&file);
}

static struct pathio_attributes
look_at(struct tree *tree, const char *text)
{
	struct path path = test_path(text);
	struct pathio_attributes found = { .inode = 0 };
	int error = tree->backend->stat(tree->state, &path, false, &found);
	assert_true(error == 0 || error == -ENOENT);
	return found;
}

static uint64_t
size_of(struct tree *tree, const char *text)
{
	return look_at(tree, text).size;
}

static int
count_entries(struct tree *tree)
{
	struct path root = test_path("/");
	struct backend_directory *directory;
	struct backend_entry entry;
	int count = 0;
	assert_int_equal(
		tree->backend->directory_open(tree->state, &root, BACKEND_NAMES, &directory), 0);
	while (tree->backend->directory_next(directory, &entry) > 0)
		count++;
	tree->backend->directory_close(&directory);
	return count;
}

/* Of /t, with the parts /a and /b. */
static struct operation *
begin(struct tree *tree, bool want_new)
{
	static char buffer[256];
	struct wire_list_builder builder = { .buffer = buffer, .capacity = sizeof(buffer) };
	struct path target = test_path("/t");
	struct operation *operation;
	bool is_new = !want_new;
	for (const char *name = "/a\0/b"; name != NULL; name = name[1] == 'a' ? name + 3 : NULL) {
		struct pathio_part part = { .path = bytes_of_text(name) };
		assert_int_equal(wire_list_add(&builder, &pathio_part_record, &part), 0);
	}
	assert_int_equal(
		operation_combine(tree, &target, wire_list_built(&builder), &operation, &is_new),
		0);
	assert_int_equal(is_new, want_new);
	memset(buffer, 0, sizeof(buffer)); /* the list is the caller's */
	return operation;
}

static int
finish(struct operation *operation)
{
	int more;
	while ((more = operation_step(operation)) > 0)
		continue;
	return more;
}

static void
check_pieces(struct tree *tree)
{
	int steps = 0;
	put(tree, "/t", 't', 1);
	put(tree, "/a", 'a', PART_BYTES);
	put(tree, "/b", 'b', 1);
	int descriptors = count_descriptors();
	struct operation *operation = begin(tree, false);
	while (operation_step(operation) > 0)
		steps++;
	assert_in_range(steps, 6, 40);
	assert_int_equal(operation_bytes(operation), PART_BYTES + 2);
	assert_int_equal(operation_left(operation), 0);
	operation_free(&operation);
	assert_int_equal(size_of(tree, "/t"), PART_BYTES + 2);
	assert_int_equal(count_entries(tree), 1);
	assert_int_equal(count_descriptors(), descriptors);
}

static void
check_dropped(struct tree *tree)
{
	put(tree, "/t", 't', 1);
	put(tree, "/a", 'a', PART_BYTES);
	put(tree, "/b", 'b', 1);
	tree->uploads.keep_partial = true;
	int descriptors = count_descriptors();
	for (int steps = 0; steps < 5; steps++) {
		struct operation *operation = begin(tree, false);
		for (int i = 0; i < steps; i++)
			assert_int_equal(operation_step(operation), 1);
		operation_free(&operation);
		assert_int_equal(count_entries(tree), 3);
		assert_int_equal(size_of(tree, "/t"), 1);
		assert_int_equal(size_of(tree, "/a"), PART_BYTES);
	}
	assert_int_equal(count_descriptors(), descriptors);
}

/* What happens to the files while they are read; then all of it fails, with nothing done. */
static void
check_change(struct tree *tree, void (*change)(struct tree *tree), bool has_target, int want_error)
{
	if (has_target)
		put(tree, "/t", 't', 1);
	put(tree, "/a", 'a', 3);
	put(tree, "/b", 'b', 3);
	struct operation *operation = begin(tree, !has_target);
	assert_int_equal(operation_step(operation), 1);
	change(tree);
	int entries = count_entries(tree) - 1; /* and the hidden file */
	assert_int_equal(finish(operation), want_error);
	operation_free(&operation);
	assert_int_equal(count_entries(tree), entries);
	assert_in_range(size_of(tree, "/t"), 0, 9);
}

static void
grow_part(struct tree *tree)
{
	put(tree, "/a", 'x', 4);
}

static void
replace_part(struct tree *tree)
{
	struct path source = test_path("/c"), destination = test_path("/b");
	put(tree, "/c", 'c', 3);
	assert_int_equal(tree->backend->rename(tree->state, &source, &destination), 0);
}

static void
remove_part(struct tree *tree)
{
	struct path path = test_path("/a");
	assert_int_equal(tree->backend->unlink(tree->state, &path), 0);
}

static void
grow_target(struct tree *tree)
{
	put(tree, "/t", 'x', 9);
}

static void
check_part_grows(struct tree *tree)
{
	check_change(tree, grow_part, true, -EBUSY);
	assert_int_equal(size_of(tree, "/t"), 1);
	assert_int_equal(size_of(tree, "/a"), 4);
}

static void
check_part_replaced(struct tree *tree)
{
	check_change(tree, replace_part, true, -EBUSY);
	assert_int_equal(size_of(tree, "/t"), 1);
	assert_int_equal(size_of(tree, "/b"), 3);
}

static void
check_part_goes(struct tree *tree)
{
	check_change(tree, remove_part, true, -ENOENT);
	assert_int_equal(size_of(tree, "/t"), 1);
}

static void
check_target_grows(struct tree *tree)
{
	check_change(tree, grow_target, true, -EBUSY);
	assert_int_equal(size_of(tree, "/t"), 9);
}

static void
check_target_comes(struct tree *tree)
{
	check_change(tree, grow_target, false, -EBUSY);
	assert_int_equal(size_of(tree, "/t"), 9);
}

/* A tree in memory holds parts and result at the same time. */
static void
check_no_room(UNUSED void **state)
{
	struct test_tree test;
	test_tree_open(&test, &backend_memory);
	struct tree *tree = &test.tree;
	static char block[1 << 20];
	memset(block, 'x', sizeof(block));
	struct backend_file *file = open_file(tree, "/a", BACKEND_WRITE | BACKEND_CREATE);
	for (uint64_t at = 0; at < TEST_MEMORY_LIMIT / 3 * 2; at += sizeof(block))
		assert_int_equal(
			tree->backend->write(file, at, block, sizeof(block)), sizeof(block));
	tree->backend->close(&file);
	put(tree, "/b", 'b', 1);
	struct operation *operation = begin(tree, true);
	assert_int_equal(finish(operation), -ENOSPC);
	operation_free(&operation);
	assert_int_equal(count_entries(tree), 2);
	test_tree_close(&test);
}

static const struct tree_row tree_rows[] = {
	{ "in pieces", check_pieces },
	{ "dropped half-way leaves all as it was", check_dropped },
	{ "a part grows meanwhile", check_part_grows },
	{ "a part is replaced meanwhile", check_part_replaced },
	{ "a part goes meanwhile", check_part_goes },
	{ "the target grows meanwhile", check_target_grows },
	{ "a target comes up meanwhile", check_target_comes },
};

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = {
		TABLE("sync", tree_rows, tree_row_run_kernel),
		TABLE("memory", tree_rows, tree_row_run_memory),
		CASE("memory: no room for parts and result", check_no_room),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
