/*
 * The table of a file of the memory backend: stretches of its pages that follow each other in the
 * arena, sorted, with holes between them. What it takes is charged to the arena; a stretch has at
 * least a page, so that the table stays below a hundredth of what it describes.
 */
#ifndef SALLYPORT_WORKER_MEMORY_STRETCHES_H
#define SALLYPORT_WORKER_MEMORY_STRETCHES_H

#include "worker/memory_contents.h"

static inline uint64_t
memory_stretch_end(const struct memory_stretch *stretch)
{
	return stretch->file_page + stretch->count;
}

/* The index of the first stretch that ends after `page`: the one that has it, or the next. */
size_t memory_stretches_find(const struct memory_contents *contents, uint64_t page);

/* The stretch that has the page, or NULL in a hole. */
struct memory_stretch *memory_stretches_at(const struct memory_contents *contents, uint64_t page);

/* Makes room for what memory_stretches_remove() may need to remember of lent pages. */
MUST_CHECK int
memory_stretches_prepare_cut(struct memory_arena *arena, struct memory_contents *contents);

/* The same, and for what one stretch that is split and one that is added need. */
MUST_CHECK int
memory_stretches_prepare(struct memory_arena *arena, struct memory_contents *contents);

/* The pages from `page` to before `end` are a hole now. After one of the two above. */
void memory_stretches_remove(
	struct memory_arena *arena, struct memory_contents *contents, uint64_t page, uint64_t end);

/* Fills a hole; grows the stretch before it where it can. After memory_stretches_prepare(). */
void memory_stretches_add(struct memory_contents *contents, struct memory_stretch added);

/* An empty file keeps no table. */
void memory_stretches_trim(struct memory_arena *arena, struct memory_contents *contents);

#endif
