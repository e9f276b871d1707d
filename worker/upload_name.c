/*
 * Names that uploads make up (see upload_name.h). Runs in the worker, as the user.
 */
#include "worker/upload_name.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

int
upload_name_random(void *buffer, size_t length)
{
	ssize_t got = getrandom(buffer, length, 0);
	if (got < 0)
		return -errno;
	return (size_t)got == length ? 0 : -EIO; /* up to 256 bytes never come short */
}

int
upload_name_make(char name[static UPLOAD_NAME_BYTES + 1])
{
	uint64_t number;
	int error = upload_name_random(&number, sizeof(number));
	if (error == 0)
		snprintf(name, UPLOAD_NAME_BYTES + 1, ".sallyport-%016" PRIx64 ".part", number);
	return error;
}

static bool
is_inside_character(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

static int
name_with_ending(const struct path *path, const char *ending, struct path *result)
{
	size_t ending_bytes = strlen(ending);
	const char *name = path_name(path);
	size_t name_bytes = strlen(name);
	if (name_bytes + ending_bytes > NAME_BYTES_MAX) {
		name_bytes = NAME_BYTES_MAX - ending_bytes;
		while (name_bytes > 1 && is_inside_character(name[name_bytes]))
			name_bytes--;
	}
	char text[NAME_BYTES_MAX];
	memcpy(text, name, name_bytes);
	memcpy(text + name_bytes, ending, ending_bytes);
	struct path made;
	path_parent(path, &made);
	int error = path_append(&made, bytes_of(text, name_bytes + ending_bytes));
	if (error == 0)
		*result = made;
	return error;
}

int
upload_name_number(const struct path *path, uint32_t number, struct path *result)
{
	char ending[16];
	snprintf(ending, sizeof(ending), ".%" PRIu32, number);
	return name_with_ending(path, ending, result);
}

int
upload_name_partial(const struct path *path, struct path *result)
{
	return name_with_ending(path, ".partial", result);
}
