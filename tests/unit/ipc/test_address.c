/*
 * Addresses (address.h): from the kernel's form and back, in words, compared, and read from real
 * sockets.
 */
#include "ipc/address.h"
#include "ipc/base/scope.h"
#include "tests/table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

struct form_row {
	const char *name; /* the address as inet_pton() reads it */
	int family;       /* in which the kernel gives it */
	uint16_t port;
	uint32_t scope;
	int want_family; /* in which the kernel wants it back */
	const char *want_text;
};

static const struct form_row form_rows[] = {
	{ "192.0.2.7", AF_INET, 21, 0, AF_INET, "192.0.2.7:21" },
	{ "0.0.0.0", AF_INET, 0, 0, AF_INET, "0.0.0.0:0" },
	{ "255.255.255.255", AF_INET, 65535, 0, AF_INET, "255.255.255.255:65535" },
	{ "2001:db8::7", AF_INET6, 21, 0, AF_INET6, "[2001:db8::7]:21" },
	{ "::", AF_INET6, 0, 0, AF_INET6, "[::]:0" },
	{ "::1", AF_INET6, 65535, 0, AF_INET6, "[::1]:65535" },
	{ "fe80::7", AF_INET6, 21, 3, AF_INET6, "[fe80::7%3]:21" },
	{ "::ffff:192.0.2.7", AF_INET6, 21, 0, AF_INET, "192.0.2.7:21" },
	{ "::192.0.2.7", AF_INET6, 21, 0, AF_INET6, "[::192.0.2.7]:21" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", AF_INET6, 65535, UINT32_MAX, AF_INET6,
		"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535" },
};

static struct address_socket
socket_form(const struct form_row *row)
{
	struct address_socket form = { .length = sizeof(form.v4) };
	if (row->family == AF_INET) {
		form.v4.sin_family = AF_INET;
		form.v4.sin_port = htons(row->port);
		assert_int_equal(inet_pton(AF_INET, row->name, &form.v4.sin_addr), 1);
		return form;
	}
	form.length = sizeof(form.v6);
	form.v6 = (struct sockaddr_in6){
		.sin6_family = AF_INET6,
		.sin6_port = htons(row->port),
		.sin6_scope_id = row->scope,
	};
	assert_int_equal(inet_pton(AF_INET6, row->name, &form.v6.sin6_addr), 1);
	return form;
}

static void
check_form(void **state)
{
	const struct form_row *row = *state;
	struct address_socket form = socket_form(row);
	struct wire_address address;
	struct address_socket back;
	char text[ADDRESS_TEXT_BYTES];
	assert_int_equal(address_from_socket(&form, &address), 0);
	assert_string_equal(address_text(&address, text), row->want_text);
	assert_int_equal(address.port, row->port);
	memset(&back, 0xa5, sizeof(back));
	address_to_socket(&address, &back);
	assert_int_equal(back.any.sa_family, row->want_family);
	if (row->family == row->want_family) {
		assert_int_equal(back.length, form.length);
		assert_memory_equal(&back.any, &form.any, form.length);
	}
}

static void
check_foreign_family(UNUSED void **state)
{
	struct wire_address address = { .port = 77 };
	struct address_socket local = { .length = sizeof(sa_family_t) };
	local.any.sa_family = AF_UNIX;
	assert_int_equal(address_from_socket(&local, &address), -EAFNOSUPPORT);
	assert_int_equal(address.port, 77);
}

struct host_row {
	const char *name;
	struct form_row a, b;
	bool want;
};

#define V4(text, port)                          \
	{                                       \
		text, AF_INET, port, 0, 0, NULL \
	}
#define V6(text, port, scope)                        \
	{                                            \
		text, AF_INET6, port, scope, 0, NULL \
	}

static const struct host_row host_rows[] = {
	{ "the same", V4("192.0.2.7", 21), V4("192.0.2.7", 21), true },
	{ "another port", V4("192.0.2.7", 21), V4("192.0.2.7", 4711), true },
	{ "another host", V4("192.0.2.7", 21), V4("192.0.2.8", 21), false },
	{ "mapped", V4("192.0.2.7", 21), V6("::ffff:192.0.2.7", 21, 0), true },
	{ "compatible is not mapped", V4("192.0.2.7", 21), V6("::192.0.2.7", 21, 0), false },
	{ "IPv6", V6("2001:db8::7", 1, 0), V6("2001:db8::7", 2, 0), true },
	{ "another IPv6 host", V6("2001:db8::7", 1, 0), V6("2001:db8::8", 1, 0), false },
	{ "the same name on another link", V6("fe80::7", 1, 2), V6("fe80::7", 1, 3), false },
	{ "loopback of two families", V4("127.0.0.1", 1), V6("::1", 1, 0), false },
};

