/*
 * Several files into one (see operations.h): an upload whose data is what the target holds, if it
 * is there, and then the parts. Runs in the worker, as the user.
 *
 * Distrusts the tree: others may write to the parts, or put something else in their place, until
 * the end. What is no longer what was read when the result is to be put in place makes all of it
 * fail, with nothing done. On failure, or when it is dropped, nothing is left.
 */
#include "worker/pour.h"
#include "worker/upload.h"

#include <errno.h>
#include <stdlib.h>

/* One of the files that are poured, in this order: the target, the parts. */
struct ingredient {
	char *path; /* folded; the operation's own */
	struct pathio_attributes attributes;
	bool is_target;
};

struct combining {
	struct operation operation;
	struct upload *upload;
	struct backend_file *source; /* of `current`; NULL: between two */
	struct pouring pouring;
	bool is_new; /* nothing was at the target */
	size_t current;
	size_t count;
	struct ingredient ingredients[];
};

/* ---- what is poured ---- */

static int
look_at(struct tree *tree, const struct ingredient *ingredient, struct pathio_attributes *found)
{
	struct path path;
	int error = path_fold(NULL, bytes_of_text(ingredient->path), &path);
	return error < 0 ? error : tree->backend->stat(tree->state, &path, true, found);
}

static bool
is_same_file(const struct pathio_attributes *a, const struct pathio_attributes *b)
{
	return a->device == b->device && a->inode == b->inode;
}

static bool
is_unchanged(const struct pathio_attributes *before, const struct pathio_attributes *now)
{
	return is_same_file(before, now) && before->size == now->size &&
	       before->mtime_ns == now->mtime_ns;
}

static bool
is_among(const struct combining *combining, const struct pathio_attributes *found)
{
	for (size_t i = 0; i < combining->count; i++)
		if (is_same_file(&combining->ingredients[i].attributes, found))
			return true;
	return false;
}

static int
add(struct combining *combining, const struct path *path, bool is_target)
{
	struct ingredient *ingredient = &combining->ingredients[combining->count];
	*ingredient = (struct ingredient){ .path = strdup(path->text), .is_target = is_target };
	if (ingredient->path == NULL)
		return -ENOMEM;
	int error = look_at(combining->operation.tree, ingredient, &ingredient->attributes);
	if (error == 0 && ingredient->attributes.type == PATHIO_TYPE_DIRECTORY)
		error = -EISDIR;
	else if (error == 0 && ingredient->attributes.type != PATHIO_TYPE_FILE)
		error = -EACCES;
	else if (error == 0 && is_among(combining, &ingredient->attributes))
		error = -EINVAL; /* it would lose what is read from it twice */
	if (error < 0)
		free(ingredient->path);
	else
		combining->count++;
	return error;
}

/* Opens the next one, if it is still what it was. */
static int
open_next(struct combining *combining)
{
	struct tree *tree = combining->operation.tree;
	const struct ingredient *ingredient = &combining->ingredients[combining->current];
	struct pathio_attributes found;
	struct path path;
	int error = path_fold(NULL, bytes_of_text(ingredient->path), &path);
	if (error == 0)
		error = tree->backend->open(
			tree->state, &path, BACKEND_READ, 0, &combining->source, &found);
	if (error == 0 && !is_same_file(&ingredient->attributes, &found))
		error = -EBUSY;
	combining->pouring.source = combining->source;
	combining->pouring.source_offset = 0;
	combining->pouring.by_hand = false;
	return error;
}

static void
close_source(struct combining *combining)
{
	if (combining->source != NULL)
		combining->operation.tree->backend->close(&combining->source);
}

/* ---- the end ---- */

static int
check_unchanged(const struct combining *combining)
{
	const struct tree *tree = combining->operation.tree;
	struct pathio_attributes found;
	if (combining->is_new && tree->backend->stat(tree->state, upload_path(combining->upload),
					 false, &found) == 0)
		return -EBUSY;
	for (size_t i = 0; i < combining->count; i++) {
		const struct ingredient *ingredient = &combining->ingredients[i];
		struct pathio_attributes now;
		int error = look_at(combining->operation.tree, ingredient, &now);
		if (error < 0 || !is_unchanged(&ingredient->attributes, &now))
			return -EBUSY;
	}
	return 0;
}

/* The result is in place: who tried all of it again would have the parts in it twice. */
static void
remove_parts(struct combining *combining)
{
	struct tree *tree = combining->operation.tree;
	for (size_t i = 0; i < combining->count; i++) {
		struct path path;
		if (combining->ingredients[i].is_target)
			continue;
		if (path_fold(NULL, bytes_of_text(combining->ingredients[i].path), &path) < 0 ||
			tree->backend->unlink(tree->state, &path) < 0)
			combining->operation.left++;
	}
}

static int
put_in_place(struct combining *combining)
{
	struct tree *tree = combining->operation.tree;
	struct pathio_attributes attributes;
	int error = check_unchanged(combining);
	/* Whatever the policy says of uploads: what the parts hold may be on the disk already. */
	if (error == 0)
		error = tree->backend->sync(combining->pouring.destination);
	if (error == 0)
		error = upload_commit(&combining->upload, &attributes);
	if (error == 0)
		remove_parts(combining);
	return error;
}

static int
combine_step(struct operation *operation)
{
	struct combining *combining = (struct combining *)operation;
	if (combining->current == combining->count)
		return put_in_place(combining);
	int more = combining->source == NULL ? open_next(combining) : 0;
	if (more == 0)
		more = pour(&combining->pouring);
	operation->bytes = combining->pouring.destination_offset;
	if (more != 0)
		return more;
	close_source(combining);
	combining->current++;
	return 1;
}

static void
combine_release(struct operation *operation)
{
	struct combining *combining = (struct combining *)operation;
	close_source(combining);
	upload_drop(&combining->upload);
	for (size_t i = 0; i < combining->count; i++)
		free(combining->ingredients[i].path);
}

static const struct operation_kind combine_kind = { combine_step, combine_release };

/* ---- the beginning ---- */

static int
open_target(struct combining *combining, const struct path *target)
{
	struct tree *tree = combining->operation.tree;
	struct pouring *pouring = &combining->pouring;
	struct pathio_attributes found;
	int error = upload_open(tree, target, PATHIO_HOW_REPLACE, 0, 0, &combining->upload, &found);
	if (error < 0)
		return error;
	/* In place, because its folder may not be written: it would be cut before it is read. */
	if (upload_will_truncate(combining->upload))
		return -EACCES;
	combining->is_new = found.inode == 0;
	if (!combining->is_new)
		error = add(combining, upload_path(combining->upload), true);
	if (error < 0)
		return error;
	pouring->backend = tree->backend;
	return upload_begin(combining->upload, &pouring->destination, &pouring->destination_offset);
}

int
operation_combine(struct tree *tree, const struct path *target, struct wire_list parts,
	struct operation **result, bool *is_new)
{
	size_t size = sizeof(struct combining) + (parts.count + 1) * sizeof(struct ingredient);
	struct combining *combining = calloc(1, size);
	if (combining == NULL)
		return -ENOMEM;
	struct operation *operation = &combining->operation;
	*operation = (struct operation){ .kind = &combine_kind, .tree = tree };
	struct pathio_part part;
	struct path path;
	int error = open_target(combining, target);
	while (error == 0 && wire_list_next(&parts, &pathio_part_record, &part)) {
		error = path_fold(NULL, part.path, &path);
		if (error == 0)
			error = add(combining, &path, false);
	}
	if (error < 0) {
		operation_free(&operation);
		return error;
	}
	*result = operation;
	*is_new = combining->is_new;
	return 0;
}
