/*
 * How many connections that have not logged in each address has. An IPv6 client is counted by its
 * /64, since it can have as many addresses in there as it likes.
 */
#ifndef SALLYPORT_GATEWAY_CENSUS_H
#define SALLYPORT_GATEWAY_CENSUS_H

#include "ipc/wire.h"

struct census;

struct census *census_new(void);
void census_free(struct census **census);

/* One connection more: 0, -EUSERS if the address has `maximum` already, or -ENOMEM. */
MUST_CHECK int
census_enter(struct census *census, const struct wire_address *address, uint32_t maximum);

/* Are these two counted as one? */
bool census_is_same(const struct wire_address *a, const struct wire_address *b);

/* One that entered leaves. */
void census_leave(struct census *census, const struct wire_address *address);

#endif
