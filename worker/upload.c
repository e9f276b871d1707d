/*
 * Uploads in two steps (see upload.h). Runs in the worker, as the user.
 *
 * Distrusts the tree: others may create, rename and link at any moment. The temporary file has a
 * random name, is created exclusively, belongs to the user alone until the commit and is held by a
 * lock that ends with this process. On failure nothing is left but what append and at-offset have
 * written in place.
 */
#include "worker/upload.h"

#include "ipc/base/ends.h"
#include "worker/operations.h"
#include "worker/upload_name.h"

#include <errno.h>
#include <stdlib.h>

enum { NAME_TRIES = 64, NAMES_IN_ORDER = 16 };

struct upload {
	struct tree *tree;
	struct backend_file *file;
	struct path path;                      /* where the file will be */
	char temporary[UPLOAD_NAME_BYTES + 1]; /* in the same folder; "": in place */
	uint64_t offset;                       /* of the first byte */
	uint64_t count;                        /* of range: so many */
	uint32_t mode;                         /* from the commit on */
	uint32_t fresh_mode;                   /* of a file that was not there */
	bool truncates;                        /* in place, at the offset, when data arrives */
	bool created;                          /* in place: there was nothing before */
	struct backend_file *reservation; /* the empty file that stands at the path; held open, or
					     another file could have its inode */
	uint64_t reserved_inode;
};

static void
temporary_path(const struct upload *upload, struct path *result)
{
	path_parent(&upload->path, result);
	/* There was room for the name when the file was made. */
	if (path_append(result, bytes_of_text(upload->temporary)) < 0)
		bug("a hidden name that does not fit");
}

/* What stands at the path; size 0 and no inode if nothing. A final link is replaced by its end. */
static int
look(struct upload *upload, struct pathio_attributes *found)
{
	struct tree *tree = upload->tree;
	*found = (struct pathio_attributes){ .inode = 0 };
	int error = tree->backend->stat(tree->state, &upload->path, false, found);
	if (error == 0 && found->type == PATHIO_TYPE_SYMLINK) {
		error = operation_resolve(tree, &upload->path, &upload->path);
		if (error < 0)
			return error;
		*found = (struct pathio_attributes){ .inode = 0 };
		error = tree->backend->stat(tree->state, &upload->path, false, found);
	}
	if (error < 0)
		return error == -ENOENT ? 0 : error; /* a missing parent shows when it is written */
	if (found->type == PATHIO_TYPE_DIRECTORY)
		return -EISDIR;
	return found->type == PATHIO_TYPE_FILE ? 0 : -EACCES;
}

static int
open_temporary(struct upload *upload)
{
	struct tree *tree = upload->tree;
	unsigned flags = BACKEND_WRITE | BACKEND_CREATE | BACKEND_EXCLUSIVE | BACKEND_HELD;
	int error = -EEXIST;
	for (int tries = 0; tries < NAME_TRIES && error == -EEXIST; tries++) {
		struct path path;
		path_parent(&upload->path, &path);
		error = upload_name_make(upload->temporary);
		if (error == 0)
			error = path_append(&path, bytes_of_text(upload->temporary));
		if (error == 0)
			error = tree->backend->open(
				tree->state, &path, flags, 0600, &upload->file, NULL);
	}
	if (error < 0)
		upload->temporary[0] = '\0';
	return error;
}

/* Fails if the file, which is there, could not be written; changes nothing. */
static int
open_existing(struct upload *upload, unsigned flags, struct pathio_attributes *found)
{
	struct tree *tree = upload->tree;
	return tree->backend->open(
		tree->state, &upload->path, BACKEND_WRITE | flags, 0, &upload->file, found);
}

/* In a sticky folder only its owner and the file's may put another file in the file's place. */
static bool
must_stay(const struct upload *upload, const struct pathio_attributes *file)
{
	enum { STICKY = 01000 };
	const struct tree *tree = upload->tree;
	struct path path;
	struct pathio_attributes folder;
	if (file->uid == tree->options.uid)
		return false;
	path_parent(&upload->path, &path);
	return tree->backend->stat(tree->state, &path, true, &folder) == 0 &&
	       (folder.mode & STICKY) != 0 && folder.uid != tree->options.uid;
}

static int
open_replace(struct upload *upload, struct pathio_attributes *found)
{
	int error = look(upload, found);
	if (error < 0)
		return error;
	bool exists = found->inode != 0;
	struct backend_file *existing = NULL;
	if (exists) {
		upload->mode = found->mode & 0777;
		error = open_existing(upload, 0, found);
		if (error < 0)
			return error;
		existing = upload->file;
		upload->file = NULL;
	}
	error = exists && must_stay(upload, found) ? -EPERM : open_temporary(upload);
	if (exists && (error == -EACCES || error == -EPERM)) {
		upload->file = existing;
		upload->truncates = true;
		return 0;
	}
	upload->tree->backend->close(&existing);
	return error;
}