static void
check_same_host(void **state)
{
	const struct host_row *row = *state;
	struct address_socket forms[] = { socket_form(&row->a), socket_form(&row->b) };
	struct wire_address a, b;
	assert_int_equal(address_from_socket(&forms[0], &a), 0);
	assert_int_equal(address_from_socket(&forms[1], &b), 0);
	assert_int_equal(address_is_same_host(&a, &b), row->want);
	assert_int_equal(address_is_same_host(&b, &a), row->want);
}

struct within_row {
	const char *name;
	const char *network; /* v4-mapped where it is of IPv4 */
	unsigned prefix_bits;
	const char *address;
	bool want;
};

static const struct within_row within_rows[] = {
	{ "the first of a network", "::ffff:10.0.0.0", 104, "::ffff:10.0.0.0", true },
	{ "the last of a network", "::ffff:10.0.0.0", 104, "::ffff:10.255.255.255", true },
	{ "the one before", "::ffff:10.0.0.0", 104, "::ffff:9.255.255.255", false },
	{ "the one behind", "::ffff:10.0.0.0", 104, "::ffff:11.0.0.0", false },
	{ "in a prefix of odd bits", "::ffff:10.0.0.64", 123, "::ffff:10.0.0.95", true },
	{ "behind a prefix of odd bits", "::ffff:10.0.0.64", 123, "::ffff:10.0.0.96", false },
	{ "one address", "::ffff:10.0.0.1", 128, "::ffff:10.0.0.1", true },
	{ "another address", "::ffff:10.0.0.1", 128, "::ffff:10.0.0.0", false },
	{ "all of IPv4", "::ffff:0.0.0.0", 96, "::ffff:192.0.2.1", true },
	{ "all of IPv4 holds no IPv6", "::ffff:0.0.0.0", 96, "2001:db8::1", false },
	{ "all of IPv6", "::", 0, "2001:db8::1", true },
	{ "all of IPv6 holds no IPv4", "::", 0, "::ffff:192.0.2.1", false },
	{ "in a network of IPv6", "2001:db8:8000::", 33, "2001:db8:ffff::1", true },
	{ "outside a network of IPv6", "2001:db8:8000::", 33, "2001:db8:7fff::1", false },
};

static void
check_within(void **state)
{
	const struct within_row *row = *state;
	struct wire_address network = { .port = 0 }, address = { .port = 21, .scope = 3 };
	assert_int_equal(inet_pton(AF_INET6, row->network, network.ip), 1);
	assert_int_equal(inet_pton(AF_INET6, row->address, address.ip), 1);
	assert_int_equal(address_is_within(&address, network.ip, row->prefix_bits), row->want);
}

/* ---- real sockets ---- */

static void
check_connection(const char *text, int family)
{
	const struct form_row any_port = { text, family, 0, 0, 0, NULL };
	struct address_socket form = socket_form(&any_port);
	SCOPE_FD int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	SCOPE_FD int client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(listener >= 0 && client >= 0);
	if (bind(listener, &form.any, form.length) < 0 && errno == EADDRNOTAVAIL)
		case_skip("an IPv6 loopback address");
	assert_int_equal(listen(listener, 1), 0);
	struct wire_address listening, local, peer;
	assert_int_equal(address_of_local(listener, &listening), 0);
	assert_int_not_equal(listening.port, 0);
	assert_int_equal(address_of_peer(listener, &peer), -ENOTCONN);

	address_to_socket(&listening, &form);
	assert_int_equal(connect(client, &form.any, form.length), 0);
	SCOPE_FD int served = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(served >= 0);
	assert_int_equal(address_of_peer(client, &peer), 0);
	assert_memory_equal(&peer, &listening, sizeof(peer));
	assert_int_equal(address_of_local(client, &local), 0);
	assert_int_equal(address_of_peer(served, &peer), 0);
	assert_memory_equal(&peer, &local, sizeof(peer));
	assert_true(address_is_same_host(&local, &listening));
}

static void
check_v4_connection(UNUSED void **state)
{
	check_connection("127.0.0.1", AF_INET);
}

static void
check_v6_connection(UNUSED void **state)
{
	check_connection("::1", AF_INET6);
}

static void
check_no_tcp(UNUSED void **state)
{
	int ends[2];
	struct wire_address address;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(address_of_peer(ends[0], &address), -EAFNOSUPPORT);
	assert_int_equal(address_of_local(ends[0], &address), -EAFNOSUPPORT);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(address_of_peer(ends[0], &address), -EBADF);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("form", form_rows, check_form),
		CASE("of another family", check_foreign_family),
		TABLE("same host", host_rows, check_same_host),
		TABLE("within", within_rows, check_within),
		CASE("an IPv4 connection", check_v4_connection),
		CASE("an IPv6 connection", check_v6_connection),
		CASE("no TCP socket", check_no_tcp),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
