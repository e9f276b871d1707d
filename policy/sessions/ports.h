/*
 * Shared passive ports (DECISIONS 16): where the range is too small to divide, all listeners stay
 * with the supervisor. A gateway asks for a port for a session; whoever then comes there from the
 * session's peer, to the address that the session's control connection has, is handed over. No two
 * sessions of one address wait at one port, so that nobody is taken for somebody else; all that
 * came by proxies count as one there.
 */
#ifndef SALLYPORT_POLICY_SESSIONS_PORTS_H
#define SALLYPORT_POLICY_SESSIONS_PORTS_H

#include "ipc/gate.h"

struct ports;
struct proxies;
struct supervisor;

/*
 * Listens on the ports first..last, as far as nobody else does. 0, -EADDRINUSE (on none of them) or
 * another negative errno.
 */
MUST_CHECK int ports_new(struct supervisor *supervisor, const struct proxies *proxies,
	uint16_t first, uint16_t last, struct ports **result);
void ports_free(struct ports **ports);

/* Handlers of a gateway's channel. */
void ports_on_want(void *owner, struct message *message, const struct gate_want_port *body);
void ports_on_leave(void *owner, struct message *message, const struct gate_leave_port *body);

/* The session has ended: nobody is awaited any more. NULL is fine. */
void ports_leave(struct ports *ports, uint64_t session);

/* Somebody has come: passive_knock of policy/supervisor/passive.h, with the ports as owner. */
void
ports_knock(void *owner, const struct wire_address *peer, const struct wire_address *local, int fd);

#endif