static int
create_in_place(struct upload *upload, unsigned flags, struct pathio_attributes *found)
{
	struct tree *tree = upload->tree;
	if (upload->offset > 0) {
		struct path folder;
		path_parent(&upload->path, &folder);
		int error = tree->backend->stat(tree->state, &folder, true, found);
		return error < 0 ? error : -EINVAL; /* beyond the end of nothing */
	}
	int error = tree->backend->open(tree->state, &upload->path,
		BACKEND_WRITE | BACKEND_CREATE | flags, upload->fresh_mode, &upload->file, NULL);
	upload->created = error == 0;
	*found = (struct pathio_attributes){ .inode = 0 };
	return error;
}

static int
open_in_place(struct upload *upload, unsigned flags, struct pathio_attributes *found)
{
	int error = open_existing(upload, flags, found);
	if (error == -ENOENT)
		return create_in_place(upload, flags, found);
	if (error < 0)
		return error;
	return upload->offset > found->size ? -EINVAL : 0;
}

static int
open_append(struct upload *upload, struct pathio_attributes *found)
{
	upload->truncates = upload->offset > 0;
	int error = open_in_place(upload, BACKEND_APPEND, found);
	if (error == 0 && !upload->truncates)
		upload->offset = found->size;
	return error;
}

static int
open_at_offset(struct upload *upload, struct pathio_attributes *found)
{
	upload->truncates = true;
	return open_in_place(upload, 0, found);
}

static int
open_range(struct upload *upload, struct pathio_attributes *found)
{
	return open_in_place(upload, 0, found);
}

/* An empty file keeps the name, which the client is told before the data comes. */
static int
reserve(struct upload *upload, const struct path *path)
{
	struct tree *tree = upload->tree;
	struct pathio_attributes made;
	unsigned flags = BACKEND_WRITE | BACKEND_CREATE | BACKEND_EXCLUSIVE;
	int error =
		tree->backend->open(tree->state, path, flags, 0600, &upload->reservation, &made);
	if (error < 0)
		return error;
	upload->path = *path;
	upload->reserved_inode = made.inode;
	return 0;
}

/* Numbers in order please the eye; a folder full of them needs luck. */
static int
next_name(const struct upload *upload, uint32_t tries, struct path *result)
{
	uint32_t number = tries;
	int error = tries > NAMES_IN_ORDER ? upload_name_random(&number, sizeof(number)) : 0;
	return error < 0 ? error : upload_name_number(&upload->path, number, result);
}

static int
open_unique(struct upload *upload, struct pathio_attributes *found)
{
	if (path_name(&upload->path)[0] == '\0')
		return -EISDIR;
	*found = (struct pathio_attributes){ .inode = 0 };
	struct path path = upload->path;
	int error = reserve(upload, &path);
	for (unsigned tries = 1; tries < NAME_TRIES && error == -EEXIST; tries++) {
		error = next_name(upload, tries, &path);
		if (error == 0)
			error = reserve(upload, &path);
	}
	return error < 0 ? error : open_temporary(upload);
}

int
upload_open(struct tree *tree, const struct path *path, enum pathio_how how, uint64_t offset,
	uint32_t umask, struct upload **result, struct pathio_attributes *attributes)
{
	static int (*const forms[])(struct upload *, struct pathio_attributes *) = {
		[PATHIO_HOW_REPLACE] = open_replace,
		[PATHIO_HOW_APPEND] = open_append,
		[PATHIO_HOW_AT_OFFSET] = open_at_offset,
		[PATHIO_HOW_UNIQUE] = open_unique,
		[PATHIO_HOW_RANGE] = open_range,
	};
	struct upload *upload = calloc(1, sizeof(*upload));
	if (upload == NULL)
		return -ENOMEM;
	upload->tree = tree;
	upload->path = *path;
	upload->fresh_mode = 0666 & ~tree->options.umask & ~umask;
	upload->mode = upload->fresh_mode;
	upload->count = UINT64_MAX;
	if (how == PATHIO_HOW_APPEND || how == PATHIO_HOW_AT_OFFSET || how == PATHIO_HOW_RANGE)
		upload->offset = offset;
	struct pathio_attributes found;
	int error = forms[how](upload, &found);
	if (error < 0) {
		upload_drop(&upload);
		return error;
	}
	struct path folder;
	path_parent(&upload->path, &folder);
	if (upload->temporary[0] != '\0')
		upload_sweep_folder(tree, &folder);
	*attributes = found;
	*result = upload;
	return 0;
}

