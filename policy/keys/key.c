/*
 * Private keys (see key.h). Runs in keys, the only process that ever holds one. OpenSSL parses and
 * signs, through EVP alone; what it fails at is this key's failure and nobody else's.
 */
#include "policy/keys/key.h"

#include "ipc/base/content.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <sys/stat.h>

struct key {
	EVP_PKEY *pkey;
	enum shape_key kind;
};

int
key_prepare(void)
{
	unsigned char byte;
	/* No file of OpenSSL's is asked what this process does (OPENSSL_CONF). */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1 ||
		RAND_bytes(&byte, 1) != 1 || RAND_priv_bytes(&byte, 1) != 1)
		return -ENOMEM;
	return 0;
}

/* ---- reading ---- */

/* Nobody is there to type a passphrase. */
static int
refuse_passphrase(UNUSED char *buffer, UNUSED size_t capacity, size_t *length,
	UNUSED const OSSL_PARAM *parameters, void *argument)
{
	bool *is_encrypted = argument;
	*is_encrypted = true;
	*length = 0;
	return 0;
}

static EVP_PKEY *
decode(const unsigned char *pem, size_t length, bool *is_encrypted)
{
	EVP_PKEY *pkey = NULL;
	OSSL_DECODER_CTX *decoder = OSSL_DECODER_CTX_new_for_pkey(
		&pkey, "PEM", NULL, NULL, EVP_PKEY_KEYPAIR, NULL, NULL);
	if (decoder != NULL &&
		OSSL_DECODER_CTX_set_passphrase_cb(decoder, refuse_passphrase, is_encrypted) == 1)
		(void)OSSL_DECODER_from_data(decoder, &pem, &length);
	OSSL_DECODER_CTX_free(decoder);
	ERR_clear_error();
	return pkey;
}

static int
find_curve(const EVP_PKEY *pkey, enum shape_key *kind)
{
	char group[64];
	if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1)
		return -EINVAL;
	*kind = strcmp(group, "prime256v1") == 0 ? SHAPE_KEY_P256 : SHAPE_KEY_P384;
	return *kind == SHAPE_KEY_P256 || strcmp(group, "secp384r1") == 0 ? 0 : -EINVAL;
}

static const char *
find_kind(const EVP_PKEY *pkey, enum shape_key *kind)
{
	if (EVP_PKEY_is_a(pkey, "ED25519")) {
		*kind = SHAPE_KEY_ED25519;
	} else if (EVP_PKEY_is_a(pkey, "RSA")) {
		*kind = SHAPE_KEY_RSA;
		if (EVP_PKEY_get_bits(pkey) < KEY_RSA_BITS_MIN)
			return "RSA keys need 2,048 bits at least: make a new one";
		if (EVP_PKEY_get_bits(pkey) > KEY_RSA_BITS_MAX)
			return "RSA keys may have 4,096 bits at most: make a smaller one";
	} else if (!EVP_PKEY_is_a(pkey, "EC") || find_curve(pkey, kind) < 0) {
		return "this kind of key is not offered: use RSA, ECDSA with P-256 or P-384, or "
		       "Ed25519";
	}
	return NULL;
}

static int
take_pem(const unsigned char *pem, size_t length, struct key **result, const char **reason)
{
	bool is_encrypted = false;
	struct key key = { .pkey = decode(pem, length, &is_encrypted) };
	*reason = is_encrypted
			  ? "the key is encrypted, and nobody is there to type its passphrase: "
			    "store it without one, readable by root only"
			  : "no private key in PEM";
	if (key.pkey == NULL)
		return -EINVAL;
	*reason = find_kind(key.pkey, &key.kind);
	struct key *copy = *reason == NULL ? malloc(sizeof(*copy)) : NULL;
	if (copy == NULL) {
		EVP_PKEY_free(key.pkey);
		return *reason == NULL ? -ENOMEM : -EINVAL;
	}
	*copy = key;
	*result = copy;
	return 0;
}

int
key_read(int fd, struct key **result, const char **reason)
{
	struct stat status;
	*reason = "it cannot be read";
	if (fstat(fd, &status) < 0)
		return -errno;
	if (status.st_size <= 0 || status.st_size > KEY_FILE_BYTES_MAX) {
		*reason = status.st_size <= 0 ? "the file is empty" : "too large for a key";
		return -EINVAL;
	}
	size_t length = (size_t)status.st_size;
	unsigned char *pem = OPENSSL_secure_malloc(length);
	if (pem == NULL)
		return -ENOMEM;
	ssize_t have = content_read_into(fd, pem, length);
	int error = have < 0 ? (int)have : take_pem(pem, (size_t)have, result, reason);
	OPENSSL_secure_clear_free(pem, length);
	return error;
}

void
key_free(struct key **key)
{
	if (*key != NULL)
		EVP_PKEY_free((*key)->pkey);
	free(*key);
	*key = NULL;
}

enum shape_key
key_kind(const struct key *key)
{
	return key->kind;
}

/* ---- signing ---- */

static const struct scheme {
	const char *digest; /* NULL: the algorithm has its own */
	int padding;        /* of RSA; else 0 */
} schemes[] = {
	[TLS_RSA_PKCS1_SHA256] = { "SHA256", RSA_PKCS1_PADDING },
	[TLS_RSA_PKCS1_SHA384] = { "SHA384", RSA_PKCS1_PADDING },
	[TLS_RSA_PKCS1_SHA512] = { "SHA512", RSA_PKCS1_PADDING },
	[TLS_RSA_PSS_SHA256] = { "SHA256", RSA_PKCS1_PSS_PADDING },
	[TLS_RSA_PSS_SHA384] = { "SHA384", RSA_PKCS1_PSS_PADDING },
	[TLS_RSA_PSS_SHA512] = { "SHA512", RSA_PKCS1_PSS_PADDING },
	[TLS_ECDSA_SHA256] = { "SHA256", 0 },
	[TLS_ECDSA_SHA384] = { "SHA384", 0 },
	[TLS_ECDSA_SHA512] = { "SHA512", 0 },
	[TLS_ED25519] = { NULL, 0 },
};

static bool
set_padding(EVP_PKEY_CTX *context, int padding)
{
	if (padding == 0)
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(context, padding) == 1 &&
	       (padding != RSA_PKCS1_PSS_PADDING ||
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1);
}

int
key_sign(const struct key *key, enum tls_scheme scheme, struct bytes content,
	unsigned char *signature, size_t capacity)
{
	const struct scheme *how = &schemes[scheme];
	EVP_PKEY_CTX *context;
	size_t length = capacity;
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	bool signed_it = digest != NULL &&
			 EVP_DigestSignInit_ex(
				 digest, &context, how->digest, NULL, NULL, key->pkey, NULL) == 1 &&
			 set_padding(context, how->padding) &&
			 EVP_DigestSign(digest, signature, &length,
				 (const unsigned char *)content.data, content.length) == 1;
	EVP_MD_CTX_free(digest);
	ERR_clear_error();
	return signed_it ? (int)length : -EIO;
}
