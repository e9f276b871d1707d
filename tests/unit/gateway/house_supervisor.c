/*
 * The supervisor's stand-in (see house.h): it attaches sessions to the one worker and makes
 * sockets.
 */
#include "tests/unit/gateway/house_private.h"

#include "gateway/supervisor.h"
#include "ipc/address.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- orders ---- */

void
house_close_session(struct house *house)
{
	struct gate_close_session order = { .session = house->last_session };
	channel_lost(gate_post_close_session(house->supervisor, 0, &order));
}

void
house_drain(struct house *house)
{
	channel_lost(gate_post_drain(house->supervisor, 0, &(struct gate_drain){ 0 }));
}

void
house_close_supervisor(struct house *house)
{
	channel_free(&house->supervisor);
}

/* ---- sessions ---- */

static void
refuse(struct house *house, uint32_t tag, enum refusal why)
{
	struct gate_refused refused = { .error = EACCES, .why = why };
	channel_lost(gate_post_refused(house->supervisor, tag, &refused));
}

static void
attach(struct house *house, uint32_t tag, uint64_t session)
{
	if (house->refusal != REFUSAL_NONE) {
		refuse(house, tag, house->refusal);
		return;
	}
	SCOPE_FD int end = house_open_worker(house);
	struct gate_attached attached = { .session = session };
	house->attached++;
	house->last_session = session;
	channel_lost(gate_post_attached_with(house->supervisor, tag, &attached, end));
}

static void
on_attach(void *owner, struct message *message, const struct gate_attach *body)
{
	((struct house *)owner)->claimed = body->claimed;
	attach(owner, message->tag, body->session);
}

static void
on_reattach(void *owner, struct message *message, const struct gate_reattach *body)
{
	attach(owner, message->tag, body->session);
}

/* ---- sockets ---- */

static int
listen_at(struct house *house, bool is_any, struct address_socket *address)
{
	*address = (struct address_socket){ .length = sizeof(address->v6) };
	address->v6.sin6_family = AF_INET6;
	int no = 0;
	if (!is_any)
		inet_pton(AF_INET6, house->is_ipv6 ? "::1" : "::ffff:127.0.0.1",
			&address->v6.sin6_addr);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ensure(fd >= 0 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)) == 0);
	ensure(bind(fd, &address->any, address->length) == 0 && listen(fd, 64) == 0);
	ensure(getsockname(fd, &address->any, &address->length) == 0);
	return fd;
}

static void
on_want_passive(void *owner, struct message *message, const struct gate_want_passive *body)
{
	struct house *house = owner;
	struct address_socket address;
	(void)body;
	if (house->has_no_ports) {
		refuse(house, message->tag, REFUSAL_PORTS);
		return;
	}
	SCOPE_FD int fd = listen_at(house, true, &address);
	struct gate_passive passive = { .port = ntohs(address.v6.sin6_port) };
	channel_lost(gate_post_passive_with(house->supervisor, message->tag, &passive, fd));
}

/* As the supervisor does: whoever comes is handed over, until the port is left. */
static void
on_knock(evutil_socket_t listener, short what, void *argument)
{
	struct house *house = argument;
	struct gate_arrived arrived = { .session = house->shared_session };
	SCOPE_FD int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	(void)what;
	ensure(fd >= 0);
	channel_lost(gate_post_arrived_with(house->supervisor, house->shared_tag, &arrived, fd));
}

void
house_close_port(struct house *house)
{
	if (house->shared_fd == 0)
		return;
	event_del(&house->knock);
	fd_close(&house->shared_fd);
	house->shared_fd = 0;
}

static void
on_want_port(void *owner, struct message *message, const struct gate_want_port *body)
{
	struct house *house = owner;
	struct address_socket address;
	if (house->has_no_ports) {
		refuse(house, message->tag, REFUSAL_PORTS);
		return;
	}
	house_close_port(house);
	house->shared_fd = listen_at(house, true, &address);
	house->shared_tag = message->tag;
	house->shared_session = body->session;
	event_assign(&house->knock, house->base, house->shared_fd, EV_READ | EV_PERSIST, on_knock,
		house);
	ensure(event_add(&house->knock, NULL) == 0);
	struct gate_port port = { .number = ntohs(address.v6.sin6_port) };
	channel_lost(gate_post_port(house->supervisor, message->tag, &port));
}

static void
on_leave_port(void *owner, struct message *message, const struct gate_leave_port *body)
{
	struct house *house = owner;
	(void)message;
	ensure(body->session == house->shared_session || house->shared_fd == 0);
	house->ports_left++;
	house_close_port(house);
}

