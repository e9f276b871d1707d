/*
 * The roles of processes (DESIGN 2). A process has one; the peer of a channel has one that is
 * known from the channel and never from a message.
 */
#ifndef SALLYPORT_IPC_BASE_ROLE_H
#define SALLYPORT_IPC_BASE_ROLE_H

enum role {
	ROLE_SUPERVISOR,
	ROLE_GATEWAY,
	ROLE_WORKER,
	ROLE_AUTH,
	ROLE_RECORD,
	ROLE_LOADER,
	ROLE_HASHER, /* of auth's pool: computes password hashes */
	ROLE_KEYS,
	ROLE_RESOLVER, /* looks host names up */
	ROLE_ADMIN,    /* the command of an operator; started by nobody here */
	ROLE_COUNT,
};

/* "gateway"; a constant. */
const char *role_name(enum role role);

#endif
