/*
 * Shared passive ports (DECISIONS 16): where there are too few to keep some at hand, the supervisor
 * has them all. It is asked for one at each PASV or EPSV, and hands over whoever comes there from
 * the session's client, until it is told that nobody is awaited any more.
 */
#ifndef SALLYPORT_GATEWAY_SHARED_H
#define SALLYPORT_GATEWAY_SHARED_H

#include <stdint.h>

struct session;

/* Asks for a port; what was set up before is forgotten. The command ends with the answer. */
void shared_want(struct session *session);

/* The connection that has come already; the caller's now. */
int shared_take(struct session *session);

/* Nobody is awaited any more, and who has come is sent away. For data_forget(). */
void shared_forget(struct session *session);

/* ---- what the supervisor says ---- */

/* The session waits at that port; or there is none. */
void shared_given(struct session *session, uint16_t port);
void shared_refused(struct session *session);

/* Takes *fd, a connection to the session's port, if one is awaited. */
void shared_arrived(struct session *session, int *fd);

/* The same, once a proxy has said that it is the client's. */
void shared_proved(struct session *session, int *fd);

#endif
