/*
 * Shared passive ports (see shared.h). Runs in the gateway. That a connection comes from the right
 * address, to the right one, is the supervisor's word, which asked the kernel.
 */
#include "gateway/shared.h"

#include "gateway/candidates.h"
#include "gateway/session.h"
#include "gateway/supervisor.h"
#include "gateway/transfer.h"
#include "ipc/address.h"
#include "ipc/base/scope.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

static bool
is_asked_or_given(const struct session *session)
{
	return session->data.mode == DATA_ASKED || session->data.mode == DATA_SHARED;
}

/* So that the port can be somebody else's at this address. */
static void
leave(struct session *session)
{
	struct ticket ticket;
	ticket_close(&session->gateway->tickets, session->data.tag, &ticket);
	supervisor_leave_port(session);
}

void
shared_want(struct session *session)
{
	struct ticket ticket;
	data_forget(session);
	session->data.tag = 0;
	if (supervisor_want_port(session, &session->data.tag) < 0) {
		ticket_close(&session->gateway->tickets, session->data.tag, &ticket);
		session_reply(session, reply_passive_none);
		return;
	}
	session->data.mode = DATA_ASKED;
	session_begin(session);
	limit_set(&session->limit, LIMIT_DATA, session->gateway->settings.data_timeout_s);
}

void
shared_given(struct session *session, uint16_t port)
{
	if (session->data.mode != DATA_ASKED)
		return;
	limit_clear(&session->limit, LIMIT_DATA);
	session->data.mode = DATA_SHARED;
	data_reply_port(session, port);
	session_finish(session);
}

void
shared_refused(struct session *session)
{
	if (session->data.mode != DATA_ASKED)
		return;
	session->data.mode = DATA_NONE;
	data_passive_ready(session, NULL);
}

void
shared_arrived(struct session *session, int *fd)
{
	struct wire_address peer;
	if (address_is_none(&session->proxy))
		shared_proved(session, fd);
	else if (session->data.mode == DATA_SHARED && address_of_peer(*fd, &peer) == 0)
		candidate_begin(session, fd, &peer);
}

/* Its second connection, and those that follow, are nobody's. */
void
shared_proved(struct session *session, int *fd)
{
	int yes = 1;
	if (session->data.mode != DATA_SHARED)
		return;
	/* The last piece of a file does not wait for an answer. */
	setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	leave(session);
	session->data.mode = DATA_ARRIVED;
	session->data.arrived_fd = fd_take(fd);
	if (transfer_data_wait(session) != NULL)
		transfer_connected(session, shared_take(session));
}

int
shared_take(struct session *session)
{
	session->data.mode = DATA_NONE;
	return fd_take(&session->data.arrived_fd);
}

void
shared_forget(struct session *session)
{
	if (is_asked_or_given(session))
		leave(session);
	else if (session->data.mode == DATA_ARRIVED)
		fd_close(&session->data.arrived_fd);
}
