/*
 * A tree with its table: what the code above the backends passes around. Process lifetime: one per
 * worker, shared by the sessions of its user.
 */
#ifndef SALLYPORT_WORKER_TREE_H
#define SALLYPORT_WORKER_TREE_H

#include "worker/backend.h"

struct tree {
	const struct backend *backend;
	struct backend_tree *state;
	struct backend_options options;
	enum sync_policy sync;
};

/* 0 or negative errno. tree_close() with NULL in ->state is fine. */
MUST_CHECK int tree_open(struct tree *tree, const struct backend *backend,
	const struct backend_options *options, enum sync_policy sync);
void tree_close(struct tree *tree);

#endif
