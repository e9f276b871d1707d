/*
 * The relay between workers and TLS (see pump.h). Runs in the gateway. The client is a stranger and
 * may stop, vanish or send anything at any moment; the worker's bytes are only passed on. A pump
 * that fails ends its transfer and nothing else.
 */
#include "gateway/pump.h"

#include "gateway/pump_private.h"
#include "gateway/tls_context.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

enum {
	RECORD_BYTES = 16384,
	GATHERED_BYTES = 8 * RECORD_BYTES,
	GATHERING_US = 4000,
	UPLOAD_BUFFER_BYTES =
		1 << 20, /* asked for: towards the worker, which is woken less often */
};

/* ---- waiting ---- */

static void on_event(UNUSED evutil_socket_t fd, short what, void *argument);

void
pump_stop_waiting(struct pump *pump)
{
	event_del(&pump->outer);
	event_del(&pump->inside);
	event_del(&pump->turn);
	pump->has_turn = false;
}

static int
wait_until(struct pump *pump, struct event *event, int fd, short what, const struct timeval *limit)
{
	event_assign(event, pump->options.room->base, fd, what, on_event, pump);
	return event_add(event, limit) < 0 ? -ENOMEM : -EINPROGRESS;
}

int
pump_wait_for(struct pump *pump, struct event *event, int fd, short what, uint32_t limit_s)
{
	const struct timeval limit = { .tv_sec = (time_t)limit_s };
	return wait_until(pump, event, fd, what, limit_s == 0 ? NULL : &limit);
}

/* A client that does not move has its limit. */
static int
wait_for_client(struct pump *pump)
{
	short wanted = tls_wants(pump->tls);
	if (wanted == 0)
		return -EINPROGRESS; /* keys wakes us */
	return pump_wait_for(pump, &pump->outer, pump->fd, wanted, pump->options.stall_timeout_s);
}

static void
tell_gathered(struct pump *pump, int bytes)
{
	if (pump->gathered_bytes != bytes &&
		setsockopt(pump->fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes)) == 0)
		pump->gathered_bytes = bytes;
}

/*
 * A wake-up for each record costs us and the worker more than the record. So where they come thick,
 * as many are waited for: not longer than a moment, for the last ones of a stream are fewer.
 */
static int
wait_for_records(struct pump *pump)
{
	const struct timeval moment = { .tv_usec = GATHERING_US };
	pump->is_gathering = pump->come >= RECORD_BYTES && tls_wants(pump->tls) == EV_READ;
	pump->come = 0;
	tell_gathered(pump, pump->is_gathering ? GATHERED_BYTES : 0);
	return pump->is_gathering ? wait_until(pump, &pump->outer, pump->fd, EV_READ, &moment)
				  : wait_for_client(pump);
}

/* The worker has limits of its own. */
static int
wait_for_worker(struct pump *pump, short what)
{
	return pump_wait_for(pump, &pump->inside, pump->inner, what, 0);
}

static int
wait_for_turn(struct pump *pump)
{
	pump->has_turn = true;
	event_active(&pump->turn, EV_TIMEOUT, 0);
	return -EINPROGRESS;
}

/* ---- the end ---- */

/* The owner hears of it before the worker sees its end. */
static void
finish(struct pump *pump, int error)
{
	*pump->place = NULL;
	pump->options.ended(pump->options.owner, error);
	pump_release(pump);
}

/* ---- out ---- */

/* All that is written is taken: no more than a gathered write holds, and that one is empty. */
static int
write_piece(struct pump *pump, const char *piece, size_t length)
{
	while (length > 0) {
		int taken = tls_write(pump->tls, piece, length);
		if (taken < 0)
			return taken == -EAGAIN ? -EIO : taken;
		piece += taken;
		length -= (size_t)taken;
	}
	return 0;
}

static int
move_out(struct pump *pump)
{
	char *piece = pump->options.room->piece;
	int error = tls_flush(pump->tls);
	if (error < 0)
		return error == -EAGAIN ? wait_for_client(pump) : error;
	ssize_t length = recv(pump->inner, piece, PIECE_BYTES, MSG_DONTWAIT);
	if (length < 0)
		return errno == EAGAIN || errno == EINTR ? wait_for_worker(pump, EV_READ) : -errno;
	if (length == 0)
		pump->phase = PUMP_DRAINED;
	return write_piece(pump, piece, (size_t)length);
}

/*
 * The worker sends for itself, and has limits of its own. A client that ends TLS with an alert, or
 * wants new keys, ends the transfer; one that says that it sends no more may still read, and one
 * that sends is not listened to.
 */
