/*
 * Certificates of clients (see tls_peer.h). Runs in the gateway, inside libssl's calls, on what
 * strangers send. A certificate that is refused here ends the handshake with its alert. One that is
 * taken logs nobody in by that: the gateway is not believed, and auth gets the proof.
 */
#include "gateway/tls_peer.h"

#include "gateway/tls_private.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	PROOF_BYTES_MAX = 49152,        /* as verify.def says */
	CERTIFICATES_BYTES_MAX = 16384, /* of a client: a chain of a few */
	/*
	 * After the handshake a client has nothing to shake hands about but new keys, which no
	 * implementation makes more often than every few million records. OpenSSL 3.0 answers any
	 * number of them.
	 */
	MESSAGES_FREE = 32,
	BYTES_PER_MESSAGE = 1024 * 1024,
};

/* ---- what it is held to ---- */

static struct tls *
tls_of(X509_STORE_CTX *store)
{
	return SSL_get_app_data(
		X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
}

/* Of a certificate that nobody is known to vouch for all else is checked: its time above all. */
static bool
is_about_issuers(int error)
{
	switch (error) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED:
		return true;
	default:
		return false;
	}
}

static int
on_verify(int is_good, X509_STORE_CTX *store)
{
	struct tls *tls = tls_of(store);
	int error = X509_STORE_CTX_get_error(store);
	if (is_good)
		return 1;
	if (!tls->peer.has_authorities && is_about_issuers(error)) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	X509 *refused = X509_STORE_CTX_get0_cert(store);
	if (tls->peer.refused == NULL && refused != NULL && X509_up_ref(refused) == 1)
		tls->peer.refused = refused;
	return 0;
}

static bool
add_authorities(X509_STORE *store, STACK_OF(X509_NAME) * names, struct bytes pem)
{
	BIO *source = BIO_new_mem_buf(pem.data, (int)pem.length);
	bool done = source != NULL;
	X509 *authority;
	while (done && (authority = PEM_read_bio_X509(source, NULL, NULL, NULL)) != NULL) {
		X509_NAME *name = X509_NAME_dup(X509_get_subject_name(authority));
		done = X509_STORE_add_cert(store, authority) == 1 && name != NULL &&
		       sk_X509_NAME_push(names, name) > 0;
		if (!done)
			X509_NAME_free(name);
		X509_free(authority);
	}
	BIO_free(source);
	return done && sk_X509_NAME_num(names) > 0;
}

static bool
add_crls(X509_STORE *store, struct bytes pem)
{
	BIO *source = BIO_new_mem_buf(pem.data, (int)pem.length);
	bool done = source != NULL;
	size_t count = 0;
	X509_CRL *crl;
	for (; done && (crl = PEM_read_bio_X509_CRL(source, NULL, NULL, NULL)) != NULL; count++) {
		done = X509_STORE_add_crl(store, crl) == 1;
		X509_CRL_free(crl);
	}
	BIO_free(source);
	return done && count > 0;
}

/* Whoever is in the file is trusted, be it a root, what a root has signed, or a client itself. */
static bool
use_authorities(SSL_CTX *context, const struct tls_peer_rules *rules)
{
	X509_STORE *store = X509_STORE_new();
	STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
	unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;
	bool done =
		store != NULL && names != NULL && add_authorities(store, names, rules->authorities);
	if (done && rules->crls.length > 0) {
		flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
		done = add_crls(store, rules->crls);
	}
	done = done && X509_STORE_set_flags(store, flags) == 1 &&
	       SSL_CTX_set1_verify_cert_store(context, store) == 1;
	if (done)
		SSL_CTX_set_client_CA_list(context, names);
	else
		sk_X509_NAME_pop_free(names, X509_NAME_free);
	X509_STORE_free(store);
	ERR_clear_error();
	return done;
}

/* ---- messages of the handshake ---- */

static void
drop_proof(struct tls *tls)
{
	free(tls->peer.proof);
	tls->peer.proof = NULL;
	tls->peer.proof_length = tls->peer.proof_capacity = 0;
	tls->peer.is_recording = false;
}

static bool
reserve(struct tls_peer_state *peer, size_t length)
{
	size_t capacity = peer->proof_capacity == 0 ? 4096 : peer->proof_capacity;
	while (capacity < length)
		capacity *= 2;
	if (capacity == peer->proof_capacity)
		return true;
	char *proof = realloc(peer->proof, capacity);
	if (proof == NULL)
		return false;
	peer->proof = proof;
	peer->proof_capacity = capacity;
	return true;
}

