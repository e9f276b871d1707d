/*
 * Who a session is: for the record, and for custom backends.
 */
#ifndef SALLYPORT_WORKER_IDENTITY_H
#define SALLYPORT_WORKER_IDENTITY_H

#include "ipc/wire.h"

struct instance_identity {
	uint64_t session;
	struct wire_address peer;
	bool is_claimed;   /* by a proxy, which the peer came by */
	struct bytes user; /* the worker's; process lifetime */
};

/*
 * The session for which the calling thread works now; NULL outside of a request. It lives until the
 * function of the backend returns that asked for it.
 */
const struct instance_identity *identity_current(void);

/* Says so, before an effect is begun and (NULL) after it. Copies it. */
void identity_set(const struct instance_identity *identity);

#endif
