/*
 * Keys from files, and their signatures, verified by OpenSSL with the public half (key.h).
 */
#include "tests/table.h"

#include "ipc/base/scope.h"
#include "policy/keys/key.h"
#include "tests/unit/keys/handshake.h"
#include "tests/unit/keys/new_key.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>

struct sign_row {
	const char *name;
	const char *algorithm;
	int bits;
	const char *group;
	enum shape_key kind;
	enum tls_scheme scheme;
	const char *digest;
	int padding;
};

static const struct sign_row sign_rows[] = {
	{ "RSA, PKCS #1", "RSA", 2048, NULL, SHAPE_KEY_RSA, TLS_RSA_PKCS1_SHA256, "SHA256",
		RSA_PKCS1_PADDING },
	{ "RSA, PSS", "RSA", 2048, NULL, SHAPE_KEY_RSA, TLS_RSA_PSS_SHA384, "SHA384",
		RSA_PKCS1_PSS_PADDING },
	{ "P-256", "EC", 0, "P-256", SHAPE_KEY_P256, TLS_ECDSA_SHA256, "SHA256", 0 },
	{ "P-384", "EC", 0, "P-384", SHAPE_KEY_P384, TLS_ECDSA_SHA384, "SHA384", 0 },
	{ "Ed25519", "ED25519", 0, NULL, SHAPE_KEY_ED25519, TLS_ED25519, NULL, 0 },
};

static bool
verifies(EVP_PKEY *key, const struct sign_row *row, struct bytes content,
	const unsigned char *signature, size_t length)
{
	EVP_PKEY_CTX *context;
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	assert_int_equal(
		EVP_DigestVerifyInit_ex(digest, &context, row->digest, NULL, NULL, key, NULL), 1);
	if (row->padding != 0)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, row->padding), 1);
	if (row->padding == RSA_PKCS1_PSS_PADDING)
		assert_int_equal(
			EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST), 1);
	bool result = EVP_DigestVerify(digest, signature, length,
			      (const unsigned char *)content.data, content.length) == 1;
	EVP_MD_CTX_free(digest);
	return result;
}

static void
check_sign(void **state)
{
	const struct sign_row *row = *state;
	struct handshake made = handshake_tls_1_3(32);
	EVP_PKEY *whole = new_key(row->algorithm, row->bits, row->group);
	SCOPE_FD int fd = new_key_file(whole, NULL);
	unsigned char signature[512];
	struct key *key;
	const char *reason;
	assert_int_equal(key_read(fd, &key, &reason), 0);
	assert_int_equal(key_kind(key), row->kind);
	int length =
		key_sign(key, row->scheme, handshake_bytes(&made), signature, sizeof(signature));
	assert_true(length > 0);
	assert_true(verifies(whole, row, handshake_bytes(&made), signature, (size_t)length));
	made.bytes[made.length - 1] ^= 1;
	assert_false(verifies(whole, row, handshake_bytes(&made), signature, (size_t)length));
	assert_true(key_sign(key, row->scheme, handshake_bytes(&made), signature, 16) < 0);
	key_free(&key);
	assert_null(key);
	EVP_PKEY_free(whole);
}

struct refused_row {
	const char *name;
	const char *algorithm;
	int bits;
	const char *group, *passphrase;
	const char *want; /* part of the reason */
};

static const struct refused_row refused_rows[] = {
	{ "RSA with 1,024 bits", "RSA", 1024, NULL, NULL, "2,048 bits" },
	{ "P-521", "EC", 0, "P-521", NULL, "not offered" },
	{ "secp256k1", "EC", 0, "secp256k1", NULL, "not offered" },
	{ "X25519, which cannot sign", "X25519", 0, NULL, NULL, "not offered" },
	{ "an encrypted key", "EC", 0, "P-256", "pass", "encrypted" },
};

static void
check_refused(void **state)
{
	const struct refused_row *row = *state;
	EVP_PKEY *whole = new_key(row->algorithm, row->bits, row->group);
	SCOPE_FD int fd = new_key_file(whole, row->passphrase);
	struct key *key = NULL;
	const char *reason;
	assert_int_equal(key_read(fd, &key, &reason), -EINVAL);
	assert_null(key);
	assert_non_null(strstr(reason, row->want));
	EVP_PKEY_free(whole);
}

struct file_row {
	const char *name, *content;
	size_t length;
	const char *want;
};

static const struct file_row file_rows[] = {
	{ "an empty file", "", 0, "empty" },
	{ "another text", "hello", 5, "no private key" },
	{ "half a key", "-----BEGIN PRIVATE KEY-----\nMIGH", 33, "no private key" },
};

static void
check_file(void **state)
{
	const struct file_row *row = *state;
	SCOPE_FD int fd = new_file(row->content, row->length);
	struct key *key = NULL;
	const char *reason;
	assert_int_equal(key_read(fd, &key, &reason), -EINVAL);
	assert_non_null(strstr(reason, row->want));
}

static void
check_too_large(void **state)
{
	SCOPE_FD int fd = new_file("x", 1);
	struct key *key = NULL;
	const char *reason;
	(void)state;
	assert_int_equal(ftruncate(fd, KEY_FILE_BYTES_MAX + 1), 0);
	assert_int_equal(key_read(fd, &key, &reason), -EINVAL);
	assert_string_equal(reason, "too large for a key");
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("signature", sign_rows, check_sign),
		TABLE("refused", refused_rows, check_refused),
		TABLE("no key", file_rows, check_file),
		CASE("a file beyond the limit is not read", check_too_large),
	};
	return key_prepare() < 0 ? 1 : table_run(tables, ARRAY_LENGTH(tables));
}
