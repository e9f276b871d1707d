/*
 * Names that uploads make up: hidden, numbered, partial. Inside uploads; the contract is upload.h.
 */
#ifndef SALLYPORT_WORKER_UPLOAD_NAME_H
#define SALLYPORT_WORKER_UPLOAD_NAME_H

#include "ipc/base/path.h"

#include <stdint.h>

enum { UPLOAD_NAME_BYTES = 32 }; /* ".sallyport-<16 hex>.part" */

/* Fills the buffer with random bytes: 0 or negative errno. */
MUST_CHECK int upload_name_random(void *buffer, size_t length);

/* A hidden name at random. 0 or negative errno. */
MUST_CHECK int upload_name_make(char name[static UPLOAD_NAME_BYTES + 1]);

/*
 * "path.number" and "path.partial". A name that has no room for its ending is shortened, at the
 * start of a UTF-8 character. 0 or -ENAMETOOLONG, with *result untouched.
 */
MUST_CHECK int upload_name_number(const struct path *path, uint32_t number, struct path *result);
MUST_CHECK int upload_name_partial(const struct path *path, struct path *result);

#endif
