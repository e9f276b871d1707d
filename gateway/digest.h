/*
 * What OPTS asks of digest.c.
 */
#ifndef SALLYPORT_GATEWAY_DIGEST_H
#define SALLYPORT_GATEWAY_DIGEST_H

#include "ipc/base/bytes.h"

struct session;

/* OPTS HASH: chooses the algorithm of that name, or tells which one is chosen; replies. */
void digest_opts_hash(struct session *session, struct bytes name);

#endif
