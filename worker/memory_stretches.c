/*
 * The table of a file of the memory backend: which of its pages are where (see memory_stretches.h).
 * Runs in the worker, as the user; trusts its callers. On failure nothing has changed.
 */
#include "worker/memory_stretches.h"

#include <errno.h>
#include <stdlib.h>

size_t
memory_stretches_find(const struct memory_contents *contents, uint64_t page)
{
	size_t low = 0;
	size_t high = contents->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (memory_stretch_end(&contents->stretches[middle]) > page)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

struct memory_stretch *
memory_stretches_at(const struct memory_contents *contents, uint64_t page)
{
	size_t index = memory_stretches_find(contents, page);
	if (index == contents->count || contents->stretches[index].file_page > page)
		return NULL;
	return &contents->stretches[index];
}

/*
 * The array, or a larger copy; NULL, with *error, for want of memory. What grows is charged.
 */
static void *
make_room(struct memory_arena *arena, void *array, size_t element_bytes, size_t *capacity,
	size_t needed, int *error)
{
	if (needed <= *capacity)
		return array;
	size_t larger = needed + needed / 2;
	uint64_t more_bytes = (larger - *capacity) * element_bytes;
	*error = memory_arena_charge(arena, more_bytes);
	if (*error < 0)
		return NULL;
	void *grown = reallocarray(array, larger, element_bytes);
	if (grown == NULL) {
		memory_arena_refund(arena, more_bytes);
		*error = -ENOMEM;
		return NULL;
	}
	*capacity = larger;
	return grown;
}

int
memory_stretches_prepare_cut(struct memory_arena *arena, struct memory_contents *contents)
{
	int error = 0;
	if (contents->oldest == NULL)
		return 0;
	struct memory_retired *retired = make_room(arena, contents->retired, sizeof(*retired),
		&contents->retired_capacity, contents->retired_count + contents->count + 1, &error);
	if (retired != NULL)
		contents->retired = retired;
	return error;
}

int
memory_stretches_prepare(struct memory_arena *arena, struct memory_contents *contents)
{
	int error = 0;
	struct memory_stretch *stretches = make_room(arena, contents->stretches, sizeof(*stretches),
		&contents->capacity, contents->count + 2, &error);
	if (stretches == NULL)
		return error;
	contents->stretches = stretches;
	return memory_stretches_prepare_cut(arena, contents);
}

static void
insert_at(struct memory_contents *contents, size_t index, struct memory_stretch stretch)
{
	struct memory_stretch *here = contents->stretches + index;
	memmove(here + 1, here, (contents->count - index) * sizeof(*here));
	*here = stretch;
	contents->count++;
}

static void
remove_at(struct memory_contents *contents, size_t index)
{
	struct memory_stretch *here = contents->stretches + index;
	contents->count--;
	memmove(here, here + 1, (contents->count - index) * sizeof(*here));
}

/* Pages that the file no longer has. */
static void
give_up(struct memory_arena *arena, struct memory_contents *contents, bool sent, uint64_t first,
	uint64_t count)
{
	if (sent && contents->oldest != NULL)
		contents->retired[contents->retired_count++] = (struct memory_retired){
			.at = contents->retirements++, .arena_page = first, .count = count
		};
	else
		memory_arena_give(arena, first, count);
}

/* Takes the pages from `page` to before `end` out of the stretch at `index`. */
static void
cut_out(struct memory_arena *arena, struct memory_contents *contents, size_t index, uint64_t page,
	uint64_t end)
{
	struct memory_stretch *stretch = &contents->stretches[index];
	struct memory_stretch whole = *stretch;
	uint64_t from = page > whole.file_page ? page : whole.file_page;
	uint64_t to = end < memory_stretch_end(&whole) ? end : memory_stretch_end(&whole);
	give_up(arena, contents, whole.sent, whole.arena_page + (from - whole.file_page),
		to - from);
	stretch->count = from - whole.file_page;
	if (to < memory_stretch_end(&whole))
		insert_at(contents, index + 1,
			(struct memory_stretch){
				.file_page = to,
				.arena_page = whole.arena_page + (to - whole.file_page),
				.count = memory_stretch_end(&whole) - to,
				.sent = whole.sent,
			});
	if (contents->stretches[index].count == 0)
		remove_at(contents, index);
}

/* From the last to the first, so that a truncation moves nothing. */
void
memory_stretches_remove(
	struct memory_arena *arena, struct memory_contents *contents, uint64_t page, uint64_t end)
{
	size_t first = memory_stretches_find(contents, page);
	size_t index = memory_stretches_find(contents, end);
	if (index < contents->count && contents->stretches[index].file_page < end)
		index++;
	while (index > first)
		cut_out(arena, contents, --index, page, end);
}

static bool
continues(const struct memory_stretch *before, const struct memory_stretch *after)
{
	return memory_stretch_end(before) == after->file_page &&
	       before->arena_page + before->count == after->arena_page &&
	       before->sent == after->sent;
}

void
memory_stretches_add(struct memory_contents *contents, struct memory_stretch added)
{
	size_t index = memory_stretches_find(contents, added.file_page);
	if (index > 0 && continues(&contents->stretches[index - 1], &added))
		contents->stretches[index - 1].count += added.count;
	else
		insert_at(contents, index, added);
}

void
memory_stretches_trim(struct memory_arena *arena, struct memory_contents *contents)
{
	if (contents->count > 0)
		return;
	memory_arena_refund(arena, contents->capacity * sizeof(*contents->stretches));
	free(contents->stretches);
	contents->stretches = NULL;
	contents->capacity = 0;
}
