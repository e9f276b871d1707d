/*
 * Notices what a client does while its next line is held behind a transfer and nothing is read from
 * it: urgent data, which announces ABOR (RFC 959 4.1.3), and its hanging up (DECISIONS 32). Only
 * then: a session that is read hears of both by reading.
 */
#ifndef SALLYPORT_GATEWAY_ATTENTION_H
#define SALLYPORT_GATEWAY_ATTENTION_H

#include "ipc/base/compiler.h"

struct attention;
struct gateway;
struct session;

/* NULL when memory or descriptors are short. Before the cage closes. */
struct attention *attention_new(struct gateway *gateway);
void attention_free(struct attention **attention);

void attention_begin(struct session *session);

/* Now, what would be noticed in this round: whatever else has come may be later than that. */
void attention_look(struct gateway *gateway);
void attention_stop(struct session *session);

#endif
