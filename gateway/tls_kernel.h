/*
 * Kernel TLS: once a handshake is done the kernel may encrypt what is sent, so that whoever holds
 * the socket sends plain bytes, with sendfile(2) too. Of the sending side only: what a client says
 * is always read by libssl, which alone can tell a clean end from a forged one (DESIGN 5).
 */
#ifndef SALLYPORT_GATEWAY_TLS_KERNEL_H
#define SALLYPORT_GATEWAY_TLS_KERNEL_H

#include "ipc/base/compiler.h"

#include <openssl/types.h>
#include <stdbool.h>

/* Who takes the keys: Linux, or a test. */
struct tls_kernel {
	/*
	 * A BIO that libssl may give the keys of what is sent on fd (borrowed), and through which
	 * it sends from then on. The caller frees it. NULL where this connection has no such thing.
	 */
	BIO *(*open)(int fd);
};

/* Linux, as libssl knows it. */
extern const struct tls_kernel tls_kernel_linux;

/*
 * Does this kernel encrypt? Tries on a connection to itself: before the cage. *news becomes what
 * came of it, in words for the log; static.
 */
MUST_CHECK bool tls_kernel_try(const char **news);

/* From now on libssl finds that the kernel does not decrypt what `input` reads. */
void tls_kernel_keep_out(BIO *input);

/* Bytes that the peer's kernel has not acknowledged, or a negative errno. */
MUST_CHECK int tls_kernel_unacknowledged(int fd);

#endif
