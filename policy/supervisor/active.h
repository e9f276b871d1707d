/*
 * Connections of active mode (PORT, EPRT).
 */
#ifndef SALLYPORT_POLICY_SUPERVISOR_ACTIVE_H
#define SALLYPORT_POLICY_SUPERVISOR_ACTIVE_H

#include "ipc/address.h"

/*
 * A non-blocking connection to that port (1024 or more) of `peer`, from the address `local`,
 * perhaps still in progress. Both addresses are those of a control connection, as the kernel told
 * them: nobody else can be reached (DECISIONS 17). The caller closes it; or a negative errno.
 */
MUST_CHECK int
active_connect(const struct wire_address *local, const struct wire_address *peer, uint16_t port);

#endif
