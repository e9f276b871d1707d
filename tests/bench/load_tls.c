/*
 * TLS of the load generator (see load.h): OpenSSL's, version 1.3 with one cipher, so that all
 * servers are asked for the same work. Nobody's certificate is checked: what is measured is the
 * server. A data connection resumes the session of its control connection where the server lets it
 * (RFC 4217 §10.2); how often it did is told with the result.
 */
#include "tests/bench/load.h"

#include "ipc/base/ends.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CIPHER "TLS_AES_256_GCM_SHA384"

enum {
	READ_AHEAD_BYTES = 256 << 10, /* many records in one recv(2) ... */
	GATHERED_BYTES = 256 << 10,   /* ... and in one send(2), where there are as many */
};

NORETURN static void
fail(const struct endpoint *endpoint, const char *doing)
{
	char reason[256] = "";
	int number = errno;
	ERR_error_string_n(ERR_peek_error(), reason, sizeof(reason));
	die("session %" PRIu64 ", %s over TLS: %s (errno: %s)", endpoint->session->number, doing,
		reason, strerror(number));
}

/* The newest of either connection: some servers send tickets on the one, some on the other. */
static int
on_session(SSL *ssl, SSL_SESSION *made)
{
	const struct endpoint *endpoint = SSL_get_app_data(ssl);
	struct session *session = endpoint->session;
	SSL_SESSION_free(session->resumable);
	session->resumable = made;
	return 1;
}

SSL_CTX *
tls_prepare(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
		SSL_CTX_set_ciphersuites(context, CIPHER) != 1)
		die("OpenSSL does not start");
	SSL_CTX_set_mode(
		context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(context, on_session);
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_default_read_buffer_len(context, READ_AHEAD_BYTES);
	return context;
}

void
tls_stop(SSL_CTX *context)
{
	SSL_CTX_free(context);
}

void
tls_forget(struct session *session)
{
	SSL_SESSION_free(session->resumable);
	session->resumable = NULL;
}

void
tls_open(struct endpoint *endpoint)
{
	struct session *session = endpoint->session;
	endpoint->tls = SSL_new(session->load->tls);
	if (endpoint->tls == NULL || SSL_set_fd(endpoint->tls, endpoint->fd) != 1)
		die("no memory for TLS");
	SSL_set_app_data(endpoint->tls, endpoint);
	SSL_set_connect_state(endpoint->tls);
	if (endpoint == &session->data && session->resumable != NULL &&
		SSL_set_session(endpoint->tls, session->resumable) != 1)
		fail(endpoint, "resuming");
}

void
tls_close(struct endpoint *endpoint)
{
	if (endpoint->tls == NULL)
		return;
	/* A session that ends in disorder could not be resumed again. */
	SSL_set_shutdown(endpoint->tls, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(endpoint->tls);
	endpoint->tls = NULL;
}

/* Whether a call has only to be made again, once the socket is ready. */
static bool
must_wait(const struct endpoint *endpoint, int result)
{
	int error = SSL_get_error(endpoint->tls, result);
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

bool
tls_shake(struct endpoint *endpoint)
{
	struct load *load = endpoint->session->load;
	if (SSL_is_init_finished(endpoint->tls))
		return true;
	ERR_clear_error();
	int result = SSL_do_handshake(endpoint->tls);
	if (result != 1 && must_wait(endpoint, result))
		return false;
	if (result != 1)
		fail(endpoint, "shaking hands");
	if (SSL_session_reused(endpoint->tls))
		load->resumed++;
	else
		load->full++;
	return true;
}

ssize_t
tls_receive(struct endpoint *endpoint, char *buffer, size_t capacity)
{
	ERR_clear_error();
	int got = SSL_read(endpoint->tls, buffer, (int)capacity);
	if (got > 0)
		return got;
	if (SSL_get_error(endpoint->tls, got) == SSL_ERROR_ZERO_RETURN)
		return 0;
	if (!must_wait(endpoint, got))
		fail(endpoint, "reading");
	errno = EAGAIN;
	return -1;
}

ssize_t
tls_send(struct endpoint *endpoint, const char *bytes, size_t length)
{
	ERR_clear_error();
	int sent = SSL_write(endpoint->tls, bytes, (int)length);
	if (sent > 0)
		return sent;
	if (!must_wait(endpoint, sent))
		fail(endpoint, "writing");
	errno = EAGAIN;
	return -1;
}

void
tls_gather(struct endpoint *endpoint)
{
	BIO *buffer = BIO_new(BIO_f_buffer());
	BIO *socket = SSL_get_wbio(endpoint->tls);
	if (buffer == NULL || BIO_set_write_buffer_size(buffer, GATHERED_BYTES) != 1 ||
		BIO_up_ref(socket) != 1)
		die("no memory for TLS");
	SSL_set0_wbio(endpoint->tls, BIO_push(buffer, socket));
}

bool
tls_end(struct endpoint *endpoint)
{
	ERR_clear_error();
	BIO *output = SSL_get_wbio(endpoint->tls);
	if (SSL_get_shutdown(endpoint->tls) != SSL_SENT_SHUTDOWN) {
		int result = SSL_shutdown(endpoint->tls);
		if (result < 0 && !must_wait(endpoint, result))
			fail(endpoint, "ending");
		if (result < 0)
			return false;
	}
	if (BIO_flush(output) == 1)
		return true;
	if (!BIO_should_retry(output))
		fail(endpoint, "sending the rest");
	return false;
}

bool
tls_is_gone(struct endpoint *endpoint)
{
	char dropped[256];
	ERR_clear_error();
	int got;
	do
		got = SSL_read(endpoint->tls, dropped, sizeof(dropped));
	while (got > 0);
	return SSL_get_error(endpoint->tls, got) != SSL_ERROR_WANT_READ;
}
