/*
 * The engine of transfers (transfer.h) over socketpairs and TCP: what moves, what waits, what ends
 * it. A backend of this file's own fails where a disk might.
 */
#include "ipc/base/scope.h"
#include "tests/unit/worker/session.h"
#include "tests/unit/worker/trees.h"
#include "tests/unit/worker/wire_end.h"
#include "worker/transfer_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- a file that can fail ---- */

/* Passed where a backend's own file would be. */
struct fake_file {
	char *content;
	size_t length;
	size_t room;    /* then -ENOSPC */
	size_t at_once; /* what one call reads or writes at the most */
	int reader_fd;  /* read dry before each call, as by a reader that is never late; or -1 */
};

static struct fake_file *
fake_of(struct backend_file *file)
{
	return (struct fake_file *)(void *)file;
}

static int
fake_attributes(struct backend_file *file, struct pathio_attributes *result)
{
	*result = (struct pathio_attributes){ .size = fake_of(file)->length };
	return 0;
}

static ssize_t
fake_read(struct backend_file *file, uint64_t offset, void *buffer, size_t length)
{
	static char drained[64 * 1024];
	const struct fake_file *fake = fake_of(file);
	while (fake->reader_fd >= 0 && recv(fake->reader_fd, drained, sizeof(drained), 0) > 0)
		continue;
	size_t left = offset < fake->length ? fake->length - offset : 0;
	if (length > left)
		length = left;
	if (length > fake->at_once)
		length = fake->at_once;
	memcpy(buffer, fake->content + offset, length);
	return (ssize_t)length;
}

static ssize_t
fake_write(struct backend_file *file, uint64_t offset, const void *data, size_t length)
{
	struct fake_file *fake = fake_of(file);
	if (offset >= fake->room)
		return -ENOSPC;
	if (length > fake->room - offset)
		length = fake->room - offset;
	if (length > fake->at_once)
		length = fake->at_once;
	memcpy(fake->content + offset, data, length);
	if (offset + length > fake->length)
		fake->length = offset + length;
	return (ssize_t)length;
}

static int
fake_extent(
	struct backend_file *file, uint64_t offset, uint64_t length, struct backend_extent *result)
{
	(void)file;
	(void)offset;
	(void)length;
	(void)result;
	return -ENOTSUP;
}

static const struct backend fake_backend = {
	.name = "fake",
	.attributes = fake_attributes,
	.read = fake_read,
	.write = fake_write,
	.extent = fake_extent,
};

/* ---- a world for transfers ---- */

struct outcome {
	struct event_base *base;
	struct transfer *running;
	bool ended;
	int error;
	uint64_t bytes;
	uint32_t progress_count;
	uint64_t progress_bytes;
};

struct world {
	struct event_base *base;
	struct executor *executor;
	struct transfers *transfers;
	struct fake_file fake;
	struct wire_end *end;
	struct outcome outcome;
	int descriptors;
};

static void
on_ended(void *owner, int error, uint64_t bytes)
{
	struct outcome *outcome = owner;
	assert_false(outcome->ended);
	assert_null(outcome->running);
	outcome->ended = true;
	outcome->error = error;
	outcome->bytes = bytes;
	event_base_loopbreak(outcome->base);
}

static void
on_progress(void *owner, uint64_t bytes)
{
	struct outcome *outcome = owner;
	assert_true(bytes > outcome->progress_bytes);
	outcome->progress_bytes = bytes;
	outcome->progress_count++;
}

static struct transfer_options
options_for(struct world *world, struct outcome *outcome, int descriptor, uint32_t stall_ms)
{
	outcome->base = world->base;
	return (struct transfer_options){
		.transfers = world->transfers,
		.descriptor = descriptor,
		.stall_timeout_ms = stall_ms,
		.running = &outcome->running,
		.ended = on_ended,
		.progress = on_progress,
		.owner = outcome,
	};
}

