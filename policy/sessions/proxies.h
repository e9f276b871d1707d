/*
 * Proxies in front of us (PROXY protocol): on which of our addresses they are awaited, and whose
 * word about a client is believed. What a proxy says is read by a gateway; that it came from a
 * proxy, to where proxies are awaited, is asked of the kernel.
 */
#ifndef SALLYPORT_POLICY_SESSIONS_PROXIES_H
#define SALLYPORT_POLICY_SESSIONS_PROXIES_H

#include "ipc/wire.h"

struct process;
struct proxies;
struct supervisor;

/* With the listeners of the settings in force, which stay. 0 or -ENOMEM. */
MUST_CHECK int proxies_new(struct supervisor *supervisor, struct proxies **result);
void proxies_free(struct proxies **proxies);

/* Tells a gateway the networks of the settings in force. */
void proxies_send(const struct proxies *proxies, struct process *gateway);

/* Is that address of ours one where only proxies come? */
bool proxies_are_awaited_at(const struct proxies *proxies, const struct wire_address *local);

/* Is it the address of a proxy, by the settings in force? */
bool proxies_include(const struct proxies *proxies, const struct wire_address *peer);

#endif
