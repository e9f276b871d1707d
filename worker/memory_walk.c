/*
 * From a path to a node of the memory backend, as the kernel's own walk does it: permission to
 * search before each name, links resolved inside the root, at most 40 of them. Runs in the worker,
 * as the user.
 */
#include "worker/backend_memory.h"

#include <errno.h>

enum { LINKS_MAX = 40, MAY_SEARCH = 1 };

/* Names that are still to be read. */
struct rest {
	const char *at, *end;
};

struct walk {
	struct backend_tree *tree;
	int links;                        /* followed so far */
	int depth;                        /* of rests; the last is read first */
	struct rest rests[LINKS_MAX + 1]; /* the path's, and one for each link's target within */
};

static void
skip_slashes(struct rest *rest)
{
	while (rest->at < rest->end && *rest->at == '/')
		rest->at++;
}

/* Only slashes are left, at least one of them in what is read now. */
static bool
ends_in_slash(const struct walk *walk)
{
	bool slash = false;
	for (int i = walk->depth - 1; i >= 0; i--) {
		struct rest rest = walk->rests[i];
		slash = slash || rest.at < rest.end;
		skip_slashes(&rest);
		if (rest.at < rest.end)
			return false;
	}
	return slash;
}

static bool
is_read(const struct walk *walk)
{
	for (int i = 0; i < walk->depth; i++)
		if (walk->rests[i].at < walk->rests[i].end)
			return false;
	return true;
}

/* The next name, or one without length at the end. */
static struct bytes
take_name(struct walk *walk)
{
	struct rest *rest = &walk->rests[walk->depth - 1];
	skip_slashes(rest);
	while (rest->at == rest->end && walk->depth > 1) {
		rest = &walk->rests[--walk->depth - 1];
		skip_slashes(rest);
	}
	const char *slash = memchr(rest->at, '/', (size_t)(rest->end - rest->at));
	const char *stop = slash == NULL ? rest->end : slash;
	struct bytes name = bytes_of(rest->at, (size_t)(stop - rest->at));
	rest->at = stop;
	return name;
}

/* The link's target is read before what follows the link. */
static int
follow_link(struct walk *walk, const struct memory_node *link)
{
	if (walk->links == LINKS_MAX || walk->tree->options.symlinks == SYMLINKS_REFUSE)
		return -ELOOP;
	walk->links++;
	walk->rests[walk->depth++] =
		(struct rest){ link->target, link->target + strlen(link->target) };
	return 0;
}

static void
stand_on(struct memory_place *place, struct memory_node *node)
{
	bool is_root = node->folder.parent == node;
	place->folder = is_root ? NULL : node->folder.parent;
	place->entry = NULL;
	place->node = node;
	place->name_bytes = 0;
	place->name[0] = '\0';
}

static int
look_up(struct walk *walk, struct memory_node *folder, struct bytes name,
	struct memory_place *place)
{
	if (name.length > NAME_BYTES_MAX)
		return -ENAMETOOLONG;
	place->folder = folder;
	place->entry = memory_folder_find(walk->tree, folder, name);
	place->node = place->entry == NULL ? NULL : place->entry->node;
	place->name_bytes = name.length;
	memcpy(place->name, name.data, name.length);
	place->name[name.length] = '\0';
	return 0;
}

/* One name further. `place` is where the walk stands; its node is there. */
static int
step(struct walk *walk, struct bytes name, enum memory_last last, struct memory_place *place)
{
	struct memory_node *folder = place->node;
	if (folder->type != PATHIO_TYPE_DIRECTORY)
		return -ENOTDIR;
	if (!memory_permits(folder, MAY_SEARCH))
		return -EACCES;
	if (bytes_equal_text(name, ".") || bytes_equal_text(name, "..")) {
		stand_on(place, name.length == 1 ? folder : folder->folder.parent);
		return 0;
	}
	bool slash = ends_in_slash(walk);
	if (last == MEMORY_CREATE && slash)
		return -EISDIR;
	int error = look_up(walk, folder, name, place);
	if (error < 0)
		return error;
	bool is_last = is_read(walk);
	struct memory_node *node = place->node;
	if (node == NULL)
		return is_last ? 0 : -ENOENT;
	if (node->type == PATHIO_TYPE_SYMLINK && !(is_last && last == MEMORY_KEEP)) {
		stand_on(place, node->target[0] == '/' ? walk->tree->root : folder);
		return follow_link(walk, node);
	}
	return slash && node->type != PATHIO_TYPE_DIRECTORY ? -ENOTDIR : 0;
}

int
memory_walk(struct backend_tree *tree, const struct path *path, enum memory_last last,
	struct memory_place *result)
{
	struct walk walk = { .tree = tree, .depth = 1 };
	walk.rests[0] = (struct rest){ path->text, path->text + path->length };
	struct memory_place place;
	stand_on(&place, tree->root);
	struct bytes name;
	while ((name = take_name(&walk)).length > 0) {
		int error = step(&walk, name, last, &place);
		if (error < 0)
			return error;
	}
	*result = place;
	return 0;
}

int
memory_find(struct backend_tree *tree, const struct path *path, enum memory_last last,
	struct memory_place *result)
{
	struct memory_place place;
	int error = memory_walk(tree, path, last, &place);
	if (error == 0 && place.node == NULL)
		error = -ENOENT;
	if (error == 0)
		*result = place;
	return error;
}
