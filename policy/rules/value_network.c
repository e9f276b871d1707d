/*
 * Values that are networks, and what PASV announces to each of them (see value.h). Host names are
 * only looked at here: what they mean is asked by a process of its own, at the start and later.
 */
#include "ipc/base/number.h"
#include "ipc/base/scope.h"
#include "policy/rules/value_types.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	V4_BITS = 96, /* before an IPv4 address in its v4-mapped form */
	LABEL_BYTES_MAX = 63,
};

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };
static const struct value_network all_of_v4 = {
	.ip = { [10] = 0xff, [11] = 0xff },
	.prefix = V4_BITS,
};

bool
value_network_is_v4(const struct value_network *network)
{
	return network->prefix >= V4_BITS && memcmp(network->ip, v4_mapped, sizeof(v4_mapped)) == 0;
}

/* ---- networks ---- */

static bool
bit_of(const uint8_t ip[16], unsigned position)
{
	return (ip[position / 8] >> (7 - position % 8) & 1) != 0;
}

static bool
has_bits_from(const struct value_network *network, unsigned position)
{
	for (; position < 128; position++)
		if (bit_of(network->ip, position))
			return true;
	return false;
}

/* Is every address of one also of the other? */
static bool
is_part_of(const struct value_network *one, const struct value_network *other)
{
	if (one->prefix < other->prefix || value_network_is_v4(one) != value_network_is_v4(other))
		return false;
	for (unsigned i = 0; i < other->prefix; i++)
		if (bit_of(one->ip, i) != bit_of(other->ip, i))
			return false;
	return true;
}

/* "10.0.0.0/8", "2001:db8::/32"; one address is a network, too. -EINVAL: of another form. */
static int
network_parse(struct bytes text, struct value_network *network)
{
	const char *slash = memchr(text.data, '/', text.length);
	size_t length = slash == NULL ? text.length : (size_t)(slash - text.data);
	struct bytes host = bytes_of(text.data, length);
	uint64_t prefix;
	*network = all_of_v4;
	bool is_v4 = value_parse_host(AF_INET, host, network->ip + sizeof(v4_mapped)) == 0;
	if (!is_v4 && value_parse_host(AF_INET6, host, network->ip) < 0)
		return -EINVAL;
	unsigned before = is_v4 ? V4_BITS : 0;
	prefix = 128 - before;
	if (slash != NULL &&
		number_parse(bytes_of(slash + 1, text.length - length - 1), prefix, &prefix) < 0)
		return -EINVAL;
	network->prefix = (uint8_t)(before + prefix);
	return 0;
}

static char *
network_text(const struct value_network *network)
{
	char host[INET6_ADDRSTRLEN];
	char *text = NULL;
	bool is_v4 = value_network_is_v4(network);
	unsigned before = is_v4 ? V4_BITS : 0;
	inet_ntop(is_v4 ? AF_INET : AF_INET6, network->ip + (is_v4 ? sizeof(v4_mapped) : 0), host,
		sizeof(host));
	return asprintf(&text, "%s/%u", host, network->prefix - before) < 0 ? NULL : text;
}

/* Bits behind the prefix are a slip: of the address or of the prefix. */
static int
network_check(const struct value_rule *rule, struct bytes text, const struct value_network *network,
	struct rules_error *error)
{
	if (!has_bits_from(network, network->prefix))
		return 0;
	return rules_refuse_value(
		error, rule->name, text, "has bits behind the prefix of its network");
}

int
value_parse_network(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error)
{
	struct value_networks *networks = slot;
	struct value_network network;
	if (network_parse(text, &network) < 0)
		return value_refuse_form(rule, text, error);
	int result = network_check(rule, text, &network, error);
	if (result < 0)
		return result;
	struct value_network *items =
		reallocarray(networks->items, networks->count + 1, sizeof(*items));
	if (items == NULL)
		return -ENOMEM;
	networks->items = items;
	items[networks->count++] = network;
	return 0;
}

char *
value_format_network(const struct value_rule *rule, const void *slot, size_t index)
{
	(void)rule;
	const struct value_networks *networks = slot;
	return network_text(&networks->items[index]);
}

void
value_clear_networks(void *slot)
{
	free(((struct value_networks *)slot)->items);
}

/* ---- what PASV announces ---- */

static bool
is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* A label of a host's name (RFC 1123 2.1). */
static bool
is_label(struct bytes label)
{
	if (label.length == 0 || label.length > LABEL_BYTES_MAX ||
		!is_letter_or_digit(label.data[0]) ||
		!is_letter_or_digit(label.data[label.length - 1]))
		return false;
	for (size_t i = 0; i < label.length; i++)
		if (!is_letter_or_digit(label.data[i]) && label.data[i] != '-')
			return false;
	return true;
}

