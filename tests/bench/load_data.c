/*
 * Data connections (see load.h). What is fetched is dropped in the kernel (MSG_TRUNC, tcp(7)) and
 * what is stored is sent from memory there, so that not a byte is copied here. Under TLS bytes are
 * decrypted and encrypted, and that is all.
 */
#include "tests/bench/load.h"

#include "ipc/base/ends.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	FETCH_BYTES = 1 << 20,
	GATHER_FROM_BYTES = 64 << 10, /* less fits into few records */
};

void
endpoint_connect(struct endpoint *endpoint, uint16_t port, uint32_t events)
{
	struct load *load = endpoint->session->load;
	struct sockaddr_in address = load->server;
	address.sin_port = htons(port);
	endpoint->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (endpoint->fd < 0)
		die("socket: %s", strerror(errno));
	if (connect(endpoint->fd, (const struct sockaddr *)&address, sizeof(address)) < 0 &&
		errno != EINPROGRESS)
		die("port %u: %s", port, strerror(errno));
	struct epoll_event event = { .events = events, .data.ptr = endpoint };
	if (epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, endpoint->fd, &event) < 0)
		die("epoll_ctl: %s", strerror(errno));
}

void
endpoint_close(struct endpoint *endpoint)
{
	tls_close(endpoint);
	close(endpoint->fd); /* leaves the epoll set by that */
	endpoint->fd = -1;
}

static bool
must_wait(ssize_t result)
{
	return result < 0 && (errno == EAGAIN || errno == EINTR);
}

static void
fetch_ready(struct session *session)
{
	static char dropped[FETCH_BYTES];
	for (;;) {
		ssize_t got = recv(session->data.fd, dropped, sizeof(dropped), MSG_TRUNC);
		if (must_wait(got))
			return;
		if (got < 0)
			die("session %" PRIu64 ", fetching: %s", session->number, strerror(errno));
		if (got == 0)
			break;
		session->load->moved_bytes += (uint64_t)got;
	}
	session_data_ended(session);
}

static void
store_ready(struct session *session)
{
	struct load *load = session->load;
	while (session->stored_bytes < load->bytes) {
		off_t offset = (off_t)(session->stored_bytes % CONTENT_BYTES);
		uint64_t left = load->bytes - session->stored_bytes;
		uint64_t piece = CONTENT_BYTES - (uint64_t)offset;
		ssize_t sent = sendfile(session->data.fd, load->content_fd, &offset,
			(size_t)(left < piece ? left : piece));
		if (must_wait(sent))
			return;
		if (sent <= 0)
			die("session %" PRIu64 ", storing: %s", session->number, strerror(errno));
		session->stored_bytes += (uint64_t)sent;
		load->moved_bytes += (uint64_t)sent;
	}
	session_data_ended(session);
}

/* ---- under TLS: called at each change (EPOLLET), whichever way a call waits for ---- */

static void
fetch_protected(struct session *session)
{
	static char dropped[FETCH_BYTES];
	if (!tls_shake(&session->data))
		return;
	for (;;) {
		ssize_t got = tls_receive(&session->data, dropped, sizeof(dropped));
		if (got < 0)
			return;
		if (got == 0)
			break;
		session->load->moved_bytes += (uint64_t)got;
	}
	if (tls_end(&session->data))
		session_data_ended(session);
}

/* The server closes first: what it sends may be unread when it has all that it was sent. */
static void
store_protected_rest(struct session *session)
{
	if (tls_is_gone(&session->data))
		session_data_ended(session);
}

static void
store_protected_end(struct session *session)
{
	if (!tls_end(&session->data))
		return;
	shutdown(session->data.fd, SHUT_WR);
	session->data.ready = store_protected_rest;
	store_protected_rest(session);
}

static void
store_protected_bytes(struct session *session)
{
	struct load *load = session->load;
	while (session->stored_bytes < load->bytes) {
		uint64_t offset = session->stored_bytes % CONTENT_BYTES;
		uint64_t left = load->bytes - session->stored_bytes;
		uint64_t piece = CONTENT_BYTES - offset;
		ssize_t sent = tls_send(&session->data, load->content + offset,
			(size_t)(left < piece ? left : piece));
		if (sent < 0)
			return;
		session->stored_bytes += (uint64_t)sent;
		load->moved_bytes += (uint64_t)sent;
	}
	session->data.ready = store_protected_end;
	store_protected_end(session);
}

static void
store_protected(struct session *session)
{
	if (!tls_shake(&session->data))
		return;
	if (session->load->bytes >= GATHER_FROM_BYTES)
		tls_gather(&session->data);
	session->data.ready = store_protected_bytes;
	store_protected_bytes(session);
}

void
data_connect(struct session *session, enum act act)
{
	bool store = act == ACT_STORE;
	session->stored_bytes = 0;
	if (session->control.tls != NULL) {
		session->data.ready = store ? store_protected : fetch_protected;
		endpoint_connect(&session->data, session->data_port, EPOLLIN | EPOLLOUT | EPOLLET);
		tls_open(&session->data);
		return;
	}
	session->data.ready = store ? store_ready : fetch_ready;
	endpoint_connect(&session->data, session->data_port, store ? EPOLLOUT : EPOLLIN);
}
