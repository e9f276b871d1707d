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

enum {
	WORD_BITS = 64,
	FIRST_PAGES = 256,
	SPREAD = 4,           /* times what is used, the memfd may span for the sake of long runs */
	GAPS_LOOKED_AT = 256, /* before the largest of them will do */
};

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

/* page_count is a multiple of WORD_BITS, and FIRST_PAGES times a power of two. */
static int
grow(struct memory_arena *arena)
{
	uint64_t pages = arena->page_count < FIRST_PAGES ? FIRST_PAGES : 2 * arena->page_count;
	if (pages > INT64_MAX / arena->page_bytes)
		return -ENOSPC;
	uint64_t *used = realloc(arena->used, pages / CHAR_BIT);
	if (used == NULL)
		return -ENOMEM;
	arena->used = used;
	if (ftruncate(arena->fd, (off_t)(pages * arena->page_bytes)) < 0)
		return -errno;
	memset(used + arena->page_count / WORD_BITS, 0, (pages - arena->page_count) / CHAR_BIT);
	arena->free_pages += pages - arena->page_count;
	arena->page_count = pages;
	return 0;
}

/* Free pages that follow each other. */
struct gap {
	uint64_t first, count;
};

/* The next gap at `page` or after it; without pages at the end. Counts no further than `enough`. */
static struct gap
next_gap(const struct memory_arena *arena, uint64_t page, uint64_t enough)
{
	struct gap gap = { .first = page };
	while (gap.first < arena->page_count && is_used(arena, gap.first)) {
		uint64_t free_bits = ~arena->used[gap.first / WORD_BITS] >> (gap.first % WORD_BITS);
		gap.first = free_bits != 0 ? gap.first + (uint64_t)__builtin_ctzll(free_bits)
					   : (gap.first / WORD_BITS + 1) * WORD_BITS;
	}
	while (gap.count < enough && gap.first + gap.count < arena->page_count &&
		!is_used(arena, gap.first + gap.count))
		gap.count++;
	return gap;
}

/* A gap of `room` pages from the cursor on, round the end; else the largest that was seen. */
static struct gap
find_gap(const struct memory_arena *arena, uint64_t room)
{
	struct gap largest = { .count = 0 };
	uint64_t from = arena->cursor < arena->page_count ? arena->cursor : 0;
	uint64_t page = from;
	int looked_at = 0;
	for (bool wrapped = false; !wrapped || page < from;) {
		struct gap gap = next_gap(arena, page, room);
		if (gap.count > largest.count)
			largest = gap;
		if (largest.count == room || ++looked_at == GAPS_LOOKED_AT)
			break;
		page = gap.first + gap.count;
		if (page >= arena->page_count) {
			if (wrapped)
				break;
			wrapped = true;
			page = 0;
		}
	}
	return largest;
}

/* Where there is nothing to go on with. */
static int
begin_anew(struct memory_arena *arena, uint64_t room, struct gap *result)
{
	struct gap gap = find_gap(arena, room);
	while (gap.count < room) {
		uint64_t used = arena->page_count - arena->free_pages;
		if (gap.count > 0 && arena->page_count >= SPREAD * (used + room))
			break;
		uint64_t old_end = arena->page_count;
		int error = grow(arena);
		if (error < 0 && gap.count == 0)
			return error;
		if (error < 0)
			break;
		arena->cursor = old_end;
		gap = find_gap(arena, room);
	}
	arena->cursor = gap.first + gap.count;
	*result = gap;
	return 0;
}

int
memory_arena_take(struct memory_arena *arena, uint64_t near, uint64_t room, uint64_t wanted,
	uint64_t *first, uint64_t *count)
{
	uint64_t affordable = (arena->limit_bytes - arena->charged_bytes) / arena->page_bytes;
	if (wanted > affordable)
		wanted = affordable;
	if (wanted == 0)
		return -ENOSPC;
	struct gap gap = { .first = near };
	if (near < arena->page_count && !is_used(arena, near))
		gap = next_gap(arena, near, wanted);
	int error = gap.count > 0 ? 0 : begin_anew(arena, room > wanted ? room : wanted, &gap);
	if (error < 0)
		return error;
	uint64_t taken = gap.count < wanted ? gap.count : wanted;
	mark(arena, gap.first, taken, true);
	arena->free_pages -= taken;
	arena->charged_bytes += taken * arena->page_bytes;
	*first = gap.first;
	*count = taken;
	return 0;
}

static bool
is_free_from(const struct memory_arena *arena, uint64_t page)
{
	for (uint64_t word = arena->page_count / WORD_BITS; word > page / WORD_BITS;)
		if (arena->used[--word] != 0)
			return false;
	return true;
}

/* Where that fails nothing is lost: the pages are free all the same. */
static void
shrink(struct memory_arena *arena)
{
	uint64_t pages = arena->page_count;
	if (pages <= FIRST_PAGES || !is_free_from(arena, pages / 2))
		return;
	while (pages > FIRST_PAGES && is_free_from(arena, pages / 2)) {
		arena->page_count = pages /= 2;
		arena->free_pages -= pages;
	}
	if (ftruncate(arena->fd, (off_t)(pages * arena->page_bytes)) < 0)
		return;
	uint64_t *used = realloc(arena->used, pages / CHAR_BIT);
	if (used != NULL)
		arena->used = used;
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
	uint64_t used = arena->page_count - arena->free_pages;
	if (first + count > arena->page_count / 2 && used <= arena->page_count / SPREAD)
		shrink(arena);
}
