/*
 * From a path to a node of the memory backend, as the kernel's own walk does it: permission to
 * search before each name, links resolved inside the root, at most 40 of them. Runs in the worker,
 * as the user.
 */
#include "worker/backend_memory.h"

#include <errno.h>

enum { LINKS_MAX = 40, MAY_SEARCH = 1 };

struct walk {
	struct backend_tree *tree;
	const char *at, *end; /* what is left: in the path, or in `text` after a link */
	int links;
	char text[PATH_BYTES_MAX];
};

/* The link's target stands where the link stood. */
static int
follow_link(struct walk *walk, const struct memory_node *link)
{
	if (++walk->links > LINKS_MAX || walk->tree->options.symlinks == SYMLINKS_REFUSE)
		return -ELOOP;
	size_t target_bytes = strlen(link->target);
	size_t left = (size_t)(walk->end - walk->at);
	if (target_bytes + left > sizeof(walk->text))
		return -ENAMETOOLONG;
	memmove(walk->text + target_bytes, walk->at, left); /* begins with its slash, if any */
	memcpy(walk->text, link->target, target_bytes);
	walk->at = walk->text;
	walk->end = walk->text + target_bytes + left;
	return 0;
}

static void
skip_slashes(struct walk *walk)
{
	while (walk->at < walk->end && *walk->at == '/')
		walk->at++;
}

/* At least one: the path ends in a slash. */
static bool
only_slashes_left(const struct walk *walk)
{
	const char *at = walk->at;
	while (at < walk->end && *at == '/')
		at++;
	return at == walk->end && at > walk->at;
}

static struct bytes
take_name(struct walk *walk)
{
	const char *slash = memchr(walk->at, '/', (size_t)(walk->end - walk->at));
	const char *stop = slash == NULL ? walk->end : slash;
	struct bytes name = bytes_of(walk->at, (size_t)(stop - walk->at));
	walk->at = stop;
	return name;
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
step(struct walk *walk, enum memory_last last, struct memory_place *place)
{
	struct memory_node *folder = place->node;
	if (folder->type != PATHIO_TYPE_DIRECTORY)
		return -ENOTDIR;
	if (!memory_permits(folder, MAY_SEARCH))
		return -EACCES;
	struct bytes name = take_name(walk);
	if (bytes_equal_text(name, ".")) {
		stand_on(place, folder);
		return 0;
	}
	if (bytes_equal_text(name, "..")) {
		stand_on(place, folder->folder.parent);
		return 0;
	}
	if (last == MEMORY_CREATE && only_slashes_left(walk))
		return -EISDIR;
	int error = look_up(walk, folder, name, place);
	if (error < 0)
		return error;
	bool is_last = walk->at == walk->end;
	if (place->node == NULL)
		return is_last ? 0 : -ENOENT;
	if (place->node->type != PATHIO_TYPE_SYMLINK || (is_last && last == MEMORY_KEEP))
		return 0;
	const struct memory_node *link = place->node;
	bool is_absolute = link->target[0] == '/';
	stand_on(place, is_absolute ? walk->tree->root : folder);
	return follow_link(walk, link);
}

static bool
is_folder(const struct memory_node *node)
{
	return node != NULL && node->type == PATHIO_TYPE_DIRECTORY;
}

int
memory_walk(struct backend_tree *tree, const struct path *path, enum memory_last last,
	struct memory_place *result)
{
	struct walk walk = { .tree = tree, .at = path->text, .end = path->text + path->length };
	struct memory_place place;
	stand_on(&place, tree->root);
	skip_slashes(&walk);
	while (walk.at < walk.end) {
		int error = step(&walk, last, &place);
		if (error < 0)
			return error;
		bool slash = walk.at < walk.end && *walk.at == '/';
		skip_slashes(&walk);
		if (slash && walk.at == walk.end && !is_folder(place.node))
			return -ENOTDIR; /* a link's target that ends in a slash */
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
