/*
 * Texts that a TLS server signs (see handshake.h).
 */
#include "tests/unit/keys/handshake.h"

struct handshake
handshake_tls_1_3(size_t hash_bytes)
{
	static const char context[] = "TLS 1.3, server CertificateVerify";
	struct handshake made = { .length = 64 + sizeof(context) + hash_bytes };
	memset(made.bytes, ' ', 64);
	memcpy(made.bytes + 64, context, sizeof(context));
	memset(made.bytes + 64 + sizeof(context), 0xa5, hash_bytes);
	return made;
}

struct handshake
handshake_tls_1_2(unsigned char group, size_t point_bytes)
{
	struct handshake made = { .length = 68 + point_bytes };
	memset(made.bytes, 0x11, 64);
	memcpy(made.bytes + 56, "DOWNGRD\1", 8);
	made.bytes[64] = 3;
	made.bytes[66] = group;
	made.bytes[67] = (unsigned char)point_bytes;
	memset(made.bytes + 68, 4, point_bytes);
	return made;
}
