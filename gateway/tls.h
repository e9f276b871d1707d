/*
 * One TLS connection of a client: handshake, bytes, and how it ends. Non-blocking throughout.
 *
 * A call that cannot go on returns -EAGAIN; tls_wants() then says for what: the socket, or neither
 * way for an answer of sallyport-keys, after which `wake` is called. The descriptor is borrowed.
 */
#ifndef SALLYPORT_GATEWAY_TLS_H
#define SALLYPORT_GATEWAY_TLS_H

#include "ipc/base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls;
struct tls_context;
struct tls_kernel;

struct tls_options {
	struct tls_context *context;
	int fd;
	uint64_t session;    /* whose connection it is */
	struct tls *control; /* of a data connection: its session's, or NULL; else NULL */
	bool is_data;
	/* Whose certificate a client gets that names none itself; NULL, "": any. */
	const char *host;
	/* It was asked for (HOST): a client that names another one is refused. */
	bool is_host_asked;
	const struct tls_kernel *kernel; /* may encrypt what is sent; NULL: libssl does */
	void (*wake)(void *owner);
	void *owner;
};

/* 0 or -ENOMEM. */
MUST_CHECK int tls_new(const struct tls_options *options, struct tls **result);

/* Without a word to the peer; see tls_end(). Sets *tls to NULL. NULL is fine. */
void tls_free(struct tls **tls);

/* 0 once it is done, -EAGAIN, or what ended it: -EPROTO, -ECONNRESET, -ENOMEM. */
MUST_CHECK int tls_handshake(struct tls *tls);

/* EV_READ, EV_WRITE, or 0: what the last call that returned -EAGAIN waits for. */
short tls_wants(const struct tls *tls);

/*
 * Bytes read (more than 0); 0: the peer has said that it sends no more (close_notify); -EAGAIN;
 * -ECONNABORTED: its stream was cut without that; -ECONNRESET; -EPROTO.
 */
MUST_CHECK int tls_read(struct tls *tls, char *buffer, size_t capacity);

/* Is something decrypted and not read? The socket need not be readable then. */
bool tls_has_more(const struct tls *tls);

/* Is there nothing more to read, now and for ever? Takes nothing away. */
bool tls_is_at_end(struct tls *tls);

/*
 * Bytes taken, -EAGAIN, or the negative errno that ended it. What is taken is sent by tls_flush():
 * 0 when nothing is left, or as here.
 */
MUST_CHECK int tls_write(struct tls *tls, const char *data, size_t length);
MUST_CHECK int tls_flush(struct tls *tls);

/* From now on much is written: what is taken keeps its memory between two flushes. */
void tls_gather(struct tls *tls);

/* Until the handshake is done: may the kernel encrypt then? */
bool tls_may_be_in_kernel(const struct tls *tls);

/*
 * Does it? Then whoever holds the socket sends plain bytes there, and tls_write() is not for use;
 * tls_end() says the last word behind them. The kernel's keys are not renewed: where the client
 * asks for that, tls_read() ends with -EPROTO.
 */
bool tls_is_in_kernel(const struct tls *tls);

/* Says that nothing more is sent (close_notify): 0 or -EAGAIN or negative errno. After a flush. */
MUST_CHECK int tls_end(struct tls *tls);

/* Did a data connection resume the TLS session of its control connection? */
bool tls_is_resumed(const struct tls *tls);

/* Did a data connection offer to resume another one's? */
bool tls_is_foreign(const struct tls *tls);

/* Another ticket for the client, sent with the next write: clients of TLS 1.3 use one only once. */
void tls_renew_ticket(struct tls *tls);

/* "TLSv1.3 TLS_AES_256_GCM_SHA384"; cut at the end of `text` if need be. */
void tls_describe(const struct tls *tls, char *text, size_t capacity);

/*
 * Was a certificate shown that is not made out for that host, although another one is? Then the
 * client has checked that it speaks with somebody else.
 */
bool tls_is_of_other_host(const struct tls *tls, const char *host);

/* ---- the client's certificate ---- */

enum { TLS_FINGERPRINT_DIGITS = 64, TLS_SUBJECT_BYTES_MAX = 1024 };

struct tls_peer {
	char fingerprint[TLS_FINGERPRINT_DIGITS + 1]; /* SHA-256 */
	char subject[TLS_SUBJECT_BYTES_MAX + 1];      /* RFC 2253: ASCII, nothing unescaped */
};

/*
 * What proves to auth whose certificate was shown: the messages from ClientHello to the client's
 * CertificateVerify, for as long as the connection lives. Empty: there was none.
 */
struct bytes tls_proof(const struct tls *tls);

/* The certificate that was shown, or refused; false if there was none. */
MUST_CHECK bool tls_describe_peer(const struct tls *tls, struct tls_peer *result);

/* Why a handshake or a connection has failed, in OpenSSL's words; cut at the end if need be. */
void tls_describe_failure(const struct tls *tls, char *text, size_t capacity);

/* ---- for tls_signer.c and tls_tickets.c ---- */

/* Keys has answered. */
void tls_wake(struct tls *tls);

#endif
