/*
 * Messages between a gateway and keys (sign.def).
 */
#ifndef SALLYPORT_IPC_SIGN_H
#define SALLYPORT_IPC_SIGN_H

#include "ipc/base/path.h"
#include "ipc/channel.h"
#include "ipc/choices.h"

enum {
	TLS_SIGNED_BYTES_MIN = 100,    /* of TLS 1.2 with X25519 */
	TLS_SIGNED_BYTES_MAX = 165,    /* of TLS 1.2 with P-384 */
	TLS_SIGNATURE_BYTES_MAX = 512, /* of RSA with 4096 bits */
};

#define CHANNEL(name) sign_##name
#define CHANNEL_ROWS  "ipc/sign.def"
#include "ipc/declare_messages.h"
#undef CHANNEL
#undef CHANNEL_ROWS

#endif
