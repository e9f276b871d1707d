/*
 * Who came to the admin socket, and what they ask for (ipc/admin.def): root, the server's own user
 * and the members of admin_group. Each connection asks one thing at a time, has a time limit, and
 * ends alone.
 */
#ifndef SALLYPORT_POLICY_SESSIONS_ADMINS_H
#define SALLYPORT_POLICY_SESSIONS_ADMINS_H

#include "ipc/attach.h"

struct admins;
struct supervisor;
struct worker;

/* Who is at the other end of a connection, as the kernel says. */
struct admin_peer {
	uint32_t uid;
	uint32_t pid; /* 0: not visible from here */
	uint32_t gid;
	const uint32_t *groups; /* besides; borrowed */
	size_t group_count;
};

/* 0 or -ENOMEM. */
MUST_CHECK int admins_new(struct supervisor *supervisor, struct admins **result);

/* Ends connections that have asked nothing for too long. Once a second. */
void admins_tick(struct admins *admins);

/* Lets a connection in, or tells it why not; takes *fd. */
void admins_admit(struct admins *admins, const struct admin_peer *peer, int *fd);

/* A worker has answered the save of that tag; a worker has ended, and its saves with it. */
void admins_saved(struct admins *admins, uint32_t tag, const struct attach_saved *body);
void admins_worker_ended(struct admins *admins, const struct worker *worker);

/* Configuration and users are in force; or were refused, for a reason. NULL is fine. */
void admins_reloaded(struct admins *admins, struct bytes refusal);

#endif
