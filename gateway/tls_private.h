/*
 * What a TLS connection is, between tls.c, tls_peer.c and tls_tickets.c. For these only.
 */
#ifndef SALLYPORT_GATEWAY_TLS_PRIVATE_H
#define SALLYPORT_GATEWAY_TLS_PRIVATE_H

#include "gateway/tls.h"

#include <openssl/ssl.h>

/* tls_peer.c's. */
struct tls_peer_state {
	char *proof; /* messages of the handshake so far, or up to the proof */
	size_t proof_length, proof_capacity;
	bool is_recording, is_proven;
	bool has_authorities;
	X509 *refused;     /* the certificate that ended the handshake; NULL: none */
	uint64_t messages; /* of handshakes, that came behind it */
	uint64_t bytes;    /* that were read */
};

struct tls {
	struct tls_options options;
	SSL *ssl;
	BIO *output;          /* ssl's */
	SSL_SESSION *session; /* of a control connection in TLS 1.2, for clients without tickets */
	short wants;
	int error;          /* that ended it, once and for all: negative errno, or 0 */
	bool is_done;       /* the handshake */
	const char *reason; /* of libssl's, of that error; NULL: none */
	struct tls_peer_state peer;
	bool is_foreign; /* offered another session's ticket */
	bool may_be_in_kernel;
	bool is_rekeyed; /* the client wants other keys than those that the kernel has */
};

#endif
