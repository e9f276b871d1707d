/*
 * The two halves of a login: auth's verdict ("session S, attempt N, is this user") and the
 * gateway's attach ("session S, attempt N, here is its control connection"). They come over
 * different channels in either order; each waits JOIN_WAIT_MS, and a verdict is used once
 * (DECISIONS 9). Pure; the caller brings the time.
 */
#ifndef SALLYPORT_POLICY_RULES_JOIN_H
#define SALLYPORT_POLICY_RULES_JOIN_H

#include <stdint.h>

enum { JOIN_WAIT_MS = 10000 };

struct join_half {
	uint32_t attempt; /* 0: none is here */
	uint64_t since_ms;
};

/* Starts as zero bytes. */
struct join {
	uint32_t used; /* the latest attempt that was joined, refused or closed */
	struct join_half verdict;
	struct join_half attach;
};

enum join_step {
	JOIN_WAIT,    /* the other half is not here yet */
	JOIN_MATCH,   /* both are here; neither is any more, and the attempt is used */
	JOIN_REFUSED, /* too late, used before, or overtaken by a newer attempt: dropped */
};

/* A half arrives. A newer one replaces an older one of its kind. */
enum join_step join_verdict(struct join *join, uint32_t attempt, uint64_t now_ms);
enum join_step join_attach(struct join *join, uint32_t attempt, uint64_t now_ms);

/* The attempt that waits in `attach` is not to be joined any more. */
void join_give_up(struct join *join);

/* The verdict that waits does not hold any more, and its attempt is not to be joined. */
void join_take_back(struct join *join);

#endif
