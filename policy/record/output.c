/*
 * Log files (see output.h). Runs in record, whose root is the log folder and whose cage lets it
 * open files for appending and nothing else. On a full disk it keeps what it has and says so; a
 * line of which a part was written then is written whole into the next file.
 */
#include "policy/record/output.h"

#include "ipc/base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct log {
	int fd;
	char *text; /* of the memory stream; valid after fflush() */
	size_t length;
	FILE *stream;
	size_t written; /* of text */
};

struct output {
	bool is_files;
	size_t count;
	struct log logs[OUTPUT_LOGS];
};

static const char *const file_names[OUTPUT_LOGS] = {
	[OUTPUT_SERVER] = "server.jsonl",
	[OUTPUT_AUDIT] = "audit.jsonl",
	[OUTPUT_TRANSFER] = "transfer.jsonl",
};

static int
open_file(const char *name)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int fd = open(name, flags, 0640);
	return fd < 0 ? -errno : fd;
}

/* A process before us may have ended in the middle of a line, its disk full. */
static bool
is_cut_off(const char *name)
{
	struct stat status;
	char last;
	SCOPE_FD int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	return fd >= 0 && fstat(fd, &status) == 0 && status.st_size > 0 &&
	       pread(fd, &last, 1, status.st_size - 1) == 1 && last != '\n';
}

/* With a text for each log, and no file yet. */
static struct output *
new_output(bool is_files, size_t count)
{
	struct output *output = calloc(1, sizeof(*output));
	bool is_whole = true;
	if (output == NULL)
		return NULL;
	output->is_files = is_files;
	output->count = count;
	for (size_t i = 0; i < OUTPUT_LOGS; i++)
		output->logs[i].fd = -1;
	for (size_t i = 0; i < count && is_whole; i++) {
		struct log *log = &output->logs[i];
		log->stream = open_memstream(&log->text, &log->length);
		is_whole = log->stream != NULL;
		if (is_whole) /* one thread: nobody to lock out */
			(void)__fsetlocking(log->stream, FSETLOCKING_BYCALLER);
	}
	if (!is_whole)
		output_free(&output);
	return output;
}

int
output_open_files(struct output **result)
{
	struct output *output = new_output(true, OUTPUT_LOGS);
	if (output == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < OUTPUT_LOGS; i++) {
		struct log *log = &output->logs[i];
		int fd = open_file(file_names[i]);
		if (fd < 0) {
			output_free(&output);
			return fd;
		}
		log->fd = fd;
		if (is_cut_off(file_names[i]))
			fputc('\n', log->stream);
	}
	*result = output;
	return 0;
}

int
output_open_descriptor(int *fd, struct output **result)
{
	struct output *output = new_output(false, 1);
	if (output == NULL)
		return -ENOMEM;
	output->logs[0].fd = fd_take(fd);
	*result = output;
	return 0;
}

void
output_free(struct output **output)
{
	if (*output == NULL)
		return;
	for (size_t i = 0; i < OUTPUT_LOGS; i++) {
		struct log *log = &(*output)->logs[i];
		if (log->stream != NULL)
			fclose(log->stream);
		free(log->text);
		fd_close(&log->fd);
	}
	free(*output);
	*output = NULL;
}

FILE *
output_stream(struct output *output, enum output_log log)
{
	return output->logs[output->count == 1 ? 0 : log].stream;
}

static int
flush_log(struct log *log)
{
	if (fflush(log->stream) != 0)
		return -ENOMEM;
	while (log->written < log->length) {
		ssize_t count =
			write(log->fd, log->text + log->written, log->length - log->written);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		log->written += (size_t)count;
	}
	rewind(log->stream);
	log->length = 0;
	log->written = 0;
	return 0;
}

int
output_flush(struct output *output)
{
	for (size_t i = 0; i < output->count; i++) {
		int error = flush_log(&output->logs[i]);
		if (error < 0)
			return error;
	}
	return 0;
}

static bool
is_same_file(int one, int other)
{
	struct stat a, b;
	return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* Takes the new file in place of the old one; a line goes to one of them. */
static void
replace_file(struct log *log, int fd)
{
	bool is_another = !is_same_file(log->fd, fd);
	while (is_another && log->written > 0 && log->text[log->written - 1] != '\n')
		log->written--;
	fd_close(&log->fd);
	log->fd = fd;
}

int
output_reopen(struct output *output)
{
	int fds[OUTPUT_LOGS];
	if (!output->is_files)
		return 0;
	for (size_t i = 0; i < OUTPUT_LOGS; i++) {
		fds[i] = open_file(file_names[i]);
		if (fds[i] < 0) {
			int error = fds[i];
			while (i-- > 0)
				fd_close(&fds[i]);
			return error;
		}
	}
	for (size_t i = 0; i < OUTPUT_LOGS; i++)
		replace_file(&output->logs[i], fds[i]);
	return 0;
}
