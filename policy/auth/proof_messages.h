/*
 * The messages of a TLS handshake, taken apart as far as a proof needs it. For proof.c.
 */
#ifndef SALLYPORT_POLICY_AUTH_PROOF_MESSAGES_H
#define SALLYPORT_POLICY_AUTH_PROOF_MESSAGES_H

#include "ipc/base/bytes.h"

#include <stdint.h>

enum { PROOF_CHAIN_MAX = 8 };

/* Pieces of the messages. */
struct proof_messages {
	bool is_1_3;
	uint16_t cipher;
	struct bytes
		first_hello;  /* with TLS 1.3, if the server asked for another one; else empty */
	struct bytes covered; /* what the signature is about, less the first hello */
	struct bytes server;  /* its certificate, in DER */
	struct bytes chain[PROOF_CHAIN_MAX]; /* the client's, its own first */
	size_t chain_length;
	uint16_t scheme;
	struct bytes signature;
};

/* 0, or -EBADMSG: not what a handshake with two certificates begins with. */
MUST_CHECK int proof_messages_read(struct bytes messages, struct proof_messages *result);

#endif
