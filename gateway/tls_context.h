/*
 * What TLS connections have in common: certificates, versions, ciphers, which session a data
 * connection may resume. Made anew when certificates are loaded again; connections keep theirs.
 */
#ifndef SALLYPORT_GATEWAY_TLS_CONTEXT_H
#define SALLYPORT_GATEWAY_TLS_CONTEXT_H

#include "gateway/tls_peer.h"
#include "gateway/tls_signer.h"

#include <openssl/types.h>

struct tls_context;
struct tls_tickets;

struct tls_certificate {
	uint32_t key;        /* its number at sallyport-keys */
	struct bytes chain;  /* PEM, the server's own first; borrowed for the call */
	struct bytes staple; /* an OCSP response in DER, or empty; borrowed for the call */
};

struct tls_context_options {
	struct tls_signer *signer;   /* lives longer */
	struct tls_tickets *tickets; /* lives longer */
	const struct tls_certificate *certificates;
	size_t count; /* at least one: the first is for clients that name no host, or an unknown one
		       */
	struct tls_peer_rules peer; /* borrowed for the call */
};

/* 0; -EINVAL (also if what clients are held to is none) and the place of the certificate that
 * cannot be used in *failed; or -ENOMEM. */
MUST_CHECK int tls_context_new(
	const struct tls_context_options *options, struct tls_context **result, size_t *failed);

/* For each connection one; tls_context_release() ends it. */
struct tls_context *tls_context_hold(struct tls_context *context);

/* With the last one it is freed. Sets *context to NULL. NULL is fine. */
void tls_context_release(struct tls_context **context);

/* ---- for tls.c ---- */

/* A new connection's, with the certificate for `host` if there is one (NULL, "": any); or NULL. */
MUST_CHECK SSL *tls_context_open(struct tls_context *context, const char *host);

bool tls_context_has_authorities(const struct tls_context *context);

/* Is there a certificate for that host, and the connection has none? */
bool tls_context_prefers(const struct tls_context *context, const SSL *ssl, const char *host);

struct tls_signer *tls_context_signer(const struct tls_context *context);

#endif
