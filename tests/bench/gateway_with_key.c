/*
 * A gateway that holds the private key itself, for one row of the benchmark: what handshakes would
 * cost without sallyport-keys. Everything else is the gateway as it is; this file stands in for
 * gateway/tls_provider.c when sallyport-gateway-with-key is linked. Never installed.
 *
 * The key is a file in PEM that SALLYPORT_BENCH_KEY names, read before the cage closes.
 */
#include "gateway/tls_provider.h"

#include "ipc/base/ends.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

static EVP_PKEY *own_key;

int
tls_provider_load(void)
{
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return -ENOTSUP;
	const char *path = getenv("SALLYPORT_BENCH_KEY");
	FILE *file = path == NULL ? NULL : fopen(path, "re");
	if (file == NULL)
		die("SALLYPORT_BENCH_KEY names no file");
	own_key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	fclose(file);
	return own_key == NULL ? -ENOTSUP : 0;
}

void
tls_provider_unload(void)
{
	EVP_PKEY_free(own_key);
	own_key = NULL;
}

EVP_PKEY *
tls_provider_key(UNUSED struct tls_signer *signer, UNUSED uint32_t number, UNUSED EVP_PKEY *public)
{
	EVP_PKEY_up_ref(own_key);
	return own_key;
}

/* Nothing is waited for, so that no handshake needs a job with a stack of its own: ld's --wrap. */
int __wrap_SSL_do_handshake(SSL *ssl);
int __real_SSL_do_handshake(SSL *ssl);

int
__wrap_SSL_do_handshake(SSL *ssl)
{
	SSL_clear_mode(ssl, SSL_MODE_ASYNC);
	return __real_SSL_do_handshake(ssl);
}