static struct world *
world_new(size_t room)
{
	struct world *world = calloc(1, sizeof(*world));
	assert_non_null(world);
	signal(SIGPIPE, SIG_IGN);
	world->descriptors = count_descriptors();
	world->base = event_base_new();
	assert_int_equal(executor_inline_new(world->base, &world->executor), 0);
	assert_int_equal(transfers_new(world->base, world->executor, &world->transfers), 0);
	world->fake = (struct fake_file){
		.content = calloc(1, room + 1),
		.room = room,
		.at_once = SIZE_MAX,
		.reader_fd = -1,
	};
	assert_non_null(world->fake.content);
	return world;
}

static void
world_free(struct world *world)
{
	if (world->end != NULL)
		wire_end_free(&world->end);
	executor_free(&world->executor);
	transfers_free(&world->transfers);
	event_base_free(world->base);
	free(world->fake.content);
	assert_int_equal(count_descriptors(), world->descriptors);
	free(world);
}

static struct transfer_file
fake_at(struct world *world, uint64_t offset, enum pathio_form form)
{
	return (struct transfer_file){
		.backend = &fake_backend,
		.file = (struct backend_file *)(void *)&world->fake,
		.offset = offset,
		.count = UINT64_MAX,
		.form = form,
	};
}

/* Lines of many lengths with all kinds of ends. */
static void
fill(char *content, size_t length)
{
	for (size_t i = 0; i < length; i++)
		content[i] = "abc\ndef\r\ng\rhij"[(i + i / 1000) % 14];
}

static void
run(struct world *world, struct outcome *outcome)
{
	struct timeval limit = { .tv_sec = 10 };
	for (int i = 0; i < 1000 && !outcome->ended; i++) {
		event_base_loopexit(world->base, &limit);
		event_base_dispatch(world->base);
	}
	assert_true(outcome->ended);
}

/* ---- out ---- */

struct send_row {
	const char *name;
	size_t size;
	uint64_t offset;
	uint64_t count;
	const struct backend *backend; /* NULL: the fake one, without extents */
	int want_error;
	size_t want;
};

#define KIB ((size_t)1024)
#define MIB (KIB * 1024)

static const struct send_row send_rows[] = {
	{ "kernel, nothing", 0, 0, UINT64_MAX, &backend_kernel, 0, 0 },
	{ "kernel, one byte", 1, 0, UINT64_MAX, &backend_kernel, 0, 1 },
	{ "kernel, 10 KiB", 10 * KIB, 0, UINT64_MAX, &backend_kernel, 0, 10 * KIB },
	{ "kernel, 9 MiB", 9 * MIB, 0, UINT64_MAX, &backend_kernel, 0, 9 * MIB },
	{ "kernel, a part", 9 * MIB, MIB + 1, 3 * MIB, &backend_kernel, 0, 3 * MIB },
	{ "kernel, the last byte", MIB, MIB - 1, UINT64_MAX, &backend_kernel, 0, 1 },
	{ "kernel, from the end", MIB, MIB, UINT64_MAX, &backend_kernel, 0, 0 },
	{ "kernel, from beyond the end", MIB, MIB + 1, UINT64_MAX, &backend_kernel, -EINVAL, 0 },
	{ "kernel, no bytes wanted", MIB, 0, 0, &backend_kernel, 0, 0 },
	{ "memory, nothing", 0, 0, UINT64_MAX, &backend_memory, 0, 0 },
	{ "memory, 9 MiB", 9 * MIB, 0, UINT64_MAX, &backend_memory, 0, 9 * MIB },
	{ "memory, a part", 9 * MIB, MIB + 1, 3 * MIB, &backend_memory, 0, 3 * MIB },
	{ "memory, from beyond the end", MIB, MIB + 1, UINT64_MAX, &backend_memory, -EINVAL, 0 },
	{ "no extents, nothing", 0, 0, UINT64_MAX, NULL, 0, 0 },
	{ "no extents, 9 MiB", 9 * MIB, 0, UINT64_MAX, NULL, 0, 9 * MIB },
	{ "no extents, a part", 9 * MIB, MIB + 1, 3 * MIB, NULL, 0, 3 * MIB },
	{ "no extents, from beyond the end", MIB, MIB + 1, UINT64_MAX, NULL, -EINVAL, 0 },
};

