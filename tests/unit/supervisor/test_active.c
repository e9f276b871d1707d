/*
 * Connections of active mode go from the control connection's own address to its peer's, and to no
 * port below 1024 (active.h).
 */
#include "ipc/base/scope.h"
#include "ipc/descriptor.h"
#include "policy/supervisor/active.h"
#include "tests/table.h"

#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

struct active_row {
	const char *name;
	const char *local, *peer;
	uint16_t source_port;
};

static const struct active_row active_rows[] = {
	{ "IPv4", "127.0.0.1", "127.0.0.1", 0 },
	{ "IPv4 from another own address", "127.0.0.3", "127.0.0.2", 0 },
	{ "IPv6", "::1", "::1", 0 },
	{ "IPv4 from a port of its own", "127.0.0.1", "127.0.0.1", 9430 },
	{ "IPv6 from a port of its own", "::1", "::1", 9430 },
};

static struct wire_address
address_of(const char *text, uint16_t port)
{
	struct wire_address address = { .port = port };
	struct address_socket name = { .v4 = { .sin_family = AF_INET } };
	if (inet_pton(AF_INET6, text, address.ip) == 1)
		return address;
	assert_int_equal(inet_pton(AF_INET, text, &name.v4.sin_addr), 1);
	assert_int_equal(address_from_socket(&name, &address), 0);
	address.port = port;
	return address;
}

/* A listener at that address on a port that the kernel chooses. */
static int
listen_at(const char *text, uint16_t *port)
{
	struct wire_address address = address_of(text, 0);
	struct address_socket name;
	address_to_socket(&address, &name);
	SCOPE_FD int fd = socket(name.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, &name.any, name.length) < 0)
		case_skip("IPv6");
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(address_of_local(fd, &address), 0);
	*port = address.port;
	return fd_take(&fd);
}

static void
check_active(void **state)
{
	const struct active_row *row = *state;
	uint16_t port = 0;
	SCOPE_FD UNUSED int listener = listen_at(row->peer, &port);
	/* Their ports are those of the control connection and play no part. */
	struct wire_address local = address_of(row->local, 21), peer = address_of(row->peer, 5);
	SCOPE_FD int fd = active_connect(&local, &peer, port, row->source_port);
	assert_true(fd >= 0);
	assert_int_equal(descriptor_check(fd, DESCRIPTOR_DATA), 0);
	struct pollfd arrival = { .fd = listener, .events = POLLIN };
	assert_int_equal(poll(&arrival, 1, 10000), 1);
	SCOPE_FD int accepted = accept(listener, NULL, NULL);
	struct wire_address seen;
	assert_int_equal(address_of_peer(accepted, &seen), 0);
	assert_true(address_is_same_host(&seen, &local));
	assert_int_not_equal(seen.port, 21);
	if (row->source_port == 0)
		return;
	assert_int_equal(seen.port, row->source_port);
	/* The next one leaves from there while this one is in use. */
	uint16_t other_port = 0;
	SCOPE_FD UNUSED int other_listener = listen_at(row->peer, &other_port);
	SCOPE_FD int other = active_connect(&local, &peer, other_port, row->source_port);
	assert_true(other >= 0);
}

/* A port that somebody listens on, and one that only root may bind. */
static void
check_source(void **state)
{
	uint16_t taken = 0;
	(void)state;
	SCOPE_FD UNUSED int listener = listen_at("127.0.0.1", &taken);
	assert_int_equal(active_check_source(0), 0);
	assert_int_equal(active_check_source(9431), 0);
	assert_int_equal(active_check_source(taken), -EADDRINUSE);
}

struct refused_row {
	const char *name;
	const char *local, *peer;
	uint16_t port;
	int want;
};

static const struct refused_row refused_rows[] = {
	{ "port 0", "127.0.0.1", "127.0.0.1", 0, -EPERM },
	{ "port 21", "127.0.0.1", "127.0.0.1", 21, -EPERM },
	{ "port 1023", "127.0.0.1", "127.0.0.1", 1023, -EPERM },
	{ "from an address that is not ours", "192.0.2.1", "127.0.0.1", 4000, -EADDRNOTAVAIL },
};

static void
check_refused(void **state)
{
	const struct refused_row *row = *state;
	struct wire_address local = address_of(row->local, 21), peer = address_of(row->peer, 4000);
	assert_int_equal(active_connect(&local, &peer, row->port, 0), row->want);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("active", active_rows, check_active),
		TABLE("refused", refused_rows, check_refused),
		CASE("the source port is free, or it is told", check_source),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
