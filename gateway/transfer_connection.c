/*
 * The data connection of a transfer, from its being awaited to its end: in the clear the worker has
 * it, under TLS a pump is in between. Runs in the gateway. That somebody has come by the right
 * address is data.c's word; what a broken connection means is said here.
 */
#include "gateway/transfer_private.h"

#include "gateway/pump.h"
#include "gateway/security.h"
#include "gateway/session.h"
#include "ipc/base/scope.h"

#include <errno.h>
#include <sys/socket.h>

/* ---- under TLS ---- */

static int
on_secured(void *owner, const struct tls *tls)
{
	const struct transfer *transfer = owner;
	return secure_permits_data(transfer->session, tls) ? 0 : -EPERM;
}

static void
on_placed(void *owner, int worker_fd)
{
	struct transfer *transfer = owner;
	transfer->fd = worker_fd;
	transfer_begin_move(transfer);
}

/* The connection is over, and not well. */
static void
fail_pump(struct transfer *transfer, int error)
{
	struct session *session = transfer->session;
	bool is_whole = error == -ECONNABORTED && transfer->kind == TRANSFER_UPLOAD &&
			session->login.tls.upload_end == TLS_END_LENIENT;
	if (is_whole) {
		transfer->is_unclean = true;
	} else if (error != -EPERM && transfer->state == TRANSFER_MOVING) {
		transfer_fail_move(transfer, error == -ETIMEDOUT ? error : -ECONNRESET);
	} else {
		session_reply(
			session, error == -EPERM ? reply_data_not_resumed : reply_data_failed);
		transfer_cut(transfer);
	}
}

static void
on_pumped(void *owner, int error)
{
	struct transfer *transfer = owner;
	if (transfer->state != TRANSFER_PREPARING && transfer->state != TRANSFER_MOVING)
		return;
	if (error < 0) {
		fail_pump(transfer, error);
	} else if (transfer->kind != TRANSFER_UPLOAD) {
		transfer_succeed(transfer);
	}
}

/* Puts a pump between the client's connection and the worker. */
static int
protect(struct transfer *transfer)
{
	const struct session *session = transfer->session;
	const struct gateway *gateway = session->gateway;
	const struct pump_options options = {
		.room = security_pumps(gateway->security),
		.context = security_context(gateway->security),
		.host = host_name(session->host).data,
		.session = session->id,
		.control = session->stream.tls,
		.is_upload = transfer->kind == TRANSFER_UPLOAD,
		.stall_timeout_s = gateway->settings.stall_timeout_s,
		.kernel = transfer->kind == TRANSFER_DOWNLOAD ? security_kernel(gateway->security)
							      : NULL,
		.secured = on_secured,
		.placed = on_placed,
		.ended = on_pumped,
		.owner = transfer,
	};
	SCOPE_FD int client_fd = fd_take(&transfer->fd);
	return pump_new(&options, &client_fd, &transfer->fd, &transfer->pump);
}

/* ---- its coming and its end ---- */

struct data_wait *
transfer_data_wait(struct session *session)
{
	struct transfer *transfer = session->transfer;
	return transfer == NULL || transfer->is_connected ? NULL : &transfer->wait;
}

void
transfer_connected(struct session *session, int fd)
{
	struct transfer *transfer = session->transfer;
	transfer->fd = fd;
	limit_clear(&session->limit, LIMIT_DATA);
	if (session->secure.is_data_protected && protect(transfer) < 0) {
		transfer_unconnected(session);
		return;
	}
	transfer->is_connected = true;
	transfer_advance(transfer);
	data_forget(session);
}

void
transfer_unconnected(struct session *session)
{
	session_reply(session, reply_data_failed);
	transfer_cut(session->transfer);
}

void
transfer_late(struct session *session)
{
	session_reply(session, reply_data_late);
	transfer_cut(session->transfer);
}

void
transfer_end_connection(struct transfer *transfer)
{
	pump_free(&transfer->pump);
	if (transfer->fd >= 0)
		shutdown(transfer->fd, SHUT_RDWR);
}