/* The same content in a file of a real backend. */
static struct session *
plant(struct world *world, const struct backend *backend, struct transfer_file *file)
{
	struct session *session = session_new(backend, NULL, 0);
	const struct tree *tree = session_tree(session);
	const struct path path = test_path("/f");
	session_plant(session, "/f", world->fake.content, world->fake.length);
	assert_int_equal(backend->open(tree->state, &path, BACKEND_READ, 0, &file->file, NULL), 0);
	file->backend = backend;
	return session;
}

static void
check_send(void **state)
{
	const struct send_row *row = *state;
	struct world *world = world_new(row->size);
	struct session *session = NULL;
	fill(world->fake.content, row->size);
	world->fake.length = row->size;
	struct transfer_file source = fake_at(world, row->offset, PATHIO_FORM_IMAGE);
	source.count = row->count;
	if (row->backend != NULL)
		session = plant(world, row->backend, &source);
	world->end = wire_end_new(world->base);
	struct transfer_options options =
		options_for(world, &world->outcome, world->end->worker_fd, 10000);
	assert_int_equal(transfer_send(&options, &source), 0);
	run(world, &world->outcome);
	wire_end_finish(world->end);
	assert_int_equal(world->outcome.error, row->want_error);
	assert_int_equal(world->outcome.bytes, row->want);
	assert_int_equal(world->end->length, row->want);
	assert_memory_equal(world->end->bytes, world->fake.content + row->offset, row->want);
	if (session != NULL) {
		row->backend->close(&source.file);
		session_free(session);
	}
	world_free(world);
}

/* A hole is sent as zeros, whether the backend has it as an extent or not. */
static void
check_hole(void **state)
{
	(void)state;
	struct world *world = world_new(0);
	struct session *session = session_new(&backend_memory, NULL, 0);
	const struct tree *tree = session_tree(session);
	const struct path path = test_path("/f");
	struct transfer_file source = { .backend = &backend_memory, .count = UINT64_MAX };
	assert_int_equal(
		tree->backend->open(tree->state, &path,
			BACKEND_READ | BACKEND_WRITE | BACKEND_CREATE, 0666, &source.file, NULL),
		0);
	assert_int_equal(tree->backend->write(source.file, 3 * MIB, "end", 3), 3);
	world->end = wire_end_new(world->base);
	struct transfer_options options =
		options_for(world, &world->outcome, world->end->worker_fd, 10000);
	assert_int_equal(transfer_send(&options, &source), 0);
	run(world, &world->outcome);
	wire_end_finish(world->end);
	assert_int_equal(world->end->length, 3 * MIB + 3);
	for (size_t i = 0; i < 3 * MIB; i++)
		assert_int_equal(world->end->bytes[i], 0);
	assert_string_equal(world->end->bytes + 3 * MIB, "end");
	tree->backend->close(&source.file);
	session_free(session);
	world_free(world);
}

/* A file that is cut short while it is sent ends there; from beyond its new end it cannot begin. */
static void
check_cut_short(void **state)
{
	(void)state;
	struct world *world = world_new(9 * MIB);
	struct transfer_file source = { .count = UINT64_MAX };
	fill(world->fake.content, 9 * MIB);
	world->fake.length = 9 * MIB;
	struct session *session = plant(world, &backend_kernel, &source);
	const struct path path = test_path("/f");
	struct backend_file *other;
	assert_int_equal(backend_kernel.open(session_tree(session)->state, &path, BACKEND_WRITE, 0,
				 &other, NULL),
		0);
	world->end = wire_end_new_silent(world->base);
	struct transfer_options options =
		options_for(world, &world->outcome, world->end->worker_fd, 10000);
	assert_int_equal(transfer_send(&options, &source), 0);
	assert_false(world->outcome.ended);
	assert_int_equal(backend_kernel.truncate(other, MIB), 0);
	wire_end_read(world->end);
	run(world, &world->outcome);
	assert_int_equal(world->outcome.error, 0);
	assert_int_equal(world->outcome.bytes, MIB);
	struct outcome late = { .ended = false };
	source.offset = MIB + 1;
	options = options_for(world, &late, world->end->worker_fd, 10000);
	assert_int_equal(transfer_send(&options, &source), 0);
	run(world, &late);
	assert_int_equal(late.error, -EINVAL);
	backend_kernel.close(&other);
	backend_kernel.close(&source.file);
	session_free(session);
	world_free(world);
}

