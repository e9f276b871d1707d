/*
 * What a client shows of itself in a handshake: whether it is asked for a certificate, what that is
 * held to, and the messages that prove that it is its own, which sallyport-auth checks for itself.
 * For tls.c and tls_context.c.
 */
#ifndef SALLYPORT_GATEWAY_TLS_PEER_H
#define SALLYPORT_GATEWAY_TLS_PEER_H

#include "ipc/base/bytes.h"
#include "ipc/choices.h"

#include <openssl/types.h>

struct tls;

struct tls_peer_rules {
	enum client_certificate wanted;
	struct bytes authorities; /* PEM; empty: whoever has signed it, auth knows it or not */
	struct bytes crls;        /* PEM; empty: nothing is revoked */
};

/* Control connections of that context are held to them. False: memory is short, or no such PEM. */
MUST_CHECK bool tls_peer_install(SSL_CTX *context, const struct tls_peer_rules *rules);

/* A connection begins: it is asked, or, with `is_data`, is not. */
void tls_peer_begin(struct tls *tls);

/* The handshake is over: what proves nothing is dropped. */
void tls_peer_settle(struct tls *tls);

void tls_peer_free(struct tls *tls);

/* Has it sent more messages of handshakes than its bytes are worth? */
bool tls_peer_floods(const struct tls *tls);

#endif
