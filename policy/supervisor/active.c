/*
 * Connections of active mode (see active.h). Runs in the supervisor as root: the only connect() of
 * the server. Of the gateway's request only the port arrives here.
 */
#include "policy/supervisor/active.h"

#include "ipc/base/scope.h"

#include <sys/socket.h>

enum { PORT_LEAST = 1024 };

int
active_connect(const struct wire_address *local, const struct wire_address *peer, uint16_t port)
{
	struct wire_address from = *local, to = *peer;
	struct address_socket from_name, to_name;
	int on = 1;
	from.port = 0;
	to.port = port;
	address_to_socket(&from, &from_name);
	address_to_socket(&to, &to_name);
	if (port < PORT_LEAST)
		return -EPERM;
	int family = from_name.any.sa_family;
	SCOPE_FD int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0 ||
		bind(fd, &from_name.any, from_name.length) < 0)
		return -errno;
	if (connect(fd, &to_name.any, to_name.length) < 0 && errno != EINPROGRESS)
		return -errno;
	return fd_take(&fd);
}