static int
hear(struct pump *pump)
{
	char *piece = pump->options.room->piece;
	if (pump->is_deaf)
		return -EINPROGRESS;
	ssize_t there = recv(pump->fd, piece, 1, MSG_PEEK | MSG_DONTWAIT);
	if (there < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	int length = there == 0 ? 0 : tls_read(pump->tls, piece, PIECE_BYTES);
	if (length < 0 && length != -EAGAIN)
		return length;
	pump->is_deaf = length >= 0;
	return pump->is_deaf ? -EINPROGRESS
			     : pump_wait_for(pump, &pump->outer, pump->fd, EV_READ, 0);
}

/* ---- in ---- */

static int
send_left(struct pump *pump)
{
	while (pump->left_sent < pump->left_length) {
		ssize_t sent = send(pump->inner, pump->left + pump->left_sent,
			pump->left_length - pump->left_sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && (errno == EAGAIN || errno == EINTR))
			return wait_for_worker(pump, EV_WRITE);
		if (sent < 0)
			return -errno;
		pump->left_sent += (size_t)sent;
	}
	free(pump->left);
	pump->left = NULL;
	pump->left_length = pump->left_sent = 0;
	return 0;
}

static int
keep_left(struct pump *pump, const char *piece, size_t length)
{
	pump->left = malloc(length);
	if (pump->left == NULL)
		return -ENOMEM;
	memcpy(pump->left, piece, length);
	pump->left_length = length;
	return send_left(pump);
}

static int
pass_on(struct pump *pump, const char *piece, size_t length)
{
	ssize_t sent =
		length == 0 ? 0 : send(pump->inner, piece, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	size_t taken = sent < 0 ? 0 : (size_t)sent;
	return taken == length ? 0 : keep_left(pump, piece + taken, length - taken);
}

/* As many records as are there: their number of bytes, and how it goes on in *error. */
static size_t
read_piece(struct pump *pump, char *piece, int *error)
{
	size_t length = 0;
	*error = 1;
	while (*error > 0 && GATHERED_BYTES - length >= RECORD_BYTES) {
		*error = tls_read(pump->tls, piece + length, GATHERED_BYTES - length);
		if (*error > 0)
			length += (size_t)*error;
	}
	return length;
}

static int
move_in(struct pump *pump)
{
	int error = send_left(pump);
	if (error < 0)
		return error;
	char *piece = pump->options.room->piece;
	size_t length = read_piece(pump, piece, &error);
	pump->come += length;
	int passed = pass_on(pump, piece, length);
	/* What was cut is passed on as well: what becomes of it is the owner's business. */
	if (passed < 0)
		return passed;
	if (error == 0)
		pump->phase = PUMP_ENDING;
	else if (error == -EAGAIN && length == 0)
		return wait_for_records(pump);
	return error == 0 || error == -EAGAIN || error > 0 ? 0 : error;
}

/* ---- phases ---- */

/* The kernel gives what it may; with less the worker only wakes more often. */
static void
widen(int fd)
{
	const int bytes = UPLOAD_BUFFER_BYTES;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

static int
make_ends(struct pump *pump, int *worker_fd)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	pump->inner = ends[0];
	*worker_fd = ends[1];
	if (pump->options.is_upload)
		widen(ends[0]);
	return 0;
}

/* Now it is known who encrypts. The owner may end the pump when it hears of it. */
static int
place(struct pump *pump)
{
	int worker_fd = -1, error = 0;
	pump->is_in_kernel = tls_is_in_kernel(pump->tls);
	if (pump->is_in_kernel) {
		pump->phase = PUMP_HEARING;
		worker_fd = fcntl(pump->fd, F_DUPFD_CLOEXEC, 0);
		error = worker_fd < 0 ? -errno : 0;
	} else {
		error = make_ends(pump, &worker_fd);
	}
	if (error < 0)
		return error;
	wait_for_turn(pump);
	pump->options.placed(pump->options.owner, worker_fd);
	return -EINPROGRESS;
}

static int
shake(struct pump *pump)
{
	int error = tls_handshake(pump->tls);
	if (error < 0)
		return error == -EAGAIN ? wait_for_client(pump) : error;
	error = pump->options.secured(pump->options.owner, pump->tls);
	if (error < 0)
		return error;
	tls_gather(pump->tls);
	pump->phase = PUMP_MOVING;
	return tls_may_be_in_kernel(pump->tls) ? place(pump) : 0;
}

/* A client that has sent its all need not hear ours. */
static int
end(struct pump *pump)
{
	int error = tls_end(pump->tls);
	if (error == -EAGAIN)
		return wait_for_client(pump);
	return pump->options.is_upload ? 0 : error;
}

/* One step: 0: go on; -EINPROGRESS: something is awaited; another errno: over. */
static int
step(struct pump *pump)
{
	switch (pump->phase) {
	case PUMP_HANDSHAKE:
		return shake(pump);
	case PUMP_MOVING:
		return pump->options.is_upload ? move_in(pump) : move_out(pump);
	case PUMP_HEARING:
	case PUMP_DRAINED:
		if (!pump->may_end)
			return pump->phase == PUMP_HEARING ? hear(pump) : -EINPROGRESS;
		pump->phase = PUMP_ENDING;
		return 0;
	case PUMP_ENDING:
	case PUMP_LINGERS:
		break;
	}
	bug("a pump moves in phase %d", (int)pump->phase);
}

static void
run(struct pump *pump)
{
	int error = 0;
	pump_stop_waiting(pump);
	for (int i = 0; i < PIECES_PER_TURN && error == 0 && pump->phase != PUMP_ENDING; i++)
		error = step(pump);
	if (error == 0 && pump->phase == PUMP_ENDING) {
		error = end(pump);
		if (error == 0) {
			pump_linger(pump);
			return;
		}
	} else if (error == 0) {
		error = wait_for_turn(pump);
	}
	if (error != -EINPROGRESS)
		finish(pump, error);
}

static void
on_event(UNUSED evutil_socket_t fd, short what, void *argument)
{
	struct pump *pump = argument;
	bool is_late = (what & EV_TIMEOUT) != 0 && !pump->has_turn && !pump->is_gathering;
	pump->is_gathering = false;
	if (pump->phase == PUMP_LINGERS)
		pump_linger_on(pump, is_late);
	else if (is_late)
		finish(pump, -ETIMEDOUT);
	else
		run(pump);
}

/* ---- life ---- */

/* Keys has answered, in a handler of its channel: the handshake goes on in a turn of its own. */
static void
on_wake(void *owner)
{
	wait_for_turn(owner);
}

static int
open_tls(struct pump *pump)
{
	const struct tls_options options = {
		.context = pump->options.context,
		.fd = pump->fd,
		.host = pump->options.host,
		.session = pump->options.session,
		.control = pump->options.control,
		.is_data = true,
		.kernel = pump->options.kernel,
		.wake = on_wake,
		.owner = pump,
	};
	return tls_new(&options, &pump->tls);
}

int
pump_new(const struct pump_options *options, int *fd, int *worker_fd, struct pump **place)
{
	struct pump *pump = calloc(1, sizeof(*pump));
	if (pump == NULL)
		return -ENOMEM;
	*pump = (struct pump){ .options = *options, .place = place, .fd = *fd, .inner = -1 };
	event_assign(&pump->turn, options->room->base, -1, EV_TIMEOUT, on_event, pump);
	event_assign(&pump->outer, options->room->base, *fd, 0, on_event, pump);
	event_assign(&pump->inside, options->room->base, -1, 0, on_event, pump);
	*worker_fd = -1;
	int error = open_tls(pump);
	if (error == 0 && !tls_may_be_in_kernel(pump->tls))
		error = make_ends(pump, worker_fd);
	if (error < 0) {
		tls_free(&pump->tls);
		free(pump);
		return error;
	}
	fd_take(fd);
	*place = pump;
	wait_for_turn(pump);
	return 0;
}

void
pump_end(struct pump *pump)
{
	pump->may_end = true;
	if (pump->phase == PUMP_DRAINED || pump->phase == PUMP_HEARING)
		wait_for_turn(pump);
}

void
pump_free(struct pump **pump)
{
	if (*pump != NULL)
		pump_release(*pump);
	*pump = NULL;
}

struct pump_room *
pump_room_new(struct event_base *base)
{
	struct pump_room *room = malloc(sizeof(*room));
	if (room == NULL)
		return NULL;
	room->base = base;
	TAILQ_INIT(&room->lingering);
	return room;
}

void
pump_room_free(struct pump_room **room)
{
	if (*room == NULL)
		return;
	while (!TAILQ_EMPTY(&(*room)->lingering))
		pump_release(TAILQ_FIRST(&(*room)->lingering));
	free(*room);
	*room = NULL;
}
