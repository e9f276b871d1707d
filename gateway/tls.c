/*
 * TLS connections (see tls.h). Runs in the gateway; the peer is a stranger. libssl speaks TLS, this
 * file says what each of its answers means. Nothing here decides about files.
 */
#include "gateway/tls.h"

#include "gateway/tls_context.h"
#include "gateway/tls_kernel.h"
#include "gateway/tls_output.h"
#include "gateway/tls_peer.h"
#include "gateway/tls_private.h"
#include "gateway/tls_signer.h"

#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	/* Of TLS 1.2, whose nonce makes it the longer one: what surrounds 16,384 bytes. */
	RECORD_BYTES_MAX = 16384 + 5 + 8 + 16,
	/* Eight records in one recv(2): a little less would take two. */
	DATA_INPUT_BYTES = 8 * RECORD_BYTES_MAX + 8,
};

/* ---- what libssl says ---- */

/* A FIN without close_notify, also within a record. */
static bool
is_cut(void)
{
	return ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

/* libssl says only once how it ended. */
static int
end_with(struct tls *tls, int error)
{
	if (tls->error == 0)
		tls->error = error;
	return tls->error;
}

/*
 * Never 0: -EAGAIN with ->wants, or why it ended. What libssl had to say for itself, an alert or an
 * answer to new keys, leaves now.
 */
static int
explain(struct tls *tls, int result)
{
	int number = errno;
	if (tls->is_done)
		(void)!tls_output_flush(tls->output);
	switch (SSL_get_error(tls->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		tls->wants = EV_READ;
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		tls->wants = EV_WRITE;
		return -EAGAIN;
	case SSL_ERROR_WANT_ASYNC:
	case SSL_ERROR_WANT_ASYNC_JOB:
		tls->wants = 0;
		return -EAGAIN;
	case SSL_ERROR_SYSCALL:
		/* The buffer of libssl around a handshake's output forgets to say: try again. */
		if (number == EAGAIN) {
			tls->wants = EV_WRITE;
			return -EAGAIN;
		}
		return end_with(tls, number == EPIPE || number == 0 ? -ECONNRESET : -number);
	default:
		if (tls->error == 0)
			tls->reason = ERR_reason_error_string(ERR_peek_error());
		return end_with(tls, is_cut() ? -ECONNABORTED : -EPROTO);
	}
}

/* Stale errors of others would be taken for ours. */
static void
prepare(void)
{
	ERR_clear_error();
	errno = 0;
}

/* ---- handshake ---- */

static int
drive(struct tls *tls)
{
	struct tls_signer *signer = tls_context_signer(tls->options.context);
	prepare();
	tls_signer_set_running(signer, tls);
	int result = SSL_do_handshake(tls->ssl);
	tls_signer_set_running(signer, NULL);
	return result == 1 ? 0 : explain(tls, result);
}

int
tls_handshake(struct tls *tls)
{
	if (tls_signer_is_awaited(tls_context_signer(tls->options.context), tls)) {
		tls->wants = 0;
		return -EAGAIN;
	}
	int error = drive(tls);
	if (error == -EAGAIN)
		return error;
	/* Its alert, or the end of the handshake, leaves all the same. */
	int flushed = tls_flush(tls);
	if (error < 0)
		return error;
	if (flushed == -EAGAIN) {
		tls->wants = EV_WRITE;
		return flushed;
	}
	tls->is_done = flushed == 0;
	tls_output_hold(tls->output);
	tls_peer_settle(tls);
	/* From here on no call waits for keys, and none needs a stack of its own. */
	SSL_clear_mode(tls->ssl, SSL_MODE_ASYNC);
	return flushed;
}

short
tls_wants(const struct tls *tls)
{
	return tls->wants;
}

void
tls_wake(struct tls *tls)
{
	tls->options.wake(tls->options.owner);
}

/* ---- bytes ---- */

static int
bounded(size_t length)
{
	return length > INT_MAX ? INT_MAX : (int)length;
}

int
tls_read(struct tls *tls, char *buffer, size_t capacity)
{
	prepare();
	if (tls->error < 0)
		return tls->error;
	int length = SSL_read(tls->ssl, buffer, bounded(capacity));
	if (tls->is_rekeyed && tls_is_in_kernel(tls))
		return end_with(tls, -EPROTO);
	if (length > 0)
		tls->peer.bytes += (uint64_t)length;
	if (tls_peer_floods(tls))
		return end_with(tls, -EPROTO);
	if (length > 0)
		return length;
	if (SSL_get_error(tls->ssl, length) == SSL_ERROR_ZERO_RETURN)
		return 0;
	return explain(tls, length);
}

bool
tls_has_more(const struct tls *tls)
{
	return SSL_pending(tls->ssl) > 0;
}

bool
tls_is_at_end(struct tls *tls)
{
	char byte;
	prepare();
	int length = tls->error < 0 ? 0 : SSL_peek(tls->ssl, &byte, 1);
	if (tls_peer_floods(tls))
		end_with(tls, -EPROTO);
	else if (length > 0)
		return false;
	return tls->error < 0 || SSL_get_error(tls->ssl, length) == SSL_ERROR_ZERO_RETURN ||
	       explain(tls, length) != -EAGAIN;
}

int
tls_write(struct tls *tls, const char *data, size_t length)
{
	prepare();
	if (tls->error < 0)
		return tls->error;
	int written = SSL_write(tls->ssl, data, bounded(length));
	return written > 0 ? written : explain(tls, written);
}

void
tls_gather(struct tls *tls)
{
	tls_output_gather(tls->output);
}

int
tls_flush(struct tls *tls)
{
	int error = tls_output_flush(tls->output);
	if (error == -EAGAIN)
		tls->wants = EV_WRITE;
	else if (error < 0)
		end_with(tls, error);
	return error;
}

int
tls_end(struct tls *tls)
{
	prepare();
	int result = tls->is_done ? SSL_shutdown(tls->ssl) : 0;
	if (result < 0)
		return explain(tls, result);
	return tls_flush(tls);
}

/* ---- the kernel ---- */

/* RFC 8446 4.6.3: behind the header of the message, 0 or 1: does the peer want new keys, too? */
static void
note_message(int is_written, UNUSED int version, int type, const void *message, size_t length,
	UNUSED SSL *ssl, void *argument)
{
	enum { HEADER_BYTES = 4 };
	const unsigned char *bytes = message;
	struct tls *tls = argument;
	bool is_update = type == SSL3_RT_HANDSHAKE && length > HEADER_BYTES &&
			 bytes[0] == SSL3_MT_KEY_UPDATE;
	if (!is_written && is_update && bytes[HEADER_BYTES] == SSL_KEY_UPDATE_REQUESTED)
		tls->is_rekeyed = true;
}

/* What libssl may give its keys to; NULL: nobody. */
static BIO *
offer_kernel(struct tls *tls)
{
	BIO *kernel =
		tls->options.kernel == NULL ? NULL : tls->options.kernel->open(tls->options.fd);
	tls->may_be_in_kernel = kernel != NULL;
	if (kernel != NULL) {
		SSL_set_options(tls->ssl, SSL_OP_ENABLE_KTLS);
		SSL_set_msg_callback(tls->ssl, note_message);
		SSL_set_msg_callback_arg(tls->ssl, tls);
	}
	return kernel;
}

bool
tls_may_be_in_kernel(const struct tls *tls)
{
	return tls->may_be_in_kernel;
}

bool
tls_is_in_kernel(const struct tls *tls)
{
	return tls->may_be_in_kernel && BIO_get_ktls_send(tls->output);
}

/* ---- sessions ---- */

bool
tls_is_resumed(const struct tls *tls)
{
	return SSL_session_reused(tls->ssl) == 1;
}

bool
tls_is_foreign(const struct tls *tls)
{
	return tls->is_foreign;
}

void
tls_renew_ticket(struct tls *tls)
{
	if (SSL_version(tls->ssl) >= TLS1_3_VERSION)
		(void)SSL_new_session_ticket(tls->ssl);
}

void
tls_describe(const struct tls *tls, char *text, size_t capacity)
{
	const char *cipher = SSL_get_cipher_name(tls->ssl);
	snprintf(text, capacity, "%s %s", SSL_get_version(tls->ssl), cipher);
}

bool
tls_is_of_other_host(const struct tls *tls, const char *host)
{
	return tls_context_prefers(tls->options.context, tls->ssl, host);
}

/* ---- life ---- */

/* The input is a plain socket: libssl reads whole records, and no more than one ahead. */
static int
connect_socket(struct tls *tls)
{
	BIO *input = BIO_new_socket(tls->options.fd, BIO_NOCLOSE);
	tls->output = tls_output_new(tls->options.fd, offer_kernel(tls));
	if (input == NULL || tls->output == NULL) {
		BIO_free(input);
		BIO_free(tls->output);
		tls->output = NULL;
		return -ENOMEM;
	}
	if (tls->may_be_in_kernel)
		tls_kernel_keep_out(input);
	SSL_set0_rbio(tls->ssl, input);
	SSL_set0_wbio(tls->ssl, tls->output);
	return 0;
}

int
tls_new(const struct tls_options *options, struct tls **result)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	if (tls == NULL)
		return -ENOMEM;
	tls->options = *options;
	tls->options.context = tls_context_hold(options->context);
	tls->ssl = tls_context_open(options->context, options->host);
	if (tls->ssl == NULL || connect_socket(tls) < 0) {
		tls_free(&tls);
		return -ENOMEM;
	}
	SSL_set_app_data(tls->ssl, tls);
	SSL_set_accept_state(tls->ssl);
	SSL_set_mode(tls->ssl, SSL_MODE_ASYNC);
	tls->peer.has_authorities = tls_context_has_authorities(options->context);
	tls_peer_begin(tls);
	if (options->is_data) {
		/* Many records in one recv(2). */
		SSL_set_read_ahead(tls->ssl, 1);
		SSL_set_default_read_buffer_len(tls->ssl, DATA_INPUT_BYTES);
		/*
		 * A client that uploads and closes without reading would leave a ticket unread,
		 * upon which its kernel resets the connection and the end of the upload is lost.
		 */
		SSL_set_num_tickets(tls->ssl, 0);
	}
	*result = tls;
	return 0;
}

void
tls_free(struct tls **tls)
{
	struct tls *freed = *tls;
	*tls = NULL;
	if (freed == NULL)
		return;
	/* A job that is put aside would stay for ever: it gets its error and ends first. */
	if (tls_signer_abandon(tls_context_signer(freed->options.context), freed))
		(void)drive(freed);
	tls_peer_free(freed);
	SSL_SESSION_free(freed->session);
	SSL_free(freed->ssl);
	ERR_clear_error();
	tls_context_release(&freed->options.context);
	free(freed);
}