/* The pieces of a file may end anywhere in a pair of line ends. */
static void
check_send_ascii(void **state)
{
	(void)state;
	static char want[600 * 1024];
	const size_t size = sizeof(want) / 2;
	struct ascii ascii = { .after_cr = false };
	for (size_t at_once = 64 * KIB; at_once > 64 * KIB - 16; at_once--) {
		struct world *world = world_new(size);
		fill(world->fake.content, size);
		world->fake.length = size;
		world->fake.at_once = at_once;
		ascii = (struct ascii){ .after_cr = false };
		size_t length = ascii_encode(&ascii, bytes_of(world->fake.content, size), want);
		const struct transfer_file source = fake_at(world, 0, PATHIO_FORM_ASCII);
		world->end = wire_end_new(world->base);
		struct transfer_options options =
			options_for(world, &world->outcome, world->end->worker_fd, 10000);
		assert_int_equal(transfer_send(&options, &source), 0);
		run(world, &world->outcome);
		wire_end_finish(world->end);
		assert_int_equal(world->outcome.error, 0);
		assert_int_equal(world->outcome.bytes, length);
		assert_int_equal(world->end->length, length);
		assert_memory_equal(world->end->bytes, want, length);
		world_free(world);
	}
}

/* ---- in ---- */

struct receive_row {
	const char *name;
	size_t size;
	size_t at_once; /* of the client's writes */
	size_t room;
	enum pathio_form form;
	int want_error;
};

static const struct receive_row receive_rows[] = {
	{ "nothing", 0, 1, MIB, PATHIO_FORM_IMAGE, 0 },
	{ "one byte", 1, 1, MIB, PATHIO_FORM_IMAGE, 0 },
	{ "9 MiB", 9 * MIB, MIB, 9 * MIB, PATHIO_FORM_IMAGE, 0 },
	{ "drop by drop", 2000, 1, MIB, PATHIO_FORM_IMAGE, 0 },
	{ "ascii", 3 * MIB, MIB, 9 * MIB, PATHIO_FORM_ASCII, 0 },
	{ "ascii, drop by drop", 2000, 1, MIB, PATHIO_FORM_ASCII, 0 },
	{ "ascii, a return at the end", 8, 1, MIB, PATHIO_FORM_ASCII, 0 },
	{ "a full disk", 9 * MIB, MIB, MIB, PATHIO_FORM_IMAGE, -ENOSPC },
	{ "a disk that is full at once", 9 * MIB, MIB, 0, PATHIO_FORM_IMAGE, -ENOSPC },
};

/* A client that sends while the loop runs. */
struct client {
	struct wire_end *end;
	struct event *writable;
	const char *content;
	size_t size;
	size_t sent;
	size_t at_once;
};

static void
on_writable(evutil_socket_t fd, short what, void *argument)
{
	struct client *client = argument;
	(void)what;
	size_t length = client->size - client->sent;
	if (length > client->at_once)
		length = client->at_once;
	ssize_t sent = length == 0 ? 0 : send(fd, client->content + client->sent, length, 0);
	if (sent > 0)
		client->sent += (size_t)sent;
	if (client->sent < client->size && sent > 0)
		return;
	event_del(client->writable);
	shutdown(fd, SHUT_WR);
}

