/*
 * Passive listeners (see passive.h). Runs in the supervisor as root, on a gateway's request, which
 * says nothing: neither port nor address is its choice.
 */
#include "policy/supervisor/passive.h"

#include "ipc/base/scope.h"
#include "policy/supervisor/supervisor.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum {
	BACKLOG = 1024, /* strangers that knock first must not keep the client out */
	USED_UP_MS = 1000,
};

struct passive {
	uint64_t used_up_ms; /* when the last search through all ports found none */
	uint32_t count;
	uint32_t next;
	uint16_t ports[];
};

int
passive_new(uint16_t first, uint16_t last, struct passive **result)
{
	uint32_t count = last - first + 1u;
	struct passive *passive = malloc(sizeof(*passive) + count * sizeof(passive->ports[0]));
	if (passive == NULL)
		return -ENOMEM;
	*passive = (struct passive){ .count = count };
	for (uint32_t i = 0; i < count; i++)
		passive->ports[i] = (uint16_t)(first + i);
	*result = passive;
	return 0;
}

void
passive_free(struct passive **passive)
{
	free(*passive);
	*passive = NULL;
}

uint16_t
passive_next_port(struct passive *passive)
{
	uint32_t at = passive->next;
	uint32_t chosen = at + arc4random_uniform(passive->count - at);
	uint16_t port = passive->ports[chosen];
	passive->ports[chosen] = passive->ports[at];
	passive->ports[at] = port;
	passive->next = at + 1 < passive->count ? at + 1 : 0;
	return port;
}

static int
open_socket(int *family)
{
	int off = 0;
	*family = AF_INET6;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0)
		return fd;
	fd_close(&fd);
	*family = AF_INET;
	return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int
bind_port(int fd, int family, uint16_t port)
{
	const struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	const struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	int result = family == AF_INET6 ? bind(fd, (const struct sockaddr *)&v6, sizeof(v6))
					: bind(fd, (const struct sockaddr *)&v4, sizeof(v4));
	return result < 0 ? -errno : 0;
}

int
passive_listen(struct passive *passive, uint16_t *port)
{
	uint64_t now_ms = supervisor_now_ms();
	int on = 1, family;
	if (passive->used_up_ms != 0 && now_ms - passive->used_up_ms < USED_UP_MS)
		return -EADDRINUSE;
	passive->used_up_ms = 0;
	SCOPE_FD int fd = open_socket(&family);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	int error = -EADDRINUSE;
	for (uint32_t i = 0; i < passive->count && error == -EADDRINUSE; i++) {
		*port = passive_next_port(passive);
		error = bind_port(fd, family, *port);
		if (error == 0 && listen(fd, BACKLOG) < 0)
			error = -errno;
	}
	if (error == -EADDRINUSE)
		passive->used_up_ms = now_ms;
	return error < 0 ? error : fd_take(&fd);
}
