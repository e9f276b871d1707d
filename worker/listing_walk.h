/*
 * The entries of a listing that goes beyond one folder: what is in folders below (LIST -R), and
 * what matches patterns for several levels (LIST a*b/c*). Each folder is one that the session may
 * list, opened by its own name and never through a symbolic link, whatever has become of it since
 * it was seen. How much there may be is bounded (PATHIO_BELOW_*), and so is the memory for it.
 */
#ifndef SALLYPORT_WORKER_LISTING_WALK_H
#define SALLYPORT_WORKER_LISTING_WALK_H

#include "worker/listing_order.h"

struct listing_walk;

struct listing_walk_options {
	struct listing_order_options order;
	bool is_names_only; /* names and types will do */
	bool is_recursive;  /* folders that were shown are shown from inside as well */
	struct bytes below; /* patterns of the levels below, "/" between them; copied */
};

/*
 * Begins with `base`, which is borrowed and outlives the walk. 0, -ENOMEM, -ENAMETOOLONG for a
 * pattern, -E2BIG for too many of them, -EINVAL for "." or ".." among them.
 */
MUST_CHECK int listing_walk_new(struct listing *base, const struct listing_walk_options *options,
	struct listing_walk **result);

/* Sets *walk to NULL. NULL is fine. */
void listing_walk_free(struct listing_walk **walk);

/* Whose rights the following entries are judged by; borrowed until the next call. */
void listing_walk_judge_by(struct listing_walk *walk, const struct rights *rights);

/*
 * As listing_next(); and LISTING_FOLDER where a recursive walk begins with a folder. Folders that
 * cannot be read and what is beyond the bounds are left out; the end is then the error, the first
 * of several.
 */
MUST_CHECK int listing_walk_next(struct listing_walk *walk, struct backend_entry *entry);

/* The folder of the entry that came last, or that begins; lives until the next call. */
struct listing *listing_walk_folder(const struct listing_walk *walk);

/* Its path as seen from the base: "", or "a/b". */
struct bytes listing_walk_relative(const struct listing_walk *walk);

/* Is it one of those that a recursive walk shows from inside? Not the base if that has a pattern.
 */
bool listing_walk_is_inside(const struct listing_walk *walk);

#endif
