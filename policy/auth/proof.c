/*
 * Checks proofs (see proof.h). Runs in a hasher. libcrypto parses what a stranger sent; the file
 * that it is called from in auth is this one. Trusts the files, which the loader has looked at.
 */
#include "policy/auth/proof.h"

#include "ipc/base/content.h"
#include "ipc/base/scope.h"
#include "policy/auth/proof_messages.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_BYTES_MAX = 1024 * 1024, OWN_MAX = 64, NAME_BYTES_MAX = 1024, SECURITY_LEVEL = 1 };

struct der {
	unsigned char *bytes;
	size_t length;
};

struct proof_trust {
	X509_STORE *store;       /* NULL: no authorities */
	struct der own[OWN_MAX]; /* this server's certificates */
	size_t own_count;
};

/* ---- files ---- */

static int
read_file(int fd, BIO **result)
{
	SCOPE_FREE char *owner = NULL;
	struct bytes content;
	int error = content_read(fd, FILE_BYTES_MAX, &owner, &content);
	if (error < 0)
		return error;
	BIO *pem = BIO_new(BIO_s_mem());
	if (pem == NULL ||
		BIO_write(pem, content.data, (int)content.length) != (int)content.length) {
		BIO_free(pem);
		return -ENOMEM;
	}
	*result = pem;
	return 0;
}

static int
add_own(struct proof_trust *trust, BIO *pem)
{
	X509 *own = PEM_read_bio_X509(pem, NULL, NULL, NULL);
	unsigned char *der = NULL;
	int length = own == NULL ? -1 : i2d_X509(own, &der);
	X509_free(own);
	if (length <= 0 || trust->own_count == OWN_MAX) {
		OPENSSL_free(der);
		return -EINVAL;
	}
	trust->own[trust->own_count++] = (struct der){ der, (size_t)length };
	return 0;
}

static int
need_store(struct proof_trust *trust)
{
	if (trust->store == NULL)
		trust->store = X509_STORE_new();
	return trust->store == NULL ||
			       X509_STORE_set_flags(trust->store, X509_V_FLAG_PARTIAL_CHAIN) != 1
		       ? -ENOMEM
		       : 0;
}

static int
add_authorities(struct proof_trust *trust, BIO *pem)
{
	int error = need_store(trust);
	size_t count = 0;
	X509 *authority;
	for (; error == 0 && (authority = PEM_read_bio_X509(pem, NULL, NULL, NULL)) != NULL;
		count++) {
		error = X509_STORE_add_cert(trust->store, authority) == 1 ? 0 : -ENOMEM;
		X509_free(authority);
	}
	return error == 0 && count == 0 ? -EINVAL : error;
}

static int
add_crls(struct proof_trust *trust, BIO *pem)
{
	int error = need_store(trust);
	size_t count = 0;
	X509_CRL *crl;
	for (; error == 0 && (crl = PEM_read_bio_X509_CRL(pem, NULL, NULL, NULL)) != NULL;
		count++) {
		error = X509_STORE_add_crl(trust->store, crl) == 1 ? 0 : -ENOMEM;
		X509_CRL_free(crl);
	}
	if (error == 0 && count == 0)
		return -EINVAL;
	if (error == 0)
		X509_STORE_set_flags(
			trust->store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	return error;
}

static int
add_file(struct proof_trust *trust, const struct trust_file *file)
{
	BIO *pem = NULL;
	int error = read_file(file->fd, &pem);
	if (error < 0)
		return error;
	switch (file->kind) {
	case TRUST_SERVER:
		error = add_own(trust, pem);
		break;
	case TRUST_AUTHORITY:
		error = add_authorities(trust, pem);
		break;
	case TRUST_CRL:
		error = add_crls(trust, pem);
		break;
	}
	BIO_free(pem);
	ERR_clear_error();
	return error;
}

int
proof_trust_new(const struct trust_files *files, struct proof_trust **result)
{
	/* No file of OpenSSL's is asked what this process does (OPENSSL_CONF). */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return -ENOMEM;
	struct proof_trust *trust = calloc(1, sizeof(*trust));
	int error = trust == NULL ? -ENOMEM : 0;
	for (size_t i = 0; i < files->count && error == 0; i++)
		error = add_file(trust, &files->items[i]);
	if (error < 0)
		proof_trust_free(&trust);
	else
		*result = trust;
	return error;
}

void
proof_trust_free(struct proof_trust **trust)
{
	struct proof_trust *freed = *trust;
	*trust = NULL;
	if (freed == NULL)
		return;
	X509_STORE_free(freed->store);
	for (size_t i = 0; i < freed->own_count; i++)
		OPENSSL_free(freed->own[i].bytes);
	free(freed);
}

/* ---- the signature ---- */

/* RFC 8446 4.2.3; those with an `is_old` are of TLS 1.2 only. */
static const struct scheme {
	const char *key;
	const char *digest; /* NULL: the key says */
	uint16_t number;
	bool is_pss, is_old;
} schemes[] = {
	{ "EC", "SHA256", 0x0403, false, false },
	{ "EC", "SHA384", 0x0503, false, false },
	{ "EC", "SHA512", 0x0603, false, false },
	{ "RSA", "SHA256", 0x0804, true, false },
	{ "RSA", "SHA384", 0x0805, true, false },
	{ "RSA", "SHA512", 0x0806, true, false },
	{ "ED25519", NULL, 0x0807, false, false },
	{ "ED448", NULL, 0x0808, false, false },
	{ "RSA-PSS", "SHA256", 0x0809, true, false },
	{ "RSA-PSS", "SHA384", 0x080a, true, false },
	{ "RSA-PSS", "SHA512", 0x080b, true, false },
	{ "RSA", "SHA256", 0x0401, false, true },
	{ "RSA", "SHA384", 0x0501, false, true },
	{ "RSA", "SHA512", 0x0601, false, true },
};

static const struct scheme *
find_scheme(const struct proof_messages *messages)
{
	for (size_t i = 0; i < ARRAY_LENGTH(schemes); i++)
		if (schemes[i].number == messages->scheme && messages->is_1_3 <= !schemes[i].is_old)
			return &schemes[i];
	return NULL;
}

static bool
digest_two(const EVP_MD *kind, struct bytes one, struct bytes two, unsigned char *result,
	unsigned *length)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool done = context != NULL && EVP_DigestInit_ex2(context, kind, NULL) == 1 &&
		    EVP_DigestUpdate(context, one.data, one.length) == 1 &&
		    EVP_DigestUpdate(context, two.data, two.length) == 1 &&
		    EVP_DigestFinal_ex(context, result, length) == 1;
	EVP_MD_CTX_free(context);
	return done;
}

