/*
 * Data connections (see data.h). Runs in the gateway. Who connects to a passive port is a stranger
 * until both addresses are right; where an active connection goes is decided by the supervisor, and
 * what the client says is only checked for a better reply.
 */
#include "gateway/data.h"

#include "gateway/candidates.h"
#include "gateway/passive.h"
#include "gateway/session.h"
#include "gateway/shared.h"
#include "gateway/supervisor.h"
#include "gateway/transfer.h"
#include "ipc/address.h"
#include "ipc/base/scope.h"

#include <errno.h>
#include <sys/socket.h>

enum {
	STRANGERS_AT_ONCE = 64,
	ASK_AGAIN_US = 50000, /* while the supervisor has connected too often */
};

/* ---- passive ---- */

/* Does the connection come from the control peer, to the address that it talks to? */
static bool
is_expected(const struct session *session, int fd, const struct wire_address *peer)
{
	struct wire_address local;
	if (address_of_local(fd, &local) < 0 || !address_is_same_host(&local, &session->local))
		return false;
	return address_is_none(&session->proxy) ? address_is_same_host(peer, &session->peer)
						: proxies_include(&session->gateway->proxies, peer);
}

/*
 * 0 and *fd, -EAGAIN, or another errno. Strangers are sent away, and the right one still served;
 * who comes by a proxy has to prove first which of both it is.
 */
static int
accept_peer(struct session *session, int *fd)
{
	for (int i = 0; i < STRANGERS_AT_ONCE; i++) {
		struct address_socket name = { .length = sizeof(name.v6) };
		struct wire_address peer;
		SCOPE_FD int accepted = accept4(session->data.passive->fd, &name.any, &name.length,
			SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (accepted < 0 && errno != ECONNABORTED && errno != EINTR)
			return -errno;
		if (accepted < 0 || address_from_socket(&name, &peer) < 0 ||
			!is_expected(session, accepted, &peer))
			continue;
		if (!address_is_none(&session->proxy)) {
			candidate_begin(session, &accepted, &peer);
			continue;
		}
		*fd = fd_take(&accepted);
		return 0;
	}
	return -EAGAIN;
}

static void
on_passive(evutil_socket_t listener, short what, void *argument)
{
	struct data_wait *wait = argument;
	struct session *session = wait->session;
	int fd = -1;
	(void)listener;
	(void)what;
	int error = accept_peer(session, &fd);
	if (error == -EAGAIN)
		return;
	data_stop_waiting(wait);
	if (error < 0) {
		transfer_unconnected(session);
		return;
	}
	transfer_connected(session, fd);
}

static int
open_passive(struct session *session, struct data_wait *wait, int *fd)
{
	int error = accept_peer(session, fd);
	if (error != -EAGAIN)
		return error;
	event_assign(&wait->event, session->gateway->base, session->data.passive->fd,
		EV_READ | EV_PERSIST, on_passive, wait);
	if (event_add(&wait->event, NULL) < 0)
		return -ENOMEM;
	wait->is_armed = true;
	return -EINPROGRESS;
}

/* ---- active ---- */

static int
open_active(struct session *session, struct data_wait *wait)
{
	wait->port = session->data.port;
	data_forget(session);
	int error = supervisor_connect_active(session, wait->port, &wait->tag);
	return error < 0 ? error : -EINPROGRESS;
}

static void
fail_active(struct data_wait *wait)
{
	data_stop_waiting(wait);
	transfer_unconnected(wait->session);
}

static void
on_connected(evutil_socket_t connecting, short what, void *argument)
{
	struct data_wait *wait = argument;
	struct session *session = wait->session;
	int error = 0;
	socklen_t length = sizeof(error);
	(void)what;
	if (getsockopt(connecting, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		error = errno;
	int fd = error == 0 ? fd_take(&wait->connecting_fd) : -1;
	data_stop_waiting(wait);
	if (fd < 0)
		transfer_unconnected(session);
	else
		transfer_connected(session, fd);
}

void
data_connecting(struct session *session, int *fd)
{
	struct data_wait *wait = transfer_data_wait(session);
	if (wait == NULL)
		return;
	wait->tag = 0;
	wait->connecting_fd = fd_take(fd);
	event_assign(&wait->event, session->gateway->base, wait->connecting_fd, EV_WRITE,
		on_connected, wait);
	wait->is_armed = event_add(&wait->event, NULL) == 0;
	if (!wait->is_armed)
		fail_active(wait);
}

static void
on_ask_again(evutil_socket_t fd, short what, void *argument)
{
	struct data_wait *wait = argument;
	(void)fd;
	(void)what;
	wait->is_armed = false;
	if (supervisor_connect_active(wait->session, wait->port, &wait->tag) < 0)
		fail_active(wait);
}

/* Many small files in a row are no reason to fail: they wait for their turn (DECISIONS 17). */
static void
ask_again(struct data_wait *wait)
{
	struct timeval pause = { .tv_usec = ASK_AGAIN_US };
	event_assign(&wait->event, wait->session->gateway->base, -1, 0, on_ask_again, wait);
	wait->is_armed = event_add(&wait->event, &pause) == 0;
	if (!wait->is_armed)
		fail_active(wait);
}

void
data_refused(struct session *session, enum refusal why)
{
	struct data_wait *wait = transfer_data_wait(session);
	if (wait == NULL)
		return;
	wait->tag = 0;
	if (why == REFUSAL_RATE)
		ask_again(wait);
	else
		fail_active(wait);
}

/* ---- both ---- */

int
data_open(struct session *session, struct data_wait *wait, int *fd)
{
	wait->session = session;
	wait->connecting_fd = -1;
	switch (session->data.mode) {
	case DATA_NONE:
	case DATA_ASKED:
		return -ENOTCONN;
	case DATA_PASSIVE:
		return open_passive(session, wait, fd);
	case DATA_SHARED:
		return -EINPROGRESS;
	case DATA_ARRIVED:
		*fd = shared_take(session);
		return 0;
	case DATA_ACTIVE:
		return open_active(session, wait);
	}
	return -ENOTCONN;
}

void
data_stop_waiting(struct data_wait *wait)
{
	struct ticket ticket;
	if (wait->is_armed)
		event_del(&wait->event);
	wait->is_armed = false;
	fd_close(&wait->connecting_fd);
	if (wait->tag != 0)
		ticket_close(&wait->session->gateway->tickets, wait->tag, &ticket);
	wait->tag = 0;
}

void
data_forget(struct session *session)
{
	struct passive_pool *pool = session->gateway->passive;
	if (session->data.is_waiting)
		passive_stop_waiting(pool, session);
	candidates_forget(session);
	shared_forget(session);
	session->data.mode = DATA_NONE;
	passive_give_back(pool, &session->data.passive);
}

void
data_proved(struct session *session, int *fd)
{
	struct data_wait *wait = transfer_data_wait(session);
	if (session->data.mode == DATA_SHARED) {
		shared_proved(session, fd);
	} else if (session->data.mode == DATA_PASSIVE && wait != NULL) {
		data_stop_waiting(wait);
		transfer_connected(session, fd_take(fd));
	}
}

bool
data_holds_port(const struct session *session)
{
	return session->data.mode == DATA_PASSIVE || session->data.mode == DATA_SHARED;
}

void
data_time_over(struct session *session)
{
	if (session->transfer != NULL) {
		transfer_late(session);
	} else if (session->data.is_waiting || session->data.mode == DATA_ASKED) {
		data_forget(session);
		data_passive_ready(session, NULL);
	}
}
