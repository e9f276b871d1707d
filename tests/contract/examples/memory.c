/*
 * PATHIO 6.3: a memory instance: directories, a file, read back, listed; nothing is on disk.
 */
#include "ipc/base/scope.h"
#include "tests/contract/examples/place.h"

#include <stdio.h>

enum { READ_MAX = 1 << 20 };

int
main(void)
{
	SCOPE_PLACE struct place place = place_open("memory", NULL);
	SCOPE_INSTANCE struct pathio *io = place_instance(&place, 0);
	SCOPE_FILE struct pathio_file file = pathio_file_of(&place.wait, io, 1);
	SCOPE_FOLDER struct pathio_folder folder = pathio_folder_of(&place.wait, io, 2);
	SCOPE_FREE char *content = NULL;
	struct pathio_entry entry;
	size_t length = 0;

	const struct pathio_mkdir mkdir = {
		.path = bytes_of_text("/a/b/c"), .mode = 0777, .parents = true
	};
	place_must(&place, pathio_wait_mkdir(&place.wait, io, &mkdir));

	place_must(&place, pathio_file_open(&file, "/a/b/c/file", PATHIO_MODE_WB));
	place_must(&place, pathio_file_write(&file, bytes_of_text("kept in memory")));
	place_must(&place, pathio_file_close(&file));

	place_must(&place, pathio_file_open(&file, "/a/b/c/file", PATHIO_MODE_RB));
	place_must(&place, pathio_file_read_all(&file, READ_MAX, &content, &length));
	printf("read back: %s\n", content);

	place_must(&place, pathio_folder_open(&folder, "/a/b/c"));
	while (place_must(&place, pathio_folder_next(&folder, &entry)) > 0)
		printf("listed: %.*s, %ju bytes\n", (int)entry.name.length, entry.name.data,
			(uintmax_t)entry.attributes.size);
	return 0;
}
