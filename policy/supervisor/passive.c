/*
 * Passive listeners (see passive.h). Runs in the supervisor as root, on a gateway's request, which
 * says nothing: neither port nor address is its choice. Of who comes to a shared port the addresses
 * are asked of the kernel, and not a byte is read.
 */
#include "policy/supervisor/passive.h"

#include "ipc/address.h"
#include "ipc/base/scope.h"
#include "policy/supervisor/supervisor.h"

#include <sys/socket.h>

enum {
	BACKLOG = 1024,          /* strangers that knock first must not keep the client out */
	TAKEN_PER_SECOND = 4096, /* tries of ports that somebody has: some 20 ms, whoever asks */
	KNOCKS_AT_ONCE = 64,
};

struct passive {
	uint64_t second; /* in which so many ports that were tried were taken */
	uint32_t taken;
	passive_knock *knock;
	void *owner;
	struct event **listeners; /* of shared ports, the first of the range first; NULL: taken */
	uint16_t first;
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
	*passive = (struct passive){ .first = first, .count = count };
	for (uint32_t i = 0; i < count; i++)
		passive->ports[i] = (uint16_t)(first + i);
	*result = passive;
	return 0;
}

void
passive_free(struct passive **passive)
{
	for (uint32_t i = 0; (*passive)->listeners != NULL && i < (*passive)->count; i++) {
		if ((*passive)->listeners[i] == NULL)
			continue;
		close(event_get_fd((*passive)->listeners[i]));
		event_free((*passive)->listeners[i]);
	}
	free((*passive)->listeners);
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
listen_at(uint16_t port)
{
	const struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	const struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	int on = 1, family;
	SCOPE_FD int fd = open_socket(&family);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	int result = family == AF_INET6 ? bind(fd, (const struct sockaddr *)&v6, sizeof(v6))
					: bind(fd, (const struct sockaddr *)&v4, sizeof(v4));
	return result < 0 || listen(fd, BACKLOG) < 0 ? -errno : fd_take(&fd);
}

/* Else one who holds all ports but a few could have a search for them with each request. */
static bool
may_search(struct passive *passive)
{
	uint64_t second = supervisor_now_ms() / 1000;
	if (second != passive->second)
		passive->taken = 0;
	passive->second = second;
	return passive->taken < TAKEN_PER_SECOND;
}

int
passive_listen(struct passive *passive, uint16_t *port)
{
	int result = -EADDRINUSE;
	/* The rest of this round and all of the next: none is left out. */
	for (uint32_t i = 0; i < 2 * passive->count && result == -EADDRINUSE && may_search(passive);
		i++) {
		*port = passive_next_port(passive);
		result = listen_at(*port);
		passive->taken += result == -EADDRINUSE;
	}
	return result;
}

/* ---- shared ---- */

static void
on_knock(evutil_socket_t listener, UNUSED short what, void *argument)
{
	const struct passive *passive = argument;
	for (int i = 0; i < KNOCKS_AT_ONCE; i++) {
		struct wire_address peer, local;
		SCOPE_FD int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		if (address_of_peer(fd, &peer) == 0 && address_of_local(fd, &local) == 0)
			passive->knock(passive->owner, &peer, &local, fd);
	}
}

int
passive_share(struct passive *passive, struct event_base *base, passive_knock *knock, void *owner)
{
	int found = 0, fd = -ENOMEM;
	passive->knock = knock;
	passive->owner = owner;
	passive->listeners = calloc(passive->count, sizeof(struct event *));
	for (uint32_t i = 0; passive->listeners != NULL && i < passive->count; i++) {
		fd = listen_at((uint16_t)(passive->first + i));
		if (fd < 0)
			continue;
		passive->listeners[i] =
			event_new(base, fd, EV_READ | EV_PERSIST, on_knock, passive);
		if (passive->listeners[i] == NULL || event_add(passive->listeners[i], NULL) < 0)
			return -ENOMEM;
		found++;
	}
	return found > 0 ? found : fd;
}

bool
passive_serve(const struct passive *passive, uint16_t port)
{
	struct event *event = passive->listeners[port - passive->first];
	if (event != NULL)
		on_knock(event_get_fd(event), EV_READ, event_get_callback_arg(event));
	return event != NULL;
}
