/*
 * Passive listeners (DECISIONS 16). Of many ports they are bound on demand, in random order, and
 * given away: the kernel knows which are taken, and a gateway's die with it. Of few ports all are
 * bound at the start and stay here; who comes there is accepted, looked at and passed on, unread.
 */
#ifndef SALLYPORT_POLICY_SUPERVISOR_PASSIVE_H
#define SALLYPORT_POLICY_SUPERVISOR_PASSIVE_H

#include "ipc/wire.h"

struct event_base;
struct passive;

/* For the ports first..last. 0 or -ENOMEM. */
MUST_CHECK int passive_new(uint16_t first, uint16_t last, struct passive **result);
void passive_free(struct passive **passive);

/* The next port to try: in rounds, each of the range once a round, in random order. */
uint16_t passive_next_port(struct passive *passive);

/*
 * A listener on a port that nobody has, for IPv4 and IPv6, that shares its port with nobody. The
 * caller closes it. -EADDRINUSE: all ports are taken, or as many as are tried in a second; or
 * another negative errno.
 */
MUST_CHECK int passive_listen(struct passive *passive, uint16_t *port);

/* Somebody has come: from there, to there. The descriptor is closed after the call. */
typedef void passive_knock(
	void *owner, const struct wire_address *peer, const struct wire_address *local, int fd);

/*
 * Listens on all ports that nobody has, and tells of everybody who comes. How many they are, or a
 * negative errno if none.
 */
MUST_CHECK int
passive_share(struct passive *passive, struct event_base *base, passive_knock *knock, void *owner);

/* Tells at once of those who have come to that port. False: it is not ours. */
bool passive_serve(const struct passive *passive, uint16_t port);

#endif
