/*
 * The memory backend: operations on paths. Privilege, trust and failure as in backend_memory.c. The
 * order of checks is the kernel's, so that two mistakes in one call give the same error.
 */
#include "worker/backend_memory.h"

#include <errno.h>
#include <stdlib.h>

enum { MAY_SEARCH = 1, MAY_WRITE = 2 };

int
memory_stat(struct backend_tree *tree, const struct path *path, bool follow,
	struct pathio_attributes *result)
{
	struct memory_place place;
	int error = memory_find(tree, path, follow ? MEMORY_FOLLOW : MEMORY_KEEP, &place);
	if (error == 0)
		memory_describe(tree, place.node, result);
	return error;
}

int
memory_enter(struct backend_tree *tree, const struct path *path, struct pathio_attributes *result)
{
	struct memory_place place;
	int error = memory_find(tree, path, MEMORY_FOLLOW, &place);
	if (error < 0)
		return error;
	if (place.node->type != PATHIO_TYPE_DIRECTORY)
		return -ENOTDIR;
	if (!memory_permits(place.node, MAY_SEARCH))
		return -EACCES;
	memory_describe(tree, place.node, result);
	return 0;
}

/* Where something new is to be made. */
static int
find_free_place(struct backend_tree *tree, const struct path *path, struct memory_place *place)
{
	int error = memory_walk(tree, path, MEMORY_KEEP, place);
	if (error < 0)
		return error;
	if (place->node != NULL)
		return -EEXIST;
	return memory_permits(place->folder, MAY_WRITE) ? 0 : -EACCES;
}

static int
give_name(struct backend_tree *tree, const struct memory_place *place, struct memory_node *node)
{
	int error = memory_folder_add(
		tree, place->folder, bytes_of(place->name, place->name_bytes), node);
	if (error < 0)
		memory_node_free(tree, node);
	return error;
}

int
memory_mkdir(struct backend_tree *tree, const struct path *path, uint32_t mode)
{
	struct memory_place place;
	struct memory_node *node;
	int error = find_free_place(tree, path, &place);
	if (error == 0)
		error = memory_node_new(tree, PATHIO_TYPE_DIRECTORY, mode, &node);
	return error < 0 ? error : give_name(tree, &place, node);
}

int
memory_symlink(struct backend_tree *tree, struct bytes target, const struct path *path)
{
	int error = memory_node_check_target(target);
	if (error < 0)
		return error;
	struct memory_place place;
	struct memory_node *node;
	error = find_free_place(tree, path, &place);
	if (error == 0)
		error = memory_node_new_link(tree, target, &node);
	return error < 0 ? error : give_name(tree, &place, node);
}

int
memory_remove_folder(
	struct backend_tree *tree, struct memory_node *folder, struct memory_entry *entry)
{
	if (!memory_permits(folder, MAY_WRITE))
		return -EACCES;
	if (entry->node->type != PATHIO_TYPE_DIRECTORY)
		return -ENOTDIR;
	if (entry->node->folder.entry_count > 0)
		return -ENOTEMPTY;
	memory_folder_remove(tree, folder, entry);
	return 0;
}

int
memory_rmdir(struct backend_tree *tree, const struct path *path)
{
	struct memory_place place;
	int error = memory_find(tree, path, MEMORY_KEEP, &place);
	if (error < 0)
		return error;
	if (place.folder == NULL)
		return -EBUSY;
	return memory_remove_folder(tree, place.folder, place.entry);
}

int
memory_remove_name(
	struct backend_tree *tree, struct memory_node *folder, struct memory_entry *entry)
{
	if (!memory_permits(folder, MAY_WRITE))
		return -EACCES;
	if (entry->node->type == PATHIO_TYPE_DIRECTORY)
		return -EISDIR;
	memory_folder_remove(tree, folder, entry);
	return 0;
}

int
memory_unlink(struct backend_tree *tree, const struct path *path)
{
	struct memory_place place;
	int error = memory_find(tree, path, MEMORY_KEEP, &place);
	if (error < 0)
		return error;
	if (place.folder == NULL)
		return -EISDIR;
	return memory_remove_name(tree, place.folder, place.entry);
}

/* Is `node` the folder `below` or one of those that hold it? */
static bool
is_above(const struct memory_node *node, const struct memory_node *below)
{
	while (below != node && below->folder.parent != below)
		below = below->folder.parent;
	return below == node;
}

