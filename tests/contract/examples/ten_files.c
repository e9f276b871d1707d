/*
 * PATHIO 6.2: ten files written side by side on a threaded instance with a deadline of 30 s, then
 * listed, with is_file and stat. Open, write and close of a file go out in one breath: their order
 * is kept for each file, and files do not wait for one another.
 * The argument is the folder to work in.
 */
#include "tests/contract/examples/place.h"

#include <stdio.h>

enum { FILES = 10, DEADLINE_MS = 30000, LISTING = FILES + 1 };

struct writing {
	struct event_base *base;
	unsigned unanswered;
	int error; /* the first one */
};

static void
on_answer(void *argument, const struct pathio_answer *answer)
{
	struct writing *writing = argument;
	if (answer->error < 0 && writing->error == 0)
		writing->error = answer->error;
	if (--writing->unanswered == 0)
		event_base_loopbreak(writing->base);
}

static void
write_file(struct pathio *io, uint32_t number, struct writing *writing)
{
	char path[32], content[64];
	snprintf(path, sizeof(path), "/file-%02u", number);
	snprintf(content, sizeof(content), "the content of %s\n", path + 1);
	const struct pathio_open open = {
		.file = number, .path = bytes_of_text(path), .mode = PATHIO_MODE_WB
	};
	const struct pathio_write write = { .file = number, .content = bytes_of_text(content) };
	const struct pathio_close close = { .file = number };
	writing->unanswered += 3;
	pathio_open(io, &open, on_answer, writing);
	pathio_write(io, &write, on_answer, writing);
	pathio_close(io, &close, on_answer, writing);
}

static void
write_files(struct place *place, struct pathio *io)
{
	struct writing writing = { .base = place->base };
	for (uint32_t number = 1; number <= FILES; number++)
		write_file(io, number, &writing);
	while (writing.unanswered > 0)
		event_base_dispatch(place->base);
	printf("written: %s\n", writing.error == 0 ? "all" : strerror(-writing.error));
}

/* Without the order in which a folder happens to name them. */
static void
list_files(struct place *place, struct pathio *io)
{
	SCOPE_FOLDER struct pathio_folder folder = pathio_folder_of(&place->wait, io, LISTING);
	struct pathio_entry entry;
	unsigned files = 0;
	uint64_t bytes = 0;
	place_must(place, pathio_folder_open(&folder, "/"));
	while (place_must(place, pathio_folder_next(&folder, &entry)) > 0) {
		char path[32];
		snprintf(path, sizeof(path), "/%.*s", (int)entry.name.length, entry.name.data);
		const struct pathio_stat stat = { .path = bytes_of_text(path), .follow = true };
		if (place_must(place, pathio_wait_ask(&place->wait, io, PATHIO_IS_FILE, path)))
			files++;
		place_must(place, pathio_wait_stat(&place->wait, io, &stat));
		bytes += place->wait.body.attributes_of.attributes.size;
	}
	printf("listed: %u files, %ju bytes\n", files, (uintmax_t)bytes);
}

int
main(int count, char **arguments)
{
	SCOPE_PLACE struct place place = place_open("threaded", count > 1 ? arguments[1] : ".");
	SCOPE_INSTANCE struct pathio *io = place_instance(&place, DEADLINE_MS);
	write_files(&place, io);
	list_files(&place, io);
	return 0;
}