static void
check_receive(void **state)
{
	const struct receive_row *row = *state;
	struct world *world = world_new(row->room);
	char *content = calloc(1, row->size + 1), *want = calloc(1, row->size + 2);
	fill(content, row->size);
	world->end = wire_end_new_silent(world->base);
	struct client client = { .content = content, .size = row->size, .at_once = row->at_once };
	client.writable =
		event_new(world->base, world->end->fd, EV_WRITE | EV_PERSIST, on_writable, &client);
	event_add(client.writable, NULL);
	const struct transfer_file destination = fake_at(world, 0, row->form);
	struct transfer_options options =
		options_for(world, &world->outcome, world->end->worker_fd, 10000);
	assert_int_equal(transfer_receive(&options, &destination), 0);
	run(world, &world->outcome);
	assert_int_equal(world->outcome.error, row->want_error);
	if (row->want_error == 0) {
		struct ascii ascii = { .after_cr = false };
		size_t length = row->size;
		memcpy(want, content, length);
		if (row->form == PATHIO_FORM_ASCII) {
			length = ascii_decode(&ascii, bytes_of(content, row->size), want);
			length += ascii_decode_end(&ascii, want + length);
		}
		assert_int_equal(world->outcome.bytes, row->size);
		assert_int_equal(world->fake.length, length);
		assert_memory_equal(world->fake.content, want, length);
	} else {
		assert_true(world->outcome.bytes < row->size); /* it reads no further */
	}
	event_free(client.writable);
	free(content);
	free(want);
	world_free(world);
}

/* Behind what is already there, and with a backend that writes a little at a time. */
static void
check_receive_at_offset(void **state)
{
	(void)state;
	struct world *world = world_new(100);
	world->fake.at_once = 3;
	world->fake.length = 5;
	memcpy(world->fake.content, "first", 5);
	world->end = wire_end_new_silent(world->base);
	assert_int_equal(send(world->end->fd, "second", 6, 0), 6);
	assert_int_equal(shutdown(world->end->fd, SHUT_WR), 0);
	const struct transfer_file destination = fake_at(world, 5, PATHIO_FORM_IMAGE);
	struct transfer_options options =
		options_for(world, &world->outcome, world->end->worker_fd, 10000);
	assert_int_equal(transfer_receive(&options, &destination), 0);
	assert_true(world->outcome.ended); /* it was all there: no need to wait */
	assert_string_equal(world->fake.content, "firstsecond");
	world_free(world);
}

/* ---- peers ---- */

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
	struct world *world = world_new(MIB);
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	int ends[2];
	tcp_pair(ends);
	const struct transfer_file destination = fake_at(world, 0, PATHIO_FORM_IMAGE);
	struct transfer_options options = options_for(world, &world->outcome, ends[1], 10000);
	assert_int_equal(send(ends[0], "half", 4, 0), 4);
	assert_int_equal(transfer_receive(&options, &destination), 0);
	assert_false(world->outcome.ended);
	setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	fd_close(&ends[0]);
	run(world, &world->outcome);
	assert_int_equal(world->outcome.error, -ECONNRESET);
	assert_int_equal(world->outcome.bytes, 4);
	fd_close(&ends[1]);
	world_free(world);
}

static void
check_send_hang_up(void **state)
{
	(void)state;
	struct world *world = world_new(9 * MIB);
	world->fake.length = 9 * MIB;
	const struct transfer_file source = fake_at(world, 0, PATHIO_FORM_IMAGE);
	world->end = wire_end_new_silent(world->base);
	struct transfer_options options =
		options_for(world, &world->outcome, world->end->worker_fd, 10000);
	assert_int_equal(transfer_send(&options, &source), 0);
	assert_false(world->outcome.ended);
	fd_close(&world->end->worker_fd);
	event_del(world->end->readable);
	shutdown(world->end->fd, SHUT_RDWR);
	run(world, &world->outcome);
	assert_int_equal(world->outcome.error, -EPIPE);
	world_free(world);
}

