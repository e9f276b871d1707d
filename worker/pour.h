/*
 * Pouring: what is in one open file goes into another one of the same tree, in pieces of a few
 * milliseconds each; inside the kernel where it can be. For the long operations.
 */
#ifndef SALLYPORT_WORKER_POUR_H
#define SALLYPORT_WORKER_POUR_H

#include "worker/operation.h"

/* The files are borrowed. Begin with the block left as it is and all else set. */
struct pouring {
	const struct backend *backend;
	struct backend_file *source;
	uint64_t source_offset;
	struct backend_file *destination;
	uint64_t destination_offset;
	bool by_hand; /* the kernel does not copy between these two */
	char block[OPERATION_BLOCK_BYTES];
};

/* 1: call again; 0: all of the source has been poured; negative errno. */
MUST_CHECK int pour(struct pouring *pouring);

#endif
