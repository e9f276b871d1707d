/*
 * Saving a tree in memory (see memory_save.h): the archive, piece by piece. Runs in the worker, as
 * the user, for an administrator. What clients chose is names and contents, which are copied; where
 * the archive goes is not known here.
 */
#include "worker/memory_save_private.h"

#include "worker/memory_stretches.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { END_BYTES = 2 * TAR_BLOCK_BYTES };

int
memory_save_begin(struct backend_tree *tree, struct memory_save **result)
{
	struct memory_save *save = calloc(1, sizeof(*save));
	if (save == NULL)
		return -ENOMEM;
	save->tree = tree;
	int error = memory_save_collect(save);
	if (error < 0)
		memory_save_free(&save);
	else
		*result = save;
	return error;
}

struct memory_save_totals
memory_save_totals(const struct memory_save *save)
{
	return save->totals;
}

void
memory_save_free(struct memory_save **save)
{
	struct memory_save *freed = *save;
	*save = NULL;
	if (freed == NULL)
		return;
	memory_save_give_back(freed);
	free(freed);
}

/* ---- pieces: each returns its bytes, and goes on to what follows ---- */

static void
go_to(struct memory_save *save, enum memory_save_stage stage)
{
	save->stage = stage;
	save->unpadded = 0;
	save->line = save->stretch = 0;
	save->within = 0;
}

static void
leave_entry(struct memory_save *save)
{
	bool is_last = ++save->at == save->count;
	go_to(save, is_last ? MEMORY_SAVE_END : MEMORY_SAVE_HEADER);
}

/* Fills the last block of a map or of data with zeros. */
static size_t
pad(const struct memory_save *save, char *buffer)
{
	size_t length = (size_t)(memory_save_whole_blocks(save->unpadded) - save->unpadded);
	memset(buffer, 0, length);
	return length;
}

static ssize_t
put_header(struct memory_save *save, char *buffer)
{
	const struct memory_save_entry *entry = &save->entries[save->at];
	size_t length = memory_save_header(save, save->at, buffer);
	if (entry->stretch_count == 0 && !memory_save_is_sparse(save, entry))
		leave_entry(save);
	else
		go_to(save,
			memory_save_is_sparse(save, entry) ? MEMORY_SAVE_MAP : MEMORY_SAVE_DATA);
	return (ssize_t)length;
}

static ssize_t
put_map(struct memory_save *save, char *buffer, size_t capacity)
{
	const struct memory_save_entry *entry = &save->entries[save->at];
	size_t length = 0;
	while (capacity - length >= TAR_BLOCK_BYTES + MEMORY_SAVE_LINE_BYTES_MAX) {
		size_t added = memory_save_map_line(save, entry, &save->line, buffer + length);
		length += added;
		save->unpadded += added;
		if (added > 0)
			continue;
		length += pad(save, buffer + length);
		go_to(save, MEMORY_SAVE_DATA);
		break;
	}
	return (ssize_t)length;
}

/* Some of the current stretch, or what fills the last block when there is none. */
static ssize_t
put_data(struct memory_save *save, char *buffer, size_t capacity)
{
	const struct memory_arena *arena = &save->tree->arena;
	const struct memory_save_entry *entry = &save->entries[save->at];
	if (save->stretch == entry->stretch_count) {
		size_t length = pad(save, buffer);
		leave_entry(save);
		return (ssize_t)length;
	}
	const struct memory_stretch *stretch =
		&save->stretches[entry->stretches_at + save->stretch];
	uint64_t start = stretch->file_page * arena->page_bytes;
	uint64_t end = memory_stretch_end(stretch) * arena->page_bytes;
	uint64_t left = (end < entry->size ? end : entry->size) - start - save->within;
	ssize_t got = pread(arena->fd, buffer, left < capacity ? left : capacity,
		(off_t)(stretch->arena_page * arena->page_bytes + save->within));
	if (got <= 0)
		return got < 0 ? -errno : -EIO;
	save->unpadded += (uint64_t)got;
	save->within += (uint64_t)got;
	if ((uint64_t)got == left) {
		save->stretch++;
		save->within = 0;
	}
	return got;
}

static ssize_t
put_next(struct memory_save *save, char *buffer, size_t capacity, bool *ended)
{
	switch (save->stage) {
	case MEMORY_SAVE_HEADER:
		return put_header(save, buffer);
	case MEMORY_SAVE_MAP:
		return put_map(save, buffer, capacity);
	case MEMORY_SAVE_DATA:
		return put_data(save, buffer, capacity);
	case MEMORY_SAVE_END:
		break;
	}
	memset(buffer, 0, END_BYTES);
	*ended = true;
	return END_BYTES;
}

int
memory_save_fill(struct memory_save *save, char *buffer, size_t capacity, bool *ended)
{
	size_t length = 0;
	while (!*ended && capacity - length >= MEMORY_SAVE_HEADER_BYTES_MAX) {
		ssize_t put = put_next(save, buffer + length, capacity - length, ended);
		if (put < 0)
			return (int)put;
		length += (size_t)put;
	}
	return (int)length;
}
