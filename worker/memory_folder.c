/*
 * Entries of folders of the memory backend (see backend_memory.h): a hash table by name, for
 * 100,000 entries and more, and a list in the order of their arrival, for whoever lists them while
 * others come and go. Runs in the worker, as the user.
 */
#include "worker/backend_memory.h"

#include "ipc/base/ends.h"

#include <errno.h>
#include <stdlib.h>

enum { BUCKETS_AT_FIRST = 8, BUCKETS_PER_ENTRY_MAX = 8 };

/* FNV-1a from a secret start; a user who finds collisions slows down nobody else. */
static uint32_t
hash_name(const struct backend_tree *tree, struct bytes name)
{
	uint64_t hash = tree->hash_seed;
	for (size_t i = 0; i < name.length; i++)
		hash = (hash ^ (unsigned char)name.data[i]) * UINT64_C(0x100000001b3);
	return (uint32_t)(hash ^ hash >> 32);
}

static struct memory_entry **
bucket_of(const struct memory_folder *folder, uint32_t hash)
{
	return &folder->buckets[hash & (folder->bucket_count - 1)];
}

struct memory_entry *
memory_folder_find(
	const struct backend_tree *tree, const struct memory_node *folder, struct bytes name)
{
	if (folder->folder.buckets == NULL)
		return NULL;
	uint32_t hash = hash_name(tree, name);
	struct memory_entry *entry = *bucket_of(&folder->folder, hash);
	while (entry != NULL &&
		(entry->hash != hash ||
			!bytes_equal(bytes_of(entry->name, entry->name_bytes), name)))
		entry = entry->in_bucket;
	return entry;
}

static void
put_into_bucket(struct memory_folder *folder, struct memory_entry *entry)
{
	struct memory_entry **bucket = bucket_of(folder, entry->hash);
	entry->in_bucket = *bucket;
	*bucket = entry;
}

/* Another number of buckets, a power of two. */
static int
rehash(struct backend_tree *tree, struct memory_folder *folder, uint32_t count)
{
	uint64_t old_bytes = folder->bucket_count * sizeof(struct memory_entry *);
	uint64_t new_bytes = count * sizeof(struct memory_entry *);
	int error = new_bytes > old_bytes ? memory_arena_charge(&tree->arena, new_bytes - old_bytes)
					  : 0;
	if (error < 0)
		return error;
	struct memory_entry **buckets = calloc(count, sizeof(struct memory_entry *));
	if (buckets == NULL) {
		if (new_bytes > old_bytes)
			memory_arena_refund(&tree->arena, new_bytes - old_bytes);
		return -ENOMEM;
	}
	if (new_bytes < old_bytes)
		memory_arena_refund(&tree->arena, old_bytes - new_bytes);
	free(folder->buckets);
	folder->buckets = buckets;
	folder->bucket_count = count;
	for (struct memory_entry *entry = folder->first; entry != NULL; entry = entry->after)
		put_into_bucket(folder, entry);
	return 0;
}

/* Room for one more entry. */
static int
widen(struct backend_tree *tree, struct memory_folder *folder)
{
	if (folder->entry_count < folder->bucket_count)
		return 0;
	return rehash(tree, folder,
		folder->bucket_count == 0 ? BUCKETS_AT_FIRST : 2 * folder->bucket_count);
}

/* A table that stays too large for want of memory is still right. */
static void
narrow(struct backend_tree *tree, struct memory_folder *folder)
{
	if (folder->bucket_count > BUCKETS_AT_FIRST &&
		folder->entry_count < folder->bucket_count / BUCKETS_PER_ENTRY_MAX)
		(void)rehash(tree, folder, folder->bucket_count / 2);
}

static size_t
entry_bytes(size_t name_bytes)
{
	return sizeof(struct memory_entry) + name_bytes + 1;
}

static int
entry_new(struct backend_tree *tree, struct bytes name, struct memory_entry **result)
{
	size_t bytes = entry_bytes(name.length);
	int error = memory_arena_charge(&tree->arena, bytes);
	if (error < 0)
		return error;
	struct memory_entry *entry = calloc(1, bytes);
	if (entry == NULL) {
		memory_arena_refund(&tree->arena, bytes);
		return -ENOMEM;
	}
	entry->hash = hash_name(tree, name);
	entry->name_bytes = (uint32_t)name.length;
	memcpy(entry->name, name.data, name.length);
	*result = entry;
	return 0;
}

static void
touch(struct memory_node *folder)
{
	folder->mtime_ns = folder->ctime_ns = memory_now_ns();
}

