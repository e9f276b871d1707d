/*
 * Reading a file to its end in bounded pieces (PATHIO 2: iterate, and read with n = -1), over any
 * implementation of path-I/O. One read is under way at a time, from the handle's position on.
 */
#ifndef SALLYPORT_IPC_PATHIO_READ_H
#define SALLYPORT_IPC_PATHIO_READ_H

#include "ipc/pathio.h"

enum { PATHIO_ITERATE_BYTES_MAX = 1024 * 1024 };

/* A block, which lives for the call. 0: go on; negative errno: enough, the iteration ends so. */
typedef int pathio_block(void *argument, struct bytes block);

/* The end, once: 0 at the end of the file, or negative errno. */
typedef void pathio_ended(void *argument, int error);

/*
 * Calls `each` with blocks of exactly `block_bytes`, but for the last one, which may be shorter and
 * is never empty; then `done`. Both may be called from inside. -EINVAL, through `done`: no block of
 * 1 to PATHIO_ITERATE_BYTES_MAX bytes.
 */
void pathio_iterate(struct pathio *io, uint32_t file, size_t block_bytes, pathio_block *each,
	pathio_ended *done, void *argument);

/* All that was read, which lives for the call; empty with an error. */
typedef void pathio_collected(void *argument, int error, struct bytes content);

/* Reads to the end. -EFBIG, and nothing, if that is more than `limit_bytes`; -ENOMEM. */
void pathio_read_all(struct pathio *io, uint32_t file, size_t limit_bytes, pathio_collected *done,
	void *argument);

#endif
