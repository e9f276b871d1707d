/*
 * The protection of a session's connections (RFC 4217): how a control connection gets its TLS and
 * loses it again, and what the client has asked for its data connections.
 *
 * While a handshake runs no line is read; a session's turn drives it.
 */
#ifndef SALLYPORT_GATEWAY_SECURE_H
#define SALLYPORT_GATEWAY_SECURE_H

#include "ipc/base/compiler.h"

#include <stdbool.h>

struct session;
struct tls;

enum secure_stage {
	SECURE_PLAIN,
	SECURE_ASKED, /* AUTH was granted: the handshake follows the reply */
	SECURE_SHAKING,
	SECURE_DONE,
	SECURE_LEAVING, /* CCC was granted: close_notify follows the reply */
	SECURE_LEFT,    /* ours is sent, the client's is awaited */
};

struct secure {
	enum secure_stage stage;
	bool is_implicit;       /* the handshake comes before the greeting */
	bool has_buffer_size;   /* PBSZ came */
	bool is_data_protected; /* PROT P */
};

/* A connection to a listener of implicit FTPS: the greeting waits. 0 or -ENOMEM. */
MUST_CHECK int secure_begin_implicit(struct session *session);

/* Does the session wait for a change of its protection? Then no line is read. */
bool secure_holds(const struct session *session);

/*
 * In a turn of a session that is held, once its replies are written: goes on with what it can.
 * EV_READ or EV_WRITE: what its socket must be ready for; 0: nothing, it will be woken or is over.
 */
short secure_continue(struct session *session);

/* REIN: what was asked for stays as long as the TLS under which that was. */
void secure_forget(struct session *session);

/* May somebody log in over this connection? Replies if not. */
MUST_CHECK bool secure_permits_login(struct session *session);

/* May a transfer begin as things stand? Replies if not. */
MUST_CHECK bool secure_permits_transfer(struct session *session);

/* For the next data connection: clients of TLS 1.3 resume a session once. */
void secure_renew_ticket(struct session *session);

/* May a data connection with this TLS be used by the session? (RFC 4217 7) */
bool secure_permits_data(const struct session *session, const struct tls *data);

#endif
