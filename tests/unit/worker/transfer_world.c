/*
 * A world for transfers (see transfer_world.h).
 */
#include "tests/unit/worker/transfer_world.h"

#include "tests/unit/worker/trees.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- a file that can fail ---- */

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

static void
on_ended(void *owner, int error, uint64_t bytes)
{
	struct transfer_outcome *outcome = owner;
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
	struct transfer_outcome *outcome = owner;
	assert_true(bytes > outcome->progress_bytes);
	outcome->progress_bytes = bytes;
	outcome->progress_count++;
}

struct transfer_options
transfer_world_options(struct transfer_world *world, struct transfer_outcome *outcome,
	int descriptor, uint32_t stall_ms)
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

struct transfer_world *
transfer_world_new(size_t room)
{
	struct transfer_world *world = calloc(1, sizeof(*world));
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

void
transfer_world_free(struct transfer_world *world)
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

struct transfer_file
transfer_world_file(struct transfer_world *world, uint64_t offset, enum pathio_form form)
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
void
transfer_world_fill(char *content, size_t length)
{
	for (size_t i = 0; i < length; i++)
		content[i] = "abc\ndef\r\ng\rhij"[(i + i / 1000) % 14];
}

void
transfer_world_run(struct transfer_world *world, struct transfer_outcome *outcome)
{
	struct timeval limit = { .tv_sec = 10 };
	for (int i = 0; i < 1000 && !outcome->ended; i++) {
		event_base_loopexit(world->base, &limit);
		event_base_dispatch(world->base);
	}
	assert_true(outcome->ended);
}

void
transfer_world_send(
	struct transfer_world *world, const struct transfer_file *source, uint32_t stall_ms)
{
	struct transfer_options options =
		transfer_world_options(world, &world->outcome, world->end->worker_fd, stall_ms);
	assert_int_equal(transfer_send(&options, source), 0);
}

void
transfer_world_receive(
	struct transfer_world *world, const struct transfer_file *destination, uint32_t stall_ms)
{
	struct transfer_options options =
		transfer_world_options(world, &world->outcome, world->end->worker_fd, stall_ms);
	assert_int_equal(transfer_receive(&options, destination), 0);
}
