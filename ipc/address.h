/*
 * Addresses of TCP sockets as messages carry them (struct wire_address: IPv4 is v4-mapped) and as
 * the kernel wants them. Makes getpeername(2) and getsockname(2) calls, nothing else.
 */
#ifndef SALLYPORT_IPC_ADDRESS_H
#define SALLYPORT_IPC_ADDRESS_H

#include "ipc/wire.h"

#include <netinet/in.h>

enum { ADDRESS_TEXT_BYTES = 80 }; /* "[ipv6%scope]:port" and its NUL */

/* The kernel's form; an IPv4 address is AF_INET. */
struct address_socket {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t length;
};

/* 0 or -EAFNOSUPPORT; *result is untouched then. */
MUST_CHECK int address_from_socket(const struct address_socket *from, struct wire_address *result);

/* A v4-mapped address becomes AF_INET, everything else AF_INET6. */
void address_to_socket(const struct wire_address *from, struct address_socket *result);

/* The addresses of a connected socket: 0, -ENOTCONN (the peer has left), or another errno. */
MUST_CHECK int address_of_peer(int fd, struct wire_address *result);
MUST_CHECK int address_of_local(int fd, struct wire_address *result);

/* Ports aside, after v4-mapped forms became one (they are never anything else here). */
bool address_is_same_host(const struct wire_address *a, const struct wire_address *b);

/* All zero: stands for none. */
bool address_is_none(const struct wire_address *address);

bool address_is_v4(const struct wire_address *address);

/*
 * Does the address begin with that many bits of the network? That of IPv4 is v4-mapped and has a
 * prefix of 96 bits and more; a network of IPv6, be it all of it, holds no IPv4 address.
 */
bool address_is_within(
	const struct wire_address *address, const uint8_t network[16], unsigned prefix_bits);

/* "192.0.2.7:21" or "[2001:db8::7]:21". Returns `text`. */
const char *address_text(const struct wire_address *address, char text[ADDRESS_TEXT_BYTES]);

#endif
