/*
 * An OpenSSL provider (provider(7)) whose private keys are numbers: what they sign is asked of
 * sallyport-keys (tls_signer.h). Everything else about a key is its public half, from OpenSSL's own
 * provider. A key of ours is never preferred: it is used where it was put, in a server's context.
 */
#ifndef SALLYPORT_GATEWAY_TLS_PROVIDER_H
#define SALLYPORT_GATEWAY_TLS_PROVIDER_H

#include "gateway/tls_signer.h"

#include <openssl/types.h>

/* OpenSSL's default provider and ours, for the whole process, once. 0 or -ENOTSUP. */
MUST_CHECK int tls_provider_load(void);

/* After the last key is freed. */
void tls_provider_unload(void);

/*
 * The private key with that number, whose public half is a certificate's. The caller frees it. NULL
 * if it is of no kind that is offered, or memory is short.
 */
MUST_CHECK EVP_PKEY *tls_provider_key(struct tls_signer *signer, uint32_t number, EVP_PKEY *public);

#endif
