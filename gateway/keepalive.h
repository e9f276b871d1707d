/*
 * Lines that tell a client that its command goes on, so that it does not give up: the first ones of
 * the reply itself, which has several then (RFC 959 4.2), every `keepalive_interval`.
 *
 * Once one is out, the reply can end with that code and no other. So it must be one that comes true
 * in all likelihood; where it does not, there is nothing left to say but 421, and the connection
 * closes over an unfinished reply: what a client has not heard to its end is not acknowledged.
 */
#ifndef SALLYPORT_GATEWAY_KEEPALIVE_H
#define SALLYPORT_GATEWAY_KEEPALIVE_H

#include <stdbool.h>

struct session;

/* From now on, until keepalive_end(): `line` is a constant, an OPENING of replies.def. */
void keepalive_begin(struct session *session, const char *line);

/* LIMIT_KEEPALIVE is reached. */
void keepalive_due(struct session *session);

/* Has the reply begun? */
bool keepalive_is_out(const struct session *session);

/* The command has its answer: had the reply begun? Fine without a beginning. */
bool keepalive_end(struct session *session);

#endif