void
house_intrude(struct house *house, bool is_of_last)
{
	struct gate_arrived arrived = { .session = house->shared_session };
	SCOPE_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	uint32_t tag = is_of_last ? house->shared_tag : house->shared_tag + (1u << 20);
	channel_lost(gate_post_arrived_with(house->supervisor, tag, &arrived, fd));
}

static void
on_connect_active(void *owner, struct message *message, const struct gate_connect_active *body)
{
	struct house *house = owner;
	struct sockaddr_in peer = {
		.sin_family = AF_INET,
		.sin_port = htons(body->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	SCOPE_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ensure(fd >= 0);
	if (connect(fd, (struct sockaddr *)&peer, sizeof(peer)) < 0 && errno != EINPROGRESS) {
		refuse(house, message->tag, REFUSAL_NONE);
		return;
	}
	struct gate_connecting connecting = { 0 };
	channel_lost(gate_post_connecting_with(house->supervisor, message->tag, &connecting, fd));
}

/* ---- what it only hears ---- */

static void
on_session_closed(void *owner, struct message *message, const struct gate_session_closed *body)
{
	struct house *house = owner;
	(void)message;
	(void)body;
	house->closed_sessions++;
}

static void
on_complain(void *owner, struct message *message, const struct gate_complain *body)
{
	struct house *house = owner;
	(void)message;
	(void)body;
	house->complaints++;
}

#define IGNORED(name)                                                                 \
	static void on_##name##_ignored(                                              \
		void *owner, struct message *message, const struct gate_##name *body) \
	{                                                                             \
		(void)owner;                                                          \
		(void)message;                                                        \
		(void)body;                                                           \
	}
IGNORED(violation)
IGNORED(ready)
IGNORED(failed)
IGNORED(pong)
IGNORED(want_auth)
IGNORED(want_keys)

static const struct gate_handlers supervisor_handlers = {
	.violation = on_violation_ignored,
	.ready = on_ready_ignored,
	.failed = on_failed_ignored,
	.pong = on_pong_ignored,
	.want_auth = on_want_auth_ignored,
	.want_keys = on_want_keys_ignored,
	.attach = on_attach,
	.reattach = on_reattach,
	.session_closed = on_session_closed,
	.complain = on_complain,
	.want_passive = on_want_passive,
	.want_port = on_want_port,
	.leave_port = on_leave_port,
	.connect_active = on_connect_active,
};

/* ---- the beginning ---- */

static int
stay_open(UNUSED bool required, UNUSED bool kernel_tls, char **report)
{
	*report = strdup("no cage");
	return 0;
}

/* The loopback network is all proxies. */
static void
send_proxies(struct house *house)
{
	char buffer[256];
	struct wire_list_builder builder = { .buffer = buffer, .capacity = sizeof(buffer) };
	const struct gate_network network = {
		.base = { .ip = { [10] = 0xff, 0xff, 127 } },
		.prefix = 104,
	};
	ensure(wire_list_add(&builder, &gate_network_record, &network) == 0);
	const struct gate_proxies proxies = { .networks = wire_list_built(&builder) };
	channel_lost(gate_post_proxies(house->supervisor, 0, &proxies));
}

static void
open_listener(struct house *house)
{
	struct address_socket address;
	SCOPE_FD int fd = listen_at(house, false, &address);
	const struct gate_listener listener = { .is_for_proxies = house->is_behind_proxy };
	memcpy(&house->address, &address.any, address.length);
	channel_lost(gate_post_listener_with(house->supervisor, 0, &listener, fd));
}

static void
tell_hosts(struct house *house)
{
	static const struct gate_host hosts[] = {
		{ .name = { "example.org", 11 }, .greeting = { "At the example.", 15 } },
		{ .name = { "b", 1 }, .greeting = { "B.", 2 } },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(hosts); i++)
		channel_lost(gate_post_host(house->supervisor, 0, &hosts[i]));
}

void
house_open_supervisor(struct house *house)
{
	int end = house_open_channel(
		house, &gate_messages, ROLE_SUPERVISOR, &supervisor_handlers, &house->supervisor);
	ensure(supervisor_connect(house->gateway, &end, stay_open) == 0);
	tell_hosts(house);
	channel_lost(gate_post_configure(house->supervisor, 0, &house->settings));
}

void
house_open_door(struct house *house)
{
	send_proxies(house);
	open_listener(house);
}
