/*
 * STAT: the state of the session, or a listing as a reply (RFC 959 4.1.3).
 */
#ifndef SALLYPORT_GATEWAY_STATUS_H
#define SALLYPORT_GATEWAY_STATUS_H

struct session;

/* The session ends: so does its listing, without a reply. */
void status_abandon(struct session *session);

#endif
