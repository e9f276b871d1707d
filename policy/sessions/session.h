/*
 * One session, and what the files of the table (sessions*.c) do with it for each other; others see
 * sessions.h. A session is named by its gateway's incarnation and a counter. It lives from the
 * first half of a login that is heard of until a moment after its end.
 */
#ifndef SALLYPORT_POLICY_SESSIONS_SESSION_H
#define SALLYPORT_POLICY_SESSIONS_SESSION_H

#include "policy/rules/join.h"
#include "policy/rules/limits.h"
#include "policy/sessions/sessions.h"

#include <stdbool.h>
#include <sys/queue.h>

enum session_state {
	SESSION_HALF,     /* nobody: half a login waits, or one has ended a moment ago */
	SESSION_STARTING, /* its worker does */
	SESSION_OPEN,     /* gateway and worker share its channel */
	SESSION_DOUBTED,  /* its channel has ended, and the worker was asked whether it lives */
	SESSION_LOST,     /* its worker has died */
	SESSION_CLOSING,  /* the gateway was told to end it */
};

struct session {
	uint64_t id; /* first: what the tree compares */
	LIST_ENTRY(session) link;
	struct gateway *gateway;
	enum session_state state;
	uint64_t deadline_ms; /* half or closing: soon; else session_limit */
	uint64_t since_ms;    /* with an account */
	struct join join;
	struct account *told; /* by a verdict that waits */
	bool asks;            /* attach or reattach has no answer yet */
	uint32_t tag;         /* of that request */
	bool was_open;        /* a refusal is of a reattach */
	struct account *account;
	struct wire_address peer; /* the client's: of the connection, or by the proxy's word */
	struct wire_address local;
	struct wire_address proxy; /* who has connected instead of the client; none if nobody */
	bool is_claimed;           /* the peer, by that proxy */
	struct worker *worker;     /* NULL when half or lost */
	struct often reattached;
};
LIST_HEAD(session_list, session);

struct sessions {
	struct supervisor *supervisor;
	void *by_id; /* tsearch(3) */
	struct session_list all;
	uint64_t count; /* with an account */
	struct tally by_user;
	struct tally by_address;
};

/* ---- the table (sessions.c) ---- */

/* The gateway's session of that id, or NULL; a new half one, or NULL for want of room. */
struct session *session_find(const struct gateway *gateway, uint64_t id);
struct session *session_find_or_add(struct gateway *gateway, uint64_t id);

/* It waits for its other half, and not longer than JOIN_WAIT_MS. */
void session_set_half(struct session *session);

/* It is that user's from here on; takes the account over and counts it. 0 or -ENOMEM. */
MUST_CHECK int session_set_account(struct session *session, struct account *account);

/* Its worker, which counts its sessions; NULL: none any more. */
void session_set_worker(struct session *session, struct worker *worker);

/* Where its client comes from, as sessions are counted by it. */
struct bytes session_address(const struct session *session);

/* Tells its gateway to end it, which has a moment for that. */
void session_close(struct session *session);

/* It is over. A moment later it is forgotten, unless it logs in again (REIN). */
void session_end(struct session *session);

/* ---- requests (sessions_requests.c) ---- */

/*
 * Answers what the gateway asks with a denial, which also goes to the record. account: NULL where
 * auth has vouched for nobody; of such refusals, which cost a gateway nothing, so many a second go
 * to the record, and then the number of the others.
 */
void
session_refuse(struct session *session, const struct account *account, const struct denial *denial);

/* A second is over, or the gateway: what was left out is told. */
void session_tell_refusals(struct gateway *gateway);

/* ---- workers (sessions_workers.c) ---- */

/* Finds it a worker, and opens it once that serves; or refuses it. */
void session_seek_worker(struct session *session);

#endif
