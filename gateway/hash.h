/*
 * The names of digest algorithms (digests.def), in what a client asks for and in what it is told.
 */
#ifndef SALLYPORT_GATEWAY_HASH_H
#define SALLYPORT_GATEWAY_HASH_H

#include "ipc/base/bytes.h"
#include "ipc/choices.h"

enum { HASH_TEXT_BYTES = 64 }; /* all names, the mark and the NUL */

/* By its name in any case: false if there is no such algorithm. */
MUST_CHECK bool hash_find(struct bytes name, enum pathio_algorithm *algorithm);

const char *hash_name(enum pathio_algorithm algorithm);

/* "SHA-256*;SHA-512": all of them, the chosen one marked, as FEAT wants it. Returns `text`. */
const char *hash_feature(enum pathio_algorithm chosen, char text[HASH_TEXT_BYTES]);

#endif
