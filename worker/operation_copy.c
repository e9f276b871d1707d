/*
 * Copies of files inside one tree (see operations.h): an upload whose data comes from another file.
 * Runs in the worker, as the user. On failure, or when it is dropped, nothing is left.
 */
#include "worker/operation.h"
#include "worker/upload.h"

#include <errno.h>
#include <stdlib.h>

struct copying {
	struct operation operation;
	struct backend_file *source;
	struct upload *upload;
	struct backend_file *destination; /* the upload's */
	uint64_t start;                   /* of the destination */
	bool by_hand;                     /* the kernel does not copy between these two */
	char block[OPERATION_BLOCK_BYTES];
};

static int
write_all(struct copying *copying, uint64_t offset, const char *data, size_t length)
{
	const struct backend *backend = copying->operation.tree->backend;
	while (length > 0) {
		ssize_t written = backend->write(copying->destination, offset, data, length);
		if (written < 0)
			return (int)written;
		data += written;
		offset += (uint64_t)written;
		length -= (size_t)written;
	}
	return 0;
}

/* 1: more to do; 0: all of the source has been copied. */
static int
copy_by_hand(struct copying *copying)
{
	struct operation *operation = &copying->operation;
	uint64_t piece_end = operation->bytes + OPERATION_PIECE_BYTES;
	while (operation->bytes < piece_end) {
		ssize_t got = operation->tree->backend->read(
			copying->source, operation->bytes, copying->block, sizeof(copying->block));
		if (got <= 0)
			return (int)got;
		int error = write_all(
			copying, copying->start + operation->bytes, copying->block, (size_t)got);
		if (error < 0)
			return error;
		operation->bytes += (uint64_t)got;
	}
	return 1;
}

static int
copy_in_kernel(struct copying *copying)
{
	struct operation *operation = &copying->operation;
	ssize_t copied = operation->tree->backend->copy_range(copying->source, operation->bytes,
		copying->destination, copying->start + operation->bytes, OPERATION_PIECE_COPIED);
	if (copied > 0)
		operation->bytes += (uint64_t)copied;
	if (copied < 0 && copied != -ENOTSUP)
		return (int)copied;
	/* Some file systems answer 0 for what they cannot copy: reading tells whether it is so. */
	copying->by_hand = copied <= 0;
	return 1;
}

static int
copy_step(struct operation *operation)
{
	struct copying *copying = (struct copying *)operation;
	int more = copying->by_hand ? copy_by_hand(copying) : copy_in_kernel(copying);
	if (more != 0)
		return more;
	struct pathio_attributes attributes;
	return upload_commit(&copying->upload, &attributes);
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
	struct pathio_attributes from, to;
	int error =
		tree->backend->open(tree->state, source, BACKEND_READ, 0, &copying->source, &from);
	if (error < 0)
		return error;
	error = upload_open(tree, destination, PATHIO_HOW_REPLACE, 0, &copying->upload, &to);
	if (error < 0)
		return error;
	if (from.device == to.device && from.inode == to.inode)
		return -EINVAL;
	return upload_begin(copying->upload, &copying->destination, &copying->start);
}

int
operation_copy(struct tree *tree, const struct path *source, const struct path *destination,
	struct operation **result)
{
	struct copying *copying = calloc(1, sizeof(*copying));
	if (copying == NULL)
		return -ENOMEM;
	struct operation *operation = &copying->operation;
	*operation = (struct operation){ .kind = &copy_kind, .tree = tree };
	int error = open_both(copying, source, destination);
	if (error < 0)
		operation_free(&operation);
	else
		*result = operation;
	return error;
}
