/*
 * The memory backend: a tree in this process. This file: the table, a tree's begin and end.
 *
 * Runs in the worker, as the user; shared by that user's sessions and by nobody else, and gone with
 * the process. Its behaviour is the kernel's, to the letter: where the two differ, this one is
 * wrong. It trusts no path and no link, counts everything that grows against memory_limit_bytes,
 * and answers ENOSPC at the limit. On failure: a negative errno, and nothing has changed.
 */
#include "worker/backend_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

static int
make_root(struct backend_tree *tree)
{
	int error = memory_node_new(tree, PATHIO_TYPE_DIRECTORY, 0, &tree->root);
	if (error < 0)
		return error;
	tree->root->mode = 0755;
	tree->root->links++; /* it needs no name to live */
	tree->root->folder.parent = tree->root;
	return 0;
}

static void
memory_tree_free(struct backend_tree **tree)
{
	while ((*tree)->nodes != NULL)
		memory_node_free(*tree, (*tree)->nodes);
	memory_arena_close(&(*tree)->arena);
	free(*tree);
	*tree = NULL;
}

static int
memory_tree_open(const struct backend_options *options, struct backend_tree **result)
{
	if (options->made != NULL) {
		*result = options->made;
		return 0;
	}
	struct backend_tree *tree = calloc(1, sizeof(*tree));
	if (tree == NULL)
		return -ENOMEM;
	tree->options = *options;
	tree->next_inode = 1;
	tree->arena.fd = -1;
	int error = 0;
	if (getrandom(&tree->hash_seed, sizeof(tree->hash_seed), 0) < 0)
		error = -errno;
	if (error == 0)
		error = memory_arena_open(&tree->arena, options->memory_limit_bytes);
	if (error == 0)
		error = make_root(tree);
	if (error < 0)
		memory_tree_free(&tree);
	else
		*result = tree;
	return error;
}

const struct backend backend_memory = {
	.name = "memory",
	.tree_open = memory_tree_open,
	.tree_free = memory_tree_free,
	.stat = memory_stat,
	.enter = memory_enter,
	.mkdir = memory_mkdir,
	.rmdir = memory_rmdir,
	.unlink = memory_unlink,
	.rename = memory_rename,
	.symlink = memory_symlink,
	.readlink = memory_readlink,
	.set_times = memory_set_times,
	.set_mode = memory_set_mode,
	.space = memory_space,
	.sync_folder = memory_sync_folder,
	.open = memory_file_open,
	.close = memory_file_close,
	.attributes = memory_file_attributes,
	.read = memory_file_read,
	.write = memory_file_write,
	.truncate = memory_file_truncate,
	.sync = memory_file_sync,
	.change_mode = memory_file_change_mode,
	.extent = memory_file_extent,
	.copy_range = memory_file_copy_range,
	.directory_open = memory_directory_open,
	.directory_next = memory_directory_next,
	.directory_close = memory_directory_close,
	.directory_open_in = memory_directory_open_in,
	.directory_unlink = memory_directory_unlink,
	.directory_rmdir = memory_directory_rmdir,
};
