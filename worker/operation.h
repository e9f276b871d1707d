/*
 * Inside the long operations: what an operation in pieces consists of. Its contract is
 * operations.h. A kind's struct begins with a struct operation and is made by calloc().
 */
#ifndef SALLYPORT_WORKER_OPERATION_H
#define SALLYPORT_WORKER_OPERATION_H

#include "worker/operations.h"

enum {
	OPERATION_PIECE_BYTES = 1 << 20,   /* read and written, or digested, in one step */
	OPERATION_PIECE_COPIED = 8 << 20,  /* copied inside the kernel in one step */
	OPERATION_PIECE_ENTRIES = 256,     /* removed in one step */
	OPERATION_BLOCK_BYTES = 64 * 1024, /* of a buffer */
};

struct operation_kind {
	int (*step)(struct operation *operation);     /* as operation_step() */
	void (*release)(struct operation *operation); /* what it holds, not the struct itself */
};

struct operation {
	const struct operation_kind *kind;
	struct tree *tree;
	uint64_t bytes;
	uint32_t left; /* parts that could not be removed */
	struct bytes digest;
};

#endif
