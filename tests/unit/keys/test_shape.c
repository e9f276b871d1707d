/*
 * What is a handshake and what is not (shape.h): the shapes with every byte of their frame changed,
 * and each pair of a key and a scheme.
 */
#include "tests/table.h"

#include "policy/keys/shape.h"
#include "tests/unit/keys/handshake.h"

struct shape_row {
	const char *name;
	size_t size; /* of the hash, or of the point */
	unsigned char group;
	enum shape want;
};

static const struct shape_row shape_rows[] = {
	{ "TLS 1.3 with SHA-256", 32, 0, SHAPE_TLS_1_3 },
	{ "TLS 1.3 with SHA-384", 48, 0, SHAPE_TLS_1_3 },
	{ "TLS 1.3 with a hash of another length", 33, 0, SHAPE_NONE },
	{ "TLS 1.3 without a hash", 0, 0, SHAPE_NONE },
	{ "TLS 1.2 with P-256", 65, 23, SHAPE_TLS_1_2 },
	{ "TLS 1.2 with P-384", 97, 24, SHAPE_TLS_1_2 },
	{ "TLS 1.2 with X25519", 32, 29, SHAPE_TLS_1_2 },
	{ "TLS 1.2 with P-521", 133, 25, SHAPE_NONE },
	{ "TLS 1.2 with a point of another curve", 97, 23, SHAPE_NONE },
	{ "TLS 1.2 without a point", 0, 29, SHAPE_NONE },
};

static struct handshake
make(const struct shape_row *row)
{
	return row->group == 0 ? handshake_tls_1_3(row->size)
			       : handshake_tls_1_2(row->group, row->size);
}

static void
check_shape(void **state)
{
	const struct shape_row *row = *state;
	struct handshake made = make(row);
	assert_int_equal(shape_of(handshake_bytes(&made)), row->want);
}

/* Which bytes are the frame: all others are random numbers, hashes and points. */
static bool
is_frame(const struct shape_row *row, size_t at)
{
	if (row->want == SHAPE_TLS_1_3)
		return at < 64 + sizeof("TLS 1.3, server CertificateVerify");
	bool is_compressible = at == 68 && row->group != 29;
	return (at >= 56 && at < 68) || is_compressible;
}

static void
check_bytes(void **state)
{
	const struct shape_row *row = *state;
	if (row->want == SHAPE_NONE)
		return;
	struct handshake made = make(row);
	for (size_t at = 0; at < made.length; at++) {
		made.bytes[at] ^= 0x40;
		assert_int_equal(shape_of(handshake_bytes(&made)),
			is_frame(row, at) ? SHAPE_NONE : row->want);
		made.bytes[at] ^= 0x40;
	}
	const struct handshake shortest = handshake_tls_1_3(32);
	for (size_t length = 0; length < made.length; length++)
		if (length != shortest.length)
			assert_int_equal(shape_of(bytes_of(made.bytes, length)), SHAPE_NONE);
	made.length++;
	assert_int_equal(shape_of(handshake_bytes(&made)), SHAPE_NONE);
}

struct permit_row {
	const char *name;
	enum shape_key key;
	unsigned tls_1_2, tls_1_3; /* schemes, as bits */
};

#define PKCS1 (1u << TLS_RSA_PKCS1_SHA256 | 1u << TLS_RSA_PKCS1_SHA384 | 1u << TLS_RSA_PKCS1_SHA512)
#define PSS   (1u << TLS_RSA_PSS_SHA256 | 1u << TLS_RSA_PSS_SHA384 | 1u << TLS_RSA_PSS_SHA512)
#define ECDSA (1u << TLS_ECDSA_SHA256 | 1u << TLS_ECDSA_SHA384 | 1u << TLS_ECDSA_SHA512)

static const struct permit_row permit_rows[] = {
	{ "RSA", SHAPE_KEY_RSA, PKCS1 | PSS, PSS },
	{ "P-256", SHAPE_KEY_P256, ECDSA, 1u << TLS_ECDSA_SHA256 },
	{ "P-384", SHAPE_KEY_P384, ECDSA, 1u << TLS_ECDSA_SHA384 },
	{ "Ed25519", SHAPE_KEY_ED25519, 1u << TLS_ED25519, 1u << TLS_ED25519 },
};

static void
check_permit(void **state)
{
	const struct permit_row *row = *state;
	for (unsigned scheme = 0; scheme <= tls_scheme_choice_last; scheme++) {
		assert_false(shape_permits(SHAPE_NONE, row->key, scheme));
		assert_int_equal(
			shape_permits(SHAPE_TLS_1_2, row->key, scheme), row->tls_1_2 >> scheme & 1);
		assert_int_equal(
			shape_permits(SHAPE_TLS_1_3, row->key, scheme), row->tls_1_3 >> scheme & 1);
	}
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("shape", shape_rows, check_shape),
		TABLE("with one byte changed, or cut", shape_rows, check_bytes),
		TABLE("schemes", permit_rows, check_permit),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
