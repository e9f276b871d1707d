/*
 * A tree with its table: what the code above the backends passes around. Process lifetime: one per
 * worker, shared by the sessions of its user.
 */
#ifndef SALLYPORT_WORKER_TREE_H
#define SALLYPORT_WORKER_TREE_H

#include "worker/backend.h"

#include <time.h>

/* What happens to uploads at their end. */
struct upload_policy {
	enum sync_policy sync;
	bool keep_partial; /* an interrupted upload stays, as "name.partial" */
};

/* A folder that uploads have swept of left-overs (upload.h), so that not each of them does. */
struct tree_swept {
	uint64_t folder_hash;
	time_t at;
};
enum { TREE_SWEPT_SLOTS = 64 };

struct tree {
	const struct backend *backend;
	struct backend_tree *state;
	struct backend_options options;
	struct upload_policy uploads;
	struct tree_swept swept[TREE_SWEPT_SLOTS];
};

/* 0 or negative errno. Before the cage closes (see backend.h). */
MUST_CHECK int tree_open(struct tree *tree, const struct backend *backend,
	const struct backend_options *options, const struct upload_policy *uploads);

/* The words for the operator. A constant, or of strerror(3). */
const char *tree_open_problem(int error);

/* NULL in ->state is fine. */
void tree_close(struct tree *tree);

#endif
