/*
 * A hasher: a forked child of auth that computes password hashes, checks proofs of certificates,
 * and can do nothing else.
 */
#ifndef SALLYPORT_POLICY_AUTH_HASHER_H
#define SALLYPORT_POLICY_AUTH_HASHER_H

#include "policy/auth/trust.h"

/*
 * Forks a hasher and returns auth's end of its channel in *fd; `forget` is called in the child
 * before anything else and wipes what it must not know. It holds proofs to what the files say now.
 * 0 or negative errno.
 */
MUST_CHECK int hasher_start(
	const struct trust_files *files, void (*forget)(void *context), void *context, int *fd);

#endif