void
upload_set_count(struct upload *upload, uint64_t count)
{
	upload->count = count;
}

uint64_t
upload_count(const struct upload *upload)
{
	return upload->count;
}

const struct path *
upload_path(const struct upload *upload)
{
	return &upload->path;
}

bool
upload_will_truncate(const struct upload *upload)
{
	return upload->truncates;
}

int
upload_begin(struct upload *upload, struct backend_file **file, uint64_t *offset)
{
	if (upload->truncates) {
		int error = upload->tree->backend->truncate(upload->file, upload->offset);
		if (error < 0)
			return error;
		upload->truncates = false;
	}
	*file = upload->file;
	*offset = upload->offset;
	return 0;
}

int
upload_claim(struct upload *upload)
{
	if (upload->temporary[0] == '\0' || upload->reservation != NULL)
		return 0;
	int error = reserve(upload, &upload->path);
	return error == -EEXIST ? -EACCES : error;
}

static int
put_in_place(struct upload *upload)
{
	struct tree *tree = upload->tree;
	struct path temporary;
	temporary_path(upload, &temporary);
	int error = tree->backend->change_mode(upload->file, upload->mode);
	if (error == 0)
		error = tree->backend->rename(tree->state, &temporary, &upload->path);
	if (error < 0)
		return error;
	upload->temporary[0] = '\0';
	tree->backend->close(&upload->reservation);
	if (tree->uploads.sync == SYNC_NONE)
		return 0;
	struct path folder;
	path_parent(&upload->path, &folder);
	return tree->backend->sync_folder(tree->state, &folder);
}

int
upload_commit(struct upload **upload, struct pathio_attributes *attributes)
{
	const struct backend *backend = (*upload)->tree->backend;
	struct backend_file *file;
	uint64_t offset;
	int error = upload_begin(*upload, &file, &offset);
	if (error == 0 && (*upload)->tree->uploads.sync != SYNC_NONE)
		error = backend->sync(file);
	if (error == 0 && (*upload)->temporary[0] != '\0')
		error = put_in_place(*upload);
	struct pathio_attributes found;
	if (error == 0)
		error = backend->attributes(file, &found);
	if (error == 0) {
		(*upload)->created = false; /* it is meant to be there, also when empty */
		*attributes = found;
	}
	upload_drop(upload);
	return error;
}

/* Removes what this upload alone has put at its path: nobody wrote anything into it. */
static void
remove_empty(struct upload *upload, uint64_t inode)
{
	struct tree *tree = upload->tree;
	struct pathio_attributes found;
	if (tree->backend->stat(tree->state, &upload->path, false, &found) == 0 &&
		found.inode == inode && found.size == 0)
		(void)tree->backend->unlink(tree->state, &upload->path);
}

static void
drop_in_place(struct upload *upload)
{
	struct pathio_attributes found;
	if (upload->created && upload->tree->backend->attributes(upload->file, &found) == 0)
		remove_empty(upload, found.inode);
}

static void
drop_temporary(struct upload *upload)
{
	struct path temporary;
	temporary_path(upload, &temporary);
	(void)upload->tree->backend->unlink(upload->tree->state, &temporary);
}

void
upload_drop(struct upload **upload)
{
	if (*upload == NULL)
		return;
	if ((*upload)->temporary[0] != '\0')
		drop_temporary(*upload);
	else if ((*upload)->file != NULL)
		drop_in_place(*upload);
	if ((*upload)->reservation != NULL)
		remove_empty(*upload, (*upload)->reserved_inode);
	(*upload)->tree->backend->close(&(*upload)->reservation);
	(*upload)->tree->backend->close(&(*upload)->file);
	free(*upload);
	*upload = NULL;
}

/* What could not be kept is dropped like everything else. */
static void
keep_partial(struct upload *upload)
{
	struct tree *tree = upload->tree;
	struct pathio_attributes found;
	struct path temporary, visible;
	temporary_path(upload, &temporary);
	if (tree->backend->attributes(upload->file, &found) < 0 || found.size == 0 ||
		upload_name_partial(&upload->path, &visible) < 0 ||
		tree->backend->change_mode(upload->file, upload->fresh_mode) < 0)
		return;
	if (tree->backend->rename(tree->state, &temporary, &visible) == 0)
		upload->temporary[0] = '\0';
}

void
upload_discard(struct upload **upload)
{
	if (*upload != NULL && (*upload)->tree->uploads.keep_partial &&
		(*upload)->temporary[0] != '\0')
		keep_partial(*upload);
	upload_drop(upload);
}
