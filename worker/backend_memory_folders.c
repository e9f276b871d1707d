/*
 * The memory backend: open directories. Privilege, trust and failure as in backend_memory.c. A
 * reader stands before the entry that it gives next; when that one goes, the reader is moved on.
 * What comes is put at the end, beyond where a reader that has begun reads: so each entry that
 * stays is seen once, and a listing ends, however busy the folder is.
 */
#include "worker/backend_memory.h"

#include <errno.h>
#include <stdlib.h>

enum { MAY_SEARCH = 1, MAY_READ = 4 };

struct backend_directory {
	struct backend_tree *tree;
	struct memory_node *node;
	struct backend_directory *before, *after; /* the other readers */
	bool started;
	uint64_t until;                  /* the first arrival that came too late */
	const struct memory_entry *next; /* NULL, once started: the end */
	char name[NAME_BYTES_MAX + 1];
};

static int
directory_new(
	struct backend_tree *tree, struct memory_node *node, struct backend_directory **result)
{
	if (node->type != PATHIO_TYPE_DIRECTORY)
		return -ENOTDIR;
	if (!memory_permits(node, MAY_READ))
		return -EACCES;
	struct backend_directory *directory = calloc(1, sizeof(*directory));
	if (directory == NULL)
		return -ENOMEM;
	directory->tree = tree;
	directory->node = node;
	directory->after = node->folder.readers;
	if (directory->after != NULL)
		directory->after->before = directory;
	node->folder.readers = directory;
	node->handles++;
	*result = directory;
	return 0;
}

int
memory_directory_open(struct backend_tree *tree, const struct path *path, unsigned flags,
	struct backend_directory **result)
{
	struct memory_place place;
	enum memory_last last = (flags & BACKEND_NO_LINK) != 0 ? MEMORY_KEEP : MEMORY_FOLLOW;
	int error = memory_find(tree, path, last, &place);
	return error < 0 ? error : directory_new(tree, place.node, result);
}

/* The entry of that name, which a reader of the folder may look up. */
static int
find_in(const struct backend_directory *directory, const char *name, struct memory_entry **result)
{
	if (!memory_permits(directory->node, MAY_SEARCH))
		return -EACCES;
	struct memory_entry *entry =
		memory_folder_find(directory->tree, directory->node, bytes_of_text(name));
	if (entry == NULL)
		return -ENOENT;
	*result = entry;
	return 0;
}

int
memory_directory_open_in(struct backend_directory *directory, const char *name,
	UNUSED unsigned flags, struct backend_directory **result)
{
	struct memory_entry *entry;
	int error = find_in(directory, name, &entry);
	return error < 0 ? error : directory_new(directory->tree, entry->node, result);
}

void
memory_directory_close(struct backend_directory **directory)
{
	if (*directory == NULL)
		return;
	struct memory_node *node = (*directory)->node;
	if ((*directory)->before == NULL)
		node->folder.readers = (*directory)->after;
	else
		(*directory)->before->after = (*directory)->after;
	if ((*directory)->after != NULL)
		(*directory)->after->before = (*directory)->before;
	node->handles--;
	memory_node_release((*directory)->tree, node);
	free(*directory);
	*directory = NULL;
}

void
memory_directory_step_over(struct memory_node *folder, const struct memory_entry *entry)
{
	struct backend_directory *reader = folder->folder.readers;
	for (; reader != NULL; reader = reader->after)
		if (reader->next == entry)
			reader->next = entry->after;
}

int
memory_directory_next(struct backend_directory *directory, struct backend_entry *result)
{
	const struct memory_folder *folder = &directory->node->folder;
	if (!directory->started) {
		directory->next = folder->first;
		directory->until = folder->arrivals;
	}
	directory->started = true;
	const struct memory_entry *entry = directory->next;
	if (entry == NULL || entry->arrival >= directory->until)
		return 0;
	directory->next = entry->after;
	memcpy(directory->name, entry->name, entry->name_bytes + 1); /* it may go before its name */
	result->name = bytes_of(directory->name, entry->name_bytes);
	memory_describe(directory->tree, entry->node, &result->attributes);
	return 1;
}

int
memory_directory_unlink(struct backend_directory *directory, const char *name)
{
	struct memory_entry *entry;
	int error = find_in(directory, name, &entry);
	return error < 0 ? error : memory_remove_name(directory->tree, directory->node, entry);
}

int
memory_directory_rmdir(struct backend_directory *directory, const char *name)
{
	struct memory_entry *entry;
	int error = find_in(directory, name, &entry);
	return error < 0 ? error : memory_remove_folder(directory->tree, directory->node, entry);
}
