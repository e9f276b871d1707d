/*
 * The gateways: one process for each slot, started again in the same slot with the same listeners.
 * What a gateway asks for is judged here and in sessions.h; its words are never taken for who a
 * session is or where it comes from.
 */
#ifndef SALLYPORT_POLICY_SESSIONS_GATEWAYS_H
#define SALLYPORT_POLICY_SESSIONS_GATEWAYS_H

#include "ipc/gate.h"
#include "policy/sessions/account.h"
#include "policy/sessions/service.h"

struct gateways;

/* Others read it; gateways.c alone writes. */
struct gateway {
	struct service service;
	struct supervisor *supervisor;
	unsigned slot;
	uint32_t incarnation;     /* upper half of its session ids; another one at each start */
	struct passive *passive;  /* its part of the range of passive ports, */
	struct ports *ports;      /* or NULL and the ports that all share */
	struct proxies *proxies;  /* the same for all */
	struct often auth_wanted; /* anew */
	struct often keys_wanted;
	uint64_t active_second; /* connects of active mode are counted by the second */
	unsigned active_count;
	unsigned sessions; /* in the table, whole and half; sessions.c writes it */
	unsigned refusals; /* since the last tick, of logins without a verdict; likewise */
};

/* Starts all of them. 0 or negative errno. */
MUST_CHECK int
gateways_new(struct supervisor *supervisor, unsigned count, struct gateways **result);
void gateways_tick(struct gateways *gateways);

/* Other settings are in force; what they are told at their start holds until the next. */
void gateways_reload(struct gateways *gateways);

/* Tells all of them what PASV announces (names.h). */
void gateways_announce(struct gateways *gateways);

/* All of them, one after the other, from NULL to NULL. */
struct gateway *gateways_next(struct gateways *gateways, const struct gateway *after);

/* The gateway that may name this session, if it still lives. */
struct gateway *gateways_find(struct gateways *gateways, uint64_t session);

/* The gateway broke this rule of its channel to another process, and ends, if it still lives. */
void gateways_blame(struct gateways *gateways, uint32_t incarnation, struct bytes rule);

/* Gives each gateway a channel to the auth that has just been started. */
void gateways_connect_auth(struct gateways *gateways);

/* Close the listeners, finish what you carry, leave; within the limit (0: whenever). */
void gateways_drain(struct gateways *gateways, uint64_t limit_ms);

/* Refuses a request of a gateway. */
void gateway_refuse(struct process *gateway, uint32_t tag, const struct denial *denial);

/*
 * The gateway that a handler of its channel is called with, if it may name that session; else NULL,
 * and the channel is rejected.
 */
struct gateway *gateway_asking(void *owner, uint64_t session);

#endif
