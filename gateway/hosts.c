/*
 * Virtual hosts (see hosts.h). Runs in the gateway. The hosts are the supervisor's, the names that
 * are asked for the client's.
 */
#include "gateway/hosts.h"

#include "ipc/address.h"
#include "ipc/base/scope.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <strings.h>

enum { NAME_BYTES_MAX_OF_HOST = 253 }; /* as gate.def says */

struct host {
	struct host *next;
	char *name;
	char *greeting;
	size_t address_count;
	struct wire_address addresses[];
};

/* ---- life ---- */

static void
free_host(struct host **host)
{
	struct host *freed = *host;
	*host = NULL;
	if (freed == NULL)
		return;
	free(freed->name);
	free(freed->greeting);
	free(freed);
}

static struct host *
new_host(struct bytes name, struct bytes greeting, size_t address_count)
{
	struct host *host = calloc(1, sizeof(*host) + address_count * sizeof(host->addresses[0]));
	if (host == NULL)
		return NULL;
	host->name = bytes_copy_text(name);
	host->greeting = bytes_copy_text(greeting);
	if (host->name == NULL || host->greeting == NULL)
		free_host(&host);
	return host;
}

int
hosts_set_server(struct hosts *hosts, struct bytes greeting)
{
	hosts->server = new_host(bytes_of_text(""), greeting, 0);
	return hosts->server == NULL ? -ENOMEM : 0;
}

int
hosts_add(struct hosts *hosts, const struct gate_host *told)
{
	struct wire_list addresses = told->addresses;
	struct gate_address address;
	struct host *host = new_host(told->name, told->greeting, addresses.count);
	if (host == NULL)
		return -ENOMEM;
	while (wire_list_next(&addresses, &gate_address_record, &address))
		host->addresses[host->address_count++] = address.address;
	host->next = hosts->first;
	hosts->first = host;
	return 0;
}

void
hosts_free(struct hosts *hosts)
{
	while (hosts->first != NULL) {
		struct host *host = hosts->first;
		hosts->first = host->next;
		free_host(&host);
	}
	free_host(&hosts->server);
}

struct bytes
host_name(const struct host *host)
{
	return bytes_of_text(host->name);
}

const char *
host_greeting(const struct host *host)
{
	return host->greeting;
}

/* ---- by address ---- */

/* 0.0.0.0 stands for all of IPv4, [::] for all else: their listeners are apart. */
static bool
is_any(const struct wire_address *address, bool is_v4)
{
	static const struct wire_address none;
	const size_t prefix = is_v4 ? 12 : 0; /* of a v4-mapped address */
	return address_is_v4(address) == is_v4 &&
	       memcmp(address->ip + prefix, none.ip, sizeof(none.ip) - prefix) == 0;
}

static const struct host *
find_by_address(const struct hosts *hosts, const struct wire_address *local, bool exact)
{
	bool is_v4 = address_is_v4(local);
	for (const struct host *host = hosts->first; host != NULL; host = host->next)
		for (size_t i = 0; i < host->address_count; i++) {
			const struct wire_address *own = &host->addresses[i];
			bool matches =
				exact ? address_is_same_host(own, local) : is_any(own, is_v4);
			if (own->port == local->port && matches)
				return host;
		}
	return NULL;
}

const struct host *
hosts_at(const struct hosts *hosts, const struct wire_address *local)
{
	const struct host *found = find_by_address(hosts, local, true);
	if (found == NULL)
		found = find_by_address(hosts, local, false);
	return found == NULL ? hosts->server : found;
}

/* ---- by name ---- */

/* 192.0.2.7 or [2001:db8::7]; the port of the result is 0. */
static bool
read_literal(const char *name, struct wire_address *result)
{
	struct address_socket socket = { .v4 = { .sin_family = AF_INET } };
	char inner[INET6_ADDRSTRLEN];
	size_t length = strlen(name);
	if (inet_pton(AF_INET, name, &socket.v4.sin_addr) == 1)
		return address_from_socket(&socket, result) == 0;
	if (length < 2 || length - 2 >= sizeof(inner) || name[0] != '[' || name[length - 1] != ']')
		return false;
	memcpy(inner, name + 1, length - 2);
	inner[length - 2] = '\0';
	socket = (struct address_socket){ .v6 = { .sin6_family = AF_INET6 } };
	return inet_pton(AF_INET6, inner, &socket.v6.sin6_addr) == 1 &&
	       address_from_socket(&socket, result) == 0;
}

/* No port, no blank, nothing but what names are made of. */
static bool
is_name(const char *name)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	return name[strspn(name, letters)] == '\0';
}

static const struct host *
find_by_name(const struct hosts *hosts, const char *name)
{
	const struct host *host = hosts->first;
	while (host != NULL && strcasecmp(host->name, name) != 0)
		host = host->next;
	return host;
}

int
hosts_find(const struct hosts *hosts, struct bytes name, const struct wire_address *local,
	const struct host **result)
{
	char text[NAME_BYTES_MAX_OF_HOST + 1];
	struct wire_address literal;
	if (name.length == 0 || name.length >= sizeof(text))
		return -EINVAL;
	memcpy(text, name.data, name.length);
	text[name.length] = '\0';
	const struct host *found = NULL;
	if (read_literal(text, &literal))
		found = address_is_same_host(&literal, local) ? hosts_at(hosts, local) : NULL;
	else if (!is_name(text))
		return -EINVAL;
	else
		found = find_by_name(hosts, text);
	if (found == NULL)
		return -ENOENT;
	*result = found;
	return 0;
}
