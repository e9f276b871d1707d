/*
 * The engine of transfers (transfer.h) when the other end resets, hangs up, is silent or slow, and
 * when its owner ends it.
 */
#include "ipc/base/scope.h"
#include "tests/unit/worker/transfer_world.h"
#include "worker/transfer_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static void
tcp_pair(int ends[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(ends[0], (struct sockaddr *)&address, length), 0);
	ends[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	assert_true(ends[1] >= 0);
	close(listener);
}

/* A reset is no end: what was cut must not pass for whole. */
static void
check_receive_reset(void **state)
{
	(void)state;
	struct transfer_world *world = transfer_world_new(MIB);
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	int ends[2];
	tcp_pair(ends);
	const struct transfer_file destination = transfer_world_file(world, 0, PATHIO_FORM_IMAGE);
	struct transfer_options options =
		transfer_world_options(world, &world->outcome, ends[1], 10000);
	assert_int_equal(send(ends[0], "half", 4, 0), 4);
	assert_int_equal(transfer_receive(&options, &destination), 0);
	assert_false(world->outcome.ended);
	setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	fd_close(&ends[0]);
	transfer_world_run(world, &world->outcome);
	assert_int_equal(world->outcome.error, -ECONNRESET);
	assert_int_equal(world->outcome.bytes, 4);
	fd_close(&ends[1]);
	transfer_world_free(world);
}

static void
check_send_hang_up(void **state)
{
	(void)state;
	struct transfer_world *world = transfer_world_new(9 * MIB);
	world->fake.length = 9 * MIB;
	const struct transfer_file source = transfer_world_file(world, 0, PATHIO_FORM_IMAGE);
	world->end = wire_end_new_silent(world->base);
	transfer_world_send(world, &source, 10000);
	assert_false(world->outcome.ended);
	fd_close(&world->end->worker_fd);
	event_del(world->end->readable);
	shutdown(world->end->fd, SHUT_RDWR);
	transfer_world_run(world, &world->outcome);
	assert_int_equal(world->outcome.error, -EPIPE);
	transfer_world_free(world);
}

/* HOSTILE 30: who does not read costs a bounded piece of memory, and for a bounded time. */
static void
check_silent_reader(void **state)
{
	(void)state;
	struct transfer_world *world = transfer_world_new(9 * MIB);
	world->fake.length = 9 * MIB;
	const struct transfer_file source = transfer_world_file(world, 0, PATHIO_FORM_ASCII);
	world->end = wire_end_new_silent(world->base);
	transfer_world_send(world, &source, 80);
	assert_non_null(world->outcome.running);
	assert_in_range(world->outcome.running->left.length, 1, 2 * TRANSFER_PIECE_BYTES);
	transfer_world_run(world, &world->outcome);
	assert_int_equal(world->outcome.error, -ETIMEDOUT);
	assert_int_equal(world->outcome.progress_count, 0);
	transfer_world_free(world);
}

static void
check_silent_writer(void **state)
{
	(void)state;
	struct transfer_world *world = transfer_world_new(MIB);
	const struct transfer_file destination = transfer_world_file(world, 0, PATHIO_FORM_IMAGE);
	world->end = wire_end_new_silent(world->base);
	transfer_world_receive(world, &destination, 80);
	transfer_world_run(world, &world->outcome);
	assert_int_equal(world->outcome.error, -ETIMEDOUT);
	transfer_world_free(world);
}

/* A writer that sends a byte at each tick, more often than the limit asks for. */
struct drip {
	int fd;
	struct event *tick;
	int left;
};

static void
on_drip(UNUSED evutil_socket_t fd, UNUSED short what, void *argument)
{
	struct drip *drip = argument;
	if (drip->left-- > 0) {
		assert_int_equal(send(drip->fd, "x", 1, 0), 1);
		return;
	}
	event_del(drip->tick);
	shutdown(drip->fd, SHUT_WR);
}

/* Slow is not silent: the limit counts from the last byte, and progress comes once a second. */
static void
check_slow_writer(void **state)
{
	(void)state;
	struct transfer_world *world = transfer_world_new(MIB);
	const struct timeval interval = { .tv_usec = 100000 };
	const struct transfer_file destination = transfer_world_file(world, 0, PATHIO_FORM_IMAGE);
	world->end = wire_end_new_silent(world->base);
	struct drip drip = { .fd = world->end->fd, .left = 25 };
	drip.tick = event_new(world->base, -1, EV_PERSIST, on_drip, &drip);
	event_add(drip.tick, &interval);
	transfer_world_receive(world, &destination, 1000);
	transfer_world_run(world, &world->outcome);
	assert_int_equal(world->outcome.error, 0);
	assert_int_equal(world->outcome.bytes, 25);
	assert_in_range(world->outcome.progress_count, 1, 3);
	event_free(drip.tick);
	transfer_world_free(world);
}

static void
check_end(void **state)
{
	(void)state;
	struct transfer_world *world = transfer_world_new(9 * MIB);
	world->fake.length = 9 * MIB;
	const struct transfer_file source = transfer_world_file(world, 0, PATHIO_FORM_IMAGE);
	world->end = wire_end_new_silent(world->base);
	transfer_world_send(world, &source, 0);
	transfer_end(world->outcome.running, -ECANCELED);
	assert_true(world->outcome.ended);
	assert_int_equal(world->outcome.error, -ECANCELED);
	wire_end_finish(world->end);
	assert_int_equal(world->outcome.bytes, world->end->length);
	transfer_world_free(world);
}

/* The flags of the open file are the gateway's (DESIGN 5). */
static void
check_flags(void **state)
{
	(void)state;
	struct transfer_world *world = transfer_world_new(MIB);
	const struct transfer_file source = transfer_world_file(world, 0, PATHIO_FORM_IMAGE);
	world->end = wire_end_new(world->base);
	int flags = fcntl(world->end->worker_fd, F_GETFL);
	transfer_world_send(world, &source, 0);
	transfer_world_run(world, &world->outcome);
	assert_int_equal(fcntl(world->end->worker_fd, F_GETFL), flags);
	transfer_world_free(world);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("a reset is an error", check_receive_reset),
		CASE("the reader hangs up", check_send_hang_up),
		CASE("the reader is silent", check_silent_reader),
		CASE("the writer is silent", check_silent_writer),
		CASE("the writer is slow", check_slow_writer),
		CASE("ended by its owner", check_end),
		CASE("flags stay as they are", check_flags),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
