/*
 * The table of sessions: who is logged in, through which gateway, with which worker. A session
 * comes to be when auth's verdict and the gateway's attach have met (join.h); it ends when its
 * gateway says so or dies, not when its worker does.
 */
#ifndef SALLYPORT_POLICY_SUPERVISOR_SESSIONS_H
#define SALLYPORT_POLICY_SUPERVISOR_SESSIONS_H

#include "ipc/verdict.h"
#include "policy/supervisor/gateways.h"

struct sessions;
struct worker;

/* 0 or -ENOMEM. */
MUST_CHECK int sessions_new(struct supervisor *supervisor, struct sessions **result);

/* Ends what has waited or lived too long. Once a second. */
void sessions_tick(struct sessions *sessions);

/* Auth's verdict. One that nobody can use (any more) is dropped. */
void sessions_identify(struct sessions *sessions, const struct verdict_identified *body);

/*
 * A gateway's requests about sessions of its incarnation; answered now or later. `control_fd` is
 * borrowed: its two addresses are read, and it is not kept.
 */
void sessions_attach(
	struct gateway *gateway, uint32_t tag, const struct gate_attach *body, int control_fd);
void sessions_reattach(struct gateway *gateway, uint32_t tag, uint64_t id);
void sessions_close(struct gateway *gateway, uint64_t id);
void sessions_complain(struct gateway *gateway, uint64_t id);

/* The addresses of the control connection of an attached session; false if there is none. */
bool sessions_find_addresses(const struct gateway *gateway, uint64_t id, struct wire_address *local,
	struct wire_address *peer);

/* A gateway has died, and its sessions with it. */
void sessions_drop_gateway(struct gateway *gateway);

/* What became of a worker: it serves, it answered a ping, it has ended (`denial` says why). */
void sessions_worker_ready(struct worker *worker);
void sessions_worker_answered(struct worker *worker);
void sessions_worker_ended(struct worker *worker, const struct denial *denial);

#endif
