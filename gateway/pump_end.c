/*
 * Ends of pumps (see pump_private.h). Runs in the gateway. A client may take its last bytes as late
 * as it likes; what waits for it here is bounded in time and holds nothing but its connection.
 */
#include "gateway/pump_private.h"
#include "gateway/tls_kernel.h"
#include "ipc/base/scope.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
	LINGER_S = 5,
	LOOK_S = 1, /* between two looks at what the client's kernel has not acknowledged */
};

void
pump_release(struct pump *pump)
{
	pump_stop_waiting(pump);
	if (pump->phase == PUMP_LINGERS)
		TAILQ_REMOVE(&pump->options.room->lingering, pump, entry);
	else if (pump->is_in_kernel)
		shutdown(pump->fd, SHUT_RDWR); /* for whoever else has it */
	tls_free(&pump->tls);
	fd_close(&pump->inner);
	fd_close(&pump->fd);
	free(pump->left);
	free(pump);
}

static void
keep_lingering(struct pump *pump)
{
	short what = pump->is_deaf ? 0 : EV_READ;
	uint32_t limit_s = pump->is_in_kernel ? LOOK_S : LINGER_S;
	if (pump_wait_for(pump, &pump->outer, pump->fd, what, limit_s) != -EINPROGRESS)
		pump_release(pump);
}

/*
 * Closing a socket with unread bytes resets it, and takes what the client has not read yet with it:
 * the client's own close_notify, mostly. So its end is awaited, by nobody.
 *
 * A kernel that encrypts keeps records for which TCP had no room, and a FIN would cut them off. It
 * comes once the client has acknowledged all (look_again); most have closed by then.
 */
void
pump_linger(struct pump *pump)
{
	*pump->place = NULL;
	if (!pump->is_in_kernel)
		shutdown(pump->fd, SHUT_WR);
	pump->options.ended(pump->options.owner, 0);
	pump_stop_waiting(pump);
	fd_close(&pump->inner);
	pump->phase = PUMP_LINGERS;
	pump->is_deaf = false;
	pump->unacknowledged = -1;
	TAILQ_INSERT_TAIL(&pump->options.room->lingering, pump, entry);
	keep_lingering(pump);
}

static void
discard(struct pump *pump)
{
	char *piece = pump->options.room->piece;
	ssize_t length;
	for (int i = 0; i < PIECES_PER_TURN; i++) {
		length = recv(pump->fd, piece, PIECE_BYTES, MSG_DONTWAIT);
		if (length <= 0)
			break;
	}
	bool goes_on = length > 0 || (length < 0 && (errno == EAGAIN || errno == EINTR));
	/* A client that says nothing more may still have to read: the kernel's rest is awaited. */
	pump->is_deaf = !goes_on && length == 0;
	if (goes_on ||
		(pump->is_deaf && pump->is_in_kernel && tls_kernel_unacknowledged(pump->fd) > 0))
		keep_lingering(pump);
	else
		pump_release(pump);
}

/*
 * What is left to acknowledge? Nothing twice in a row: between the two the kernel has had room and
 * time for whatever it had kept.
 */
static void
look_again(struct pump *pump)
{
	int bytes = tls_kernel_unacknowledged(pump->fd);
	bool is_same = bytes == pump->unacknowledged;
	pump->unacknowledged_s = is_same ? pump->unacknowledged_s + LOOK_S : 0;
	pump->unacknowledged = bytes;
	bool is_out = bytes == 0 && is_same;
	if (bytes < 0 || (is_out && pump->is_deaf) ||
		pump->unacknowledged_s > pump->options.stall_timeout_s) {
		pump_release(pump);
		return;
	}
	if (is_out) {
		pump->is_in_kernel = false; /* from here on as with any other */
		shutdown(pump->fd, SHUT_WR);
	}
	keep_lingering(pump);
}

void
pump_linger_on(struct pump *pump, bool is_late)
{
	if (!is_late)
		discard(pump);
	else if (pump->is_in_kernel)
		look_again(pump);
	else
		pump_release(pump);
}
