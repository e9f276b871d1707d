/*
 * Control listeners (see listeners.h). Runs in the supervisor as root: the only place that binds
 * ports below 1024. Nothing is ever accepted here.
 */
#include "policy/supervisor/listeners.h"

#include "ipc/base/scope.h"
#include "ipc/event.h"
#include "ipc/gate.h"
#include "policy/supervisor/supervisor.h"

#include <stdio.h>
#include <sys/socket.h>

enum { BACKLOG = 1024 };

struct listeners {
	struct supervisor *supervisor;
	unsigned gateways;
	size_t count;  /* gateways times addresses that could be bound, */
	size_t plain;  /* of which the first begin in the clear, */
	size_t direct; /* and up to here are not for proxies */
	int fds[];     /* of the first address for each gateway, of the second ... */
};

static int
set_flag(int fd, int level, int name)
{
	int on = 1;
	return setsockopt(fd, level, name, &on, sizeof(on)) < 0 ? -errno : 0;
}

/* A TCP socket that is bound: its descriptor or a negative errno. */
static int
open_bound(const struct value_address *address, bool shared)
{
	int family = address->any.sa_family;
	SCOPE_FD int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = fd < 0 ? -errno : set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
	if (error == 0 && family == AF_INET6)
		error = set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	if (error == 0 && shared)
		error = set_flag(fd, SOL_SOCKET, SO_REUSEPORT);
	if (error == 0 && bind(fd, &address->any, address->length) < 0)
		error = -errno;
	return error < 0 ? error : fd_take(&fd);
}

/*
 * Another server of the same user that shares its ports would not stop us from sharing them too:
 * clients would reach one or the other by chance. A socket that does not share finds it.
 */
static int
check_free(const struct value_address *address)
{
	SCOPE_FD int fd = open_bound(address, false);
	return fd < 0 ? fd : 0;
}

static int
open_all(struct listeners *listeners, struct value_address address)
{
	int error = check_free(&address);
	for (unsigned i = 0; i < listeners->gateways && error == 0; i++) {
		SCOPE_FD int fd = open_bound(&address, true);
		address.length = sizeof(address.v6);
		if (fd < 0)
			return fd;
		if (listen(fd, BACKLOG) < 0 || getsockname(fd, &address.any, &address.length) < 0)
			return -errno;
		listeners->fds[listeners->count++] = fd_take(&fd);
	}
	return error;
}

/* Where IPv6 is switched off, [::1] and [::] are missing, which an operator has asked for. */
static bool
is_without_ipv6(const struct value_address *address, int error)
{
	return address->any.sa_family == AF_INET6 &&
	       (error == -EAFNOSUPPORT || error == -EADDRNOTAVAIL) &&
	       (IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr) ||
		       IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr));
}

int
listeners_open(
	struct supervisor *supervisor, unsigned gateways, struct listeners **result, size_t *failed)
{
	const struct config *config = supervisor->settings->config;
	size_t count = config_listener_count(config);
	struct listeners *listeners =
		calloc(1, sizeof(*listeners) + count * gateways * sizeof(int));
	if (listeners == NULL)
		return -ENOMEM;
	*listeners = (struct listeners){ .supervisor = supervisor, .gateways = gateways };
	int error = 0;
	for (*failed = 0; *failed < count; ++*failed) {
		error = open_all(listeners, *config_listener(config, *failed));
		if (error < 0 && !is_without_ipv6(config_listener(config, *failed), error))
			break;
		if (config_listener_kind(config, *failed) == CONFIG_LISTENER_PLAIN)
			listeners->plain = listeners->count;
		if (config_listener_kind(config, *failed) != CONFIG_LISTENER_PROXIES)
			listeners->direct = listeners->count;
	}
	if (*failed == count && listeners->count > 0)
		error = 0;
	if (error < 0)
		listeners_free(&listeners);
	*result = listeners;
	return error;
}

void
listeners_free(struct listeners **listeners)
{
	struct listeners *freed = *listeners;
	*listeners = NULL;
	for (size_t i = 0; freed != NULL && i < freed->count; i++)
		fd_close(&freed->fds[i]);
	free(freed);
}

void
listeners_send(struct listeners *listeners, unsigned slot, struct process *gateway)
{
	for (size_t i = slot; i < listeners->count; i += listeners->gateways) {
		const struct gate_listener body = {
			.tls = i >= listeners->plain && i < listeners->direct,
			.is_for_proxies = i >= listeners->direct,
		};
		process_posted(gateway,
			gate_post_listener_with(gateway->channel, 0, &body, listeners->fds[i]));
	}
}

void
listeners_tick(struct listeners *listeners)
{
	for (size_t i = 0; listeners != NULL && i < listeners->count; i++) {
		int listens = 0;
		socklen_t length = sizeof(listens);
		if (getsockopt(listeners->fds[i], SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) <
				0 ||
			listens != 0)
			continue;
		const char *text = listen(listeners->fds[i], BACKLOG) == 0
					   ? "a gateway shut down its control listener, which "
					     "listens again"
					   : "a gateway shut down its control listener for good";
		const struct event_notice event = { .severity = SEVERITY_WARNING,
			.text = bytes_of_text(text) };
		supervisor_event(listeners->supervisor, EVENT_NOTICE, &event);
	}
}

char *
listeners_text(const struct listeners *listeners)
{
	char *text = strdup("");
	for (size_t i = 0; i < listeners->count && text != NULL; i += listeners->gateways) {
		SCOPE_FREE char *before = text;
		struct wire_address address = { 0 };
		char one[ADDRESS_TEXT_BYTES];
		if (address_of_local(listeners->fds[i], &address) < 0 ||
			asprintf(&text, "%s%s%s", before, i == 0 ? "" : ", ",
				address_text(&address, one)) < 0)
			text = NULL;
	}
	return text;
}
