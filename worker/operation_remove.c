/*
 * Removal of whole trees (see operations.h). Runs in the worker, as the user.
 *
 * Distrusts the tree: others rename and link in it meanwhile. Each folder is opened by name in its
 * open parent, never through a link or onto another mount, and emptied through its descriptor, so
 * that nothing outside the folder that was judged can be hit.
 */
#include "worker/operation.h"

#include <errno.h>
#include <stdlib.h>

struct level {
	struct backend_directory *directory;
	struct level *above;
	bool removed; /* something, since it was opened */
	char name[NAME_BYTES_MAX + 1];
};

struct removal {
	struct operation operation;
	struct level *deepest; /* NULL: all levels are empty, the path itself is left */
	int depth;
	bool emptied; /* something was removed since the top was opened */
	struct path path;
};

/* Takes the open directory, whose name in the level above is `name`. */
static int
push_level(struct removal *removal, struct backend_directory *directory, const char *name)
{
	struct level *level = malloc(sizeof(*level));
	if (level == NULL) {
		removal->operation.tree->backend->directory_close(&directory);
		return -ENOMEM;
	}
	*level = (struct level){ .directory = directory, .above = removal->deepest };
	memcpy(level->name, name, strlen(name) + 1);
	removal->deepest = level;
	removal->depth++;
	return 0;
}

static void
pop_level(struct removal *removal)
{
	struct level *level = removal->deepest;
	removal->operation.tree->backend->directory_close(&level->directory);
	removal->deepest = level->above;
	removal->depth--;
	free(level);
}

static int
enter_folder(struct removal *removal, const char *name)
{
	if (removal->depth >= OPERATION_DEPTH_MAX)
		return -ELOOP;
	struct backend_directory *directory;
	int error = removal->operation.tree->backend->directory_open_in(
		removal->deepest->directory, name, BACKEND_NAMES, &directory);
	return error < 0 ? error : push_level(removal, directory, name);
}

/*
 * The deepest level has been read to its end. If entries came while it was read, or the file system
 * lost its place among removals, it is not empty: then it is read again, as long as that helps.
 */
static int
leave_folder(struct removal *removal)
{
	char name[NAME_BYTES_MAX + 1];
	memcpy(name, removal->deepest->name, sizeof(name));
	bool removed = removal->deepest->removed;
	pop_level(removal);
	if (removal->deepest == NULL) {
		removal->emptied = removed;
		return 0;
	}
	int error = removal->operation.tree->backend->directory_rmdir(
		removal->deepest->directory, name);
	if (error == -ENOTEMPTY && removed)
		return enter_folder(removal, name);
	if (error == 0)
		removal->deepest->removed = true;
	return error == -ENOENT ? 0 : error;
}

static int
remove_entry(struct removal *removal, const struct backend_entry *entry)
{
	char name[NAME_BYTES_MAX + 1];
	if (entry->name.length >= sizeof(name))
		return -ENAMETOOLONG;
	memcpy(name, entry->name.data, entry->name.length);
	name[entry->name.length] = '\0';
	if (entry->attributes.type == PATHIO_TYPE_DIRECTORY)
		return enter_folder(removal, name);
	int error = removal->operation.tree->backend->directory_unlink(
		removal->deepest->directory, name);
	if (error == 0)
		removal->deepest->removed = true;
	return error == -ENOENT ? 0 : error;
}

static int
open_top(struct removal *removal)
{
	struct tree *tree = removal->operation.tree;
	struct backend_directory *directory;
	int error = tree->backend->directory_open(
		tree->state, &removal->path, BACKEND_NAMES | BACKEND_NO_LINK, &directory);
	return error < 0 ? error : push_level(removal, directory, "");
}

static int
remove_top(struct removal *removal)
{
	struct tree *tree = removal->operation.tree;
	int error = tree->backend->rmdir(tree->state, &removal->path);
	if (error != -ENOTEMPTY || !removal->emptied)
		return error;
	error = open_top(removal);
	return error < 0 ? error : 1;
}

static int
remove_step(struct operation *operation)
{
	struct removal *removal = (struct removal *)operation;
	const struct backend *backend = operation->tree->backend;
	for (int i = 0; i < OPERATION_PIECE_ENTRIES; i++) {
		if (removal->deepest == NULL)
			return remove_top(removal);
		struct backend_entry entry;
		int more = backend->directory_next(removal->deepest->directory, &entry);
		if (more < 0)
			return more;
		int error = more > 0 ? remove_entry(removal, &entry) : leave_folder(removal);
		if (error < 0)
			return error;
	}
	return 1;
}

static void
remove_release(struct operation *operation)
{
	struct removal *removal = (struct removal *)operation;
	while (removal->deepest != NULL)
		pop_level(removal);
}

static const struct operation_kind remove_kind = { remove_step, remove_release };

int
operation_remove_tree(struct tree *tree, const struct path *path, struct operation **result)
{
	struct removal *removal = calloc(1, sizeof(*removal));
	if (removal == NULL)
		return -ENOMEM;
	struct operation *operation = &removal->operation;
	*operation = (struct operation){ .kind = &remove_kind, .tree = tree };
	removal->path = *path;
	int error = path_name(path)[0] == '\0' ? -EBUSY : open_top(removal);
	if (error < 0)
		operation_free(&operation);
	else
		*result = operation;
	return error;
}
