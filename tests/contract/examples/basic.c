/*
 * PATHIO 6.1: basic operations on a sync instance: exists, stat, open, read, write.
 * The argument is the folder to work in.
 */
#include "tests/contract/examples/place.h"

#include <stdio.h>

int
main(int count, char **arguments)
{
	SCOPE_PLACE struct place place = place_open("sync", count > 1 ? arguments[1] : ".");
	SCOPE_INSTANCE struct pathio *io = place_instance(&place, 0);
	SCOPE_FILE struct pathio_file file = pathio_file_of(&place.wait, io, 1);
	const struct pathio_stat greeting = { .path = bytes_of_text("/greeting"), .follow = true };
	char block[8];
	int64_t got;

	bool exists =
		place_must(&place, pathio_wait_ask(&place.wait, io, PATHIO_EXISTS, "/greeting"));
	printf("before: %s\n", exists ? "there" : "not there");

	place_must(&place, pathio_file_open(&file, "/greeting", PATHIO_MODE_WB));
	place_must(&place, pathio_file_write(&file, bytes_of_text("hello, world\n")));
	place_must(&place, pathio_file_close(&file));

	place_must(&place, pathio_wait_stat(&place.wait, io, &greeting));
	printf("size: %ju\n", (uintmax_t)place.wait.body.attributes_of.attributes.size);

	place_must(&place, pathio_file_open(&file, "/greeting", PATHIO_MODE_RB));
	while ((got = place_must(&place, pathio_file_read(&file, block, sizeof(block)))) > 0)
		printf("%.*s", (int)got, block);
	return 0; /* the scopes close the file, the instance and the place, in this order */
}