/* A node has one name more, in this folder. */
static void
name_node(struct memory_node *folder, struct memory_node *node)
{
	node->links++;
	if (node->type == PATHIO_TYPE_DIRECTORY) {
		folder->links++; /* the ".." in it */
		node->folder.parent = folder;
	}
	touch(folder);
}

/* One less. */
static void
unname_node(struct memory_node *folder, struct memory_node *node)
{
	node->links--;
	if (node->type == PATHIO_TYPE_DIRECTORY)
		folder->links--;
	node->ctime_ns = memory_now_ns();
	touch(folder);
}

static void
link_entry(struct memory_node *folder, struct memory_entry *entry, struct memory_node *node)
{
	struct memory_folder *parent = &folder->folder;
	put_into_bucket(parent, entry);
	entry->node = node;
	entry->arrival = parent->arrivals++;
	entry->before = parent->last;
	if (parent->last == NULL)
		parent->first = entry;
	else
		parent->last->after = entry;
	parent->last = entry;
	parent->entry_count++;
	name_node(folder, node);
}

/* Takes the entry out of its folder; node and entry are the caller's to release and free. */
static struct memory_node *
detach(struct backend_tree *tree, struct memory_node *folder, struct memory_entry *entry)
{
	struct memory_folder *parent = &folder->folder;
	struct memory_node *node = entry->node;
	memory_directory_step_over(folder, entry);
	struct memory_entry **at = bucket_of(parent, entry->hash);
	while (*at != entry)
		at = &(*at)->in_bucket;
	*at = entry->in_bucket;
	if (entry->before == NULL)
		parent->first = entry->after;
	else
		entry->before->after = entry->after;
	if (entry->after == NULL)
		parent->last = entry->before;
	else
		entry->after->before = entry->before;
	parent->entry_count--;
	unname_node(folder, node);
	narrow(tree, parent);
	return node;
}

static struct memory_node *
take_out(struct backend_tree *tree, struct memory_node *folder, struct memory_entry *entry)
{
	struct memory_node *node = detach(tree, folder, entry);
	memory_arena_refund(&tree->arena, entry_bytes(entry->name_bytes));
	free(entry);
	return node;
}

int
memory_folder_add(struct backend_tree *tree, struct memory_node *folder, struct bytes name,
	struct memory_node *node)
{
	struct memory_entry *entry;
	int error = widen(tree, &folder->folder);
	if (error == 0)
		error = entry_new(tree, name, &entry);
	if (error == 0)
		link_entry(folder, entry, node);
	return error;
}

void
memory_folder_remove(
	struct backend_tree *tree, struct memory_node *folder, struct memory_entry *entry)
{
	memory_node_release(tree, take_out(tree, folder, entry));
}

int
memory_folder_move(struct backend_tree *tree, struct memory_node *source,
	struct memory_entry *entry, struct memory_node *destination, struct bytes name)
{
	struct memory_entry *moved = NULL;
	size_t old_bytes = entry_bytes(entry->name_bytes);
	int error = source == destination ? 0 : widen(tree, &destination->folder);
	if (error < 0)
		return error;
	memory_arena_refund(&tree->arena, old_bytes); /* first, so that there is room for the new */
	error = entry_new(tree, name, &moved);
	if (error != 0) {
		ensure(memory_arena_charge(&tree->arena, old_bytes) == 0);
		return error;
	}
	link_entry(destination, moved, detach(tree, source, entry));
	free(entry);
	return 0;
}

void
memory_folder_replace(struct backend_tree *tree, struct memory_node *source,
	struct memory_entry *entry, struct memory_node *destination, struct memory_entry *replaced)
{
	struct memory_node *old = replaced->node;
	unname_node(destination, old);
	replaced->node = take_out(tree, source, entry);
	name_node(destination, replaced->node);
	memory_node_release(tree, old);
}

void
memory_folder_clear(struct backend_tree *tree, struct memory_node *folder)
{
	struct memory_folder *cleared = &folder->folder;
	struct memory_entry *entry = cleared->first;
	while (entry != NULL) {
		struct memory_entry *after = entry->after;
		memory_arena_refund(&tree->arena, entry_bytes(entry->name_bytes));
		free(entry);
		entry = after;
	}
	memory_arena_refund(&tree->arena, cleared->bucket_count * sizeof(struct memory_entry *));
	free(cleared->buckets);
	*cleared = (struct memory_folder){ .parent = cleared->parent };
}
