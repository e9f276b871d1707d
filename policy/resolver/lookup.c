/*
 * Looking a name up (see lookup.h). Runs in the resolver. Whoever answers may be a stranger: what
 * comes out is an address or none.
 */
#include "policy/resolver/lookup.h"

#include "ipc/address.h"

#include <netdb.h>

static struct wire_address
address_of(const struct addrinfo *found)
{
	struct address_socket name = { .length = sizeof(name.v4) };
	struct wire_address address = { .port = 0 };
	memcpy(&name.v4, found->ai_addr, sizeof(name.v4));
	if (address_from_socket(&name, &address) < 0)
		return (struct wire_address){ .port = 0 };
	return address;
}

/* The known one among them, or the first: a name with many addresses keeps the one it has. */
static void
choose(const struct addrinfo *list, const struct wire_address *known, struct wire_address *result)
{
	*result = address_of(list);
	for (; list != NULL; list = list->ai_next) {
		struct wire_address address = address_of(list);
		if (address_is_same_host(&address, known))
			*result = address;
	}
}

const char *
lookup_host(const char *host, const struct wire_address *known, struct wire_address *result)
{
	const struct addrinfo wanted = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	int error = getaddrinfo(host, NULL, &wanted, &list);
	if (error != 0)
		return gai_strerror(error);
	choose(list, known, result);
	freeaddrinfo(list);
	return NULL;
}
