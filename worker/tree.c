/*
 * A tree with its table (see tree.h). Runs in the worker, as the user.
 */
#include "worker/tree.h"

int
tree_open(struct tree *tree, const struct backend *backend, const struct backend_options *options,
	const struct upload_policy *uploads)
{
	*tree = (struct tree){ .backend = backend, .options = *options, .uploads = *uploads };
	return backend->tree_open(options, &tree->state);
}

void
tree_close(struct tree *tree)
{
	if (tree->state != NULL)
		tree->backend->tree_free(&tree->state);
}
