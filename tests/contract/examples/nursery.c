/*
 * PATHIO 6.4: a nursery: two instances with deadlines of 10 s and 20 s share one state. What one
 * creates the other sees; a handle of one is nothing to the other.
 */
#include "tests/contract/examples/place.h"

#include <stdio.h>

int
main(void)
{
	SCOPE_PLACE struct place place = place_open("memory", NULL);
	SCOPE_INSTANCE struct pathio *first = place_instance(&place, 10000);
	SCOPE_INSTANCE struct pathio *second = place_instance(&place, 20000);
	SCOPE_FILE struct pathio_file written = pathio_file_of(&place.wait, first, 1);
	SCOPE_FILE struct pathio_file read = pathio_file_of(&place.wait, second, 2);
	char content[32];

	place_must(&place, pathio_file_open(&written, "/shared", PATHIO_MODE_WB));
	place_must(&place, pathio_file_write(&written, bytes_of_text("by the first")));

	place_must(&place, pathio_file_open(&read, "/shared", PATHIO_MODE_RB));
	int64_t length = place_must(&place, pathio_file_read(&read, content, sizeof(content)));
	printf("the second reads: %.*s\n", (int)length, content);

	const struct pathio_sync foreign = { .file = written.number };
	int error = pathio_wait_sync(&place.wait, second, &foreign);
	printf("the first's handle: %s\n", error == -EBADF ? "unknown to the second" : "known");
	return 0;
}
