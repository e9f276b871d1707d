/*
 * The desk: takes login attempts from gateways, has their passwords checked, and tells the
 * supervisor who it is before it tells the gateway that it is somebody (DESIGN 2).
 */
#ifndef SALLYPORT_POLICY_AUTH_DESK_H
#define SALLYPORT_POLICY_AUTH_DESK_H

#include "policy/auth/events.h"
#include "policy/auth/realms.h"
#include "policy/auth/trust.h"

struct desk;

struct desk_options {
	struct event_base *base;
	struct events *events;      /* borrowed */
	struct channel *supervisor; /* borrowed */
	unsigned processes;
	unsigned queue_per_address;
	unsigned queue_total;
	const struct trust_files *trust; /* what proofs of certificates are held to; borrowed */
};

/* Starts the hashers. 0 or negative errno. */
MUST_CHECK int desk_new(const struct desk_options *options, struct desk **result);
void desk_free(struct desk **desk);

/* Judges by these from now on; takes *realms. */
void desk_set_realms(struct desk *desk, struct realms **realms);

/* As accounts_identify(), of the users at that host; -ENOENT too if there is no such host. */
MUST_CHECK int
desk_identify(struct desk *desk, struct bytes host, struct bytes name, struct account_user *result);

/* What `trust` holds is new. */
void desk_renew_trust(struct desk *desk);

/* Serves a gateway on *fd (taken): 0, -ENOMEM or -EBADMSG. */
MUST_CHECK int desk_add_gateway(struct desk *desk, uint32_t incarnation, int *fd);

/* There is room for events again, or there are users now: go on with what waits. */
void desk_continue(struct desk *desk);

#endif
