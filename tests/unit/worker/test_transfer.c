/*
 * The engine of transfers (transfer.h): what moves, in which pieces, and that none of them keeps
 * the loop to itself. What its peers do to it: test_transfer_peers.c.
 */
#include "tests/unit/worker/session.h"
#include "tests/unit/worker/transfer_world.h"
#include "tests/unit/worker/trees.h"
#include "worker/transfer_private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

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
plant(struct transfer_world *world, const struct backend *backend, struct transfer_file *file)
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
	struct transfer_world *world = transfer_world_new(row->size);
	struct session *session = NULL;
	transfer_world_fill(world->fake.content, row->size);
	world->fake.length = row->size;
	struct transfer_file source = transfer_world_file(world, row->offset, PATHIO_FORM_IMAGE);
	source.count = row->count;
	if (row->backend != NULL)
		session = plant(world, row->backend, &source);
	world->end = wire_end_new(world->base);
	transfer_world_send(world, &source, 10000);
	transfer_world_run(world, &world->outcome);
	wire_end_finish(world->end);
	assert_int_equal(world->outcome.error, row->want_error);
	assert_int_equal(world->outcome.bytes, row->want);
	assert_int_equal(world->end->length, row->want);
	assert_memory_equal(world->end->bytes, world->fake.content + row->offset, row->want);
	if (session != NULL) {
		row->backend->close(&source.file);
		session_free(session);
	}
	transfer_world_free(world);
}

/* A hole is sent as zeros, whether the backend has it as an extent or not. */
static void
check_hole(void **state)
{
	(void)state;
	struct transfer_world *world = transfer_world_new(0);
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
	transfer_world_send(world, &source, 10000);
	transfer_world_run(world, &world->outcome);
	wire_end_finish(world->end);
	assert_int_equal(world->end->length, 3 * MIB + 3);
	for (size_t i = 0; i < 3 * MIB; i++)
		assert_int_equal(world->end->bytes[i], 0);
	assert_string_equal(world->end->bytes + 3 * MIB, "end");
	tree->backend->close(&source.file);
	session_free(session);
	transfer_world_free(world);
}

/* A file that is cut short while it is sent ends there; from beyond its new end it cannot begin. */
static void
check_cut_short(void **state)
{
	(void)state;
	struct transfer_world *world = transfer_world_new(9 * MIB);
	struct transfer_file source = { .count = UINT64_MAX };
	transfer_world_fill(world->fake.content, 9 * MIB);
	world->fake.length = 9 * MIB;
	struct session *session = plant(world, &backend_kernel, &source);
	const struct path path = test_path("/f");
	struct backend_file *other;
	assert_int_equal(backend_kernel.open(session_tree(session)->state, &path, BACKEND_WRITE, 0,
				 &other, NULL),
		0);
	world->end = wire_end_new_silent(world->base);
	transfer_world_send(world, &source, 10000);
	assert_false(world->outcome.ended);
	assert_int_equal(backend_kernel.truncate(other, MIB), 0);
	wire_end_read(world->end);
	transfer_world_run(world, &world->outcome);
	assert_int_equal(world->outcome.error, 0);
	assert_int_equal(world->outcome.bytes, MIB);
	struct transfer_outcome late = { .ended = false };
	source.offset = MIB + 1;
	struct transfer_options options =
		transfer_world_options(world, &late, world->end->worker_fd, 10000);
	assert_int_equal(transfer_send(&options, &source), 0);
	transfer_world_run(world, &late);
	assert_int_equal(late.error, -EINVAL);
	backend_kernel.close(&other);
	backend_kernel.close(&source.file);
	session_free(session);
	transfer_world_free(world);
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
		struct transfer_world *world = transfer_world_new(size);
		transfer_world_fill(world->fake.content, size);
		world->fake.length = size;
		world->fake.at_once = at_once;
		ascii = (struct ascii){ .after_cr = false };
		size_t length = ascii_encode(&ascii, bytes_of(world->fake.content, size), want);
		const struct transfer_file source =
			transfer_world_file(world, 0, PATHIO_FORM_ASCII);
		world->end = wire_end_new(world->base);
		transfer_world_send(world, &source, 10000);
		transfer_world_run(world, &world->outcome);
		wire_end_finish(world->end);
		assert_int_equal(world->outcome.error, 0);
		assert_int_equal(world->outcome.bytes, length);
		assert_int_equal(world->end->length, length);
		assert_memory_equal(world->end->bytes, want, length);
		transfer_world_free(world);
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
	struct transfer_world *world = transfer_world_new(row->room);
	char *content = calloc(1, row->size + 1), *want = calloc(1, row->size + 2);
	transfer_world_fill(content, row->size);
	world->end = wire_end_new_silent(world->base);
	struct client client = { .content = content, .size = row->size, .at_once = row->at_once };
	client.writable =
		event_new(world->base, world->end->fd, EV_WRITE | EV_PERSIST, on_writable, &client);
	event_add(client.writable, NULL);
	const struct transfer_file destination = transfer_world_file(world, 0, row->form);
	transfer_world_receive(world, &destination, 10000);
	transfer_world_run(world, &world->outcome);
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
	transfer_world_free(world);
}

