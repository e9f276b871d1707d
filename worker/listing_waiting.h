/*
 * Folders that wait to be shown from inside by a recursive walk. What is in a folder comes before
 * what waited when the folder itself was shown, so that the order is that of `ls -R`, and only
 * names have to be kept. Their number is bounded.
 */
#ifndef SALLYPORT_WORKER_LISTING_WAITING_H
#define SALLYPORT_WORKER_LISTING_WAITING_H

#include "ipc/base/path.h"

#include <stdint.h>

struct listing_waiting_folder;

/* Begins as zeros. */
struct listing_waiting {
	struct listing_waiting_folder *first;
	struct listing_waiting_folder *last_added; /* since one was taken; NULL: none */
	uint32_t count;
};

void listing_waiting_free(struct listing_waiting *waiting);

/*
 * `folder` has a folder of that name in it. The first `kept` bytes of `folder` will be the
 * beginning of the path that is handed to listing_waiting_take() when its turn comes, as is true of
 * all of it while what is in it is shown; they are not stored. 0, -ENOMEM or -E2BIG.
 */
MUST_CHECK int listing_waiting_add(
	struct listing_waiting *waiting, const struct path *folder, size_t kept, struct bytes name);

/*
 * Takes the next one: *path, that of the folder shown last, becomes its path. 0, -ENOENT if none
 * waits, -ENAMETOOLONG.
 */
MUST_CHECK int listing_waiting_take(struct listing_waiting *waiting, struct path *path);

#endif
