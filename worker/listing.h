/*
 * An open directory as a session may see it: without hidden temporaries, without what the rights
 * hide, with only those names that match a pattern. A path that is no directory can be listed as
 * itself. Reads nothing before the first entry is asked for (PATHIO 2).
 */
#ifndef SALLYPORT_WORKER_LISTING_H
#define SALLYPORT_WORKER_LISTING_H

#include "policy/rules/rights.h"
#include "worker/tree.h"

struct charset;
struct listing;

struct listing_place {
	struct bytes pattern; /* of names, as in glob.h; a name that is the pattern matches too */
	bool accept_file;     /* a path that is no directory lists as itself; not with a pattern */
	bool is_itself;       /* one that is a directory does so as well */
	bool is_no_link;      /* a last symbolic link is -ENOTDIR or -ELOOP */
	bool is_names_only;   /* from the start: see listing_names_only() */
	/* In which clients write names, and the pattern; NULL: as they are stored. Outlives all. */
	struct charset *charset;
};

/* What is at the path; `attributes` are of the path. 0 or negative errno. */
MUST_CHECK int
listing_open(struct tree *tree, const struct path *path, const struct listing_place *place,
	struct listing **result, struct pathio_attributes *attributes);

/* Of nothing, whatever the path is. 0 or -ENOMEM. */
MUST_CHECK int
listing_open_empty(struct tree *tree, const struct path *path, struct listing **result);

/* Sets *listing to NULL. NULL is fine. */
void listing_close(struct listing **listing);

/* Whose rights the following entries are judged by; borrowed until the next call. */
void listing_judge_by(struct listing *listing, const struct rights *rights);

/*
 * Names and types will do from here on (NLST), which is much cheaper. Only before the first entry.
 */
MUST_CHECK int listing_names_only(struct listing *listing);

/*
 * LISTING_ENTRY and the next entry, which lives until the next call; LISTING_END; LISTING_NONE_YET
 * after many names with nothing to show, so that a caller on a loop can let others have a turn; or
 * negative errno. Without `dots` a name that begins with a dot is left out, unless the pattern
 * begins with one.
 */
enum listing_result {
	LISTING_END,
	LISTING_ENTRY,
	LISTING_NONE_YET,
	LISTING_FOLDER, /* of a walk (listing_walk.h) only */
};
MUST_CHECK int listing_next(struct listing *listing, bool dots, struct backend_entry *entry);

/* ---- about the entry that came last ---- */

/* Its path: 0 or -ENAMETOOLONG. */
MUST_CHECK int
listing_entry_path(const struct listing *listing, struct bytes name, struct path *result);

/* What the session may do with it; and with it and all below it. */
uint32_t listing_entry_rights(const struct listing *listing, struct bytes name);
uint32_t listing_entry_rights_below(const struct listing *listing, struct bytes name);

/* What a symbolic link leads to: 0 or negative errno. */
MUST_CHECK int listing_entry_target(
	const struct listing *listing, struct bytes name, struct pathio_attributes *result);

/* ---- about the whole ---- */

/* Is it one name rather than a directory? */
bool listing_is_single(const struct listing *listing);
bool listing_has_pattern(const struct listing *listing);
struct charset *listing_charset(const struct listing *listing);
struct tree *listing_tree(const struct listing *listing);
const struct path *listing_folder(const struct listing *listing);
const struct rights *listing_rights(const struct listing *listing);
/* Of the folder that holds the entries; not of a single name. */
const struct pathio_attributes *listing_folder_attributes(const struct listing *listing);

#endif
