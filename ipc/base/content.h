/*
 * What is in a file that was handed over open (pread(2)): its offset, which others may share, is
 * neither used nor moved.
 */
#ifndef SALLYPORT_IPC_BASE_CONTENT_H
#define SALLYPORT_IPC_BASE_CONTENT_H

#include "ipc/base/bytes.h"
#include "ipc/base/compiler.h"

#include <sys/types.h>

/* The first `length` bytes, or as many as there are: how many, or negative errno. */
MUST_CHECK ssize_t content_read_into(int fd, void *buffer, size_t length);

/*
 * All of it: *result lies in *owner, which the caller frees. 0 or negative errno: -EFBIG if it is
 * empty or has more than `bytes_max`, -EIO if it became shorter meanwhile.
 */
MUST_CHECK int content_read(int fd, size_t bytes_max, char **owner, struct bytes *result);

#endif
