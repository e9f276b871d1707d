/*
 * Connections of active mode (see active.h). Runs in the supervisor as root: the only connect() of
 * the server. Of the gateway's request only the port arrives here.
 */
#include "policy/supervisor/active.h"

#include "ipc/base/scope.h"

#include <sys/socket.h>

enum { PORT_LEAST = 1024 };

/* A TCP socket at that address and port: its descriptor or a negative errno. */
static int
open_bound(struct wire_address from, uint16_t port)
{
	struct address_socket name;
	int on = 1;
	from.port = port;
	address_to_socket(&from, &name);
	int family = name.any.sa_family;
	SCOPE_FD int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* Several connections may leave from one port; any port is free that is so for the peer. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0 ||
		bind(fd, &name.any, name.length) < 0)
		return -errno;
	return fd_take(&fd);
}

int
active_connect(const struct wire_address *local, const struct wire_address *peer, uint16_t port,
	uint16_t source_port)
{
	struct wire_address to = *peer;
	struct address_socket name;
	to.port = port;
	address_to_socket(&to, &name);
	SCOPE_FD int fd = port < PORT_LEAST ? -EPERM : open_bound(*local, source_port);
	if (fd < 0)
		return fd;
	if (connect(fd, &name.any, name.length) < 0 && errno != EINPROGRESS)
		return -errno;
	return fd_take(&fd);
}

int
active_check_source(uint16_t source_port)
{
	const struct wire_address any = { .ip = { [10] = 0xff, [11] = 0xff } };
	SCOPE_FD int fd = open_bound(any, source_port);
	return fd < 0 ? fd : 0;
}
