/*
 * The bounded pool of hashers: one computation, or one proof, each at a time. A hasher that dies is
 * replaced, and the computation that it carried has no result.
 */
#ifndef SALLYPORT_POLICY_AUTH_POOL_H
#define SALLYPORT_POLICY_AUTH_POOL_H

#include "ipc/hash.h"
#include "policy/auth/trust.h"

#include <event2/event.h>

enum pool_result { POOL_MATCHES, POOL_DIFFERS, POOL_DIED };

struct pool;

struct pool_options {
	struct event_base *base;
	unsigned processes;
	void *owner;
	/* Wipes in a new hasher what it must not know. */
	void (*forget)(void *owner);
	/* The computation that `request` stood for has ended; a hasher is idle again. */
	void (*done)(void *owner, void *request, enum pool_result result);
	/* The same of a proof; `certificate` unless it died, for the call. */
	void (*proven)(void *owner, void *request, enum pool_result result,
		const struct hash_proven *certificate);
	const struct trust_files *trust; /* what proofs are held to; borrowed */
};

/* Starts all hashers: 0 or negative errno. */
MUST_CHECK int pool_new(const struct pool_options *options, struct pool **result);
void pool_free(struct pool **pool);

bool pool_is_idle(struct pool *pool);

/* What `trust` holds is new: hashers that read it before check no more proofs. */
void pool_renew(struct pool *pool);

/* 0; -EBUSY: all compute; -EIO: no hasher could be had. Nothing was started on failure. */
MUST_CHECK int
pool_compute(struct pool *pool, struct bytes secret, struct bytes hash, void *request);

/* The same of the messages that prove a certificate. */
MUST_CHECK int pool_prove(struct pool *pool, struct bytes proof, void *request);

#endif
