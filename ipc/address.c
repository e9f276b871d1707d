/*
 * Addresses (see address.h). Runs in the supervisor, the gateway and the worker; works on what the
 * kernel says, never on a peer's words.
 */
#include "ipc/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

bool
address_is_none(const struct wire_address *address)
{
	static const uint8_t zero[sizeof(address->ip)];
	return memcmp(address->ip, zero, sizeof(zero)) == 0 && address->port == 0;
}

bool
address_is_v4(const struct wire_address *address)
{
	return memcmp(address->ip, v4_mapped, sizeof(v4_mapped)) == 0;
}

int
address_from_socket(const struct address_socket *from, struct wire_address *result)
{
	switch (from->any.sa_family) {
	case AF_INET:
		*result = (struct wire_address){ .port = ntohs(from->v4.sin_port) };
		memcpy(result->ip, v4_mapped, sizeof(v4_mapped));
		memcpy(result->ip + sizeof(v4_mapped), &from->v4.sin_addr,
			sizeof(from->v4.sin_addr));
		return 0;
	case AF_INET6:
		*result = (struct wire_address){ .port = ntohs(from->v6.sin6_port),
			.scope = from->v6.sin6_scope_id };
		memcpy(result->ip, &from->v6.sin6_addr, sizeof(result->ip));
		return 0;
	default:
		return -EAFNOSUPPORT;
	}
}

void
address_to_socket(const struct wire_address *from, struct address_socket *result)
{
	*result = (struct address_socket){ .length = sizeof(result->v6) };
	if (address_is_v4(from)) {
		result->length = sizeof(result->v4);
		result->v4.sin_family = AF_INET;
		result->v4.sin_port = htons(from->port);
		memcpy(&result->v4.sin_addr, from->ip + sizeof(v4_mapped),
			sizeof(result->v4.sin_addr));
		return;
	}
	result->v6.sin6_family = AF_INET6;
	result->v6.sin6_port = htons(from->port);
	result->v6.sin6_scope_id = from->scope;
	memcpy(&result->v6.sin6_addr, from->ip, sizeof(from->ip));
}

int
address_of_peer(int fd, struct wire_address *result)
{
	struct address_socket name = { .length = sizeof(name.v6) };
	if (getpeername(fd, &name.any, &name.length) < 0)
		return -errno;
	return address_from_socket(&name, result);
}

int
address_of_local(int fd, struct wire_address *result)
{
	struct address_socket name = { .length = sizeof(name.v6) };
	if (getsockname(fd, &name.any, &name.length) < 0)
		return -errno;
	return address_from_socket(&name, result);
}

bool
address_is_same_host(const struct wire_address *a, const struct wire_address *b)
{
	return memcmp(a->ip, b->ip, sizeof(a->ip)) == 0 && a->scope == b->scope;
}

bool
address_is_within(
	const struct wire_address *address, const uint8_t network[16], unsigned prefix_bits)
{
	unsigned whole = prefix_bits / 8;
	unsigned rest = prefix_bits % 8;
	bool is_v4 = prefix_bits >= 8 * sizeof(v4_mapped) &&
		     memcmp(network, v4_mapped, sizeof(v4_mapped)) == 0;
	if (is_v4 != address_is_v4(address) || memcmp(address->ip, network, whole) != 0)
		return false;
	return rest == 0 || (address->ip[whole] ^ network[whole]) >> (8 - rest) == 0;
}

const char *
address_text(const struct wire_address *address, char text[ADDRESS_TEXT_BYTES])
{
	char ip[INET6_ADDRSTRLEN] = "?";
	char scope[16] = "";
	bool v4 = address_is_v4(address);
	if (v4)
		inet_ntop(AF_INET, address->ip + sizeof(v4_mapped), ip, sizeof(ip));
	else
		inet_ntop(AF_INET6, address->ip, ip, sizeof(ip));
	if (address->scope != 0)
		snprintf(scope, sizeof(scope), "%%%u", address->scope);
	snprintf(text, ADDRESS_TEXT_BYTES, v4 ? "%s%s:%u" : "[%s%s]:%u", ip, scope, address->port);
	return text;
}
