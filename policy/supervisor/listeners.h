/*
 * Control listeners: for every address one SO_REUSEPORT listener per gateway, kept here too, so
 * that a gateway which is started again gets its own queue back and no client is refused meanwhile
 * (DECISIONS 15).
 */
#ifndef SALLYPORT_POLICY_SUPERVISOR_LISTENERS_H
#define SALLYPORT_POLICY_SUPERVISOR_LISTENERS_H

#include "ipc/address.h"
#include "policy/rules/config.h"

struct listeners;
struct process;
struct supervisor;

/*
 * Binds all addresses for `gateways` gateways. A port of 0 is chosen by the kernel, once for all
 * gateways. 0; -EADDRINUSE (worth another try: a server before us may still be leaving); another
 * errno. On failure *failed is the address's place (config_listener()).
 */
MUST_CHECK int listeners_open(struct supervisor *supervisor, unsigned gateways,
	struct listeners **result, size_t *failed);

void listeners_free(struct listeners **listeners);

/* Gives a gateway its listeners. */
void listeners_send(struct listeners *listeners, unsigned slot, struct process *gateway);

/*
 * Checks that all of them still listen, and lets those listen again that a gateway has shut down.
 * Once a second and after a gateway's death.
 */
void listeners_tick(struct listeners *listeners);

/* "127.0.0.1:21, [::1]:21", with the ports that were chosen. The caller frees it; NULL: no memory.
 */
MUST_CHECK char *listeners_text(const struct listeners *listeners);

#endif
