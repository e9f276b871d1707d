/*
 * A world for the engine of transfers (transfer.h): a loop, an executor, a file that can fail where
 * a disk might, and what became of a transfer.
 *
 *	struct transfer_world *world = transfer_world_new(room);
 *	world->end = wire_end_new(world->base);
 *	transfer_world_send(world, &source, 10000);
 *	transfer_world_run(world, &world->outcome);
 */
#ifndef SALLYPORT_TESTS_UNIT_WORKER_TRANSFER_WORLD_H
#define SALLYPORT_TESTS_UNIT_WORKER_TRANSFER_WORLD_H

#include "tests/table.h"
#include "tests/unit/worker/wire_end.h"
#include "worker/transfer.h"

#define KIB ((size_t)1024)
#define MIB (KIB * 1024)

/* Passed where a backend's own file would be. */
struct fake_file {
	char *content;
	size_t length;
	size_t room;    /* then -ENOSPC */
	size_t at_once; /* what one call reads or writes at the most */
	int reader_fd;  /* read dry before each call, as by a reader that is never late; or -1 */
};

struct transfer_outcome {
	struct event_base *base;
	struct transfer *running;
	bool ended;
	int error;
	uint64_t bytes;
	uint32_t progress_count;
	uint64_t progress_bytes;
};

struct transfer_world {
	struct event_base *base;
	struct executor *executor;
	struct transfers *transfers;
	struct fake_file fake;
	struct wire_end *end; /* the test's to make; freed with the world */
	struct transfer_outcome outcome;
	int descriptors;
};

/* The fake file is empty and has room for so many bytes. */
struct transfer_world *transfer_world_new(size_t room);

/* Checks that as many descriptors are open as before. */
void transfer_world_free(struct transfer_world *world);

/* The fake file as a transfer takes it: without extents, from `offset` on. */
struct transfer_file
transfer_world_file(struct transfer_world *world, uint64_t offset, enum pathio_form form);

/* Lines of many lengths with all kinds of ends. */
void transfer_world_fill(char *content, size_t length);

struct transfer_options transfer_world_options(struct transfer_world *world,
	struct transfer_outcome *outcome, int descriptor, uint32_t stall_ms);

/* Begins a transfer with ->outcome over ->end. */
void transfer_world_send(
	struct transfer_world *world, const struct transfer_file *source, uint32_t stall_ms);
void transfer_world_receive(
	struct transfer_world *world, const struct transfer_file *destination, uint32_t stall_ms);

/* Runs the loop until it has ended. */
void transfer_world_run(struct transfer_world *world, struct transfer_outcome *outcome);

#endif
