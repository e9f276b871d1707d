/*
 * Comparing trees of the memory backend (see memory_same.h).
 */
#include "tests/unit/worker/memory_same.h"

#include "policy/rules/rights.h"
#include "tests/table.h"
#include "worker/backend_memory.h"

struct both {
	struct backend_tree *one, *other;
};

static uint64_t
count_pages(const struct memory_contents *contents)
{
	uint64_t pages = 0;
	for (size_t i = 0; i < contents->count; i++)
		pages += contents->stretches[i].count;
	return pages;
}

static void
compare_bytes(const struct both *trees, const struct memory_contents *one,
	const struct memory_contents *other, uint64_t at, uint64_t end)
{
	static char left[1 << 16], right[1 << 16];
	while (at < end && at < one->size) {
		size_t wanted = end - at < sizeof(left) ? end - at : sizeof(left);
		ssize_t got = memory_contents_read(&trees->one->arena, one, at, left, wanted);
		assert_true(got > 0);
		assert_int_equal(
			memory_contents_read(&trees->other->arena, other, at, right, wanted), got);
		assert_memory_equal(left, right, (size_t)got);
		at += (uint64_t)got;
	}
}

/* Holes are where there are no pages, so that as many pages and the same bytes are the same. */
static void
compare_contents(const struct both *trees, const struct memory_contents *one,
	const struct memory_contents *other)
{
	uint64_t page = trees->one->arena.page_bytes;
	assert_int_equal(one->size, other->size);
	assert_int_equal(count_pages(one), count_pages(other));
	for (size_t i = 0; i < one->count; i++) {
		uint64_t at = one->stretches[i].file_page * page;
		compare_bytes(trees, one, other, at, at + one->stretches[i].count * page);
	}
}

static void
compare_attributes(const struct memory_node *one, const struct memory_node *other)
{
	assert_int_equal(one->type, other->type);
	assert_int_equal(one->mode, other->mode);
	assert_int_equal(one->mtime_ns, other->mtime_ns);
	assert_int_equal(one->links, other->links);
}

static void compare_nodes(
	const struct both *trees, const struct memory_node *one, const struct memory_node *other);

static void
compare_folders(
	const struct both *trees, const struct memory_node *one, const struct memory_node *other)
{
	uint32_t hidden = 0;
	for (const struct memory_entry *at = one->folder.first; at != NULL; at = at->after) {
		struct bytes name = bytes_of(at->name, at->name_bytes);
		const struct memory_entry *found = memory_folder_find(trees->other, other, name);
		bool is_hidden = rights_name_is_hidden(name);
		hidden += is_hidden;
		if ((found != NULL) == is_hidden)
			fail_msg("%s is %s", at->name, is_hidden ? "there" : "missing");
		if (found != NULL)
			compare_nodes(trees, at->node, found->node);
	}
	assert_int_equal(one->folder.entry_count, other->folder.entry_count + hidden);
}

static void
compare_nodes(
	const struct both *trees, const struct memory_node *one, const struct memory_node *other)
{
	compare_attributes(one, other);
	switch (one->type) {
	case PATHIO_TYPE_FILE:
		compare_contents(trees, &one->contents, &other->contents);
		return;
	case PATHIO_TYPE_DIRECTORY:
		compare_folders(trees, one, other);
		return;
	case PATHIO_TYPE_SYMLINK:
		assert_string_equal(one->target, other->target);
		return;
	case PATHIO_TYPE_OTHER:
		fail_msg("%s", "no such thing is in memory");
	}
}

void
memory_expect_same(const struct test_tree *one, const struct test_tree *other)
{
	const struct both trees = { one->tree.state, other->tree.state };
	compare_nodes(&trees, trees.one->root, trees.other->root);
}
