/*
 * Virtual hosts by address and by name (hosts.h): the most exact listener decides, names in any
 * case, and what is no name at all is told from one that nobody has.
 */
#include "gateway/hosts.h"
#include "ipc/address.h"
#include "tests/table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct wire_address
address_of(const char *ip, uint16_t port)
{
	struct address_socket socket = { .v4 = { .sin_family = AF_INET } };
	struct wire_address result;
	if (inet_pton(AF_INET, ip, &socket.v4.sin_addr) != 1) {
		socket = (struct address_socket){ .v6 = { .sin6_family = AF_INET6 } };
		assert_int_equal(inet_pton(AF_INET6, ip, &socket.v6.sin6_addr), 1);
	}
	assert_int_equal(address_from_socket(&socket, &result), 0);
	result.port = port;
	return result;
}

static void
add(struct hosts *hosts, const char *name, const char *ip, uint16_t port)
{
	char buffer[64];
	struct wire_list_builder builder = { .buffer = buffer, .capacity = sizeof(buffer) };
	struct gate_address address;
	if (ip != NULL) {
		address.address = address_of(ip, port);
		assert_int_equal(wire_list_add(&builder, &gate_address_record, &address), 0);
	}
	const struct gate_host told = {
		.name = bytes_of_text(name),
		.greeting = bytes_of_text(name),
		.addresses = wire_list_built(&builder),
	};
	assert_int_equal(hosts_add(hosts, &told), 0);
}

static struct hosts
some_hosts(void)
{
	struct hosts hosts = { .first = NULL };
	assert_int_equal(hosts_set_server(&hosts, bytes_of_text("server")), 0);
	add(&hosts, "exact.example", "192.0.2.7", 21);
	add(&hosts, "port.example", "0.0.0.0", 2121);
	add(&hosts, "six.example", "2001:db8::7", 21);
	add(&hosts, "six-port.example", "::", 2122);
	add(&hosts, "named.example", NULL, 0);
	return hosts;
}

static const struct at_row {
	const char *name;
	const char *ip;
	uint16_t port;
	const char *want;
} at_rows[] = {
	{ "its address", "192.0.2.7", 21, "exact.example" },
	{ "its address at another port", "192.0.2.7", 22, "" },
	{ "another address", "192.0.2.8", 21, "" },
	{ "any address of a port", "192.0.2.8", 2121, "port.example" },
	{ "IPv6", "2001:db8::7", 21, "six.example" },
	{ "another one", "2001:db8::8", 21, "" },
	{ "any IPv4 address is no IPv6 address", "2001:db8::7", 2121, "" },
	{ "any IPv6 address of a port", "2001:db8::7", 2122, "six-port.example" },
	{ "any IPv6 address is no IPv4 address", "192.0.2.7", 2122, "" },
};

static void
check_at(void **state)
{
	const struct at_row *row = *state;
	struct hosts hosts = some_hosts();
	struct wire_address local = address_of(row->ip, row->port);
	assert_true(bytes_equal_text(host_name(hosts_at(&hosts, &local)), row->want));
	hosts_free(&hosts);
}

/* The exact address wins, whichever of the two comes first. */
static void
check_exact_first(void **state)
{
	(void)state;
	struct wire_address local = address_of("192.0.2.7", 21);
	for (int turn = 0; turn < 2; turn++) {
		struct hosts hosts = { .first = NULL };
		add(&hosts, turn == 0 ? "exact" : "any", turn == 0 ? "192.0.2.7" : "0.0.0.0", 21);
		add(&hosts, turn == 1 ? "exact" : "any", turn == 1 ? "192.0.2.7" : "0.0.0.0", 21);
		assert_true(bytes_equal_text(host_name(hosts_at(&hosts, &local)), "exact"));
		hosts_free(&hosts);
	}
}

static const struct find_row {
	const char *name;
	const char *asked;
	int want_result;
	const char *want;
} find_rows[] = {
	{ "a name", "named.example", 0, "named.example" },
	{ "in any case", "NAMED.Example", 0, "named.example" },
	{ "nobody's", "other.example", -ENOENT, NULL },
	{ "a part of one", "named", -ENOENT, NULL },
	{ "with a final dot", "named.example.", -ENOENT, NULL },
	{ "the address that was reached", "192.0.2.7", 0, "exact.example" },
	{ "another address", "192.0.2.8", -ENOENT, NULL },
	{ "an address of the other family", "[2001:db8::7]", -ENOENT, NULL },
	{ "mapped", "[::ffff:192.0.2.7]", 0, "exact.example" },
	{ "IPv6 without brackets", "2001:db8::7", -EINVAL, NULL },
	{ "brackets around a name", "[named.example]", -EINVAL, NULL },
	{ "brackets around nothing", "[]", -EINVAL, NULL },
	{ "one bracket", "[::1", -EINVAL, NULL },
	{ "a port", "named.example:21", -EINVAL, NULL },
	{ "a blank", "named example", -EINVAL, NULL },
	{ "a slash", "../named.example", -EINVAL, NULL },
	{ "a percent sign", "%n%s", -EINVAL, NULL },
	{ "high bytes", "n\xc3\xa4med", -EINVAL, NULL },
	{ "nothing", "", -EINVAL, NULL },
};

static void
check_find(void **state)
{
	const struct find_row *row = *state;
	struct hosts hosts = some_hosts();
	struct wire_address local = address_of("192.0.2.7", 21);
	const struct host *found = hosts.server;
	assert_int_equal(
		hosts_find(&hosts, bytes_of_text(row->asked), &local, &found), row->want_result);
	assert_true(bytes_equal_text(host_name(found), row->want == NULL ? "" : row->want));
	assert_string_equal(host_greeting(found), row->want == NULL ? "server" : row->want);
	hosts_free(&hosts);
}

static void
check_length(void **state)
{
	(void)state;
	char name[255];
	struct hosts hosts = some_hosts();
	struct wire_address local = address_of("192.0.2.7", 21);
	const struct host *found;
	memset(name, 'a', sizeof(name));
	assert_int_equal(hosts_find(&hosts, bytes_of(name, 253), &local, &found), -ENOENT);
	assert_int_equal(hosts_find(&hosts, bytes_of(name, 254), &local, &found), -EINVAL);
	hosts_free(&hosts);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("at", at_rows, check_at),
		CASE("the exact address first", check_exact_first),
		TABLE("find", find_rows, check_find),
		CASE("longest name", check_length),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
