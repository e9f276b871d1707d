/*
 * Passive listeners: every port of the range once a round, in no order, and refused when there is
 * none left (passive.h).
 */
#include "ipc/address.h"
#include "ipc/base/scope.h"
#include "ipc/descriptor.h"
#include "policy/supervisor/passive.h"
#include "policy/supervisor/supervisor.h"
#include "tests/table.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

static uint64_t now_ms = 1000000;

uint64_t
supervisor_now_ms(void)
{
	return now_ms;
}

struct range_row {
	const char *name;
	uint16_t first, last;
};

static const struct range_row range_rows[] = {
	{ "one port", 40000, 40000 },
	{ "two ports", 40000, 40001 },
	{ "the default range", 20000, 29999 },
	{ "to the last port", 65000, 65535 },
	{ "all that there are", 1024, 65535 },
};

static void
check_range(void **state)
{
	const struct range_row *row = *state;
	static bool seen[65536];
	struct passive *passive = NULL;
	uint32_t count = row->last - row->first + 1u;
	assert_int_equal(passive_new(row->first, row->last, &passive), 0);
	for (int round = 0; round < 3; round++) {
		memset(seen, 0, sizeof(seen));
		for (uint32_t i = 0; i < count; i++) {
			uint16_t port = passive_next_port(passive);
			assert_in_range(port, row->first, row->last);
			assert_false(seen[port]);
			seen[port] = true;
		}
	}
	passive_free(&passive);
	assert_null(passive);
}

/* HOSTILE 3: among 500 ports, neighbours are rare, and two rounds have nothing in common. */
static void
check_order(void **state)
{
	enum { PORTS = 500 };
	uint16_t ports[2][PORTS];
	int neighbours = 0, repeats = 0;
	struct passive *passive = NULL;
	(void)state;
	assert_int_equal(passive_new(30000, 30000 + PORTS - 1, &passive), 0);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < PORTS; i++)
			ports[round][i] = passive_next_port(passive);
	for (int i = 1; i < PORTS; i++) {
		neighbours += abs(ports[0][i] - ports[0][i - 1]) == 1;
		repeats += ports[0][i] == ports[1][i];
	}
	assert_in_range(neighbours, 0, 25);
	assert_in_range(repeats, 0, 25);
	passive_free(&passive);
}

static void
check_used_up(void **state)
{
	struct passive *passive = NULL;
	uint16_t port = 0, other = 0;
	(void)state;
	assert_int_equal(passive_new(9417, 9418, &passive), 0);
	SCOPE_FD int one = passive_listen(passive, &port);
	SCOPE_FD int two = passive_listen(passive, &other);
	assert_true(one >= 0 && two >= 0);
	assert_int_not_equal(port, other);
	assert_int_equal(passive_listen(passive, &other), -EADDRINUSE);
	fd_close(&two);
	two = passive_listen(passive, &other);
	assert_true(two >= 0);
	passive_free(&passive);
}

/* All ports but one are held, and that one is asked for and given back without end. */
static void
check_search_is_bounded(void **state)
{
	enum { PORTS = 64, REQUESTS = 10000, TAKEN_PER_SECOND = 4096 };
	struct passive *passive = NULL;
	int held[PORTS - 1], found = 0;
	uint16_t port = 0;
	(void)state;
	assert_int_equal(passive_new(9450, 9450 + PORTS - 1, &passive), 0);
	for (int i = 0; i < PORTS - 1; i++) {
		held[i] = passive_listen(passive, &port);
		assert_true(held[i] >= 0);
	}
	now_ms += 1000;
	for (int i = 0; i < REQUESTS; i++) {
		SCOPE_FD int fd = passive_listen(passive, &port);
		assert_true(fd >= 0 || fd == -EADDRINUSE);
		found += fd >= 0;
	}
	/* Each round of the ports finds it once, after 63 others. */
	assert_in_range(
		found, TAKEN_PER_SECOND / (PORTS - 1) - 1, TAKEN_PER_SECOND / (PORTS - 1) + 2);
	now_ms += 1000;
	SCOPE_FD int again = passive_listen(passive, &port);
	assert_true(again >= 0);
	for (int i = 0; i < PORTS - 1; i++)
		fd_close(&held[i]);
	passive_free(&passive);
}

