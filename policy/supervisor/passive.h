/*
 * Passive listeners: bound on demand, in random order, and given away (DECISIONS 16, pool mode).
 * The kernel knows which ports are taken: a gateway's die with it.
 */
#ifndef SALLYPORT_POLICY_SUPERVISOR_PASSIVE_H
#define SALLYPORT_POLICY_SUPERVISOR_PASSIVE_H

#include "ipc/base/compiler.h"

#include <stdint.h>

struct passive;

/* For the ports first..last. 0 or -ENOMEM. */
MUST_CHECK int passive_new(uint16_t first, uint16_t last, struct passive **result);
void passive_free(struct passive **passive);

/* The next port to try: each of the range once, in random order, then all again in another. */
uint16_t passive_next_port(struct passive *passive);

/*
 * A listener on a port that nobody has, for IPv4 and IPv6, that shares its port with nobody. The
 * caller closes it. -EADDRINUSE: all ports are taken, or were less than a second ago; or another
 * negative errno.
 */
MUST_CHECK int passive_listen(struct passive *passive, uint16_t *port);

#endif
