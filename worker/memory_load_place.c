/*
 * Entries of a tree in memory that is being loaded (see memory_load_private.h). Runs in the worker,
 * as the user, before the first session: permission bits do not hold yet, the limit does.
 */
#include "worker/memory_load_private.h"

#include <errno.h>
#include <stdlib.h>

int64_t
memory_load_time(int64_t seconds, int64_t nanoseconds)
{
	int64_t result;
	if (__builtin_mul_overflow(seconds, INT64_C(1000000000), &result) ||
		__builtin_add_overflow(result, nanoseconds, &result))
		return seconds < 0 ? INT64_MIN : INT64_MAX;
	return result;
}

int
memory_load_find(const struct memory_load *load, const struct memory_node *folder,
	struct bytes name, struct memory_entry **result)
{
	if (name.length > NAME_BYTES_MAX)
		return -ENAMETOOLONG;
	*result = memory_folder_find(load->tree, folder, name);
	return 0;
}

/* Takes *path, also on failure. */
static int
remember_folder(struct memory_load *load, struct memory_load_folder folder, char **path)
{
	folder.path = *path;
	*path = NULL;
	if (load->folder_count == load->folder_capacity) {
		size_t capacity = load->folder_capacity == 0 ? 64 : 2 * load->folder_capacity;
		struct memory_load_folder *larger =
			reallocarray(load->folders, capacity, sizeof(*larger));
		if (larger == NULL) {
			free(folder.path);
			return -ENOMEM;
		}
		load->folders = larger;
		load->folder_capacity = capacity;
	}
	load->folders[load->folder_count++] = folder;
	return 0;
}

static struct memory_load_folder
describe_folder(struct memory_node *node, const struct memory_load_attributes *attributes)
{
	struct memory_load_folder folder = { .node = node, .is_told = attributes != NULL };
	if (attributes != NULL) {
		folder.mode = attributes->mode;
		folder.mtime_ns = attributes->mtime_ns;
	}
	return folder;
}

int
memory_load_set_root(
	struct memory_load *load, const struct memory_load_attributes *attributes, char **path)
{
	return remember_folder(load, describe_folder(load->tree->root, attributes), path);
}

static int
add_node(struct memory_load *load, struct memory_node *parent, struct bytes name,
	struct memory_node *node)
{
	int error = memory_folder_add(load->tree, parent, name, node);
	if (error < 0)
		memory_node_free(load->tree, node);
	return error;
}

static int
new_folder(struct memory_load *load, struct memory_node *parent, struct bytes name,
	struct memory_node **result)
{
	struct memory_node *node;
	int error = memory_node_new(load->tree, PATHIO_TYPE_DIRECTORY, 0777, &node);
	if (error == 0)
		error = add_node(load, parent, name, node);
	if (error < 0)
		return error;
	load->made++;
	*result = node;
	return 0;
}

int
memory_load_add_folder(struct memory_load *load, struct memory_node *parent, struct bytes name,
	const struct memory_load_attributes *attributes, char **path, struct memory_node **result)
{
	struct memory_entry *there;
	struct memory_node *node = NULL;
	int error = memory_load_find(load, parent, name, &there);
	if (error == 0 && there != NULL)
		node = there->node;
	if (error == 0 && node != NULL && node->type != PATHIO_TYPE_DIRECTORY)
		error = -ENOTDIR;
	if (error == 0 && node == NULL)
		error = new_folder(load, parent, name, &node);
	if (error < 0) {
		free(*path);
		*path = NULL;
		return error;
	}
	*result = node;
	return remember_folder(load, describe_folder(node, attributes), path);
}

/* What came under that name before, as an archive that was added to has it. */
static int
make_way(struct memory_load *load, struct memory_node *parent, struct bytes name)
{
	struct memory_entry *there;
	int error = memory_load_find(load, parent, name, &there);
	if (error < 0 || there == NULL)
		return error;
	if (there->node->type == PATHIO_TYPE_DIRECTORY)
		return -EISDIR;
	memory_folder_remove(load->tree, parent, there);
	return 0;
}

int
memory_load_add_file(struct memory_load *load, struct memory_node *parent, struct bytes name,
	struct memory_node **result)
{
	struct memory_node *node;
	int error = make_way(load, parent, name);
	if (error == 0)
		error = memory_node_new(load->tree, PATHIO_TYPE_FILE, 0, &node);
	if (error == 0)
		error = add_node(load, parent, name, node);
	if (error < 0)
		return error;
	load->files++;
	*result = node;
	return 0;
}

int
memory_load_add_link(struct memory_load *load, struct memory_node *parent, struct bytes name,
	struct bytes target, const struct memory_load_attributes *attributes)
{
	struct memory_node *node;
	int error = memory_node_check_target(target);
	if (error == 0)
		error = make_way(load, parent, name);
	if (error == 0)
		error = memory_node_new_link(load->tree, target, &node);
	if (error == 0)
		error = add_node(load, parent, name, node);
	if (error != 0)
		return error;
	node->mtime_ns = attributes->mtime_ns;
	load->links++;
	return 0;
}

int
memory_load_add_name(struct memory_load *load, struct memory_node *parent, struct bytes name,
	struct memory_node *node)
{
	node->handles++; /* it may lose the name that it has */
	int error = make_way(load, parent, name);
	if (error == 0)
		error = memory_folder_add(load->tree, parent, name, node);
	node->handles--;
	memory_node_release(load->tree, node);
	if (error == 0)
		load->files++;
	return error;
}

void
memory_load_set(struct memory_node *node, const struct memory_load_attributes *attributes)
{
	node->mode = attributes->mode & 0777;
	node->mtime_ns = attributes->mtime_ns;
}

void
memory_load_settle(struct memory_load *load)
{
	for (size_t i = 0; i < load->folder_count; i++) {
		const struct memory_load_folder *folder = &load->folders[i];
		if (!folder->is_told)
			continue;
		folder->node->mode = folder->mode & 0777;
		folder->node->mtime_ns = folder->mtime_ns;
	}
}
