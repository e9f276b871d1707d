/*
 * Whose PROXY headers are believed: networks that the supervisor sends, at the start and when they
 * change.
 */
#ifndef SALLYPORT_GATEWAY_PROXIES_H
#define SALLYPORT_GATEWAY_PROXIES_H

#include "ipc/gate.h"

struct proxies {
	struct gate_network *networks;
	uint32_t count;
};

/* In place of those that there were. 0 or -ENOMEM. */
MUST_CHECK int proxies_replace(struct proxies *proxies, const struct gate_proxies *told);
void proxies_free(struct proxies *proxies);

bool proxies_include(const struct proxies *proxies, const struct wire_address *peer);

#endif
