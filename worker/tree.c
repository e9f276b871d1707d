/*
 * A tree with its table (see tree.h). Runs in the worker, as the user.
 */
#include "worker/tree.h"

#include <errno.h>

int
tree_open(struct tree *tree, const struct backend *backend, const struct backend_options *options,
	const struct upload_policy *uploads)
{
	*tree = (struct tree){ .backend = backend, .options = *options, .uploads = *uploads };
	return backend->tree_open(options, &tree->state);
}

const char *
tree_open_problem(int error)
{
	if (error == -ENOSYS)
		return "the kernel has no openat2(2): Linux 5.6 or later is needed, and a "
		       "container's system-call filter must not hide it";
	return strerror(-error);
}

void
tree_close(struct tree *tree)
{
	if (tree->state != NULL)
		tree->backend->tree_free(&tree->state);
}
