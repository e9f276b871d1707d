/*
 * Nodes of the memory backend (see backend_memory.h). Runs in the worker, as the user.
 */
#include "worker/backend_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

int64_t
memory_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

bool
memory_permits(const struct memory_node *node, uint32_t bits)
{
	return ((node->mode >> 6) & bits) == bits;
}

static uint64_t
size_of(const struct memory_node *node)
{
	switch (node->type) {
	case PATHIO_TYPE_FILE:
		return node->contents.size;
	case PATHIO_TYPE_SYMLINK:
		return strlen(node->target);
	case PATHIO_TYPE_DIRECTORY:
	case PATHIO_TYPE_OTHER:
		break;
	}
	return 0;
}

void
memory_describe(const struct backend_tree *tree, const struct memory_node *node,
	struct pathio_attributes *result)
{
	*result = (struct pathio_attributes){
		.type = node->type,
		.size = size_of(node),
		.mode = node->mode,
		.links = node->links,
		.uid = tree->options.uid,
		.gid = tree->options.gid,
		.mtime_ns = node->mtime_ns,
		.ctime_ns = node->ctime_ns,
		.has_btime = true,
		.btime_ns = node->btime_ns,
		.device = 1,
		.inode = node->inode,
	};
}

int
memory_node_new(struct backend_tree *tree, enum pathio_type type, uint32_t mode,
	struct memory_node **result)
{
	int error = memory_arena_charge(&tree->arena, sizeof(struct memory_node));
	if (error < 0)
		return error;
	struct memory_node *node = calloc(1, sizeof(*node));
	if (node == NULL) {
		memory_arena_refund(&tree->arena, sizeof(*node));
		return -ENOMEM;
	}
	node->type = type;
	node->mode = type == PATHIO_TYPE_SYMLINK ? 0777 : mode & ~tree->options.umask & 0777;
	node->inode = tree->next_inode++;
	node->links = type == PATHIO_TYPE_DIRECTORY ? 1 : 0; /* its own "." */
	node->mtime_ns = node->ctime_ns = node->btime_ns = memory_now_ns();
	node->after = tree->nodes;
	if (tree->nodes != NULL)
		tree->nodes->before = node;
	tree->nodes = node;
	*result = node;
	return 0;
}

int
memory_node_check_target(struct bytes target)
{
	if (target.length > PATH_BYTES_MAX)
		return -ENAMETOOLONG;
	if (memchr(target.data, '\0', target.length) != NULL)
		return -EINVAL;
	return target.length == 0 ? -ENOENT : 0;
}

int
memory_node_new_link(struct backend_tree *tree, struct bytes target, struct memory_node **result)
{
	struct memory_node *node;
	int error = memory_node_new(tree, PATHIO_TYPE_SYMLINK, 0, &node);
	if (error < 0)
		return error;
	error = memory_arena_charge(&tree->arena, target.length + 1);
	if (error == 0)
		node->target = bytes_copy_text(target);
	if (error == 0 && node->target == NULL) {
		memory_arena_refund(&tree->arena, target.length + 1);
		error = -ENOMEM;
	}
	if (error < 0)
		memory_node_free(tree, node);
	else
		*result = node;
	return error;
}

void
memory_node_free(struct backend_tree *tree, struct memory_node *node)
{
	if (node->before == NULL)
		tree->nodes = node->after;
	else
		node->before->after = node->after;
	if (node->after != NULL)
		node->after->before = node->before;
	switch (node->type) {
	case PATHIO_TYPE_FILE:
		memory_contents_free(&tree->arena, &node->contents);
		break;
	case PATHIO_TYPE_DIRECTORY:
		memory_folder_clear(tree, node);
		break;
	case PATHIO_TYPE_SYMLINK:
		if (node->target != NULL)
			memory_arena_refund(&tree->arena, strlen(node->target) + 1);
		free(node->target);
		break;
	case PATHIO_TYPE_OTHER:
		break;
	}
	free(node);
	memory_arena_refund(&tree->arena, sizeof(*node));
}

void
memory_node_release(struct backend_tree *tree, struct memory_node *node)
{
	bool has_name = node->type == PATHIO_TYPE_DIRECTORY ? node->links > 1 : node->links > 0;
	if (!has_name && node->handles == 0)
		memory_node_free(tree, node);
}
