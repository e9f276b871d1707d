/*
 * Makes the corpus of fuzz_message: one valid message of every row of every channel, so that a new
 * row is in it from its first build on. Run by meson.
 *
 *	make_messages FOLDER STAMP		// STAMP: a file that says when
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/protocol.h"
#include "tests/samples.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

enum { SEED = 7 };

/* What the target reads: the channel, the header, the body. */
struct input {
	char channel;
	char header[MESSAGE_HEADER_BYTES];
	char body[MESSAGE_BODY_BYTES_MAX];
};

static void
write_file(int folder_fd, const char *name, const void *data, size_t length)
{
	SCOPE_FD int fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, data, length) != (ssize_t)length)
		die("%s: %s", name, strerror(errno));
}

static void
make_message(int folder_fd, size_t channel, const struct message_rule *rule)
{
	static struct input input;
	char name[128];
	struct sample *sample = sample_new();
	sample_fill(sample, rule->record, SAMPLE_RANDOM, SEED);
	int length = wire_encode(rule->record, sample->body, input.body, sizeof(input.body));
	ensure(length >= 0);
	input.channel = (char)channel;
	input.header[0] = (char)rule->code; /* codes are below 256, the tag does not matter */
	ensure(rule->code <= UINT8_MAX);
	snprintf(name, sizeof(name), "%s-%s", protocols[channel].name, rule->name);
	write_file(folder_fd, name, &input, offsetof(struct input, body) + (size_t)length);
	sample_free(&sample);
}

int
main(int argc, char **argv)
{
	if (argc != 3)
		die("usage: %s FOLDER STAMP", argv[0]);
	if (mkdir(argv[1], 0755) < 0 && errno != EEXIST)
		die("%s: %s", argv[1], strerror(errno));
	SCOPE_FD int folder_fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder_fd < 0)
		die("%s: %s", argv[1], strerror(errno));
	for (size_t i = 0; i < PROTOCOL_COUNT; i++)
		for (uint32_t code = 0; code < protocols[i].messages->count; code++)
			if (protocols[i].messages->rules[code].name != NULL)
				make_message(folder_fd, i, &protocols[i].messages->rules[code]);
	write_file(AT_FDCWD, argv[2], "", 0);
	return 0;
}
