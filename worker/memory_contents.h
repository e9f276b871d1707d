/*
 * What a file of the memory backend contains: stretches of arena pages, with holes between them.
 *
 * A page that has been handed out for sendfile(2) is never written again, since it may sit in a
 * socket's queue long after the transfer: a write to it goes to a new page (DECISIONS 29). The old
 * one retires: it stays as it is until all lenders have closed that were open then.
 */
#ifndef SALLYPORT_WORKER_MEMORY_CONTENTS_H
#define SALLYPORT_WORKER_MEMORY_CONTENTS_H

#include "worker/backend.h"
#include "worker/memory_arena.h"

struct memory_stretch {
	uint64_t file_page; /* sorted by it */
	uint64_t arena_page;
	uint64_t count;
	bool sent; /* handed out once */
};

struct memory_retired {
	uint64_t at; /* in the order of retirement */
	uint64_t arena_page;
	uint64_t count;
};

/* An open file that has handed something out. */
struct memory_lender {
	struct memory_lender *before, *after;
	uint64_t since; /* needs what retires at this or later */
};

struct memory_contents {
	uint64_t size; /* bytes; beyond it a page is zero */
	struct memory_stretch *stretches;
	size_t count, capacity;
	struct memory_retired *retired; /* the longest retired first */
	size_t retired_count, retired_capacity;
	uint64_t retirements;
	struct memory_lender *oldest, *newest;
};

/* Bytes read, 0 at the end; or negative errno. */
ssize_t memory_contents_read(const struct memory_arena *arena,
	const struct memory_contents *contents, uint64_t offset, void *buffer, size_t length);

/* Bytes written, fewer when memory runs out on the way; -ENOSPC, -ENOMEM, -EFBIG. */
ssize_t memory_contents_write(struct memory_arena *arena, struct memory_contents *contents,
	uint64_t offset, const void *data, size_t length);

/*
 * Copies inside the arena, past this process. Bytes copied, fewer at the end of a stretch of either
 * file, 0 at the end of the source. -ENOSPC, -ENOMEM, -EFBIG. Never within one file.
 */
ssize_t memory_contents_copy(struct memory_arena *arena, const struct memory_contents *source,
	uint64_t source_offset, struct memory_contents *destination, uint64_t destination_offset,
	uint64_t length);

/* 0, or -ENOSPC or -ENOMEM: then nothing has changed. */
MUST_CHECK int memory_contents_truncate(
	struct memory_arena *arena, struct memory_contents *contents, uint64_t size);

/* As the backend's extent(). The caller is a lender. */
int memory_contents_extent(const struct memory_arena *arena, struct memory_contents *contents,
	uint64_t offset, uint64_t length, struct backend_extent *result);

void memory_contents_lend(struct memory_contents *contents, struct memory_lender *lender);
/* A lender closes. */
void memory_contents_return(
	struct memory_arena *arena, struct memory_contents *contents, struct memory_lender *lender);

/* There is no lender any more. */
void memory_contents_free(struct memory_arena *arena, struct memory_contents *contents);

#endif