/* The last label has a letter, so that no address with a slip in it is a name. */
static bool
is_host_name(struct bytes text)
{
	uint64_t number;
	struct bytes label = bytes_of(text.data, 0);
	if (text.length > VALUE_HOST_BYTES_MAX)
		return false;
	for (size_t at = 0; at <= text.length; at += label.length + 1) {
		const char *dot = memchr(text.data + at, '.', text.length - at);
		label = bytes_of(text.data + at,
			dot == NULL ? text.length - at : (size_t)(dot - text.data) - at);
		if (!is_label(label))
			return false;
	}
	return number_parse(label, UINT64_MAX, &number) == -EINVAL;
}

bool
value_can_be_announced(struct in_addr address)
{
	enum { FIRST_NETWORK = 1, FIRST_MULTICAST = 224 };
	uint32_t network = ntohl(address.s_addr) >> 24;
	return network >= FIRST_NETWORK && network < FIRST_MULTICAST;
}

static int
target_parse(const struct value_rule *rule, struct bytes text, struct value_announcement *result,
	struct rules_error *error)
{
	if (value_parse_host(AF_INET, text, &result->address) == 0)
		return value_can_be_announced(result->address)
			       ? 0
			       : rules_refuse_value(
					 error, rule->name, text, "is nobody's to connect to");
	if (!is_host_name(text))
		return value_refuse_form(rule, text, error);
	memcpy(result->host, text.data, text.length);
	return 0;
}

static int
clients_parse(const struct value_rule *rule, struct bytes text, struct value_network *clients,
	struct rules_error *error)
{
	if (network_parse(text, clients) < 0)
		return value_refuse_form(rule, text, error);
	if (!value_network_is_v4(clients))
		return rules_refuse_value(error, rule->name, text,
			"is no network of IPv4, and PASV is for IPv4 alone");
	return network_check(rule, text, clients, error);
}

/* The first rule that fits holds, so one that is whole behind another holds for nobody. */
static int
check_reached(const struct value_rule *rule, struct bytes text,
	const struct value_announcements *before, const struct value_announcement *added,
	struct rules_error *error)
{
	for (size_t i = 0; i < before->count; i++) {
		if (!is_part_of(&added->clients, &before->items[i].clients))
			continue;
		SCOPE_FREE char *first = value_format_announcement(rule, before, i);
		return first == NULL ? -ENOMEM
				     : rules_refuse_value(error, rule->name, text,
					       "is for clients that '%s' before it takes", first);
	}
	return 0;
}

int
value_parse_announcement(
	const struct value_rule *rule, struct bytes text, void *slot, struct rules_error *error)
{
	struct value_announcements *announcements = slot;
	struct value_announcement added;
	memset(&added, 0, sizeof(added));
	added.clients = all_of_v4;
	const char *equals = memchr(text.data, '=', text.length);
	size_t skipped = equals == NULL ? 0 : (size_t)(equals - text.data) + 1;
	struct bytes target = bytes_after(text, skipped);
	int result = equals == NULL ? 0
				    : clients_parse(rule, bytes_of(text.data, skipped - 1),
					      &added.clients, error);
	if (result == 0)
		result = target_parse(rule, target, &added, error);
	if (result == 0)
		result = check_reached(rule, text, announcements, &added, error);
	if (result < 0)
		return result;
	struct value_announcement *items =
		reallocarray(announcements->items, announcements->count + 1, sizeof(*items));
	if (items == NULL)
		return -ENOMEM;
	announcements->items = items;
	items[announcements->count++] = added;
	return 0;
}

char *
value_format_announcement(const struct value_rule *rule, const void *slot, size_t index)
{
	(void)rule;
	const struct value_announcements *announcements = slot;
	const struct value_announcement *one = &announcements->items[index];
	char address[INET_ADDRSTRLEN] = "";
	char *text = NULL;
	bool is_for_all = one->clients.prefix == V4_BITS;
	SCOPE_FREE char *clients = network_text(&one->clients);
	inet_ntop(AF_INET, &one->address, address, sizeof(address));
	if (clients == NULL ||
		asprintf(&text, "%s%s%s", is_for_all ? "" : clients, is_for_all ? "" : "=",
			one->host[0] != '\0' ? one->host : address) < 0)
		return NULL;
	return text;
}

void
value_clear_announcements(void *slot)
{
	free(((struct value_announcements *)slot)->items);
}
