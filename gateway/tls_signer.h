/*
 * Signatures of handshakes from sallyport-keys, for the provider whose keys are there. Process
 * lifetime.
 *
 * libssl asks for a signature in the middle of SSL_do_handshake(). The handshake runs as a job of
 * OpenSSL's (ASYNC_start_job(3)), which is put aside until the answer comes; the loop goes on
 * meanwhile, so that keys at work, or hung, keeps nobody waiting but its own handshakes.
 */
#ifndef SALLYPORT_GATEWAY_TLS_SIGNER_H
#define SALLYPORT_GATEWAY_TLS_SIGNER_H

#include "ipc/sign.h"

struct tls;
struct tls_signer;

struct tls_signer_options {
	struct event_base *base;
	/* The channel to keys has ended; as in channel.h. Waiting handshakes have failed by then.
	 */
	void (*closed)(void *owner, const char *malformed);
	void *owner;
};

/* NULL when memory is short. */
MUST_CHECK struct tls_signer *tls_signer_new(const struct tls_signer_options *options);

/* After the last connection is gone. */
void tls_signer_free(struct tls_signer **signer);

/* Takes *fd, a channel to keys, in place of an earlier one. 0, -ENOMEM or -EBADMSG. */
MUST_CHECK int tls_signer_connect(struct tls_signer *signer, int *fd);

/* ---- for tls.c ---- */

/* Whose handshake runs from now on (NULL: nobody's): libssl does not tell its providers. */
void tls_signer_set_running(struct tls_signer *signer, struct tls *running);

/*
 * The answer for this handshake will not be waited for: its job gets an error when it goes on.
 * False if it does not wait.
 */
bool tls_signer_abandon(struct tls_signer *signer, const struct tls *waiting);

/* Does the handshake wait for an answer that is not there yet? */
bool tls_signer_is_awaited(const struct tls_signer *signer, const struct tls *waiting);

/* ---- for tls_provider.c ---- */

/*
 * In a job: the signature's length, or a negative errno: -EIO outside of a job, -EPIPE without
 * keys, -ECANCELED when abandoned, or why keys refused. Puts the job aside until the answer has
 * come.
 */
MUST_CHECK int tls_signer_ask(struct tls_signer *signer, const struct sign_sign *request,
	unsigned char *signature, size_t capacity);

#endif
