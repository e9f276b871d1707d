/*
 * What a TLS connection is, between tls.c and tls_tickets.c. For these two only.
 */
#ifndef SALLYPORT_GATEWAY_TLS_PRIVATE_H
#define SALLYPORT_GATEWAY_TLS_PRIVATE_H

#include "gateway/tls.h"

#include <openssl/ssl.h>

struct tls {
	struct tls_options options;
	SSL *ssl;
	BIO *output;          /* ssl's */
	SSL_SESSION *session; /* of a control connection in TLS 1.2, for clients without tickets */
	short wants;
	int error;       /* that ended it, once and for all: negative errno, or 0 */
	bool is_done;    /* the handshake */
	bool is_foreign; /* offered another session's ticket */
};

#endif
