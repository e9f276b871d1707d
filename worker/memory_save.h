/*
 * A tree in memory as a tar archive (POSIX pax), for `sallyport save`: what memory_load.h reads
 * back.
 *
 * memory_save_begin() takes a snapshot, in one turn of the loop: names, attributes, and which pages
 * each file has. Pages are lent (memory_contents.h), so that the archive is of one moment, whatever
 * sessions overwrite, rename and remove while it is on its way. It reads past permission bits: an
 * administrator asks for it. An upload that has not been committed is not in it; what is uploaded
 * in place (APPE, REST) is in it as far as it had come.
 *
 * Kept are names as bytes, permission bits, times of modification, symbolic links, holes, and
 * several names of one file. What cannot be named by any client, since its path is longer than
 * 4,094 bytes, cannot be loaded either: it is left out and counted.
 */
#ifndef SALLYPORT_WORKER_MEMORY_SAVE_H
#define SALLYPORT_WORKER_MEMORY_SAVE_H

#include "worker/backend.h"

struct memory_save;

struct memory_save_totals {
	uint64_t files, folders, links, left_out;
};

/* Pieces are made in a buffer of at least this size. */
enum { MEMORY_SAVE_PIECE_BYTES_MIN = 32 * 1024 };

/* `tree` is one of the memory backend, and outlives the save. 0 or -ENOMEM. */
MUST_CHECK int memory_save_begin(struct backend_tree *tree, struct memory_save **result);

/*
 * The next piece: bytes written, or negative errno. *ended becomes true with the last one. A piece
 * is never empty.
 */
MUST_CHECK int
memory_save_fill(struct memory_save *save, char *buffer, size_t capacity, bool *ended);

/* What is in the snapshot. */
struct memory_save_totals memory_save_totals(const struct memory_save *save);

/* Gives back what was lent. Sets *save to NULL. NULL is fine. */
void memory_save_free(struct memory_save **save);

#endif
