/*
 * The arena of the memory backend: pages of one memfd, and the account of what the tree uses.
 */
#ifndef SALLYPORT_WORKER_MEMORY_ARENA_H
#define SALLYPORT_WORKER_MEMORY_ARENA_H

#include "ipc/base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory_arena {
	int fd;
	uint64_t page_bytes;
	uint64_t page_count; /* of the memfd */
	uint64_t free_pages;
	uint64_t *used;  /* one bit a page */
	uint64_t cursor; /* where the next search begins */
	uint64_t limit_bytes;
	uint64_t charged_bytes; /* pages and everything else that counts */
};

/* 0 or negative errno. Before the cage closes. */
MUST_CHECK int memory_arena_open(struct memory_arena *arena, uint64_t limit_bytes);
void memory_arena_close(struct memory_arena *arena);

/* Counts bytes that a node, a name or a table takes: 0 or -ENOSPC. */
MUST_CHECK int memory_arena_charge(struct memory_arena *arena, uint64_t bytes);
void memory_arena_refund(struct memory_arena *arena, uint64_t bytes);

/*
 * Takes pages that follow each other, at least one and at most `wanted`, all zero; they are
 * charged. Tries the page `near` first, so that a growing file stays in one piece; else it begins
 * anew where `room` pages are free, of which the others stay free for a while. The memfd may become
 * four times as large as what is used, since its holes cost nothing; only beyond that are small
 * gaps filled. Returns 0, with the first page and their number, or -ENOSPC or -ENOMEM.
 */
MUST_CHECK int memory_arena_take(struct memory_arena *arena, uint64_t near, uint64_t room,
	uint64_t wanted, uint64_t *first, uint64_t *count);

/*
 * Gives pages back. They are punched out of the memfd, so that the next taker gets new ones: the
 * old ones may still sit in a socket's queue (DECISIONS 29). Where little is left, and that in the
 * lower half of the memfd, the upper half is cut off.
 */
void memory_arena_give(struct memory_arena *arena, uint64_t first, uint64_t count);

#endif
