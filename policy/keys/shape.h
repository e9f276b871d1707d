/*
 * Is this what a TLS server signs in a handshake, and nothing else? A signing key is an oracle for
 * whoever holds a channel to it; these shapes are all that ours answers. A text of neither shape
 * could be a certificate, a token or a client's proof.
 *
 * TLS 1.3 (RFC 8446 4.4.3): 64 blanks, "TLS 1.3, server CertificateVerify", 0, a transcript hash.
 * TLS 1.2 (RFC 8422 5.4): client random, server random, an ECDHE group and the server's point. The
 * server random must end in the sign that a server of TLS 1.3 gives (RFC 8446 4.1.3), so that a
 * gateway in foreign hands cannot talk a client of TLS 1.3 down.
 */
#ifndef SALLYPORT_POLICY_KEYS_SHAPE_H
#define SALLYPORT_POLICY_KEYS_SHAPE_H

#include "ipc/base/bytes.h"
#include "ipc/choices.h"

enum shape { SHAPE_NONE, SHAPE_TLS_1_2, SHAPE_TLS_1_3 };

enum shape shape_of(struct bytes content);

/* What kind of key it is that signs. */
enum shape_key { SHAPE_KEY_RSA, SHAPE_KEY_P256, SHAPE_KEY_P384, SHAPE_KEY_ED25519 };

/* May a key of that kind sign a text of that shape in that way? */
bool shape_permits(enum shape shape, enum shape_key key, enum tls_scheme scheme);

#endif