/* What the kernel asks of the folders and of what is replaced. */
static int
judge_rename(const struct memory_place *from, const struct memory_place *to)
{
	bool is_folder = from->node->type == PATHIO_TYPE_DIRECTORY;
	if (!memory_permits(from->folder, MAY_WRITE) || !memory_permits(to->folder, MAY_WRITE))
		return -EACCES;
	if (to->node != NULL) {
		bool onto_folder = to->node->type == PATHIO_TYPE_DIRECTORY;
		if (is_folder != onto_folder)
			return is_folder ? -ENOTDIR : -EISDIR;
	}
	/* A folder that moves has its ".." rewritten. */
	if (is_folder && from->folder != to->folder && !memory_permits(from->node, MAY_WRITE))
		return -EACCES;
	if (to->node != NULL && is_folder && to->node->folder.entry_count > 0)
		return -ENOTEMPTY;
	return 0;
}

/* Both folders are reached before either is searched. */
static int
find_folder_of(struct backend_tree *tree, const struct path *path)
{
	struct path folder;
	path_parent(path, &folder);
	struct memory_place place;
	int error = memory_find(tree, &folder, MEMORY_FOLLOW, &place);
	if (error < 0)
		return error;
	return place.node->type == PATHIO_TYPE_DIRECTORY ? 0 : -ENOTDIR;
}

int
memory_rename(struct backend_tree *tree, const struct path *source, const struct path *destination)
{
	struct memory_place from, to;
	int error = find_folder_of(tree, source);
	if (error == 0)
		error = find_folder_of(tree, destination);
	if (error < 0)
		return error;
	if (path_name(source)[0] == '\0' || path_name(destination)[0] == '\0')
		return -EBUSY;
	error = memory_walk(tree, source, MEMORY_KEEP, &from);
	if (error < 0)
		return error;
	error = memory_walk(tree, destination, MEMORY_KEEP, &to);
	if (error < 0)
		return error;
	if (from.node == NULL)
		return -ENOENT;
	if (from.node->type == PATHIO_TYPE_DIRECTORY && is_above(from.node, to.folder))
		return -EINVAL;
	if (to.node == from.node)
		return 0;
	if (to.node != NULL && to.node->type == PATHIO_TYPE_DIRECTORY &&
		is_above(to.node, from.folder))
		return -ENOTEMPTY;
	error = judge_rename(&from, &to);
	if (error < 0)
		return error;
	if (to.entry == NULL)
		error = memory_folder_move(
			tree, from.folder, from.entry, to.folder, bytes_of(to.name, to.name_bytes));
	else
		memory_folder_replace(tree, from.folder, from.entry, to.folder, to.entry);
	if (error == 0)
		from.node->ctime_ns = memory_now_ns();
	return error;
}

int
memory_readlink(struct backend_tree *tree, const struct path *path, char *target, size_t capacity)
{
	struct memory_place place;
	int error = memory_find(tree, path, MEMORY_KEEP, &place);
	if (error < 0)
		return error;
	if (place.node->type != PATHIO_TYPE_SYMLINK)
		return -EINVAL;
	size_t length = strlen(place.node->target);
	if (length >= capacity)
		return -ERANGE;
	memcpy(target, place.node->target, length);
	return (int)length;
}

int
memory_set_times(
	struct backend_tree *tree, const struct path *path, const struct pathio_set_times *times)
{
	struct memory_place place;
	int error = memory_find(tree, path, MEMORY_FOLLOW, &place);
	if (error < 0)
		return error;
	if (times->has_mtime)
		place.node->mtime_ns = times->mtime_ns;
	if (times->has_mtime || times->has_atime) /* times of access are not kept */
		place.node->ctime_ns = memory_now_ns();
	return 0;
}

int
memory_set_mode(struct backend_tree *tree, const struct path *path, uint32_t mode)
{
	struct memory_place place;
	int error = memory_find(tree, path, MEMORY_KEEP, &place);
	if (error < 0)
		return error;
	if (place.node->type == PATHIO_TYPE_SYMLINK)
		return -ENOTSUP;
	place.node->mode = mode & 0777;
	place.node->ctime_ns = memory_now_ns();
	return 0;
}

int
memory_space(struct backend_tree *tree, const struct path *path, uint64_t *result)
{
	struct memory_place place;
	int error = memory_find(tree, path, MEMORY_FOLLOW, &place);
	if (error == 0)
		*result = tree->arena.limit_bytes - tree->arena.charged_bytes;
	return error;
}

int
memory_sync_folder(struct backend_tree *tree, const struct path *folder)
{
	struct memory_place place;
	int error = memory_find(tree, folder, MEMORY_FOLLOW, &place);
	if (error < 0)
		return error;
	return place.node->type == PATHIO_TYPE_DIRECTORY ? 0 : -ENOTDIR;
}
