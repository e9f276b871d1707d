/*
 * Texts that a TLS server signs, for tests of keys.
 */
#ifndef SALLYPORT_TESTS_UNIT_KEYS_HANDSHAKE_H
#define SALLYPORT_TESTS_UNIT_KEYS_HANDSHAKE_H

#include "ipc/base/bytes.h"

enum { HANDSHAKE_BYTES_MAX = 256 };

struct handshake {
	unsigned char bytes[HANDSHAKE_BYTES_MAX];
	size_t length;
};

/* CertificateVerify of TLS 1.3 over a transcript hash of that many bytes. */
struct handshake handshake_tls_1_3(size_t hash_bytes);

/* ServerKeyExchange of TLS 1.2 with that group (23, 24, 29) and a point of that many bytes. */
struct handshake handshake_tls_1_2(unsigned char group, size_t point_bytes);

static inline struct bytes
handshake_bytes(const struct handshake *handshake)
{
	return bytes_of(handshake->bytes, handshake->length);
}

#endif
