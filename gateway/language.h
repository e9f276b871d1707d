/*
 * In which language and which characters a session speaks (RFC 2640).
 */
#ifndef SALLYPORT_GATEWAY_LANGUAGE_H
#define SALLYPORT_GATEWAY_LANGUAGE_H

#include "ipc/base/bytes.h"

struct session;

/* OPTS UTF8 and what follows it. */
void language_opts_utf8(struct session *session, struct bytes option);

/* The session's worker is new and knows nothing of what the client has chosen. */
void language_tell_worker(struct session *session);

#endif