/* HOSTILE 30: who does not read costs a bounded piece of memory, and for a bounded time. */
static void
check_silent_reader(void **state)
{
	(void)state;
	struct world *world = world_new(9 * MIB);
	world->fake.length = 9 * MIB;
	const struct transfer_file source = fake_at(world, 0, PATHIO_FORM_ASCII);
	world->end = wire_end_new_silent(world->base);
	struct transfer_options options =
		options_for(world, &world->outcome, world->end->worker_fd, 80);
	assert_int_equal(transfer_send(&options, &source), 0);
	assert_non_null(world->outcome.running);
	assert_in_range(world->outcome.running->left.length, 1, 2 * TRANSFER_PIECE_BYTES);
	run(world, &world->outcome);
	assert_int_equal(world->outcome.error, -ETIMEDOUT);
	assert_int_equal(world->outcome.progress_count, 0);
	world_free(world);
}

static void
check_silent_writer(void **state)
{
	(void)state;
	struct world *world = world_new(MIB);
	const struct transfer_file destination = fake_at(world, 0, PATHIO_FORM_IMAGE);
	world->end = wire_end_new_silent(world->base);
	struct transfer_options options =
		options_for(world, &world->outcome, world->end->worker_fd, 80);
	assert_int_equal(transfer_receive(&options, &destination), 0);
	run(world, &world->outcome);
	assert_int_equal(world->outcome.error, -ETIMEDOUT);
	world_free(world);
}

/* Sends a byte at each tick of its own, more often than the limit asks for. */
static void
on_drip(evutil_socket_t fd, short what, void *argument)
{
	struct client *client = argument;
	(void)fd;
	(void)what;
	if (client->sent == client->size) {
		event_del(client->writable);
		shutdown(client->end->fd, SHUT_WR);
		return;
	}
	assert_int_equal(send(client->end->fd, client->content, 1, 0), 1);
	client->sent++;
}

/* Slow is not silent: the limit counts from the last byte, and progress comes once a second. */
static void
check_slow_writer(void **state)
{
	(void)state;
	struct world *world = world_new(MIB);
	const struct timeval interval = { .tv_usec = 100000 };
	const struct transfer_file destination = fake_at(world, 0, PATHIO_FORM_IMAGE);
	world->end = wire_end_new_silent(world->base);
	struct client client = { .end = world->end, .content = "x", .size = 25 };
	client.writable = event_new(world->base, -1, EV_PERSIST, on_drip, &client);
	event_add(client.writable, &interval);
	struct transfer_options options =
		options_for(world, &world->outcome, world->end->worker_fd, 1000);
	assert_int_equal(transfer_receive(&options, &destination), 0);
	run(world, &world->outcome);
	assert_int_equal(world->outcome.error, 0);
	assert_int_equal(world->outcome.bytes, 25);
	assert_in_range(world->outcome.progress_count, 1, 3);
	event_free(client.writable);
	world_free(world);
}

static void
check_end(void **state)
{
	(void)state;
	struct world *world = world_new(9 * MIB);
	world->fake.length = 9 * MIB;
	const struct transfer_file source = fake_at(world, 0, PATHIO_FORM_IMAGE);
	world->end = wire_end_new_silent(world->base);
	struct transfer_options options =
		options_for(world, &world->outcome, world->end->worker_fd, 0);
	assert_int_equal(transfer_send(&options, &source), 0);
	transfer_end(world->outcome.running, -ECANCELED);
	assert_true(world->outcome.ended);
	assert_int_equal(world->outcome.error, -ECANCELED);
	wire_end_finish(world->end);
	assert_int_equal(world->outcome.bytes, world->end->length);
	world_free(world);
}

/* ---- side by side ---- */

enum { SIDE_BY_SIDE = 8 };

