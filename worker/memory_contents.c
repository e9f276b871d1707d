/*
 * Contents of files of the memory backend (see memory_contents.h). Runs in the worker, as the user;
 * trusts its callers. A sorted array of stretches: a file that is written from its start to its end
 * has one or few, so that a transfer needs few calls of sendfile(2).
 */
#include "worker/memory_contents.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { COPY_BYTES = 4096 };

static uint64_t
smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t
end_of(const struct memory_stretch *stretch)
{
	return stretch->file_page + stretch->count;
}

/* The index of the first stretch that ends after `page`: the one that has it, or the next. */
static size_t
find_stretch(const struct memory_contents *contents, uint64_t page)
{
	size_t low = 0;
	size_t high = contents->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (end_of(&contents->stretches[middle]) > page)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* The stretch that has the page, or NULL in a hole. */
static struct memory_stretch *
stretch_at(const struct memory_contents *contents, uint64_t page)
{
	size_t index = find_stretch(contents, page);
	if (index == contents->count || contents->stretches[index].file_page > page)
		return NULL;
	return &contents->stretches[index];
}

/* A stretch of the file that is in one piece, in the arena or as a hole. */
struct run {
	struct memory_stretch *stretch; /* NULL: a hole */
	off_t at;                       /* in the memfd */
	uint64_t length;                /* bytes, at most what was asked for */
};

static struct run
find_run(const struct memory_arena *arena, const struct memory_contents *contents, uint64_t offset,
	uint64_t length)
{
	uint64_t page = offset / arena->page_bytes;
	struct run run = { .stretch = stretch_at(contents, page), .length = length };
	if (run.stretch != NULL) {
		uint64_t within = offset - run.stretch->file_page * arena->page_bytes;
		run.at = (off_t)(run.stretch->arena_page * arena->page_bytes + within);
		run.length = smaller(length, run.stretch->count * arena->page_bytes - within);
		return run;
	}
	size_t next = find_stretch(contents, page);
	if (next < contents->count)
		run.length = smaller(
			length, contents->stretches[next].file_page * arena->page_bytes - offset);
	return run;
}

/* The array, or a larger copy; NULL for want of memory. */
static void *
make_room(void *array, size_t element_bytes, size_t *capacity, size_t needed)
{
	if (array != NULL && needed <= *capacity)
		return array;
	void *larger = reallocarray(array, 2 * needed, element_bytes);
	if (larger != NULL)
		*capacity = 2 * needed;
	return larger;
}

/* Before a change: one can split a stretch, add one, and retire all. */
static int
prepare_change(struct memory_contents *contents)
{
	struct memory_stretch *stretches = make_room(
		contents->stretches, sizeof(*stretches), &contents->capacity, contents->count + 2);
	if (stretches == NULL)
		return -ENOMEM;
	contents->stretches = stretches;
	if (contents->oldest == NULL)
		return 0;
	struct memory_retired *retired = make_room(contents->retired, sizeof(*retired),
		&contents->retired_capacity, contents->retired_count + contents->count + 1);
	if (retired == NULL)
		return -ENOMEM;
	contents->retired = retired;
	return 0;
}

static void
insert_at(struct memory_contents *contents, size_t index, struct memory_stretch stretch)
{
	struct memory_stretch *here = contents->stretches + index;
	memmove(here + 1, here, (contents->count - index) * sizeof(*here));
	*here = stretch;
	contents->count++;
}

static void
remove_at(struct memory_contents *contents, size_t index)
{
	struct memory_stretch *here = contents->stretches + index;
	contents->count--;
	memmove(here, here + 1, (contents->count - index) * sizeof(*here));
}

/* Pages that the file no longer has. */
static void
give_up(struct memory_arena *arena, struct memory_contents *contents, bool sent, uint64_t first,
	uint64_t count)
{
	if (sent && contents->oldest != NULL)
		contents->retired[contents->retired_count++] = (struct memory_retired){
			.at = contents->retirements++, .arena_page = first, .count = count
		};
	else
		memory_arena_give(arena, first, count);
}

/* Takes the pages from `page` to before `end` out of the stretch at `index`. */
static void
cut_out(struct memory_arena *arena, struct memory_contents *contents, size_t index, uint64_t page,
	uint64_t end)
{
	struct memory_stretch *stretch = &contents->stretches[index];
	struct memory_stretch whole = *stretch;
	uint64_t from = page > whole.file_page ? page : whole.file_page;
	uint64_t to = smaller(end, end_of(&whole));
	give_up(arena, contents, whole.sent, whole.arena_page + (from - whole.file_page),
		to - from);
	stretch->count = from - whole.file_page;
	if (to < end_of(&whole))
		insert_at(contents, index + 1,
			(struct memory_stretch){
				.file_page = to,
				.arena_page = whole.arena_page + (to - whole.file_page),
				.count = end_of(&whole) - to,
				.sent = whole.sent,
			});
	if (contents->stretches[index].count == 0)
		remove_at(contents, index);
}

/* From the last to the first, so that a truncation moves nothing. */
static void
unmap_pages(
	struct memory_arena *arena, struct memory_contents *contents, uint64_t page, uint64_t end)
{
	size_t first = find_stretch(contents, page);
	size_t index = find_stretch(contents, end);
	if (index < contents->count && contents->stretches[index].file_page < end)
		index++;
	while (index > first)
		cut_out(arena, contents, --index, page, end);
}

static bool
continues(const struct memory_stretch *before, const struct memory_stretch *after)
{
	return end_of(before) == after->file_page &&
	       before->arena_page + before->count == after->arena_page &&
	       before->sent == after->sent;
}

/* Maps pages where there is a hole; grows the stretch before them where it can. */
static void
map_pages(struct memory_contents *contents, struct memory_stretch added)
{
	size_t index = find_stretch(contents, added.file_page);
	if (index > 0 && continues(&contents->stretches[index - 1], &added))
		contents->stretches[index - 1].count += added.count;
	else
		insert_at(contents, index, added);
}

/* Where the arena should go on: after the page before this one. */
static uint64_t
page_near(const struct memory_contents *contents, uint64_t page)
{
	const struct memory_stretch *before = page == 0 ? NULL : stretch_at(contents, page - 1);
	return before == NULL ? UINT64_MAX : before->arena_page + (page - before->file_page);
}

static int
copy_page(const struct memory_arena *arena, uint64_t from, uint64_t to)
{
	char block[COPY_BYTES];
	for (uint64_t at = 0; at < arena->page_bytes; at += sizeof(block)) {
		off_t source = (off_t)(from * arena->page_bytes + at);
		off_t target = (off_t)(to * arena->page_bytes + at);
		if (pread(arena->fd, block, sizeof(block), source) != (ssize_t)sizeof(block))
			return -EIO;
		ssize_t written = pwrite(arena->fd, block, sizeof(block), target);
		if (written != (ssize_t)sizeof(block))
			return written < 0 ? -errno : -ENOSPC;
	}
	return 0;
}

/* What is about to be written. */
struct span {
	uint64_t start, end;           /* bytes */
	uint64_t first_page, end_page; /* the pages that they touch */
};

/* New pages in place of sent ones keep what the write leaves of the old: at both of its ends. */
static int
copy_edges(const struct memory_arena *arena, const struct memory_stretch *old,
	const struct memory_stretch *new, const struct span *span)
{
	uint64_t old_page = old->arena_page + (new->file_page - old->file_page);
	uint64_t first_end = (new->file_page + 1) * arena->page_bytes;
	uint64_t last = new->count - 1;
	bool copies_first = span->start % arena->page_bytes != 0 || span->end < first_end;
	bool copies_last = last > 0 && span->end < end_of(new) * arena->page_bytes;
	int error = copies_first ? copy_page(arena, old_page, new->arena_page) : 0;
	if (error == 0 && copies_last)
		error = copy_page(arena, old_page + last, new->arena_page + last);
	return error;
}

static int
replace_sent(struct memory_arena *arena, struct memory_contents *contents,
	const struct memory_stretch *sent, const struct span *span)
{
	struct memory_stretch old = *sent;
	struct memory_stretch new = { .file_page = span->first_page };
	uint64_t wanted = smaller(span->end_page, end_of(&old)) - new.file_page;
	int error = memory_arena_take(arena, UINT64_MAX, wanted, &new.arena_page, &new.count);
	if (error < 0)
		return error;
	error = copy_edges(arena, &old, &new, span);
	if (error < 0) {
		memory_arena_give(arena, new.arena_page, new.count);
		return error;
	}
	unmap_pages(arena, contents, new.file_page, end_of(&new));
	map_pages(contents, new);
	return 0;
}

static int
fill_hole(struct memory_arena *arena, struct memory_contents *contents, const struct span *span)
{
	struct memory_stretch new = { .file_page = span->first_page };
	uint64_t end = span->end_page;
	size_t next = find_stretch(contents, new.file_page);
	if (next < contents->count)
		end = smaller(end, contents->stretches[next].file_page);
	int error = memory_arena_take(arena, page_near(contents, new.file_page),
		end - new.file_page, &new.arena_page, &new.count);
	if (error < 0)
		return error;
	map_pages(contents, new);
	return 0;
}

/* Writes what one stretch of pages can take. */
static ssize_t
write_run(struct memory_arena *arena, struct memory_contents *contents, uint64_t offset,
	const void *data, size_t length)
{
	struct span span = {
		.start = offset,
		.end = offset + length,
		.first_page = offset / arena->page_bytes,
		.end_page = (offset + length - 1) / arena->page_bytes + 1,
	};
	int error = prepare_change(contents);
	const struct memory_stretch *stretch = stretch_at(contents, span.first_page);
	if (error == 0 && stretch == NULL)
		error = fill_hole(arena, contents, &span);
	else if (error == 0 && stretch->sent)
		error = replace_sent(arena, contents, stretch, &span);
	if (error < 0)
		return error;
	struct run run = find_run(arena, contents, offset, length);
	ssize_t written = pwrite(arena->fd, data, run.length, run.at);
	return written < 0 ? -errno : written;
}

ssize_t
memory_contents_write(struct memory_arena *arena, struct memory_contents *contents, uint64_t offset,
	const void *data, size_t length)
{
	if (offset > INT64_MAX || length > INT64_MAX - offset)
		return -EFBIG;
	const char *bytes = data;
	size_t done = 0;
	ssize_t written = 0;
	while (done < length) {
		written = write_run(arena, contents, offset + done, bytes + done, length - done);
		if (written < 0)
			break;
		done += (size_t)written;
		if (offset + done > contents->size)
			contents->size = offset + done;
	}
	return done == 0 ? written : (ssize_t)done;
}

ssize_t
memory_contents_read(const struct memory_arena *arena, const struct memory_contents *contents,
	uint64_t offset, void *buffer, size_t length)
{
	if (offset >= contents->size)
		return 0;
	char *bytes = buffer;
	length = smaller(length, contents->size - offset);
	for (size_t done = 0; done < length;) {
		struct run run = find_run(arena, contents, offset + done, length - done);
		ssize_t got = (ssize_t)run.length;
		if (run.stretch == NULL)
			memset(bytes + done, 0, run.length);
		else
			got = pread(arena->fd, bytes + done, run.length, run.at);
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		done += (size_t)got;
	}
	return (ssize_t)length;
}

int
memory_contents_extent(const struct memory_arena *arena, struct memory_contents *contents,
	uint64_t offset, uint64_t length, struct backend_extent *result)
{
	if (offset >= contents->size || length == 0)
		return 0;
	struct run run =
		find_run(arena, contents, offset, smaller(length, contents->size - offset));
	if (run.stretch != NULL)
		run.stretch->sent = true;
	*result = (struct backend_extent){
		.fd = run.stretch == NULL ? -1 : arena->fd, .offset = run.at, .length = run.length
	};
	return 1;
}

/* What is cut off must read as zeros if the file grows again. */
static int
clear_tail(struct memory_arena *arena, struct memory_contents *contents, uint64_t size)
{
	static const char zeros[COPY_BYTES];
	uint64_t page = size / arena->page_bytes;
	uint64_t end = smaller(contents->size, (page + 1) * arena->page_bytes);
	if (size % arena->page_bytes == 0 || stretch_at(contents, page) == NULL)
		return 0;
	for (uint64_t at = size; at < end;) {
		ssize_t written = memory_contents_write(
			arena, contents, at, zeros, smaller(end - at, sizeof(zeros)));
		if (written < 0)
			return (int)written;
		at += (uint64_t)written;
	}
	return 0;
}

int
memory_contents_truncate(
	struct memory_arena *arena, struct memory_contents *contents, uint64_t size)
{
	if (size > INT64_MAX)
		return -EFBIG;
	if (size < contents->size) {
		int error = clear_tail(arena, contents, size);
		if (error == 0)
			error = prepare_change(contents);
		if (error < 0)
			return error;
		uint64_t end = size / arena->page_bytes + (size % arena->page_bytes != 0);
		unmap_pages(arena, contents, end, UINT64_MAX);
	}
	contents->size = size;
	return 0;
}