enum { LABEL_BYTES = 64 + 34, SIGNED_BYTES_MAX = LABEL_BYTES + EVP_MAX_MD_SIZE };

/*
 * RFC 8446 4.4.3 and 4.4.1: 64 blanks, a label, a NUL, the digest of the messages. Where the server
 * asked for another hello, a message with the first one's digest stands for it.
 */
static bool
write_1_3(const struct proof_messages *messages, char *out, size_t *length)
{
	static const char label[] = "TLS 1.3, client CertificateVerify";
	enum { SHA384_CIPHER = 0x1302, MESSAGE_HASH = 254 };
	const EVP_MD *kind = messages->cipher == SHA384_CIPHER ? EVP_sha384() : EVP_sha256();
	unsigned char first[4 + EVP_MAX_MD_SIZE] = { MESSAGE_HASH };
	unsigned first_length = 0, digest_length = 0;
	struct bytes nothing = bytes_of("", 0);
	if (messages->first_hello.length > 0) {
		if (!digest_two(kind, messages->first_hello, nothing, first + 4, &first_length))
			return false;
		first[3] = (unsigned char)first_length;
		first_length += 4;
	}
	memset(out, ' ', 64);
	memcpy(out + 64, label, sizeof(label)); /* with its NUL */
	bool done = digest_two(kind, bytes_of((const char *)first, first_length), messages->covered,
		(unsigned char *)out + LABEL_BYTES, &digest_length);
	*length = LABEL_BYTES + digest_length;
	return done;
}

static bool
verify(EVP_PKEY *key, const struct scheme *scheme, struct bytes signature, struct bytes text)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *parameters = NULL;
	bool done = context != NULL && EVP_PKEY_is_a(key, scheme->key) &&
		    EVP_DigestVerifyInit_ex(
			    context, &parameters, scheme->digest, NULL, NULL, key, NULL) == 1;
	if (done && scheme->is_pss)
		done = EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) > 0 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) > 0;
	done = done &&
	       EVP_DigestVerify(context, (const unsigned char *)signature.data, signature.length,
		       (const unsigned char *)text.data, text.length) == 1;
	EVP_MD_CTX_free(context);
	return done;
}

static bool
is_signed(const struct proof_messages *messages, X509 *certificate)
{
	char text[SIGNED_BYTES_MAX];
	size_t length = 0;
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	const struct scheme *scheme = find_scheme(messages);
	if (key == NULL || scheme == NULL)
		return false;
	if (!messages->is_1_3)
		return messages->first_hello.length == 0 &&
		       verify(key, scheme, messages->signature, messages->covered);
	return write_1_3(messages, text, &length) &&
	       verify(key, scheme, messages->signature, bytes_of(text, length));
}

/* ---- the certificate ---- */

static X509 *
parse(struct bytes der)
{
	const unsigned char *at = (const unsigned char *)der.data;
	X509 *certificate = d2i_X509(NULL, &at, (long)der.length);
	if (certificate != NULL && at == (const unsigned char *)der.data + der.length)
		return certificate;
	X509_free(certificate);
	return NULL;
}

static bool
is_in_time(const X509 *certificate)
{
	return X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0 &&
	       X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

static bool
is_vouched_for(const struct proof_trust *trust, X509 *certificate, STACK_OF(X509) * issuers)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	bool done = context != NULL &&
		    X509_STORE_CTX_init(context, trust->store, certificate, issuers) == 1 &&
		    X509_STORE_CTX_set_default(context, "ssl_client") == 1;
	if (done) {
		X509_VERIFY_PARAM_set_auth_level(
			X509_STORE_CTX_get0_param(context), SECURITY_LEVEL);
		done = X509_verify_cert(context) == 1;
	}
	X509_STORE_CTX_free(context);
	return done;
}

