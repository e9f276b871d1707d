/*
 * The door: listeners, how many may come in, and who is turned away (DECISIONS 15, 19).
 *
 * A connection over a limit is answered with 421 and closed. Connections that have not logged in
 * are counted by address, so that one address cannot keep the others out.
 */
#ifndef SALLYPORT_GATEWAY_RECEPTION_H
#define SALLYPORT_GATEWAY_RECEPTION_H

#include "ipc/base/compiler.h"

#include <stdbool.h>

struct gateway;
struct reception;
struct session;

/* NULL when memory or descriptors are short. */
struct reception *reception_new(struct gateway *gateway);
void reception_free(struct reception **reception);

/*
 * Takes *fd, a listener of control connections. Those for TLS begin with a handshake; those of
 * proxies with a PROXY header (proxy.h), and the client that it names is who has come. 0 or
 * -ENOMEM.
 */
MUST_CHECK int
reception_add_listener(struct reception *reception, int *fd, bool is_tls, bool is_for_proxies);

/* What decides whether new connections are taken has changed. */
void reception_update(struct reception *reception);

/* No new connections any more. */
void reception_close(struct reception *reception);

/* A session logs in, or ends; and begins anew (REIN). */
void reception_uncount(struct session *session);
void reception_count(struct session *session);

#endif
