/*
 * The networks of proxies (see proxies.h). Runs in the gateway; they are the supervisor's word.
 */
#include "gateway/proxies.h"

#include "ipc/address.h"

#include <errno.h>
#include <stdlib.h>

int
proxies_replace(struct proxies *proxies, const struct gate_proxies *told)
{
	struct wire_list list = told->networks;
	struct gate_network *copies = calloc(list.count + 1, sizeof(*copies));
	if (copies == NULL)
		return -ENOMEM;
	uint32_t count = 0;
	while (wire_list_next(&list, &gate_network_record, &copies[count]))
		count++;
	proxies_free(proxies);
	*proxies = (struct proxies){ .networks = copies, .count = count };
	return 0;
}

void
proxies_free(struct proxies *proxies)
{
	free(proxies->networks);
	*proxies = (struct proxies){ .networks = NULL };
}

bool
proxies_include(const struct proxies *proxies, const struct wire_address *peer)
{
	for (uint32_t i = 0; i < proxies->count; i++) {
		const struct gate_network *network = &proxies->networks[i];
		if (address_is_within(peer, network->base.ip, network->prefix))
			return true;
	}
	return false;
}