/* Issuers that are none help nobody. */
static bool
is_good(const struct proof_trust *trust, const struct proof_messages *messages, X509 *certificate)
{
	STACK_OF(X509) *issuers = sk_X509_new_null();
	bool done = issuers != NULL;
	for (size_t i = 1; done && i < messages->chain_length; i++) {
		X509 *issuer = parse(messages->chain[i]);
		done = issuer != NULL && sk_X509_push(issuers, issuer) > 0;
		if (!done)
			X509_free(issuer);
	}
	done = done && is_in_time(certificate) &&
	       (trust->store == NULL || is_vouched_for(trust, certificate, issuers));
	sk_X509_pop_free(issuers, X509_free);
	return done;
}

static bool
is_own(const struct proof_trust *trust, struct bytes server)
{
	for (size_t i = 0; i < trust->own_count; i++) {
		const struct der *own = &trust->own[i];
		if (bytes_equal(bytes_of((const char *)own->bytes, own->length), server))
			return true;
	}
	return false;
}

/* ---- what it is called ---- */

static bool
write_fingerprint(const X509 *certificate, char *text)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	if (X509_digest(certificate, EVP_sha256(), digest, &length) != 1 ||
		length * 2 != PROOF_FINGERPRINT_DIGITS)
		return false;
	for (unsigned i = 0; i < length; i++)
		sprintf(text + (size_t)2 * i, "%02x", digest[i]);
	return true;
}

/* Printable ASCII alone: with a NUL inside it would be another name for whoever reads on. */
static bool
is_plain(struct bytes text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~')
			return false;
	return text.length > 0;
}

static int
add_name(struct proof_certificate *result, const char *kind, struct bytes text)
{
	char *name = NULL;
	if (result->name_count == PROOF_NAMES_MAX ||
		text.length + strlen(kind) + 1 > NAME_BYTES_MAX)
		return 0; /* it cannot be what a user is known by */
	if (asprintf(&name, "%s/%.*s", kind, (int)text.length, text.data) < 0)
		return -ENOMEM;
	for (char *at = name; strcmp(kind, "dns") == 0 && *at != '\0'; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	result->names[result->name_count++] = name;
	return 0;
}

static int
add_subject(struct proof_certificate *result, const X509 *certificate)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *text = NULL;
	int error = out == NULL ? -ENOMEM : 0;
	if (error == 0 && X509_NAME_print_ex(out, X509_get_subject_name(certificate), 0,
				  XN_FLAG_RFC2253) > 0) {
		long length = BIO_get_mem_data(out, &text);
		error = add_name(result, "subject", bytes_of(text, (size_t)length));
	}
	BIO_free(out);
	return error;
}

static int
add_alternative(struct proof_certificate *result, const GENERAL_NAME *alternative)
{
	int type = 0;
	const char *kind;
	const ASN1_IA5STRING *value = GENERAL_NAME_get0_value(alternative, &type);
	switch (type) {
	case GEN_EMAIL:
		kind = "email";
		break;
	case GEN_DNS:
		kind = "dns";
		break;
	case GEN_URI:
		kind = "uri";
		break;
	default:
		return 0;
	}
	struct bytes text = bytes_of(
		(const char *)ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
	return is_plain(text) ? add_name(result, kind, text) : 0;
}

static int
add_names(struct proof_certificate *result, const X509 *certificate)
{
	GENERAL_NAMES *alternatives =
		X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	int error = add_subject(result, certificate);
	for (int i = 0; error == 0 && i < sk_GENERAL_NAME_num(alternatives); i++)
		error = add_alternative(result, sk_GENERAL_NAME_value(alternatives, i));
	GENERAL_NAMES_free(alternatives);
	return error;
}

void
proof_certificate_free(struct proof_certificate *certificate)
{
	for (size_t i = 0; i < certificate->name_count; i++)
		free(certificate->names[i]);
	certificate->name_count = 0;
}

/* ---- all of it ---- */

int
proof_check(
	const struct proof_trust *trust, struct bytes messages, struct proof_certificate *result)
{
	struct proof_messages read;
	struct proof_certificate found = { .name_count = 0 };
	int error = proof_messages_read(messages, &read);
	if (error < 0)
		return error;
	X509 *certificate = is_own(trust, read.server) ? parse(read.chain[0]) : NULL;
	bool is_proven = certificate != NULL && is_signed(&read, certificate) &&
			 is_good(trust, &read, certificate) &&
			 write_fingerprint(certificate, found.fingerprint);
	error = is_proven ? 0 : -EACCES;
	if (is_proven && trust->store != NULL)
		error = add_names(&found, certificate);
	X509_free(certificate);
	ERR_clear_error();
	if (error < 0)
		proof_certificate_free(&found);
	else
		*result = found;
	return error;
}
