/*
 * Uploads in two steps, the same over every backend (DECISIONS 26, 27): what arrives goes to a
 * hidden temporary file in the folder of the target, and only upload_commit() puts it in place.
 * Blocking; no rights, no record: the instance has judged the path.
 */
#ifndef SALLYPORT_WORKER_UPLOAD_H
#define SALLYPORT_WORKER_UPLOAD_H

#include "worker/tree.h"

struct upload;

/*
 * Begins an upload to `path`. A new file gets 0666 without the bits of `umask` and of the tree's.
 * Checks that the parent exists, that nothing but a regular file is
 * there and that it could be written; touches nothing that exists. `offset` as in pathio.def.
 * Afterwards `attributes` tells what stands at the path (size 0 if nothing) and upload_path() where
 * the file will be. Errors: PATHIO 2's for open; -EINVAL for an offset beyond the end;
 * -ENAMETOOLONG also where the folder's path leaves no room for the hidden name.
 *   replace    onto a symbolic link: the file that the link leads to is replaced, inside the root;
 *              in a folder that is not writable, or sticky and the file somebody else's, an
 *              existing file is written in place
 *   append     in place, at the end; after REST truncated at the offset first
 *   at-offset  in place, truncated at the offset first
 *   range      in place, from the offset; nothing is cut (upload_set_count() says how far)
 *   unique     "name", "name.1", "name.2", ...: the first that is free, reserved by an empty file
 */
MUST_CHECK int
upload_open(struct tree *tree, const struct path *path, enum pathio_how how, uint64_t offset,
	uint32_t umask, struct upload **result, struct pathio_attributes *attributes);

/*
 * Bytes that must come, no more and no less; what is behind them stays. UINT64_MAX, as it is at
 * first: whatever comes.
 */
void upload_set_count(struct upload *upload, uint64_t count);
uint64_t upload_count(const struct upload *upload);

const struct path *upload_path(const struct upload *upload);

/* Will upload_begin() touch the file? */
bool upload_will_truncate(const struct upload *upload);

/*
 * The data begins to arrive: in place forms are truncated now. Gives the backend's file, borrowed,
 * and the offset of the first byte. Calling it again continues where it was told to start.
 */
MUST_CHECK int upload_begin(struct upload *upload, struct backend_file **file, uint64_t *offset);

/*
 * For one that may not replace anything, before its commit: an empty file takes the path. -EACCES:
 * something has come up there since. In place forms are at their path already.
 */
MUST_CHECK int upload_claim(struct upload *upload);

/*
 * Puts the file in place: flush as the policy says, mode, rename. On success and on failure the
 * upload is freed; on failure nothing is left of it and what stood there before is untouched (in
 * place forms keep what arrived). Only where the folder cannot be flushed is the file in place in
 * spite of the error: nobody knows whether it would survive a loss of power.
 */
MUST_CHECK int upload_commit(struct upload **upload, struct pathio_attributes *attributes);

/*
 * The end was not clean. The temporary file is removed, or kept under the visible name
 * "name.partial" if the tree keeps what was interrupted; append and at-offset keep what arrived.
 * NULL is fine.
 */
void upload_discard(struct upload **upload);

/* The same, but never kept. */
void upload_drop(struct upload **upload);

/*
 * Left-overs of workers that died. Whoever lists a folder gives each entry with a hidden name
 * (rights_name_is_hidden(), with attributes) to upload_sweep_entry(): a file that nobody has
 * written to for an hour and nobody holds is removed. Uploads sweep their folder by themselves, at
 * most once an hour each.
 */
void
upload_sweep_entry(struct tree *tree, const struct path *folder, const struct backend_entry *entry);
void upload_sweep_folder(struct tree *tree, const struct path *folder);

#endif
