/*
 * Login attempts that wait for a hasher: one line per client address, served in turn, so that an
 * address with many attempts delays itself only (DECISIONS 11). Pure: no system call, no clock.
 */
#ifndef SALLYPORT_POLICY_AUTH_QUEUE_H
#define SALLYPORT_POLICY_AUTH_QUEUE_H

#include "ipc/wire.h"

/* A login attempt. Whoever takes it out of the queue owns it. */
struct attempt {
	struct attempt *next; /* of the same address; the queue's */
	void *asker;          /* the gateway's link; NULL: gone, nobody wants the answer */
	uint32_t tag;
	uint64_t session;
	uint32_t number;
	struct wire_address peer;
	char *host; /* that it was tried at, host_length bytes; none: the server */
	size_t host_length;
	char *name; /* as typed, name_length bytes */
	size_t name_length;
	char *secret;
	size_t secret_length;
	bool is_protected; /* it came over TLS */
	char *proof;       /* of a certificate, proof_length bytes; NULL: none */
	size_t proof_length;
	bool is_by_certificate; /* there is no secret */
	bool is_proof_judged;   /* what follows is the result: */
	bool owns_certificate;  /* it is one of whose name was typed */
	char fingerprint[65];   /* of the certificate; empty: not proven */
};

/* Wipes the secret. */
void attempt_free(struct attempt **attempt);

struct queue;

MUST_CHECK int queue_new(unsigned per_address, unsigned total, struct queue **result);
void queue_free(struct queue **queue);

/*
 * Takes *attempt (set to NULL): 0, or -EAGAIN when too many wait, or -ENOMEM. Of `askers` none has
 * more than its part of the total, rounded up.
 */
MUST_CHECK int queue_add(struct queue *queue, struct attempt **attempt, unsigned askers);

/* The next attempt, of the next address in turn; NULL when none waits. */
struct attempt *queue_take(struct queue *queue);

/* Drops what waits of an asker: one session's attempt, or with session 0 all of them. */
void queue_withdraw(struct queue *queue, const void *asker, uint64_t session, uint32_t number);

#endif