static int
connect_to(int family, uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback
	};
	SCOPE_FD int fd = socket(family, SOCK_STREAM, 0);
	int result = family == AF_INET ? connect(fd, (struct sockaddr *)&v4, sizeof(v4))
				       : connect(fd, (struct sockaddr *)&v6, sizeof(v6));
	return result < 0 ? -errno : 0;
}

static void
check_listener(void **state)
{
	struct passive *passive = NULL;
	uint16_t port = 0;
	int shared = 1;
	socklen_t length = sizeof(shared);
	(void)state;
	assert_int_equal(passive_new(9400, 9410, &passive), 0);
	SCOPE_FD int fd = passive_listen(passive, &port);
	assert_int_equal(descriptor_check(fd, DESCRIPTOR_LISTENER), 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &shared, &length), 0);
	assert_int_equal(shared, 0);
	assert_int_equal(connect_to(AF_INET, port), 0);
	SCOPE_FD int without_ipv6 = socket(AF_INET6, SOCK_STREAM, 0);
	if (without_ipv6 >= 0)
		assert_int_equal(connect_to(AF_INET6, port), 0);
	passive_free(&passive);
}

static struct {
	struct wire_address peer, local;
	int count;
} knocks;

static void
on_knock(void *owner, const struct wire_address *peer, const struct wire_address *local, int fd)
{
	assert_ptr_equal(owner, &knocks);
	assert_int_equal(descriptor_check(fd, DESCRIPTOR_DATA), 0);
	knocks.peer = *peer;
	knocks.local = *local;
	knocks.count++;
}

static void
check_shared(void **state)
{
	struct passive *passive = NULL;
	struct event_base *base = event_base_new();
	struct sockaddr_in taken = { .sin_family = AF_INET,
		.sin_port = htons(9441),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	(void)state;
	SCOPE_FD int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(other, (struct sockaddr *)&taken, sizeof(taken)), 0);
	assert_int_equal(listen(other, 1), 0);
	assert_int_equal(passive_new(9440, 9442, &passive), 0);
	assert_int_equal(passive_share(passive, base, on_knock, &knocks), 2);
	assert_false(passive_serve(passive, 9441));
	assert_true(passive_serve(passive, 9442));
	assert_int_equal(knocks.count, 0);
	assert_int_equal(connect_to(AF_INET, 9442), 0);
	assert_true(passive_serve(passive, 9440));
	assert_int_equal(knocks.count, 0);
	assert_true(passive_serve(passive, 9442));
	assert_int_equal(knocks.count, 1);
	assert_int_equal(knocks.local.port, 9442);
	assert_true(address_is_v4(&knocks.peer) && address_is_v4(&knocks.local));
	assert_int_equal(connect_to(AF_INET, 9440), 0);
	assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	assert_int_equal(knocks.count, 2);
	assert_int_equal(knocks.local.port, 9440);
	passive_free(&passive);
	event_base_free(base);
}

static void
check_none_to_share(void **state)
{
	struct passive *passive = NULL;
	struct event_base *base = event_base_new();
	uint16_t port;
	(void)state;
	assert_int_equal(passive_new(9443, 9443, &passive), 0);
	SCOPE_FD int other = passive_listen(passive, &port);
	assert_true(other >= 0);
	assert_int_equal(passive_share(passive, base, on_knock, &knocks), -EADDRINUSE);
	passive_free(&passive);
	event_base_free(base);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("each port once a round", range_rows, check_range),
		CASE("no order", check_order),
		CASE("used up", check_used_up),
		CASE("a search costs so much in a second, and no more", check_search_is_bounded),
		CASE("a listener of its own for both families", check_listener),
		CASE("shared: who comes is told of, at which port and from where", check_shared),
		CASE("shared: none is free", check_none_to_share),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
