/*
 * Contents of files of the memory backend (see memory_contents.h). Runs in the worker, as the user;
 * trusts its callers. A file that is written from its start to its end is in one or few stretches,
 * so that a transfer needs few calls of sendfile(2).
 */
#include "worker/memory_stretches.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { COPY_BYTES = 4096, ROOM_PAGES_MAX = 1024, COPIED_BYTES_MAX = 1 << 30 };

static const char zeros[COPY_BYTES];

static uint64_t
smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
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
	struct run run = { .stretch = memory_stretches_at(contents, page), .length = length };
	if (run.stretch != NULL) {
		uint64_t within = offset - run.stretch->file_page * arena->page_bytes;
		run.at = (off_t)(run.stretch->arena_page * arena->page_bytes + within);
		run.length = smaller(length, run.stretch->count * arena->page_bytes - within);
		return run;
	}
	size_t next = memory_stretches_find(contents, page);
	if (next < contents->count)
		run.length = smaller(
			length, contents->stretches[next].file_page * arena->page_bytes - offset);
	return run;
}

/* Where the arena should go on: after the page before this one. */
static uint64_t
page_near(const struct memory_contents *contents, uint64_t page)
{
	const struct memory_stretch *before =
		page == 0 ? NULL : memory_stretches_at(contents, page - 1);
	return before == NULL ? UINT64_MAX : before->arena_page + (page - before->file_page);
}

/*
 * What has become large is expected to grow: where another file is in its way, it goes on where
 * there is as much room as it has, so that files that grow side by side do not shred each other.
 */
static uint64_t
room_for(const struct memory_contents *contents, uint64_t page)
{
	return contents->count == 0 ? 0 : smaller(page, ROOM_PAGES_MAX);
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
	bool copies_last = last > 0 && span->end < memory_stretch_end(new) * arena->page_bytes;
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
	uint64_t wanted = smaller(span->end_page, memory_stretch_end(&old)) - new.file_page;
	int error = memory_arena_take(
		arena, page_near(contents, new.file_page), 0, wanted, &new.arena_page, &new.count);
	if (error < 0)
		return error;
	error = copy_edges(arena, &old, &new, span);
	if (error < 0) {
		memory_arena_give(arena, new.arena_page, new.count);
		return error;
	}
	memory_stretches_remove(arena, contents, new.file_page, memory_stretch_end(&new));
	memory_stretches_add(contents, new);
	return 0;
}

static int
fill_hole(struct memory_arena *arena, struct memory_contents *contents, const struct span *span)
{
	struct memory_stretch new = { .file_page = span->first_page };
	uint64_t end = span->end_page;
	size_t next = memory_stretches_find(contents, new.file_page);
	if (next < contents->count)
		end = smaller(end, contents->stretches[next].file_page);
	int error = memory_arena_take(arena, page_near(contents, new.file_page),
		room_for(contents, new.file_page), end - new.file_page, &new.arena_page,
		&new.count);
	if (error < 0)
		return error;
	memory_stretches_add(contents, new);
	return 0;
}

/* Pages that may be written, from `offset` on, as many as there are in one piece. */
static int
open_run(struct memory_arena *arena, struct memory_contents *contents, uint64_t offset,
	uint64_t length, struct run *result)
{
	struct span span = {
		.start = offset,
		.end = offset + length,
		.first_page = offset / arena->page_bytes,
		.end_page = (offset + length - 1) / arena->page_bytes + 1,
	};
	int error = memory_stretches_prepare(arena, contents);
	const struct memory_stretch *stretch = memory_stretches_at(contents, span.first_page);
	if (error == 0 && stretch == NULL)
		error = fill_hole(arena, contents, &span);
	else if (error == 0 && stretch->sent)
		error = replace_sent(arena, contents, stretch, &span);
	if (error == 0)
		*result = find_run(arena, contents, offset, length);
	return error;
}

static void
extend(struct memory_contents *contents, uint64_t end)
{
	if (end > contents->size)
		contents->size = end;
}

ssize_t
memory_contents_write(struct memory_arena *arena, struct memory_contents *contents, uint64_t offset,
	const void *data, size_t length)
{
	if (offset > INT64_MAX || length > INT64_MAX - offset)
		return -EFBIG;
	const char *bytes = data;
	size_t done = 0;
	int error = 0;
	while (done < length) {
		struct run run = { .length = 0 };
		error = open_run(arena, contents, offset + done, length - done, &run);
		if (error < 0)
			break;
		ssize_t written = pwrite(arena->fd, bytes + done, run.length, run.at);
		if (written < 0) {
			error = -errno;
			break;
		}
		done += (size_t)written;
		extend(contents, offset + done);
	}
	return done == 0 ? error : (ssize_t)done;
}

/* A hole stays one, if there is nothing to overwrite. */
static ssize_t
copy_hole(struct memory_arena *arena, struct memory_contents *contents, uint64_t offset,
	uint64_t length)
{
	struct run there = find_run(arena, contents, offset, length);
	if (there.stretch != NULL)
		return memory_contents_write(
			arena, contents, offset, zeros, smaller(there.length, sizeof(zeros)));
	extend(contents, offset + there.length);
	return (ssize_t)there.length;
}

ssize_t
memory_contents_copy(struct memory_arena *arena, const struct memory_contents *source,
	uint64_t source_offset, struct memory_contents *destination, uint64_t destination_offset,
	uint64_t length)
{
	if (source_offset >= source->size)
		return 0;
	length = smaller(length, source->size - source_offset);
	length = smaller(length, COPIED_BYTES_MAX);
	if (destination_offset > INT64_MAX || length > INT64_MAX - destination_offset)
		return -EFBIG;
	struct run from = find_run(arena, source, source_offset, length);
	if (from.stretch == NULL)
		return copy_hole(arena, destination, destination_offset, from.length);
	struct run to = { .length = 0 };
	int error = open_run(arena, destination, destination_offset, from.length, &to);
	if (error < 0)
		return error;
	ssize_t copied = copy_file_range(arena->fd, &from.at, arena->fd, &to.at, to.length, 0);
	if (copied < 0)
		return -errno;
	extend(destination, destination_offset + (uint64_t)copied);
	return copied;
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
	uint64_t page = size / arena->page_bytes;
	uint64_t end = smaller(contents->size, (page + 1) * arena->page_bytes);
	if (size % arena->page_bytes == 0 || memory_stretches_at(contents, page) == NULL)
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
			error = memory_stretches_prepare_cut(arena, contents);
		if (error < 0)
			return error;
		uint64_t end = size / arena->page_bytes + (size % arena->page_bytes != 0);
		memory_stretches_remove(arena, contents, end, UINT64_MAX);
		memory_stretches_trim(arena, contents);
	}
	contents->size = size;
	return 0;
}
