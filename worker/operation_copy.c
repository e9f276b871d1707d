/*
 * Copies of files inside one tree (see operations.h): an upload whose data comes from another file.
 * Runs in the worker, as the user. On failure, or when it is dropped, nothing is left.
 */
#include "worker/pour.h"
#include "worker/upload.h"

#include <errno.h>
#include <stdlib.h>

struct copying {
	struct operation operation;
	struct backend_file *source;
	struct upload *upload;
	bool must_be_new;
	struct pouring pouring;
};

static int
copy_step(struct operation *operation)
{
	struct copying *copying = (struct copying *)operation;
	int more = pour(&copying->pouring);
	operation->bytes = copying->pouring.source_offset;
	if (more != 0)
		return more;
	struct pathio_attributes attributes;
	int error = copying->must_be_new ? upload_claim(copying->upload) : 0;
	return error < 0 ? error : upload_commit(&copying->upload, &attributes);
}

static void
copy_release(struct operation *operation)
{
	struct copying *copying = (struct copying *)operation;
	upload_drop(&copying->upload);
	if (copying->source != NULL)
		operation->tree->backend->close(&copying->source);
}

static const struct operation_kind copy_kind = { copy_step, copy_release };

static int
open_both(struct copying *copying, const struct path *source, const struct path *destination)
{
	struct tree *tree = copying->operation.tree;
	struct pouring *pouring = &copying->pouring;
	struct pathio_attributes from, to;
	int error =
		tree->backend->open(tree->state, source, BACKEND_READ, 0, &copying->source, &from);
	if (error < 0)
		return error;
	error = upload_open(tree, destination, PATHIO_HOW_REPLACE, 0, 0, &copying->upload, &to);
	if (error < 0)
		return error;
	if (from.device == to.device && from.inode == to.inode)
		return -EINVAL;
	pouring->backend = tree->backend;
	pouring->source = copying->source;
	return upload_begin(copying->upload, &pouring->destination, &pouring->destination_offset);
}

int
operation_copy(struct tree *tree, const struct path *source, const struct path *destination,
	bool must_be_new, struct operation **result)
{
	struct copying *copying = calloc(1, sizeof(*copying));
	if (copying == NULL)
		return -ENOMEM;
	struct operation *operation = &copying->operation;
	*operation = (struct operation){ .kind = &copy_kind, .tree = tree };
	copying->must_be_new = must_be_new;
	int error = open_both(copying, source, destination);
	if (error < 0)
		operation_free(&operation);
	else
		*result = operation;
	return error;
}
