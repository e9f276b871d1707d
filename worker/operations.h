/*
 * Path operations that are more than one call of a backend, the same over every backend (PATHIO 2,
 * 3; DECISIONS 26, 27). Blocking; no rights, no record: the instance has judged the paths.
 */
#ifndef SALLYPORT_WORKER_OPERATIONS_H
#define SALLYPORT_WORKER_OPERATIONS_H

#include "worker/tree.h"

/* mkdir with `parents` and `exist_ok` as in PATHIO 2. */
MUST_CHECK int operation_mkdir(
	struct tree *tree, const struct path *path, uint32_t mode, bool parents, bool exist_ok);

/*
 * Removes a directory and everything below it: never crosses a mount, never follows a link. Stops
 * at the first error, or with -ECANCELED when *stop becomes true.
 */
MUST_CHECK int operation_remove_tree(struct tree *tree, const struct path *path, const bool *stop);

/* Copies a regular file by way of a hidden temporary; *bytes is the number copied. */
MUST_CHECK int operation_copy(struct tree *tree, const struct path *source,
	const struct path *destination, const bool *stop, uint64_t *bytes);

/* digest: room for 64 bytes; *length is the number used, *count the bytes that were digested. */
MUST_CHECK int
operation_digest(struct tree *tree, const struct pathio_digest *request, const struct path *path,
	const bool *stop, uint8_t *digest, size_t *length, uint64_t *count);

/* Fetches every digest algorithm once, before the cage closes (DECISIONS 6). */
MUST_CHECK int operation_digest_prepare(void);

MUST_CHECK int operation_size_as(
	struct tree *tree, const struct path *path, enum pathio_form form, uint64_t *bytes);

/* ---- uploads in two steps ---- */

struct upload;

/*
 * Begins an upload to `path`. Checks that the parent exists, that the name is allowed and that the
 * file could be written; touches nothing that exists. `offset` as in pathio.def. Afterwards
 * `attributes` tells what stands at the path (size 0 if nothing) and upload_path() where the file
 * will be. Errors: PATHIO 2's for open; -EISDIR; -EINVAL for an offset beyond the end.
 */
MUST_CHECK int upload_open(struct tree *tree, const struct path *path, enum pathio_how how,
	uint64_t offset, struct upload **result, struct pathio_attributes *attributes);

const struct path *upload_path(const struct upload *upload);

/* Where to write and from which offset on: the backend's file, borrowed. */
struct backend_file *upload_file(const struct upload *upload);
uint64_t upload_offset(const struct upload *upload);

/*
 * Puts the file in place: flush as the policy says, mode, rename. On success and on failure the
 * upload is freed; on failure nothing is left of it and what stood there before is untouched (in
 * place forms keep what arrived).
 */
MUST_CHECK int upload_commit(struct upload **upload, struct pathio_attributes *attributes);

/* Drops it: the temporary file is removed; append and at-offset keep what arrived. */
void upload_discard(struct upload **upload);

/* The hidden temporary's name is that of rights_name_is_hidden() (policy/rules/rights.h). */

#endif
