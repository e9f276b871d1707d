/*
 * The relay between workers and TLS (see pump.h). Runs in the gateway. The client is a stranger and
 * may stop, vanish or send anything at any moment; the worker's bytes are only passed on. A pump
 * that fails ends its transfer and nothing else.
 */
#include "gateway/pump.h"

#include "gateway/tls_context.h"
#include "gateway/tls_kernel.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"

#include <event2/event_struct.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

enum {
	PIECE_BYTES = 16 * 16384, /* a gathered write: so many records are taken without a send */
	PIECES_PER_TURN = 4,
	LINGER_S = 5,
	LOOK_S = 1, /* between two looks at what the client's kernel has not acknowledged */
	RECORD_BYTES = 16384,
};

enum phase {
	PUMP_HANDSHAKE,
	PUMP_MOVING,
	PUMP_HEARING, /* out: the worker and the kernel move */
	PUMP_DRAINED, /* out: the worker has no more; was that all? */
	PUMP_ENDING,  /* close_notify is on its way */
	PUMP_LINGERS, /* nobody's any more: the client has yet to read its end */
};

struct pump_room {
	struct event_base *base;
	TAILQ_HEAD(lingering_pumps, pump) lingering;
	char piece[PIECE_BYTES];
};

struct pump {
	struct pump_options options;
	struct pump **place; /* where the owner has it */
	TAILQ_ENTRY(pump) entry;
	enum phase phase;
	struct tls *tls;
	int fd;    /* the client's */
	int inner; /* our end of the socketpair; -1 once closed */
	bool may_end;
	bool has_turn;             /* work goes on in the next round of the loop */
	bool is_in_kernel;         /* which encrypts; others have our fd as well */
	bool is_deaf;              /* HEARING, LINGERS: nothing more of the client's is read */
	int unacknowledged;        /* LINGERS in the kernel: bytes at the last look, */
	uint32_t unacknowledged_s; /* and for how long as many */
	char *left;                /* for the worker, which did not take it yet */
	size_t left_length, left_sent;
	struct event outer, inside, turn;
};

static void run(struct pump *pump);

/* ---- waiting ---- */

static void
stop_waiting(struct pump *pump)
{
	event_del(&pump->outer);
	event_del(&pump->inside);
	event_del(&pump->turn);
	pump->has_turn = false;
}

static void on_event(UNUSED evutil_socket_t fd, short what, void *argument);

/* One thing at a time is waited for; a client that does not move has its limit. */
static int
wait_for(struct pump *pump, struct event *event, int fd, short what, uint32_t limit_s)
{
	const struct timeval limit = { .tv_sec = (time_t)limit_s };
	event_assign(event, pump->options.room->base, fd, what, on_event, pump);
	return event_add(event, limit_s == 0 ? NULL : &limit) < 0 ? -ENOMEM : -EINPROGRESS;
}

static int
wait_for_client(struct pump *pump)
{
	short wanted = tls_wants(pump->tls);
	if (wanted == 0)
		return -EINPROGRESS; /* keys wakes us */
	return wait_for(pump, &pump->outer, pump->fd, wanted, pump->options.stall_timeout_s);
}

/* The worker has limits of its own. */
static int
wait_for_worker(struct pump *pump, short what)
{
	return wait_for(pump, &pump->inside, pump->inner, what, 0);
}

static int
wait_for_turn(struct pump *pump)
{
	pump->has_turn = true;
	event_active(&pump->turn, EV_TIMEOUT, 0);
	return -EINPROGRESS;
}

/* ---- the end ---- */

static void
release(struct pump *pump)
{
	stop_waiting(pump);
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

/* The owner hears of it before the worker sees its end. */
static void
finish(struct pump *pump, int error)
{
	*pump->place = NULL;
	pump->options.ended(pump->options.owner, error);
	release(pump);
}

static void
keep_lingering(struct pump *pump)
{
	short what = pump->is_deaf ? 0 : EV_READ;
	uint32_t limit_s = pump->is_in_kernel ? LOOK_S : LINGER_S;
	if (wait_for(pump, &pump->outer, pump->fd, what, limit_s) != -EINPROGRESS)
		release(pump);
}

/*
 * Closing a socket with unread bytes resets it, and takes what the client has not read yet with it:
 * the client's own close_notify, mostly. So its end is awaited, by nobody.
 *
 * A kernel that encrypts keeps records for which TCP had no room, and a FIN would cut them off. It
 * comes once the client has acknowledged all (look_again); most have closed by then.
 */
static void
linger(struct pump *pump)
{
	*pump->place = NULL;
	if (!pump->is_in_kernel)
		shutdown(pump->fd, SHUT_WR);
	pump->options.ended(pump->options.owner, 0);
	stop_waiting(pump);
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
		release(pump);
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
		release(pump);
		return;
	}
	if (is_out) {
		pump->is_in_kernel = false; /* from here on as with any other */
		shutdown(pump->fd, SHUT_WR);
	}
	keep_lingering(pump);
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
	return pump->is_deaf ? -EINPROGRESS : wait_for(pump, &pump->outer, pump->fd, EV_READ, 0);
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
	while (*error > 0 && PIECE_BYTES - length >= RECORD_BYTES) {
		*error = tls_read(pump->tls, piece + length, PIECE_BYTES - length);
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
	int passed = pass_on(pump, piece, length);
	/* What was cut is passed on as well: what becomes of it is the owner's business. */
	if (passed < 0)
		return passed;
	if (error == 0)
		pump->phase = PUMP_ENDING;
	else if (error == -EAGAIN && length == 0)
		return wait_for_client(pump);
	return error == 0 || error == -EAGAIN || error > 0 ? 0 : error;
}

/* ---- phases ---- */

static int
make_ends(struct pump *pump, int *worker_fd)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	pump->inner = ends[0];
	*worker_fd = ends[1];
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
	stop_waiting(pump);
	for (int i = 0; i < PIECES_PER_TURN && error == 0 && pump->phase != PUMP_ENDING; i++)
		error = step(pump);
	if (error == 0 && pump->phase == PUMP_ENDING) {
		error = end(pump);
		if (error == 0) {
			linger(pump);
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
	bool is_late = (what & EV_TIMEOUT) != 0 && !pump->has_turn;
	if (pump->phase == PUMP_LINGERS && is_late && pump->is_in_kernel)
		look_again(pump);
	else if (pump->phase == PUMP_LINGERS && is_late)
		release(pump);
	else if (pump->phase == PUMP_LINGERS)
		discard(pump);
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
		release(*pump);
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
		release(TAILQ_FIRST(&(*room)->lingering));
	free(*room);
	*room = NULL;
}
