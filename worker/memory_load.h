/*
 * What a tree in memory begins with (memory_load of sallyport-users(5)): a folder of the machine,
 * or a tar archive. The worker reads it as its user.
 *
 *	memory_load_begin()	before the cage: opens it and makes the tree. A folder is read here,
 *				since behind the cage nothing in it could be opened.
 *	memory_load_take_tree()	for backend_options.made
 *	memory_load_finish()	behind the closed cage: an archive is read here, by a library that
 *				has nothing left to reach.
 *
 * Nothing is repaired: an absolute name, a ".." or a name below a link, an archive that is cut
 *short, what does not fit into memory_limit, refuse the whole, and memory_load_text() says which
 *entry it was and why. What a tree in memory cannot hold (devices, pipes, sockets, other mounts) is
 *left out and counted. Owners are not kept; permission bits and times of modification are.
 */
#ifndef SALLYPORT_WORKER_MEMORY_LOAD_H
#define SALLYPORT_WORKER_MEMORY_LOAD_H

#include "worker/backend.h"

struct memory_load;

/*
 * `path` is absolute, and no symbolic link stands on its way: `roots` was checked against its text.
 * 0 or negative errno; *result is set in either case, but for -ENOMEM.
 */
MUST_CHECK int memory_load_begin(
	struct bytes path, const struct backend_options *options, struct memory_load **result);

/* Moves the tree to the caller, who hands it on in backend_options.made. */
struct backend_tree *memory_load_take_tree(struct memory_load *load);

/* The tree lives on. 0 or negative errno. */
MUST_CHECK int memory_load_finish(struct memory_load *load);

/* One line: what has been loaded, or why it was refused. NULL when memory is short. */
const char *memory_load_text(const struct memory_load *load);

/* The tree too, if nobody took it. Sets *load to NULL. NULL is fine. */
void memory_load_free(struct memory_load **load);

#endif
