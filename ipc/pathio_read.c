/*
 * Reading to the end (see pathio_read.h). Runs wherever path-I/O is used. Memory is one block, or
 * what the caller's limit allows.
 *
 * A local implementation answers from inside the call; the next read is therefore submitted from a
 * loop and not from the completion, or a large file would be a deep stack.
 */
#include "ipc/pathio_read.h"

#include "ipc/base/ends.h"

#include <errno.h>
#include <stdlib.h>

/* ---- iterate ---- */

struct iteration {
	struct pathio *io;
	uint32_t file;
	pathio_block *each;
	pathio_ended *done;
	void *argument;
	bool submitting; /* the answer, if it comes now, comes from inside */
	bool answered;
	bool ended;
	int error;
	size_t filled;
	size_t block_bytes;
	char block[];
};

static void
end(struct iteration *iteration, int error)
{
	iteration->ended = true;
	iteration->error = error;
}

static void
hand_over(struct iteration *iteration)
{
	struct bytes block = bytes_of(iteration->block, iteration->filled);
	iteration->filled = 0;
	int error = iteration->each(iteration->argument, block);
	if (error < 0)
		end(iteration, error);
}

static void
take(struct iteration *iteration, struct bytes content)
{
	bool at_end = content.length == 0;
	ensure(content.length <= iteration->block_bytes - iteration->filled);
	if (!at_end)
		memcpy(iteration->block + iteration->filled, content.data, content.length);
	iteration->filled += content.length;
	if (iteration->filled == iteration->block_bytes || (at_end && iteration->filled > 0))
		hand_over(iteration);
	if (at_end && !iteration->ended)
		end(iteration, 0);
}

static void proceed(struct iteration *iteration);

static void
on_read(void *argument, const struct pathio_answer *answer)
{
	struct iteration *iteration = argument;
	iteration->answered = true;
	if (answer->error < 0)
		end(iteration, answer->error);
	else
		take(iteration, answer->body->content.bytes);
	if (!iteration->submitting)
		proceed(iteration);
}

static void
submit(struct iteration *iteration)
{
	size_t wanted = iteration->block_bytes - iteration->filled;
	const struct pathio_read request = {
		.file = iteration->file,
		.count = wanted < PATHIO_BLOCK_BYTES ? (uint32_t)wanted : PATHIO_BLOCK_BYTES,
	};
	iteration->answered = false;
	iteration->submitting = true;
	pathio_read(iteration->io, &request, on_read, iteration);
	iteration->submitting = false;
}

static void
proceed(struct iteration *iteration)
{
	while (iteration->answered && !iteration->ended)
		submit(iteration);
	if (!iteration->ended)
		return;
	iteration->done(iteration->argument, iteration->error);
	free(iteration);
}

void
pathio_iterate(struct pathio *io, uint32_t file, size_t block_bytes, pathio_block *each,
	pathio_ended *done, void *argument)
{
	bool sensible = block_bytes > 0 && block_bytes <= PATHIO_ITERATE_BYTES_MAX;
	struct iteration *iteration = sensible ? malloc(sizeof(*iteration) + block_bytes) : NULL;
	if (iteration == NULL) {
		done(argument, sensible ? -ENOMEM : -EINVAL);
		return;
	}
	*iteration = (struct iteration){
		.io = io,
		.file = file,
		.each = each,
		.done = done,
		.argument = argument,
		.answered = true,
		.block_bytes = block_bytes,
	};
	proceed(iteration);
}

/* ---- read to the end ---- */

struct collection {
	pathio_collected *done;
	void *argument;
	size_t limit_bytes;
	char *content;
	size_t length;
	size_t room;
};

static int
make_room(struct collection *collection, size_t length)
{
	if (length <= collection->room)
		return 0;
	size_t room = 2 * collection->room > length ? 2 * collection->room : length;
	if (room > collection->limit_bytes)
		room = collection->limit_bytes;
	char *content = realloc(collection->content, room);
	if (content == NULL)
		return -ENOMEM;
	collection->content = content;
	collection->room = room;
	return 0;
}

static int
collect(void *argument, struct bytes block)
{
	struct collection *collection = argument;
	if (block.length > collection->limit_bytes - collection->length)
		return -EFBIG;
	int error = make_room(collection, collection->length + block.length);
	if (error < 0)
		return error;
	memcpy(collection->content + collection->length, block.data, block.length);
	collection->length += block.length;
	return 0;
}

static void
on_collected(void *argument, int error)
{
	struct collection *collection = argument;
	struct bytes content = bytes_of(collection->content, error < 0 ? 0 : collection->length);
	collection->done(collection->argument, error, content);
	free(collection->content);
	free(collection);
}

void
pathio_read_all(struct pathio *io, uint32_t file, size_t limit_bytes, pathio_collected *done,
	void *argument)
{
	struct collection *collection = malloc(sizeof(*collection));
	if (collection == NULL) {
		done(argument, -ENOMEM, bytes_of(NULL, 0));
		return;
	}
	*collection = (struct collection){
		.done = done, .argument = argument, .limit_bytes = limit_bytes
	};
	pathio_iterate(io, file, PATHIO_BLOCK_BYTES, collect, on_collected, collection);
}
