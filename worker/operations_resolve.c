/*
 * Where a path with symbolic links in it leads (see operations.h). Runs in the worker, as the user.
 * Distrusts the links: the result is only a path, and whoever uses it resolves it again inside the
 * root, so that a race or a lie changes what is found but never leads outside.
 */
#include "worker/operations.h"

#include <errno.h>

enum { LINKS_MAX = 40 }; /* Linux' own limit */

struct resolution {
	struct path done;          /* no link in it */
	size_t left;               /* bytes of rest */
	char rest[PATH_BYTES_MAX]; /* still to be read, from `done` on */
	int links;
};

/* Takes the next name off the rest. */
static struct bytes
take_name(struct resolution *resolution, char *name)
{
	const char *slash = memchr(resolution->rest, '/', resolution->left);
	size_t length = slash == NULL ? resolution->left : (size_t)(slash - resolution->rest);
	size_t taken = slash == NULL ? length : length + 1;
	if (length > NAME_BYTES_MAX)
		length =
			NAME_BYTES_MAX + 1; /* too long for any folder, as path_append() will say */
	memcpy(name, resolution->rest, length);
	resolution->left -= taken;
	memmove(resolution->rest, resolution->rest + taken, resolution->left);
	return bytes_of(name, length);
}

/* The link's target stands where the link stood. */
static int
follow_link(struct resolution *resolution, struct bytes target)
{
	if (++resolution->links > LINKS_MAX)
		return -ELOOP;
	if (target.length + 1 > sizeof(resolution->rest) - resolution->left)
		return -ENAMETOOLONG;
	memmove(resolution->rest + target.length + 1, resolution->rest, resolution->left);
	memcpy(resolution->rest, target.data, target.length);
	resolution->rest[target.length] = '/';
	resolution->left += target.length + 1;
	if (target.length > 0 && target.data[0] == '/')
		resolution->done = (struct path){ .length = 1, .text = "/" };
	return 0;
}

static bool
only_slashes_left(const struct resolution *resolution)
{
	for (size_t i = 0; i < resolution->left; i++)
		if (resolution->rest[i] != '/')
			return false;
	return true;
}

static int
step_into(struct tree *tree, struct resolution *resolution, struct bytes name)
{
	struct path here = resolution->done;
	int error = path_append(&here, name);
	if (error < 0)
		return error;
	char target[PATH_BYTES_MAX + 1];
	int length = tree->backend->readlink(tree->state, &here, target, sizeof(target));
	if (length >= 0 && tree->options.symlinks == SYMLINKS_REFUSE)
		return -ELOOP;
	if (length >= 0)
		return follow_link(resolution, bytes_of(target, (size_t)length));
	bool is_new = length == -ENOENT && only_slashes_left(resolution);
	if (length != -EINVAL && !is_new)
		return length;
	resolution->done = here;
	return 0;
}

/* "." and ".." are looked up too, as names are: in a folder that may be searched. */
static int
step_beside(struct tree *tree, struct resolution *resolution, bool up)
{
	struct pathio_attributes found;
	int error = tree->backend->enter(tree->state, &resolution->done, &found);
	if (error == 0 && up)
		path_parent(&resolution->done, &resolution->done);
	return error;
}

int
operation_resolve(struct tree *tree, const struct path *path, struct path *result)
{
	struct resolution resolution = { .done = { .length = 1, .text = "/" },
		.left = path->length };
	memcpy(resolution.rest, path->text, path->length);
	while (resolution.left > 0) {
		char text[NAME_BYTES_MAX + 1];
		struct bytes name = take_name(&resolution, text);
		bool up = bytes_equal_text(name, "..");
		if (name.length == 0)
			continue;
		int error = up || bytes_equal_text(name, ".") ? step_beside(tree, &resolution, up)
							      : step_into(tree, &resolution, name);
		if (error < 0)
			return error;
	}
	*result = resolution.done;
	return 0;
}
