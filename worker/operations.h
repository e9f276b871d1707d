/*
 * Path operations that are more than one call of a backend, the same over every backend (PATHIO 2,
 * 3). No rights, no record: the instance has judged the paths. Uploads have their own header.
 */
#ifndef SALLYPORT_WORKER_OPERATIONS_H
#define SALLYPORT_WORKER_OPERATIONS_H

#include "worker/tree.h"

/* mkdir with `parents` and `exist_ok` as in PATHIO 2. */
MUST_CHECK int operation_mkdir(
	struct tree *tree, const struct path *path, uint32_t mode, bool parents, bool exist_ok);

/*
 * Bytes that a send of the whole file in that form moves. Of ascii it reads the file, so beyond
 * PATHIO_ASCII_SIZE_MAX it is -EFBIG.
 */
MUST_CHECK int operation_size_as(
	struct tree *tree, const struct path *path, enum pathio_form form, uint64_t *bytes);

/*
 * Where `path` leads: the same place with no symbolic link in it, read inside the root. What it
 * names need not exist, its parent must. For who must know the folder that a link leads to; the
 * result is a path like any other, and a race only makes it name something else inside the root.
 * -ELOOP after 40 links, or at the first under SYMLINKS_REFUSE.
 */
MUST_CHECK int operation_resolve(struct tree *tree, const struct path *path, struct path *result);

/*
 * A long operation, done in pieces of a few milliseconds each, so that whoever runs it on a loop
 * goes on answering in between (DECISIONS 24):
 *
 *	int more;
 *	while ((more = operation_step(operation)) > 0)
 *		...
 *
 * Freed before its end it stops where it is: a copy leaves nothing, a removal what it has not yet
 * removed.
 */
struct operation;

/* 1: call again; 0: done; negative errno: failed. After 0 or an error only free it. */
MUST_CHECK int operation_step(struct operation *operation);

/* Bytes copied, combined or digested so far. */
uint64_t operation_bytes(const struct operation *operation);

/* The finished digest; lives as long as the operation. */
struct bytes operation_digest_value(const struct operation *operation);

/* Sets *operation to NULL. NULL is fine. */
void operation_free(struct operation **operation);

/*
 * Removes a directory and everything below it: never crosses a mount (-EXDEV), never follows a
 * link, at most OPERATION_DEPTH_MAX levels deep (-ELOOP). Stops at the first error. Errors of the
 * begin: -EBUSY for the root, -ENOTDIR, -ENOENT.
 */
enum { OPERATION_DEPTH_MAX = 256 };
MUST_CHECK int
operation_remove_tree(struct tree *tree, const struct path *path, struct operation **result);

/*
 * Copies a regular file to a path where nothing or a regular file is, by way of a hidden temporary
 * as an upload does; onto itself is -EINVAL. With `must_be_new` it is -EACCES if something is there
 * when the copy is to be put in place. The copy has the times of now and the mode of an upload.
 */
MUST_CHECK int operation_copy(struct tree *tree, const struct path *source,
	const struct path *destination, bool must_be_new, struct operation **result);

/*
 * Appends the parts (pathio_part, each path folded) to the target, which need not exist, and
 * removes them. All or nothing: the result takes the target's place at once, by way of a hidden
 * temporary as an upload does, and only then do the parts go. -EINVAL if two of all these are one
 * file, -EBUSY if one has changed when all has been read, -EACCES where the target's folder cannot
 * be written. *is_new tells whether there was no target. The list is borrowed for the call.
 */
MUST_CHECK int operation_combine(struct tree *tree, const struct path *target,
	struct wire_list parts, struct operation **result, bool *is_new);

/* Of a finished one: parts that could not be removed although their bytes are in the target. */
uint32_t operation_left(const struct operation *operation);

/* `offset` beyond the end is -EINVAL; `count` ends at the end of the file. */
MUST_CHECK int
operation_digest(struct tree *tree, const struct path *path, enum pathio_algorithm algorithm,
	uint64_t offset, uint64_t count, struct operation **result);

/*
 * Fetches every digest once, before the cage closes (DECISIONS 6). One that this OpenSSL does not
 * offer is -ENOTSUP when it is asked for.
 */
void operation_digest_prepare(void);

#endif
