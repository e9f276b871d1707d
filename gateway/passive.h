/*
 * Passive listeners: bound by the supervisor, kept at hand, lent to one session at a time until its
 * data connection is there (DECISIONS 16). Which one a session gets is random.
 */
#ifndef SALLYPORT_GATEWAY_PASSIVE_H
#define SALLYPORT_GATEWAY_PASSIVE_H

#include "ipc/base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct gateway;
struct passive_pool;
struct session;

struct passive_port {
	int fd; /* owned; listening, dual-stack */
	uint16_t number;
};

struct passive_pool *passive_new(struct gateway *gateway);
void passive_free(struct passive_pool **pool);

/* Asks the supervisor for as many listeners as should be at hand. */
void passive_fill(struct passive_pool *pool);

/* A port that nobody waits at: the caller's until passive_give_back(). NULL: none is at hand. */
struct passive_port *passive_take(struct passive_pool *pool);

/* Is one on its way? */
bool passive_can_wait(const struct passive_pool *pool);

/* The session gets the next port: data_passive_ready() with it, or with NULL if none can come. */
void passive_wait(struct passive_pool *pool, struct session *session);
void passive_stop_waiting(struct passive_pool *pool, struct session *session);

/* Sets *port to NULL. NULL is fine. */
void passive_give_back(struct passive_pool *pool, struct passive_port **port);

/* Closes all that nobody holds, now and when they are given back. */
void passive_close(struct passive_pool *pool);

/* ---- what the supervisor answers ---- */

/* Takes *fd, a listener. */
void passive_arrived(struct passive_pool *pool, uint16_t number, int *fd);
void passive_refused(struct passive_pool *pool);

#endif
