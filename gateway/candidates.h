/*
 * Data connections of a session that came by a proxy: each has to say by a PROXY header whose it
 * is. The right one becomes the data connection, others are closed, and none keeps another one out.
 */
#ifndef SALLYPORT_GATEWAY_CANDIDATES_H
#define SALLYPORT_GATEWAY_CANDIDATES_H

#include "ipc/wire.h"

struct session;

/* Takes *fd, a connection from that proxy: data_proved() follows with the right one. */
void candidate_begin(struct session *session, int *fd, const struct wire_address *proxy);

void candidates_forget(struct session *session);

#endif
