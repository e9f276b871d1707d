/*
 * The table of sessions: who is logged in, through which gateway, with which worker. A session
 * comes to be when auth's verdict and the gateway's attach have met (join.h); it ends when its
 * gateway says so or dies, not when its worker does.
 */
#ifndef SALLYPORT_POLICY_SESSIONS_SESSIONS_H
#define SALLYPORT_POLICY_SESSIONS_SESSIONS_H

#include "ipc/gate.h"
#include "ipc/verdict.h"
#include "policy/sessions/account.h"

struct gateway;
struct sessions;
struct supervisor;
struct worker;

/* 0 or -ENOMEM. */
MUST_CHECK int sessions_new(struct supervisor *supervisor, struct sessions **result);

/* Ends what has waited or lived too long. Once a second. */
void sessions_tick(struct sessions *sessions);

/* Auth's verdict. One that nobody can use (any more) is dropped. */
void sessions_identify(struct sessions *sessions, const struct verdict_identified *body);

/*
 * After a reload each user who has sessions, or a verdict that waits for its attach, is asked for
 * again: between begin and the last answer there is a next one to ask for (true). The answer is the
 * account of now, or NULL for one who may not log in any more: new rights hold at once; another
 * identity holds from the next worker on; sessions of a user who is gone are closed (DECISIONS 12).
 */
void sessions_begin_review(struct sessions *sessions);
bool sessions_next_to_review(struct sessions *sessions, struct bytes *host, struct bytes *name);
void sessions_review(struct sessions *sessions, struct bytes host, struct bytes name,
	const struct account_user *user);

/* Handlers of a gateway's channel; requests are answered now or later. */
void sessions_on_attach(void *owner, struct message *message, const struct gate_attach *body);
void sessions_on_reattach(void *owner, struct message *message, const struct gate_reattach *body);
void
sessions_on_closed(void *owner, struct message *message, const struct gate_session_closed *body);
void sessions_on_complain(void *owner, struct message *message, const struct gate_complain *body);

/* Between whom a control connection is, as the kernel says. */
struct session_ends {
	struct wire_address peer;
	struct wire_address local;
	bool is_proxied; /* the peer is a proxy */
};

/* Those of an attached session; false if there is none. */
bool sessions_find_ends(const struct gateway *gateway, uint64_t id, struct session_ends *ends);

/* A gateway has died, and its sessions with it. */
void sessions_drop_gateway(struct sessions *sessions, struct gateway *gateway);

/* What became of a worker: it serves, it answered a ping, it has ended (`denial` says why). */
void sessions_worker_ready(struct sessions *sessions, struct worker *worker);
void sessions_worker_answered(struct sessions *sessions, struct worker *worker);
void sessions_worker_ended(
	struct sessions *sessions, struct worker *worker, const struct denial *denial);

#endif
