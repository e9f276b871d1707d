/*
 * The gateways: one process for each slot, started again in the same slot with the same listeners.
 * What a gateway asks for is judged here and in sessions.h; its words are never taken for who a
 * session is or where it comes from.
 */
#ifndef SALLYPORT_POLICY_SUPERVISOR_GATEWAYS_H
#define SALLYPORT_POLICY_SUPERVISOR_GATEWAYS_H

#include "ipc/gate.h"
#include "policy/supervisor/account.h"
#include "policy/supervisor/service.h"

struct gateways;
struct session;
LIST_HEAD(session_list, session);

/* Others read it; gateways.c alone writes, and sessions.c its list. */
struct gateway {
	struct service service;
	unsigned slot;
	uint32_t incarnation; /* upper half of its session ids; another one at each start */
	struct session_list sessions;
	unsigned attaches;      /* that have no answer yet */
	uint64_t active_second; /* connects of active mode are counted by the second */
	unsigned active_count;
};

/* Starts all of them. 0 or negative errno. */
MUST_CHECK int
gateways_new(struct supervisor *supervisor, unsigned count, struct gateways **result);

void gateways_tick(struct gateways *gateways);

/* The gateway that may name this session, if it still lives. */
struct gateway *gateways_find(struct gateways *gateways, uint64_t session);

/* Gives each gateway a channel to the auth that has just been started. */
void gateways_connect_auth(struct gateways *gateways);

/* Reads their requests again, where that had been stopped. */
void gateways_resume(struct gateways *gateways);

/* Close the listeners, finish what you carry, leave; within the limit (0: whenever). */
void gateways_drain(struct gateways *gateways, uint64_t limit_ms);

/* Refuses a request of it. */
void gateway_refuse(struct gateway *gateway, uint32_t tag, const struct denial *denial);

/* One attach or reattach more (or, with -1, less) has no answer yet; at 64 it is not read on. */
void gateway_count_attach(struct gateway *gateway, int change);

#endif
