/*
 * The snapshot of a tree in memory that is saved (see memory_save.h). Runs in the worker, as the
 * user, in one turn of the loop. It is not charged to memory_limit: a full tree can be saved.
 */
#include "worker/memory_save_private.h"

#include "policy/rules/rights.h"

#include <errno.h>
#include <stdlib.h>

enum { ENTRIES_AT_FIRST = 64, NAMES_AT_FIRST = 4096 };

/* The array, or a larger copy; NULL for want of memory. */
static void *
make_room(void *array, size_t element_bytes, size_t *capacity, size_t needed)
{
	if (needed <= *capacity)
		return array;
	size_t larger = 2 * needed;
	void *grown = reallocarray(array, larger, element_bytes);
	if (grown != NULL)
		*capacity = larger;
	return grown;
}

/* ---- names ---- */

static int
reserve(struct memory_save *save, size_t name_bytes)
{
	struct memory_save_entry *entries =
		make_room(save->entries, sizeof(*entries), &save->capacity,
			save->count < ENTRIES_AT_FIRST ? ENTRIES_AT_FIRST : save->count + 1);
	if (entries == NULL)
		return -ENOMEM;
	save->entries = entries;
	size_t needed = save->names_bytes + name_bytes;
	char *names = make_room(save->names, 1, &save->names_capacity,
		needed < NAMES_AT_FIRST ? NAMES_AT_FIRST : needed);
	if (names == NULL)
		return -ENOMEM;
	save->names = names;
	return 0;
}

/* Adds an entry as the last one, unless its path is too long. */
static int
add(struct memory_save *save, size_t parent, const struct memory_entry *source,
	struct memory_node *node)
{
	struct bytes name =
		source == NULL ? bytes_of("", 0) : bytes_of(source->name, source->name_bytes);
	size_t path_bytes = name.length;
	if (parent != 0)
		path_bytes += save->entries[parent].path_bytes + 1;
	if (path_bytes > MEMORY_SAVE_PATH_BYTES_MAX) {
		save->totals.left_out++;
		return 0;
	}
	int error = reserve(save, name.length);
	if (error < 0)
		return error;
	memcpy(save->names + save->names_bytes, name.data, name.length);
	save->entries[save->count++] = (struct memory_save_entry){
		.node = node,
		.source = source,
		.parent = parent,
		.name_at = save->names_bytes,
		.name_bytes = (uint32_t)name.length,
		.path_bytes = (uint32_t)path_bytes,
		.mode = node->mode,
		.mtime_ns = node->mtime_ns,
		.same_as = MEMORY_SAVE_NONE,
	};
	save->names_bytes += name.length;
	return 0;
}

static const struct memory_entry *
first_in(const struct memory_save_entry *folder)
{
	return folder->node->folder.first;
}

/*
 * A folder's contents follow it at once, for readers that set its time when they have left it. The
 * way back up is in the entries, so that no depth is too much.
 */
static int
add_all(struct memory_save *save)
{
	size_t folder = 0;
	int error = add(save, 0, NULL, save->tree->root);
	const struct memory_entry *at = error < 0 ? NULL : first_in(&save->entries[folder]);
	while (error == 0 && (at != NULL || folder != 0)) {
		if (at == NULL) {
			at = save->entries[folder].source->after;
			folder = save->entries[folder].parent;
			continue;
		}
		size_t before = save->count;
		if (!rights_name_is_hidden(bytes_of(at->name, at->name_bytes)))
			error = add(save, folder, at, at->node);
		if (save->count > before && at->node->type == PATHIO_TYPE_DIRECTORY) {
			folder = before;
			at = first_in(&save->entries[folder]);
		} else {
			at = at->after;
		}
	}
	return error;
}

/* ---- several names of one file ---- */

struct name_of_file {
	uint64_t inode;
	size_t index;
};

static int
compare(const void *left, const void *right)
{
	const struct name_of_file *a = left;
	const struct name_of_file *b = right;
	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static bool
has_names(const struct memory_save_entry *entry)
{
	return entry->node->type == PATHIO_TYPE_FILE && entry->node->links > 1;
}

/* Sorted by file, so that its names stand together, the first of them in front. */
static int
find_same(struct memory_save *save)
{
	size_t count = 0, used = 0;
	for (size_t i = 0; i < save->count; i++)
		count += has_names(&save->entries[i]);
	if (count == 0)
		return 0;
	struct name_of_file *names = calloc(count, sizeof(*names));
	if (names == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < save->count; i++)
		if (has_names(&save->entries[i]))
			names[used++] = (struct name_of_file){ save->entries[i].node->inode, i };
	qsort(names, count, sizeof(*names), compare);
	for (size_t i = 1, first = 0; i < count; i++)
		if (names[i].inode == names[first].inode)
			save->entries[names[i].index].same_as = names[first].index;
		else
			first = i;
	free(names);
	return 0;
}

/* ---- contents ---- */

static bool
has_contents(const struct memory_save_entry *entry)
{
	return entry->node->type == PATHIO_TYPE_FILE && entry->same_as == MEMORY_SAVE_NONE;
}

static int
reserve_stretches(struct memory_save *save)
{
	size_t count = 0;
	for (size_t i = 0; i < save->count; i++)
		if (has_contents(&save->entries[i]))
			count += save->entries[i].node->contents.count;
	save->stretches = calloc(count + 1, sizeof(*save->stretches));
	return save->stretches == NULL ? -ENOMEM : 0;
}

/* From now on whoever writes to these pages writes to others. */
static void
lend(struct memory_save *save, struct memory_save_entry *entry)
{
	struct memory_contents *contents = &entry->node->contents;
	const struct memory_arena *arena = &save->tree->arena;
	entry->size = contents->size;
	entry->stretches_at = save->stretch_count;
	for (size_t i = 0; i < contents->count; i++) {
		struct memory_stretch *stretch = &contents->stretches[i];
		if (stretch->file_page * arena->page_bytes >= contents->size)
			break; /* of a write that failed: nothing to be read */
		stretch->sent = true;
		save->stretches[save->stretch_count++] = *stretch;
	}
	entry->stretch_count = save->stretch_count - entry->stretches_at;
	memory_contents_lend(contents, &entry->lender);
}

static void
hold(struct memory_save *save, struct memory_save_entry *entry)
{
	struct memory_save_totals *totals = &save->totals;
	entry->node->handles++;
	totals->files += entry->node->type == PATHIO_TYPE_FILE;
	totals->folders +=
		entry->node->type == PATHIO_TYPE_DIRECTORY && entry->node != save->tree->root;
	totals->links += entry->node->type == PATHIO_TYPE_SYMLINK;
	if (has_contents(entry))
		lend(save, entry);
}

int
memory_save_collect(struct memory_save *save)
{
	int error = add_all(save);
	if (error == 0)
		error = find_same(save);
	if (error == 0)
		error = reserve_stretches(save);
	if (error < 0) {
		save->count = 0;
		return error;
	}
	for (size_t i = 0; i < save->count; i++)
		hold(save, &save->entries[i]);
	return 0;
}

void
memory_save_give_back(struct memory_save *save)
{
	for (size_t i = 0; i < save->count; i++) {
		struct memory_save_entry *entry = &save->entries[i];
		struct memory_node *node = entry->node;
		if (has_contents(entry))
			memory_contents_return(&save->tree->arena, &node->contents, &entry->lender);
		node->handles--;
		memory_node_release(save->tree, node);
	}
	free(save->entries);
	free(save->names);
	free(save->stretches);
}
