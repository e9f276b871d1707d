/*
 * The memory backend: open files. Privilege, trust and failure as in backend_memory.c.
 */
#include "worker/backend_memory.h"

#include <errno.h>
#include <stdlib.h>

enum { MAY_WRITE = 2, MAY_READ = 4 };

struct backend_file {
	struct backend_tree *tree;
	struct memory_node *node;
	unsigned flags;
	bool lends; /* has handed out an extent */
	struct memory_lender lender;
};

static void
touch(struct memory_node *node)
{
	node->mtime_ns = node->ctime_ns = memory_now_ns();
}

static int
create(struct backend_tree *tree, const struct memory_place *place, unsigned flags, uint32_t mode,
	struct memory_node **result)
{
	if ((flags & BACKEND_CREATE) == 0)
		return -ENOENT;
	if (!memory_permits(place->folder, MAY_WRITE))
		return -EACCES;
	struct memory_node *node;
	int error = memory_node_new(tree, PATHIO_TYPE_FILE, mode, &node);
	if (error < 0)
		return error;
	error = memory_folder_add(
		tree, place->folder, bytes_of(place->name, place->name_bytes), node);
	if (error < 0)
		memory_node_free(tree, node);
	else
		*result = node;
	return error;
}

static int
judge_open(const struct memory_node *node, unsigned flags)
{
	bool writes = (flags & (BACKEND_WRITE | BACKEND_CREATE)) != 0;
	uint32_t wanted = ((flags & BACKEND_READ) != 0 ? MAY_READ : 0u) |
			  ((flags & BACKEND_WRITE) != 0 ? MAY_WRITE : 0u);
	if (node->type == PATHIO_TYPE_DIRECTORY && writes)
		return -EISDIR;
	if (!memory_permits(node, wanted))
		return -EACCES;
	return node->type == PATHIO_TYPE_DIRECTORY ? -EISDIR : 0;
}

/* The node to open: what is there, or what is created. */
static int
find_or_create(struct backend_tree *tree, const struct path *path, unsigned flags, uint32_t mode,
	struct memory_node **result)
{
	bool exclusive = (flags & BACKEND_EXCLUSIVE) != 0;
	enum memory_last last = (flags & BACKEND_CREATE) != 0 ? MEMORY_CREATE : MEMORY_FOLLOW;
	if (exclusive || (flags & BACKEND_NOFOLLOW) != 0)
		last = MEMORY_KEEP;
	struct memory_place place;
	int error = memory_walk(tree, path, last, &place);
	if (error < 0)
		return error;
	if (place.node == NULL)
		return create(tree, &place, flags, mode, result);
	if (exclusive)
		return -EEXIST;
	if (place.node->type == PATHIO_TYPE_SYMLINK)
		return -ELOOP;
	error = judge_open(place.node, flags);
	if (error < 0)
		return error;
	if ((flags & BACKEND_HELD) != 0 && place.node->held)
		return -EAGAIN;
	*result = place.node;
	return 0;
}

int
memory_file_open(struct backend_tree *tree, const struct path *path, unsigned flags, uint32_t mode,
	struct backend_file **result, struct pathio_attributes *attributes)
{
	struct backend_file *file = malloc(sizeof(*file));
	if (file == NULL)
		return -ENOMEM;
	struct memory_node *node;
	int error = find_or_create(tree, path, flags, mode, &node);
	if (error == 0 && (flags & BACKEND_TRUNCATE) != 0) {
		error = memory_contents_truncate(&tree->arena, &node->contents, 0);
		touch(node);
	}
	if (error < 0) {
		free(file);
		return error;
	}
	*file = (struct backend_file){ .tree = tree, .node = node, .flags = flags };
	node->handles++;
	if ((flags & BACKEND_HELD) != 0)
		node->held = true;
	if (attributes != NULL)
		memory_describe(tree, node, attributes);
	*result = file;
	return 0;
}

void
memory_file_close(struct backend_file **file)
{
	if (*file == NULL)
		return;
	struct backend_tree *tree = (*file)->tree;
	struct memory_node *node = (*file)->node;
	if ((*file)->lends)
		memory_contents_return(&tree->arena, &node->contents, &(*file)->lender);
	if (((*file)->flags & BACKEND_HELD) != 0)
		node->held = false;
	node->handles--;
	memory_node_release(tree, node);
	free(*file);
	*file = NULL;
}

int
memory_file_attributes(struct backend_file *file, struct pathio_attributes *result)
{
	memory_describe(file->tree, file->node, result);
	return 0;
}

ssize_t
memory_file_read(struct backend_file *file, uint64_t offset, void *buffer, size_t length)
{
	if ((file->flags & BACKEND_READ) == 0)
		return -EBADF;
	return memory_contents_read(
		&file->tree->arena, &file->node->contents, offset, buffer, length);
}

ssize_t
memory_file_write(struct backend_file *file, uint64_t offset, const void *data, size_t length)
{
	if ((file->flags & BACKEND_WRITE) == 0)
		return -EBADF;
	if ((file->flags & BACKEND_APPEND) != 0)
		offset = file->node->contents.size;
	ssize_t written = memory_contents_write(
		&file->tree->arena, &file->node->contents, offset, data, length);
	if (written > 0)
		touch(file->node);
	return written;
}

int
memory_file_truncate(struct backend_file *file, uint64_t size)
{
	if ((file->flags & BACKEND_WRITE) == 0)
		return -EINVAL; /* as ftruncate(2) has it */
	int error = memory_contents_truncate(&file->tree->arena, &file->node->contents, size);
	if (error == 0)
		touch(file->node);
	return error;
}

int
memory_file_sync(UNUSED struct backend_file *file)
{
	return 0; /* there is nothing more lasting than memory here */
}

int
memory_file_change_mode(struct backend_file *file, uint32_t mode)
{
	file->node->mode = mode & 0777;
	file->node->ctime_ns = memory_now_ns();
	return 0;
}

int
memory_file_extent(
	struct backend_file *file, uint64_t offset, uint64_t length, struct backend_extent *result)
{
	if ((file->flags & BACKEND_READ) == 0)
		return -EBADF;
	if (!file->lends)
		memory_contents_lend(&file->node->contents, &file->lender);
	file->lends = true;
	return memory_contents_extent(
		&file->tree->arena, &file->node->contents, offset, length, result);
}

ssize_t
memory_file_copy_range(struct backend_file *source, uint64_t source_offset,
	struct backend_file *destination, uint64_t destination_offset, uint64_t length)
{
	if ((source->flags & BACKEND_READ) == 0 || (destination->flags & BACKEND_WRITE) == 0 ||
		(destination->flags & BACKEND_APPEND) != 0)
		return -EBADF;
	if (source->node == destination->node)
		return -ENOTSUP; /* its pages would move while they are copied */
	ssize_t copied = memory_contents_copy(&source->tree->arena, &source->node->contents,
		source_offset, &destination->node->contents, destination_offset, length);
	if (copied > 0)
		touch(destination->node);
	return copied;
}
