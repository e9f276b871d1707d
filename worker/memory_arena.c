/*
 * The arena of the memory backend (see memory_arena.h). Runs in the worker, as the user; trusts its
 * callers. On failure nothing has changed.
 */
#include "worker/memory_arena.h"

#include "ipc/base/scope.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3: a machine may insist on it (vm.memfd_noexec) */
#endif

enum { WORD_BITS = 64, FIRST_PAGES = 256 };

int
memory_arena_open(struct memory_arena *arena, uint64_t limit_bytes)
{
	long page_bytes = sysconf(_SC_PAGESIZE);
	int fd = memfd_create("sallyport-memory", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("sallyport-memory", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	*arena = (struct memory_arena){
		.fd = fd, .page_bytes = (uint64_t)page_bytes, .limit_bytes = limit_bytes
	};
	return 0;
}

void
memory_arena_close(struct memory_arena *arena)
{
	fd_close(&arena->fd);
	free(arena->used);
	arena->used = NULL;
}

int
memory_arena_charge(struct memory_arena *arena, uint64_t bytes)
{
	if (bytes > arena->limit_bytes - arena->charged_bytes)
		return -ENOSPC;
	arena->charged_bytes += bytes;
	return 0;
}

void
memory_arena_refund(struct memory_arena *arena, uint64_t bytes)
{
	arena->charged_bytes -= bytes;
}

static bool
is_used(const struct memory_arena *arena, uint64_t page)
{
	return (arena->used[page / WORD_BITS] >> (page % WORD_BITS) & 1) != 0;
}

static void
mark(struct memory_arena *arena, uint64_t first, uint64_t count, bool used)
{
	for (uint64_t page = first; page < first + count; page++) {
		uint64_t bit = UINT64_C(1) << (page % WORD_BITS);
		if (used)
			arena->used[page / WORD_BITS] |= bit;
		else
			arena->used[page / WORD_BITS] &= ~bit;
	}
}

/* Twice as large; page_count is a multiple of WORD_BITS. */
static int
grow(struct memory_arena *arena)
{
	uint64_t pages = arena->page_count == 0 ? FIRST_PAGES : 2 * arena->page_count;
	uint64_t bytes;
	if (__builtin_mul_overflow(pages, arena->page_bytes, &bytes) || bytes > INT64_MAX)
		return -ENOSPC;
	uint64_t *used = realloc(arena->used, pages / CHAR_BIT);
	if (used == NULL)
		return -ENOMEM;
	arena->used = used;
	if (ftruncate(arena->fd, (off_t)bytes) < 0)
		return -errno;
	memset(used + arena->page_count / WORD_BITS, 0, (pages - arena->page_count) / CHAR_BIT);
	arena->cursor = arena->page_count;
	arena->free_pages += pages - arena->page_count;
	arena->page_count = pages;
	return 0;
}

/* The first free page from the cursor on, round the end. There is one. */
static uint64_t
find_free(const struct memory_arena *arena)
{
	uint64_t words = arena->page_count / WORD_BITS;
	uint64_t word = arena->cursor / WORD_BITS % words;
	uint64_t free_bits = ~arena->used[word] & (UINT64_MAX << (arena->cursor % WORD_BITS));
	while (free_bits == 0) {
		word = (word + 1) % words;
		free_bits = ~arena->used[word];
	}
	return word * WORD_BITS + (uint64_t)__builtin_ctzll(free_bits);
}

int
memory_arena_take(struct memory_arena *arena, uint64_t near, uint64_t wanted, uint64_t *first,
	uint64_t *count)
{
	uint64_t affordable = (arena->limit_bytes - arena->charged_bytes) / arena->page_bytes;
	if (wanted > affordable)
		wanted = affordable;
	if (wanted == 0)
		return -ENOSPC;
	if (arena->free_pages == 0) {
		int error = grow(arena);
		if (error < 0)
			return error;
	}
	uint64_t page = near;
	if (near >= arena->page_count || is_used(arena, near))
		page = find_free(arena);
	uint64_t end = page + 1;
	while (end < arena->page_count && end - page < wanted && !is_used(arena, end))
		end++;
	mark(arena, page, end - page, true);
	arena->cursor = end;
	arena->free_pages -= end - page;
	arena->charged_bytes += (end - page) * arena->page_bytes;
	*first = page;
	*count = end - page;
	return 0;
}

void
memory_arena_give(struct memory_arena *arena, uint64_t first, uint64_t count)
{
	int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	off_t offset = (off_t)(first * arena->page_bytes);
	if (fallocate(arena->fd, mode, offset, (off_t)(count * arena->page_bytes)) < 0)
		return; /* not zero, so nobody may have them; they stay charged */
	mark(arena, first, count, false);
	arena->free_pages += count;
	arena->charged_bytes -= count * arena->page_bytes;
}
