/*
 * Folding of paths (see path.h). Pure text: runs in the gateway and in the worker, on bytes from
 * clients.
 */
#include "ipc/base/path.h"

#include <errno.h>

static int
append(struct path *path, struct bytes name, size_t name_bytes_max)
{
	size_t at = path->length == 1 ? 0 : path->length;
	if (name.length > name_bytes_max || name.length + 1 > PATH_BYTES_MAX - at)
		return -ENAMETOOLONG;
	path->text[at] = '/';
	memcpy(path->text + at + 1, name.data, name.length);
	path->length = at + 1 + name.length;
	path->text[path->length] = '\0';
	return 0;
}

int
path_append(struct path *path, struct bytes name)
{
	return append(path, name, NAME_BYTES_MAX);
}

void
path_parent(const struct path *path, struct path *result)
{
	size_t length = path->length;
	while (length > 1 && path->text[length - 1] != '/')
		length--;
	if (length > 1)
		length--; /* the slash itself */
	memmove(result->text, path->text, length);
	result->text[length] = '\0';
	result->length = length;
}

const char *
path_name(const struct path *path)
{
	const char *slash = memrchr(path->text, '/', path->length);
	return slash + 1;
}

bool
path_is_within(struct bytes path, struct bytes folder)
{
	if (folder.length == 1)
		return true;
	return path.length >= folder.length && memcmp(path.data, folder.data, folder.length) == 0 &&
	       (path.length == folder.length || path.data[folder.length] == '/');
}

static int
fold_name(struct path *path, struct bytes name, size_t name_bytes_max)
{
	if (name.length == 0 || bytes_equal_text(name, "."))
		return 0;
	if (bytes_equal_text(name, "..")) {
		path_parent(path, path);
		return 0;
	}
	return append(path, name, name_bytes_max);
}

static int
fold(const struct path *base, struct bytes input, size_t name_bytes_max, struct path *result)
{
	if (input.length == 0)
		return -ENOENT;
	if (memchr(input.data, '\0', input.length) != NULL)
		return -EINVAL;
	if (input.length > PATH_BYTES_MAX)
		return -ENAMETOOLONG;

	struct path folded = { .length = 1, .text = "/" };
	if (input.data[0] != '/' && base != NULL) {
		folded.length = base->length;
		memcpy(folded.text, base->text, base->length + 1);
	}
	const char *end = input.data + input.length;
	for (const char *name = input.data; name < end;) {
		const char *slash = memchr(name, '/', (size_t)(end - name));
		const char *stop = slash == NULL ? end : slash;
		int error =
			fold_name(&folded, bytes_of(name, (size_t)(stop - name)), name_bytes_max);
		if (error < 0)
			return error;
		name = stop + 1;
	}
	result->length = folded.length;
	memcpy(result->text, folded.text, folded.length + 1);
	return 0;
}

int
path_fold(const struct path *base, struct bytes input, struct path *result)
{
	return fold(base, input, NAME_BYTES_MAX, result);
}

int
path_fold_written(const struct path *base, struct bytes input, struct path *result)
{
	return fold(base, input, WRITTEN_NAME_BYTES_MAX, result);
}