/* A long transfer gives way: a short one that begins later is done earlier. */
static void
check_side_by_side(void **state)
{
	(void)state;
	struct world *world = world_new(64 * MIB);
	struct outcome outcomes[SIDE_BY_SIDE] = { { .ended = false } }, brief = { .ended = false };
	struct wire_end *ends[SIDE_BY_SIDE];
	world->fake.length = 64 * MIB;
	for (size_t i = 0; i < SIDE_BY_SIDE; i++) {
		const struct transfer_file source = fake_at(world, 0, PATHIO_FORM_IMAGE);
		ends[i] = wire_end_new(world->base);
		struct transfer_options options =
			options_for(world, &outcomes[i], ends[i]->worker_fd, 10000);
		assert_int_equal(transfer_send(&options, &source), 0);
	}
	world->end = wire_end_new(world->base);
	struct transfer_file source = fake_at(world, 0, PATHIO_FORM_IMAGE);
	source.count = MIB;
	struct transfer_options options = options_for(world, &brief, world->end->worker_fd, 10000);
	assert_int_equal(transfer_send(&options, &source), 0);
	run(world, &brief);
	for (size_t i = 0; i < SIDE_BY_SIDE; i++)
		assert_false(outcomes[i].ended);
	for (size_t i = 0; i < SIDE_BY_SIDE; i++) {
		run(world, &outcomes[i]);
		wire_end_finish(ends[i]);
		assert_int_equal(outcomes[i].bytes, 64 * MIB);
		assert_int_equal(ends[i]->length, 64 * MIB);
		wire_end_free(&ends[i]);
	}
	world_free(world);
}

/* However fast the reader is, a turn ends: others wait for theirs. */
static void
check_turn(void **state)
{
	(void)state;
	struct world *world = world_new(64 * MIB);
	world->fake.length = 64 * MIB;
	world->end = wire_end_new_silent(world->base);
	world->fake.reader_fd = world->end->fd;
	const struct transfer_file source = fake_at(world, 0, PATHIO_FORM_IMAGE);
	struct transfer_options options =
		options_for(world, &world->outcome, world->end->worker_fd, 10000);
	assert_int_equal(transfer_send(&options, &source), 0);
	assert_false(world->outcome.ended);
	assert_in_range(world->outcome.running->bytes, KIB, 8 * MIB);
	assert_int_equal(world->outcome.running->left.length, 0); /* it could have gone on */
	world->fake.reader_fd = -1;
	wire_end_read(world->end);
	run(world, &world->outcome);
	assert_int_equal(world->outcome.error, 0);
	assert_int_equal(world->outcome.bytes, 64 * MIB);
	world_free(world);
}

/* The flags of the open file are the gateway's (DESIGN 5). */
static void
check_flags(void **state)
{
	(void)state;
	struct world *world = world_new(MIB);
	const struct transfer_file source = fake_at(world, 0, PATHIO_FORM_IMAGE);
	world->end = wire_end_new(world->base);
	int flags = fcntl(world->end->worker_fd, F_GETFL);
	struct transfer_options options =
		options_for(world, &world->outcome, world->end->worker_fd, 0);
	assert_int_equal(transfer_send(&options, &source), 0);
	run(world, &world->outcome);
	assert_int_equal(fcntl(world->end->worker_fd, F_GETFL), flags);
	world_free(world);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("send", send_rows, check_send),
		CASE("send a hole", check_hole),
		CASE("send a file that is cut short", check_cut_short),
		CASE("send as ascii, cut anywhere", check_send_ascii),
		TABLE("receive", receive_rows, check_receive),
		CASE("receive behind what is there", check_receive_at_offset),
		CASE("a reset is an error", check_receive_reset),
		CASE("the reader hangs up", check_send_hang_up),
		CASE("the reader is silent", check_silent_reader),
		CASE("the writer is silent", check_silent_writer),
		CASE("the writer is slow", check_slow_writer),
		CASE("ended by its owner", check_end),
		CASE("side by side", check_side_by_side),
		CASE("a turn is bounded", check_turn),
		CASE("flags stay as they are", check_flags),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
