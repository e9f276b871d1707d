/*
 * How many logins of one address are verified at the same time. Auth answers 421 to an address that
 * asks for too many at once (DECISIONS 11); a client that opens many sessions in parallel should
 * not meet that, so its further logins wait here for their turn, as long as their login time lasts.
 */
#ifndef SALLYPORT_GATEWAY_TURNSTILE_H
#define SALLYPORT_GATEWAY_TURNSTILE_H

#include "ipc/base/compiler.h"

#include <stdbool.h>

struct gateway;
struct session;
struct turnstile;

/* NULL when memory is short. */
struct turnstile *turnstile_new(void);
void turnstile_free(struct turnstile **turnstile);

/*
 * May the session's login be verified now? If so, turnstile_leave() follows. If not, the session
 * waits: its turn comes by session_wake(), with session->waits WAITS_FOR_NOTHING.
 */
MUST_CHECK bool turnstile_enter(struct session *session);

/* The verdict is there, or the session does not wait for it any more. */
void turnstile_leave(struct session *session);

/* The session ends while it waits. No matter if it does not. */
void turnstile_give_up(struct session *session);

#endif
