/*
 * The one function that folds a path (PATHIO 5). Rights, effect and record all use its result: the
 * path that was judged is the path that is opened and the path that is recorded.
 */
#ifndef SALLYPORT_IPC_BASE_PATH_H
#define SALLYPORT_IPC_BASE_PATH_H

#include "ipc/base/bytes.h"

enum {
	PATH_BYTES_MAX = 4095, /* without the NUL; Linux' PATH_MAX - 1 */
	NAME_BYTES_MAX = 255,  /* Linux' NAME_MAX */
	/* A name in a client's own character set and escapes, see worker/charset.h. */
	WRITTEN_NAME_BYTES_MAX = 3 * NAME_BYTES_MAX,
};

/* A folded path: absolute, no ".", "..", "//" or trailing "/" (but "/" itself), NUL-terminated. */
struct path {
	size_t length;
	char text[PATH_BYTES_MAX + 1];
};

/*
 * Folds the untrusted path `input`, read from `base` (folded; may be NULL for "/") unless it is
 * absolute. ".." stops at the root. Errors, with *result untouched:
 *   -EINVAL        a NUL byte among the bytes
 *   -ENAMETOOLONG  a name of more than 255 bytes, or more than 4,095 bytes in all (before folding)
 *   -ENOENT        empty input
 */
MUST_CHECK int path_fold(const struct path *base, struct bytes input, struct path *result);

/*
 * The same for a path that is still in its client's words: its names have WRITTEN_NAME_BYTES_MAX
 * bytes at most. Only whoever knows what they mean can judge them.
 */
MUST_CHECK int path_fold_written(const struct path *base, struct bytes input, struct path *result);

/* The last name of a folded path; "" for the root. Points into the path. */
const char *path_name(const struct path *path);

/* The folded path of the folder that holds `path`; the root is its own. */
void path_parent(const struct path *path, struct path *result);

/* Is `path` the folder `folder` itself or anything below it? Both folded. */
bool path_is_within(struct bytes path, struct bytes folder);

/* Appends one name (no slash, not "." or "..") to a folded path: 0 or -ENAMETOOLONG. */
MUST_CHECK int path_append(struct path *path, struct bytes name);

static inline struct bytes
path_bytes(const struct path *path)
{
	return bytes_of(path->text, path->length);
}

#endif