/* Behind what is already there, and with a backend that writes a little at a time. */
static void
check_receive_at_offset(void **state)
{
	(void)state;
	struct transfer_world *world = transfer_world_new(100);
	world->fake.at_once = 3;
	world->fake.length = 5;
	memcpy(world->fake.content, "first", 5);
	world->end = wire_end_new_silent(world->base);
	assert_int_equal(send(world->end->fd, "second", 6, 0), 6);
	assert_int_equal(shutdown(world->end->fd, SHUT_WR), 0);
	const struct transfer_file destination = transfer_world_file(world, 5, PATHIO_FORM_IMAGE);
	transfer_world_receive(world, &destination, 10000);
	assert_true(world->outcome.ended); /* it was all there: no need to wait */
	assert_string_equal(world->fake.content, "firstsecond");
	transfer_world_free(world);
}

/* ---- side by side ---- */

enum { SIDE_BY_SIDE = 8 };

/* A long transfer gives way: a short one that begins later is done earlier. */
static void
check_side_by_side(void **state)
{
	(void)state;
	struct transfer_world *world = transfer_world_new(64 * MIB);
	struct transfer_outcome outcomes[SIDE_BY_SIDE] = { { .ended = false } },
				brief = { .ended = false };
	struct wire_end *ends[SIDE_BY_SIDE];
	world->fake.length = 64 * MIB;
	for (size_t i = 0; i < SIDE_BY_SIDE; i++) {
		const struct transfer_file source =
			transfer_world_file(world, 0, PATHIO_FORM_IMAGE);
		ends[i] = wire_end_new(world->base);
		struct transfer_options options =
			transfer_world_options(world, &outcomes[i], ends[i]->worker_fd, 10000);
		assert_int_equal(transfer_send(&options, &source), 0);
	}
	world->end = wire_end_new(world->base);
	struct transfer_file source = transfer_world_file(world, 0, PATHIO_FORM_IMAGE);
	source.count = MIB;
	struct transfer_options options =
		transfer_world_options(world, &brief, world->end->worker_fd, 10000);
	assert_int_equal(transfer_send(&options, &source), 0);
	transfer_world_run(world, &brief);
	for (size_t i = 0; i < SIDE_BY_SIDE; i++)
		assert_false(outcomes[i].ended);
	for (size_t i = 0; i < SIDE_BY_SIDE; i++) {
		transfer_world_run(world, &outcomes[i]);
		wire_end_finish(ends[i]);
		assert_int_equal(outcomes[i].bytes, 64 * MIB);
		assert_int_equal(ends[i]->length, 64 * MIB);
		wire_end_free(&ends[i]);
	}
	transfer_world_free(world);
}

/* However fast the reader is, a turn ends: others wait for theirs. */
static void
check_turn(void **state)
{
	(void)state;
	struct transfer_world *world = transfer_world_new(64 * MIB);
	world->fake.length = 64 * MIB;
	world->end = wire_end_new_silent(world->base);
	world->fake.reader_fd = world->end->fd;
	const struct transfer_file source = transfer_world_file(world, 0, PATHIO_FORM_IMAGE);
	transfer_world_send(world, &source, 10000);
	assert_false(world->outcome.ended);
	assert_in_range(world->outcome.running->bytes, KIB, 8 * MIB);
	assert_int_equal(world->outcome.running->left.length, 0); /* it could have gone on */
	world->fake.reader_fd = -1;
	wire_end_read(world->end);
	transfer_world_run(world, &world->outcome);
	assert_int_equal(world->outcome.error, 0);
	assert_int_equal(world->outcome.bytes, 64 * MIB);
	transfer_world_free(world);
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
		CASE("side by side", check_side_by_side),
		CASE("a turn is bounded", check_turn),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