/* A proof that is too long is none: its owner logs in with a password. */
static void
keep_message(struct tls *tls, const unsigned char *bytes, size_t length, bool is_ours)
{
	struct tls_peer_state *peer = &tls->peer;
	if (length > PROOF_BYTES_MAX - peer->proof_length ||
		!reserve(peer, peer->proof_length + length)) {
		drop_proof(tls);
		return;
	}
	memcpy(peer->proof + peer->proof_length, bytes, length);
	peer->proof_length += length;
	if (bytes[0] == SSL3_MT_CERTIFICATE_VERIFY && !is_ours) {
		peer->is_recording = false;
		peer->is_proven = true;
	}
}

/* SSL_CTX_set_msg_callback(3) */
static void
on_message(int is_ours, UNUSED int version, int type, const void *bytes, size_t length, SSL *ssl,
	UNUSED void *argument)
{
	struct tls *tls = SSL_get_app_data(ssl);
	const unsigned char *message = bytes;
	if (type == SSL3_RT_HANDSHAKE && tls->peer.is_recording && length > 0)
		keep_message(tls, message, length, is_ours);
	if (!tls->is_done)
		return;
	/* A request to renegotiate is seen by our answer only. */
	if ((type == SSL3_RT_HANDSHAKE && !is_ours) ||
		(type == SSL3_RT_ALERT && is_ours && length == 2 &&
			message[1] == SSL_AD_NO_RENEGOTIATION))
		tls->peer.messages++;
}

bool
tls_peer_floods(const struct tls *tls)
{
	return tls->peer.messages > MESSAGES_FREE + tls->peer.bytes / BYTES_PER_MESSAGE;
}

/* ---- life ---- */

bool
tls_peer_install(SSL_CTX *context, const struct tls_peer_rules *rules)
{
	int mode = SSL_VERIFY_PEER;
	SSL_CTX_set_msg_callback(context, on_message);
	/* Otherwise SSL_read() goes on within a flood for as long as more of it comes. */
	SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
	if (rules->wanted == CLIENT_CERTIFICATE_OFF)
		return true;
	if (rules->wanted == CLIENT_CERTIFICATE_REQUIRE)
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	SSL_CTX_set_verify(context, mode, on_verify);
	SSL_CTX_set_max_cert_list(context, CERTIFICATES_BYTES_MAX);
	return rules->authorities.length == 0 || use_authorities(context, rules);
}

void
tls_peer_begin(struct tls *tls)
{
	if (tls->options.is_data)
		SSL_set_verify(tls->ssl, SSL_VERIFY_NONE, NULL);
	tls->peer.is_recording = SSL_get_verify_mode(tls->ssl) != SSL_VERIFY_NONE;
}

void
tls_peer_settle(struct tls *tls)
{
	if (!tls->peer.is_proven)
		drop_proof(tls);
}

void
tls_peer_free(struct tls *tls)
{
	drop_proof(tls);
	X509_free(tls->peer.refused);
}

/* ---- what it is ---- */

struct bytes
tls_proof(const struct tls *tls)
{
	return bytes_of(tls->peer.proof, tls->peer.is_proven ? tls->peer.proof_length : 0);
}

static bool
describe_fingerprint(const X509 *certificate, char text[TLS_FINGERPRINT_DIGITS + 1])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	if (X509_digest(certificate, EVP_sha256(), digest, &length) != 1 ||
		length * 2 != TLS_FINGERPRINT_DIGITS)
		return false;
	for (unsigned i = 0; i < length; i++)
		sprintf(text + (size_t)2 * i, "%02x", digest[i]);
	return true;
}

/* A subject that is longer than the record takes is cut, in it alone. */
static void
describe_subject(X509 *certificate, char text[TLS_SUBJECT_BYTES_MAX + 1])
{
	BIO *out = BIO_new(BIO_s_mem());
	text[0] = '\0';
	if (out == NULL)
		return;
	if (X509_NAME_print_ex(out, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0) {
		int length = BIO_read(out, text, TLS_SUBJECT_BYTES_MAX);
		text[length > 0 ? length : 0] = '\0';
	}
	BIO_free(out);
}

bool
tls_describe_peer(const struct tls *tls, struct tls_peer *result)
{
	X509 *certificate =
		tls->peer.refused != NULL ? tls->peer.refused : SSL_get0_peer_certificate(tls->ssl);
	if (certificate == NULL || !describe_fingerprint(certificate, result->fingerprint))
		return false;
	describe_subject(certificate, result->subject);
	return true;
}

void
tls_describe_failure(const struct tls *tls, char *text, size_t capacity)
{
	long verified = SSL_get_verify_result(tls->ssl);
	const char *why = tls_peer_floods(tls)        ? "flood"
			  : tls->peer.refused != NULL ? X509_verify_cert_error_string(verified)
			  : tls->reason != NULL       ? tls->reason
						      : strerror(-tls->error);
	snprintf(text, capacity, "%s", why);
}
