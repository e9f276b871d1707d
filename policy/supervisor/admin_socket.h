/*
 * The admin socket: where the command sallyport connects. Local, bound once at the start; who comes
 * is known from the kernel, and let in or not by the books (policy/sessions/admins.h).
 */
#ifndef SALLYPORT_POLICY_SUPERVISOR_ADMIN_SOCKET_H
#define SALLYPORT_POLICY_SUPERVISOR_ADMIN_SOCKET_H

#include "ipc/base/compiler.h"

#include <event2/event.h>
#include <sys/un.h>

struct supervisor;

/* Lives in the supervisor. */
struct admin_socket {
	struct event *knock; /* NULL: none */
	struct sockaddr_un name;
};

/*
 * Binds admin_socket, if the configuration names one. The socket of a server that is dead is
 * replaced; that of a living one is -EADDRINUSE, and so is what is no socket. 0 or negative errno.
 */
MUST_CHECK int admin_socket_open(struct supervisor *supervisor);

/* Awaits again, after a connection that could not be accepted. Once a second. */
void admin_socket_tick(struct supervisor *supervisor);

/* Removes it from the file system. Once more is fine. */
void admin_socket_close(struct supervisor *supervisor);

#endif
