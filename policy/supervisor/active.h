/*
 * Connections of active mode (PORT, EPRT).
 */
#ifndef SALLYPORT_POLICY_SUPERVISOR_ACTIVE_H
#define SALLYPORT_POLICY_SUPERVISOR_ACTIVE_H

#include "ipc/address.h"

/*
 * A non-blocking connection to that port (1024 or more) of `peer`, from the address `local` and the
 * port `source_port` (0: any), perhaps still in progress. Both addresses are those of a control
 * connection, as the kernel told them: nobody else can be reached (DECISIONS 17). The caller closes
 * it; or a negative errno.
 */
MUST_CHECK int active_connect(const struct wire_address *local, const struct wire_address *peer,
	uint16_t port, uint16_t source_port);

/* May that source port be bound? 0 or negative errno. */
MUST_CHECK int active_check_source(uint16_t source_port);

#endif
