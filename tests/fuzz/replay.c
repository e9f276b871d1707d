/*
 * The main of a fuzz target that is built without libFuzzer: replays its corpus as plain tests, one
 * TAP case for each file. Runs each input as it is, cut off at every length and with every bit
 * turned over (in its first bytes), so that an ordinary test run also asks what a decoder does with
 * near misses. A target that finds something wrong aborts, and the plan stays short of its cases.
 *
 *	fuzz_path CORPUS-FOLDER [ANOTHER]
 */
#include "ipc/base/compiler.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "tests/fuzz/target.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { MUTATED_BYTES_MAX = 512 };

struct input {
	uint8_t *data;
	size_t length;
};

/* A copy of exactly this length, so that a sanitizer sees a read of one byte more. */
static void
try_bytes(const uint8_t *data, size_t length)
{
	SCOPE_FREE uint8_t *copy = malloc(length > 0 ? length : 1);
	if (copy == NULL)
		die("no memory for %zu bytes", length);
	if (length > 0)
		memcpy(copy, data, length);
	LLVMFuzzerTestOneInput(copy, length);
}

static void
try_near_misses(struct input input)
{
	size_t reach = input.length < MUTATED_BYTES_MAX ? input.length : MUTATED_BYTES_MAX;
	for (size_t length = 0; length < reach; length++)
		try_bytes(input.data, length);
	for (size_t bit = 0; bit < reach * 8; bit++) {
		uint8_t mask = (uint8_t)(1u << (bit % 8));
		input.data[bit / 8] ^= mask;
		try_bytes(input.data, input.length);
		input.data[bit / 8] ^= mask;
	}
}

static struct input
read_input(int folder_fd, const char *name)
{
	SCOPE_FD int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC);
	struct stat status;
	if (fd < 0 || fstat(fd, &status) < 0)
		die("%s: %s", name, strerror(errno));
	struct input input = { .length = (size_t)status.st_size };
	input.data = malloc(input.length + 1);
	if (input.data == NULL)
		die("no memory for %s", name);
	if (read(fd, input.data, input.length) != status.st_size)
		die("%s: cannot be read whole", name);
	return input;
}

static int
is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
replay(int folder_fd, const char *name, int number)
{
	printf("# %s\n", name);
	fflush(stdout); /* names the culprit, should the target abort */
	struct input input = read_input(folder_fd, name);
	try_bytes(input.data, input.length);
	try_near_misses(input);
	free(input.data);
	printf("ok %d - %s\n", number, name);
}

/* The inputs of one folder. Returns the number of the last case. */
static int
replay_folder(const char *folder, struct dirent **entries, int count, int number)
{
	SCOPE_FD int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder_fd < 0)
		die("%s: %s", folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		replay(folder_fd, entries[i]->d_name, ++number);
		free(entries[i]);
	}
	free(entries);
	return number;
}

enum { FOLDERS_MAX = 2 };

int
main(int argc, char **argv)
{
	struct dirent **entries[FOLDERS_MAX];
	int counts[FOLDERS_MAX];
	int total = 0;
	if (argc < 2 || argc > 1 + FOLDERS_MAX)
		die("usage: %s CORPUS-FOLDER [ANOTHER]", argv[0]);
	for (int i = 1; i < argc; i++) {
		counts[i - 1] = scandir(argv[i], &entries[i - 1], is_input, alphasort);
		if (counts[i - 1] < 0)
			die("%s: %s", argv[i], strerror(errno));
		if (counts[i - 1] == 0)
			die("%s: an empty corpus tests nothing", argv[i]);
		total += counts[i - 1];
	}
	printf("1..%d\n", total);
	int number = 0;
	for (int i = 1; i < argc; i++)
		number = replay_folder(argv[i], entries[i - 1], counts[i - 1], number);
	return 0;
}
