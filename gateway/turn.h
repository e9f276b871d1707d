/*
 * The turns of a session: reading its lines, executing those that may run now, writing replies,
 * watching for what comes next. session_wake() (session.h) asks for a turn.
 */
#ifndef SALLYPORT_GATEWAY_TURN_H
#define SALLYPORT_GATEWAY_TURN_H

#include "gateway/line.h"

struct gateway;
struct session;

/* Turns of this gateway's sessions run from its loop. */
void turn_init(struct gateway *gateway);
void turn_stop(struct gateway *gateway);

/* A new session's lines are read from now on: 0 or -ENOMEM. */
MUST_CHECK int turn_watch(struct session *session);
void turn_stop_watching(struct session *session);

/* Replies that wait for the client wait no more. */
void turn_stop_writing(struct session *session);

/*
 * Keeps a line until the running command is over and what session->waits names has come; no other
 * line is read before. There is none held yet.
 */
void turn_hold(struct session *session, enum line_result result, struct bytes line);
void turn_drop_held(struct session *session);

/* The session is freed: no turn and no event follows. */
void turn_forget(struct session *session);

#endif
