/*
 * Values that are network addresses and ports (see value.h). Numbers only: a name would need a
 * resolver, and whoever answers it would choose where we listen.
 */
#include "ipc/base/number.h"
#include "policy/rules/value_types.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* inet_pton(3) wants a C string. */
int
value_parse_host(int family, struct bytes host, void *result)
{
	char text[INET6_ADDRSTRLEN];
	if (host.length >= sizeof(text))
		return -EINVAL;
	memcpy(text, host.data, host.length);
	text[host.length] = '\0';
	return inet_pton(family, text, result) == 1 && strlen(text) == host.length ? 0 : -EINVAL;
}

static int
address_parse(struct bytes text, struct value_address *address)
{
	uint64_t port = 0;
	const char *colon = memrchr(text.data, ':', text.length);
	if (colon == NULL)
		return -EINVAL;
	struct bytes host = bytes_of(text.data, (size_t)(colon - text.data));
	if (number_parse(bytes_of(colon + 1, text.length - host.length - 1), UINT16_MAX, &port) < 0)
		return -EINVAL;
	if (host.length > 2 && host.data[0] == '[' && host.data[host.length - 1] == ']') {
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_port = htons((uint16_t)port);
		address->length = sizeof(address->v6);
		return value_parse_host(
			AF_INET6, bytes_of(host.data + 1, host.length - 2), &address->v6.sin6_addr);
	}
	address->v4.sin_family = AF_INET;
	address->v4.sin_port = htons((uint16_t)port);
	address->length = sizeof(address->v4);
	return value_parse_host(AF_INET, host, &address->v4.sin_addr);
}

bool
value_address_equal(const struct value_address *a, const struct value_address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_port == b->v4.sin_port &&
		       a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return a->v6.sin6_port == b->v6.sin6_port &&
	       IN6_ARE_ADDR_EQUAL(&a->v6.sin6_addr, &b->v6.sin6_addr);
}

bool
value_address_is_any(const struct value_address *address)
{
	return address->any.sa_family == AF_INET ? address->v4.sin_addr.s_addr == htonl(INADDR_ANY)
						 : IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr);
}

int
value_parse_address(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error)
{
	struct value_addresses *addresses = slot;
	struct value_address address;
	memset(&address, 0, sizeof(address)); /* of the union too, whichever member it gets */
	if (address_parse(text, &address) < 0)
		return value_refuse_form(rule, text, error);
	for (size_t i = 0; i < addresses->count; i++)
		if (value_address_equal(&addresses->items[i], &address))
			return rules_refuse_value(error, rule->name, text, "is there twice");
	struct value_address *items =
		reallocarray(addresses->items, addresses->count + 1, sizeof(*items));
	if (items == NULL)
		return -ENOMEM;
	addresses->items = items;
	items[addresses->count++] = address;
	return 0;
}

char *
value_format_address(const struct value_rule *rule, const void *slot, size_t index)
{
	(void)rule;
	const struct value_addresses *addresses = slot;
	const struct value_address *address = &addresses->items[index];
	char host[INET6_ADDRSTRLEN];
	char *text = NULL;
	int length = -1;
	if (address->any.sa_family == AF_INET6)
		length = asprintf(&text, "[%s]:%u",
			inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof(host)),
			ntohs(address->v6.sin6_port));
	else
		length = asprintf(&text, "%s:%u",
			inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof(host)),
			ntohs(address->v4.sin_port));
	return length < 0 ? NULL : text;
}

void
value_clear_addresses(void *slot)
{
	free(((struct value_addresses *)slot)->items);
}

int
value_parse_ports(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error)
{
	uint64_t first = 0, last = 0;
	const char *dash = text.length == 0 ? NULL : memchr(text.data, '-', text.length);
	if (dash == NULL)
		return value_refuse_form(rule, text, error);
	size_t before = (size_t)(dash - text.data);
	if (number_parse(bytes_of(text.data, before), UINT16_MAX, &first) < 0 ||
		number_parse(bytes_of(dash + 1, text.length - before - 1), UINT16_MAX, &last) < 0)
		return value_refuse_form(rule, text, error);
	if (first > last)
		return rules_refuse_value(error, rule->name, text, "runs backwards");
	int checked = value_check_range(rule, first, false, error);
	if (checked == 0)
		*(struct value_ports *)slot =
			(struct value_ports){ (uint16_t)first, (uint16_t)last };
	return checked;
}

char *
value_format_ports(const struct value_rule *rule, const void *slot, size_t index)
{
	(void)rule, (void)index;
	const struct value_ports *ports = slot;
	char *text = NULL;
	return asprintf(&text, "%u-%u", ports->first, ports->last) < 0 ? NULL : text;
}
