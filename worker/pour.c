/*
 * Pouring (see pour.h). Runs in the worker, as the user. The source may grow or be cut short
 * meanwhile: what was read is what was there.
 */
#include "worker/pour.h"

#include <errno.h>

static int
write_all(struct pouring *pouring, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t written = pouring->backend->write(
			pouring->destination, pouring->destination_offset, data, length);
		if (written <= 0) /* a backend that stores nothing must not be asked for ever */
			return written < 0 ? (int)written : -EIO;
		data += written;
		pouring->destination_offset += (uint64_t)written;
		length -= (size_t)written;
	}
	return 0;
}

static int
pour_by_hand(struct pouring *pouring)
{
	uint64_t piece_end = pouring->source_offset + OPERATION_PIECE_BYTES;
	while (pouring->source_offset < piece_end) {
		ssize_t got = pouring->backend->read(pouring->source, pouring->source_offset,
			pouring->block, sizeof(pouring->block));
		if (got <= 0)
			return (int)got;
		int error = write_all(pouring, pouring->block, (size_t)got);
		if (error < 0)
			return error;
		pouring->source_offset += (uint64_t)got;
	}
	return 1;
}

static int
pour_in_kernel(struct pouring *pouring)
{
	ssize_t copied = pouring->backend->copy_range(pouring->source, pouring->source_offset,
		pouring->destination, pouring->destination_offset, OPERATION_PIECE_COPIED);
	if (copied < 0 && copied != -ENOTSUP)
		return (int)copied;
	if (copied > 0) {
		pouring->source_offset += (uint64_t)copied;
		pouring->destination_offset += (uint64_t)copied;
	}
	/* Some file systems answer 0 for what they cannot copy: reading tells whether it is so. */
	pouring->by_hand = copied <= 0;
	return 1;
}

int
pour(struct pouring *pouring)
{
	return pouring->by_hand ? pour_by_hand(pouring) : pour_in_kernel(pouring);
}
