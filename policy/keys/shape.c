/*
 * The two shapes of what is signed (see shape.h). Runs in keys, on bytes that a gateway chose.
 * Pure: no system call, no memory. What is not certainly a handshake is SHAPE_NONE.
 */
#include "policy/keys/shape.h"

#include "ipc/base/compiler.h"

/* ---- TLS 1.3 ---- */

enum { PADDING_BYTES = 64, PADDING = ' ' };

static const char context[] = "TLS 1.3, server CertificateVerify"; /* its NUL belongs to it */

static bool
is_tls_1_3(struct bytes content)
{
	enum { SHA256_BYTES = 32, SHA384_BYTES = 48 };
	const size_t before = PADDING_BYTES + sizeof(context);
	if (content.length != before + SHA256_BYTES && content.length != before + SHA384_BYTES)
		return false;
	for (size_t i = 0; i < PADDING_BYTES; i++)
		if (content.data[i] != PADDING)
			return false;
	return memcmp(content.data + PADDING_BYTES, context, sizeof(context)) == 0;
}

/* ---- TLS 1.2 ---- */

enum { RANDOM_BYTES = 32, NAMED_CURVE = 3, UNCOMPRESSED = 4 };

static const unsigned char no_downgrade[] = { 'D', 'O', 'W', 'N', 'G', 'R', 'D', 1 };

static const struct group {
	unsigned char number[2]; /* RFC 8422 5.1.1, RFC 8446 4.2.7 */
	size_t point_bytes;
	bool is_uncompressed; /* its points begin with a byte that says so */
} groups[] = {
	{ { 0, 23 }, 65, true },  /* secp256r1 */
	{ { 0, 24 }, 97, true },  /* secp384r1 */
	{ { 0, 29 }, 32, false }, /* x25519 */
};

static bool
is_point_of(const struct group *group, const unsigned char *parameters, size_t length)
{
	enum { HEAD_BYTES = 4 }; /* curve type, group, length of the point */
	return length == HEAD_BYTES + group->point_bytes && parameters[0] == NAMED_CURVE &&
	       memcmp(parameters + 1, group->number, sizeof(group->number)) == 0 &&
	       parameters[3] == group->point_bytes &&
	       (!group->is_uncompressed || parameters[HEAD_BYTES] == UNCOMPRESSED);
}

static bool
is_tls_1_2(struct bytes content)
{
	const unsigned char *bytes = (const unsigned char *)content.data;
	const size_t before = 2 * (size_t)RANDOM_BYTES;
	if (content.length <= before || memcmp(bytes + before - sizeof(no_downgrade), no_downgrade,
						sizeof(no_downgrade)) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_LENGTH(groups); i++)
		if (is_point_of(&groups[i], bytes + before, content.length - before))
			return true;
	return false;
}

/* The shapes exclude each other: behind 64 bytes stands 'T' in one and 3 in the other. */
enum shape
shape_of(struct bytes content)
{
	if (is_tls_1_3(content))
		return SHAPE_TLS_1_3;
	return is_tls_1_2(content) ? SHAPE_TLS_1_2 : SHAPE_NONE;
}

/* ---- schemes ---- */

#define BIT(scheme) (1u << (scheme))
#define RSA_PKCS1_ALL \
	(BIT(TLS_RSA_PKCS1_SHA256) | BIT(TLS_RSA_PKCS1_SHA384) | BIT(TLS_RSA_PKCS1_SHA512))
#define RSA_PSS_ALL (BIT(TLS_RSA_PSS_SHA256) | BIT(TLS_RSA_PSS_SHA384) | BIT(TLS_RSA_PSS_SHA512))
#define ECDSA_ALL   (BIT(TLS_ECDSA_SHA256) | BIT(TLS_ECDSA_SHA384) | BIT(TLS_ECDSA_SHA512))

/* RFC 8446 4.2.3: in TLS 1.3 a curve has its digest, and PKCS #1 v1.5 is gone. */
static const unsigned permitted[][SHAPE_TLS_1_3 + 1] = {
	[SHAPE_KEY_RSA] = { 0, RSA_PKCS1_ALL | RSA_PSS_ALL, RSA_PSS_ALL },
	[SHAPE_KEY_P256] = { 0, ECDSA_ALL, BIT(TLS_ECDSA_SHA256) },
	[SHAPE_KEY_P384] = { 0, ECDSA_ALL, BIT(TLS_ECDSA_SHA384) },
	[SHAPE_KEY_ED25519] = { 0, BIT(TLS_ED25519), BIT(TLS_ED25519) },
};

bool
shape_permits(enum shape shape, enum shape_key key, enum tls_scheme scheme)
{
	return (permitted[key][shape] & BIT(scheme)) != 0;
}
