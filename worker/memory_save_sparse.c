/*
 * Files with holes in an archive (see memory_save_private.h): a map in decimal digits, then the
 * bytes between the holes. Runs in the worker, as the user; pure.
 */
#include "worker/memory_save_private.h"

#include "worker/memory_stretches.h"

#include <inttypes.h>

/* Bytes that follow each other, between holes. */
struct extent {
	uint64_t offset, length;
};

static uint64_t
end_of(const struct memory_save *save, const struct memory_save_entry *entry, size_t stretch)
{
	const struct memory_stretch *stretches = save->stretches + entry->stretches_at;
	uint64_t end = memory_stretch_end(&stretches[stretch]) * save->tree->arena.page_bytes;
	return end < entry->size ? end : entry->size;
}

/*
 * The extent that begins with stretch *next; *next is then the first that is not in it. A hole at
 * the end is shown by an extent of no bytes behind it.
 */
static bool
next_extent(const struct memory_save *save, const struct memory_save_entry *entry, size_t *next,
	struct extent *result)
{
	const struct memory_stretch *stretches = save->stretches + entry->stretches_at;
	size_t count = entry->stretch_count;
	if (*next < count) {
		uint64_t offset = stretches[*next].file_page * save->tree->arena.page_bytes;
		while (*next + 1 < count &&
			memory_stretch_end(&stretches[*next]) == stretches[*next + 1].file_page)
			++*next;
		*result = (struct extent){ offset, end_of(save, entry, *next) - offset };
		++*next;
		return true;
	}
	uint64_t end = count == 0 ? 0 : end_of(save, entry, count - 1);
	if (*next > count || end == entry->size)
		return false;
	*result = (struct extent){ entry->size, 0 };
	++*next;
	return true;
}

bool
memory_save_is_sparse(const struct memory_save *save, const struct memory_save_entry *entry)
{
	struct extent first;
	size_t next = 0;
	return next_extent(save, entry, &next, &first) && first.length < entry->size;
}

uint64_t
memory_save_data_bytes(const struct memory_save *save, const struct memory_save_entry *entry)
{
	struct extent extent;
	uint64_t bytes = 0;
	for (size_t next = 0; next_extent(save, entry, &next, &extent);)
		bytes += extent.length;
	return bytes;
}

static uint64_t
count_extents(const struct memory_save *save, const struct memory_save_entry *entry)
{
	struct extent extent;
	uint64_t count = 0;
	for (size_t next = 0; next_extent(save, entry, &next, &extent);)
		count++;
	return count;
}

/* Line 0 is the number of extents; line n + 1 is the extent that begins with stretch n. */
size_t
memory_save_map_line(const struct memory_save *save, const struct memory_save_entry *entry,
	size_t *next, char text[MEMORY_SAVE_LINE_BYTES_MAX])
{
	struct extent extent;
	int length = 0;
	if (*next == 0) {
		length = snprintf(text, MEMORY_SAVE_LINE_BYTES_MAX, "%" PRIu64 "\n",
			count_extents(save, entry));
		*next = 1;
		return (size_t)length;
	}
	size_t stretch = *next - 1;
	if (next_extent(save, entry, &stretch, &extent))
		length = snprintf(text, MEMORY_SAVE_LINE_BYTES_MAX, "%" PRIu64 "\n%" PRIu64 "\n",
			extent.offset, extent.length);
	*next = stretch + 1;
	return (size_t)length;
}

uint64_t
memory_save_map_bytes(const struct memory_save *save, const struct memory_save_entry *entry)
{
	char line[MEMORY_SAVE_LINE_BYTES_MAX];
	uint64_t bytes = 0;
	size_t next = 0, length;
	while ((length = memory_save_map_line(save, entry, &next, line)) > 0)
		bytes += length;
	return memory_save_whole_blocks(bytes);
}
