/*
 * Contexts of TLS connections (see tls_context.h). Runs in the gateway. Certificates come from the
 * supervisor and were checked by the loader; what clients may ask for is decided here: TLS 1.2 with
 * ECDHE and AEAD, TLS 1.3, nothing older, no renegotiation, no compression.
 */
#include "gateway/tls_context.h"

#include "gateway/tls_private.h"
#include "gateway/tls_provider.h"
#include "gateway/tls_tickets.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

/* One for each certificate; a client's SNI chooses (RFC 6066 3). */
struct certificate {
	SSL_CTX *ssl;
	unsigned char *staple;
	size_t staple_length;
};

struct tls_context {
	struct tls_signer *signer;
	bool has_authorities;
	unsigned holders;
	size_t count;
	struct certificate certificates[];
};

/* ---- what clients ask for ---- */

/* RFC 7301: "ftp" or nothing; a browser that was led here asks for another protocol. */
static int
on_alpn(UNUSED SSL *ssl, const unsigned char **chosen, unsigned char *chosen_length,
	const unsigned char *offered, unsigned length, UNUSED void *argument)
{
	static const unsigned char ours[] = { 3, 'f', 't', 'p' };
	for (unsigned at = 0; at < length; at += offered[at] + 1u) {
		if (length - at < sizeof(ours) || memcmp(offered + at, ours, sizeof(ours)) != 0)
			continue;
		*chosen = offered + at + 1;
		*chosen_length = ours[0];
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static bool
is_made_out_for(SSL_CTX *ssl, const char *name)
{
	X509 *own = SSL_CTX_get0_certificate(ssl);
	return X509_check_host(own, name, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

/* The first that is made out for that name; NULL: none, or nothing is asked. */
static SSL_CTX *
find_certificate(const struct tls_context *context, const char *name)
{
	for (size_t i = 0; i < context->count && name != NULL && name[0] != '\0'; i++)
		if (is_made_out_for(context->certificates[i].ssl, name))
			return context->certificates[i].ssl;
	return NULL;
}

bool
tls_context_prefers(const struct tls_context *context, const SSL *ssl, const char *host)
{
	return find_certificate(context, host) != NULL &&
	       !is_made_out_for(SSL_get_SSL_CTX(ssl), host);
}

/* Who has asked for a host (HOST) and then names another one contradicts itself (RFC 7151 3). */
static int
on_server_name(SSL *ssl, int *alert, void *argument)
{
	const struct tls_context *context = argument;
	const struct tls *tls = SSL_get_app_data(ssl);
	SSL_CTX *found =
		find_certificate(context, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
	if (found == NULL)
		return SSL_TLSEXT_ERR_NOACK; /* what there was: clients may know it all the same */
	if (SSL_set_SSL_CTX(ssl, found) == NULL)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	if (tls->options.is_host_asked && tls_context_prefers(context, ssl, tls->options.host)) {
		*alert = SSL_AD_UNRECOGNIZED_NAME;
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	}
	return SSL_TLSEXT_ERR_OK;
}

/* RFC 6066 8. libssl frees the copy. */
static int
on_staple(SSL *ssl, void *argument)
{
	const struct tls_context *context = argument;
	const SSL_CTX *used = SSL_get_SSL_CTX(ssl);
	for (size_t i = 0; i < context->count; i++) {
		const struct certificate *certificate = &context->certificates[i];
		if (certificate->ssl != used || certificate->staple == NULL)
			continue;
		unsigned char *copy =
			OPENSSL_memdup(certificate->staple, certificate->staple_length);
		if (copy == NULL)
			return SSL_TLSEXT_ERR_ALERT_FATAL;
		SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)certificate->staple_length);
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_NOACK;
}

/* ---- certificates ---- */

static X509 *
next_certificate(BIO *pem)
{
	return PEM_read_bio_X509(pem, NULL, NULL, NULL);
}

static bool
add_issuers(SSL_CTX *ssl, BIO *pem)
{
	X509 *issuer;
	while ((issuer = next_certificate(pem)) != NULL) {
		if (SSL_CTX_add0_chain_cert(ssl, issuer) == 1)
			continue;
		X509_free(issuer);
		return false;
	}
	/* That there is no other is no error; that one is broken is. */
	return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static bool
use_key(SSL_CTX *ssl, X509 *own, struct tls_signer *signer, uint32_t number)
{
	EVP_PKEY *key = tls_provider_key(signer, number, X509_get0_pubkey(own));
	bool used = key != NULL && SSL_CTX_use_PrivateKey(ssl, key) == 1 &&
		    SSL_CTX_check_private_key(ssl) == 1;
	EVP_PKEY_free(key);
	return used;
}

static bool
use_certificate(SSL_CTX *ssl, struct tls_signer *signer, const struct tls_certificate *certificate)
{
	BIO *pem = BIO_new_mem_buf(certificate->chain.data, (int)certificate->chain.length);
	X509 *own = pem == NULL ? NULL : next_certificate(pem);
	bool used = own != NULL && SSL_CTX_use_certificate(ssl, own) == 1 &&
		    add_issuers(ssl, pem) && use_key(ssl, own, signer, certificate->key);
	X509_free(own);
	BIO_free(pem);
	ERR_clear_error();
	return used;
}

/* ---- contexts ---- */

/* The groups are those that keys knows (policy/keys/shape.c). */
static bool
set_rules(SSL_CTX *ssl)
{
	int groups[] = { NID_X25519, NID_X9_62_prime256v1, NID_secp384r1 };
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE |
					 SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_alpn_select_cb(ssl, on_alpn, NULL);
	return SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(ssl, "ECDHE+AESGCM:ECDHE+CHACHA20:!PSK") == 1 &&
	       SSL_CTX_set1_groups(ssl, groups, ARRAY_LENGTH(groups)) == 1;
}

static int
add_certificate(struct tls_context *context, const struct tls_context_options *options,
	const struct tls_certificate *source)
{
	struct certificate *added = &context->certificates[context->count];
	added->ssl = SSL_CTX_new_ex(NULL, "?provider=default", TLS_server_method());
	if (added->ssl == NULL)
		return -ENOMEM;
	context->count++;
	SSL_CTX_set_tlsext_servername_callback(added->ssl, on_server_name);
	SSL_CTX_set_tlsext_servername_arg(added->ssl, context);
	SSL_CTX_set_tlsext_status_cb(added->ssl, on_staple);
	SSL_CTX_set_tlsext_status_arg(added->ssl, context);
	if (!set_rules(added->ssl) || !tls_tickets_install(options->tickets, added->ssl))
		return -ENOMEM;
	if (!tls_peer_install(added->ssl, &options->peer))
		return -EINVAL;
	if (source->staple.length > 0) {
		added->staple = OPENSSL_memdup(source->staple.data, source->staple.length);
		added->staple_length = source->staple.length;
		if (added->staple == NULL)
			return -ENOMEM;
	}
	return use_certificate(added->ssl, options->signer, source) ? 0 : -EINVAL;
}

int
tls_context_new(
	const struct tls_context_options *options, struct tls_context **result, size_t *failed)
{
	struct tls_context *context =
		calloc(1, sizeof(*context) + options->count * sizeof(context->certificates[0]));
	if (context == NULL)
		return -ENOMEM;
	context->signer = options->signer;
	context->holders = 1;
	context->has_authorities = options->peer.authorities.length > 0;
	int error = 0;
	for (*failed = 0; *failed < options->count && error == 0; ++*failed)
		error = add_certificate(context, options, &options->certificates[*failed]);
	if (error < 0) {
		--*failed;
		tls_context_release(&context);
		return error;
	}
	*result = context;
	return 0;
}

struct tls_context *
tls_context_hold(struct tls_context *context)
{
	context->holders++;
	return context;
}

void
tls_context_release(struct tls_context **context)
{
	struct tls_context *released = *context;
	*context = NULL;
	if (released == NULL || --released->holders > 0)
		return;
	for (size_t i = 0; i < released->count; i++) {
		SSL_CTX_free(released->certificates[i].ssl);
		OPENSSL_free(released->certificates[i].staple);
	}
	free(released);
}

SSL *
tls_context_open(struct tls_context *context, const char *host)
{
	SSL_CTX *found = find_certificate(context, host);
	return SSL_new(found != NULL ? found : context->certificates[0].ssl);
}

bool
tls_context_has_authorities(const struct tls_context *context)
{
	return context->has_authorities;
}

struct tls_signer *
tls_context_signer(const struct tls_context *context)
{
	return context->signer;
}
