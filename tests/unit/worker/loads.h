/*
 * Trees in memory that begin with something, for tests: a folder below /tmp in which that is made,
 * and the whole of memory_load.h in one call.
 */
#ifndef SALLYPORT_TESTS_UNIT_WORKER_LOADS_H
#define SALLYPORT_TESTS_UNIT_WORKER_LOADS_H

#include "tests/unit/worker/memory_tree.h"
#include "worker/memory_load.h"

enum { LOADS_LIMIT_BYTES = 4 << 20 };

/* Of the running case: test_remove_folder() ends it. */
extern char loads_folder[64];
void loads_begin(void);

/* A command of the shell in that folder: its status. */
int loads_run(const char *command);

/* For loads_run(): makes the folder "tree", with entries of each kind. */
extern const char loads_make_source[];

/* Loads a name in the folder, or a path. The tree, on success, is memory_test. */
int loads_name(const char *name, struct memory_load **load);
int loads_path(const char *path, struct memory_load **load);

/* What has this name in the tree, and something has. */
struct pathio_attributes loads_attributes(const char *name);

/* What is said of the load has this part. */
void loads_expect_text(const struct memory_load *load, const char *part);

#endif
