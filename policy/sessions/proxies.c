/*
 * Proxies in front of us (see proxies.h). Runs in the supervisor as root. Only the operator makes
 * somebody a proxy.
 */
#include "policy/sessions/proxies.h"

#include "ipc/address.h"
#include "ipc/gate.h"
#include "policy/supervisor/supervisor.h"

#include <stdlib.h>

struct proxies {
	struct supervisor *supervisor;
	size_t count;
	struct wire_address awaited_at[];
};

void
proxies_send(const struct proxies *proxies, struct process *gateway)
{
	const struct value_networks *from = &proxies->supervisor->settings->config->proxy_from;
	char buffer[4096];
	struct wire_list_builder builder = { .buffer = buffer, .capacity = sizeof(buffer) };
	int error = 0;
	for (size_t i = 0; i < from->count && error == 0; i++) {
		struct gate_network network = { .prefix = from->items[i].prefix };
		memcpy(network.base.ip, from->items[i].ip, sizeof(network.base.ip));
		error = wire_list_add(&builder, &gate_network_record, &network);
	}
	const struct gate_proxies body = { .networks = wire_list_built(&builder) };
	process_posted(gateway, error < 0 ? error : gate_post_proxies(gateway->channel, 0, &body));
}

static bool
is_unspecified(const struct wire_address *address)
{
	static const uint8_t zero[16];
	return memcmp(address->ip + (address_is_v4(address) ? 12 : 0), zero,
		       address_is_v4(address) ? 4 : 16) == 0;
}

bool
proxies_are_awaited_at(const struct proxies *proxies, const struct wire_address *local)
{
	for (size_t i = 0; i < proxies->count; i++) {
		const struct wire_address *at = &proxies->awaited_at[i];
		bool is_same = memcmp(at->ip, local->ip, sizeof(at->ip)) == 0 ||
			       (is_unspecified(at) && address_is_v4(at) == address_is_v4(local));
		if (is_same && at->port == local->port)
			return true;
	}
	return false;
}

bool
proxies_include(const struct proxies *proxies, const struct wire_address *peer)
{
	const struct value_networks *from = &proxies->supervisor->settings->config->proxy_from;
	for (size_t i = 0; i < from->count; i++)
		if (address_is_within(peer, from->items[i].ip, from->items[i].prefix))
			return true;
	return false;
}

int
proxies_new(struct supervisor *supervisor, struct proxies **result)
{
	const struct value_addresses *listen = &supervisor->settings->config->proxy_listen;
	struct proxies *proxies =
		calloc(1, sizeof(*proxies) + listen->count * sizeof(proxies->awaited_at[0]));
	if (proxies == NULL)
		return -ENOMEM;
	proxies->supervisor = supervisor;
	for (size_t i = 0; i < listen->count; i++) {
		struct address_socket name = { .length = listen->items[i].length };
		memcpy(&name.any, &listen->items[i].any, name.length);
		if (address_from_socket(&name, &proxies->awaited_at[proxies->count]) == 0)
			proxies->count++;
	}
	*result = proxies;
	return 0;
}

void
proxies_free(struct proxies **proxies)
{
	free(*proxies);
	*proxies = NULL;
}
