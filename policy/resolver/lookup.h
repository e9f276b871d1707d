/*
 * What a host's name stands for, as this machine's resolver (getaddrinfo(3)) has it.
 */
#ifndef SALLYPORT_POLICY_RESOLVER_LOOKUP_H
#define SALLYPORT_POLICY_RESOLVER_LOOKUP_H

#include "ipc/wire.h"

/*
 * The IPv4 address of that host; of several the one that it had (`known`), if it still has it.
 * NULL and *result, or the reason for none in words: a constant. May take its time.
 */
MUST_CHECK const char *
lookup_host(const char *host, const struct wire_address *known, struct wire_address *result);

#endif
