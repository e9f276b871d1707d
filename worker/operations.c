/*
 * Short path operations over any backend (see operations.h). Runs in the worker, as the user.
 */
#include "worker/operations.h"

#include <errno.h>

static int
check_existing_folder(struct tree *tree, const struct path *path)
{
	struct pathio_attributes found;
	int error = tree->backend->stat(tree->state, path, true, &found);
	if (error < 0)
		return error == -ENOENT ? -EEXIST : error; /* a link that leads nowhere */
	return found.type == PATHIO_TYPE_DIRECTORY ? 0 : -EEXIST;
}

/* Makes each folder on the way to `path`. One that is there is as good. */
static int
make_parents(struct tree *tree, const struct path *path)
{
	const char *name = path_name(path);
	for (const char *at = path->text + 1; at < name; at++) {
		const char *slash = strchr(at, '/');
		struct path folder = { .length = (size_t)(slash - path->text) };
		memcpy(folder.text, path->text, folder.length);
		int error = tree->backend->mkdir(tree->state, &folder, 0777);
		if (error < 0 && error != -EEXIST)
			return error;
		at = slash;
	}
	return 0;
}

int
operation_mkdir(
	struct tree *tree, const struct path *path, uint32_t mode, bool parents, bool exist_ok)
{
	int error = tree->backend->mkdir(tree->state, path, mode);
	if (error == -ENOENT && parents) {
		error = make_parents(tree, path);
		if (error == 0)
			error = tree->backend->mkdir(tree->state, path, mode);
	}
	if (error == -EEXIST && exist_ok)
		return check_existing_folder(tree, path);
	return error;
}

/* Line ends that a send in ascii gives a CR: each LF without one (FTP 3). */
static int
count_bare_line_ends(struct tree *tree, struct backend_file *file, uint64_t *count)
{
	char block[PATHIO_BLOCK_BYTES];
	char before = '\0';
	uint64_t offset = 0;
	*count = 0;
	ssize_t got;
	while ((got = tree->backend->read(file, offset, block, sizeof(block))) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			*count += block[i] == '\n' && before != '\r';
			before = block[i];
		}
		offset += (uint64_t)got;
	}
	return (int)got;
}

int
operation_size_as(
	struct tree *tree, const struct path *path, enum pathio_form form, uint64_t *bytes)
{
	struct backend_file *file;
	struct pathio_attributes found;
	int error = tree->backend->open(tree->state, path, BACKEND_READ, 0, &file, &found);
	if (error < 0)
		return error;
	uint64_t line_ends = 0;
	if (form == PATHIO_FORM_ASCII)
		error = found.size > PATHIO_ASCII_SIZE_MAX
				? -EFBIG
				: count_bare_line_ends(tree, file, &line_ends);
	tree->backend->close(&file);
	if (error == 0)
		*bytes = found.size + line_ends;
	return error;
}
