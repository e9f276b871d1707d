/*
 * Files that archives go to (see output.h). Runs as whoever typed the command, with that user's
 * rights and no others: the server never sees the file.
 */
#include "policy/admin/output.h"

#include "ipc/base/scope.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct output {
	int fd;
	bool replaces;
	const char *name;
	char *made; /* its name until it is whole; NULL: standard output */
};

static int
check_name(const char *name, bool replaces)
{
	struct stat status;
	if (lstat(name, &status) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!replaces)
		return -EEXIST;
	return S_ISREG(status.st_mode) ? 0 : -EINVAL;
}

static int
open_file(struct output *output)
{
	int error = check_name(output->name, output->replaces);
	if (error < 0)
		return error;
	if (asprintf(&output->made, "%s.XXXXXX.part", output->name) < 0) {
		output->made = NULL;
		return -ENOMEM;
	}
	output->fd = mkostemps(output->made, (int)strlen(".part"), O_CLOEXEC);
	return output->fd < 0 ? -errno : 0;
}

int
output_open(const char *name, bool replaces, struct output **result)
{
	struct output *output = calloc(1, sizeof(*output));
	if (output == NULL)
		return -ENOMEM;
	*output = (struct output){ .fd = -1, .replaces = replaces, .name = name };
	int error = 0;
	if (strcmp(name, "-") == 0)
		output->fd = STDOUT_FILENO;
	else
		error = open_file(output);
	if (error == 0) {
		*result = output;
		return 0;
	}
	free(output->made);
	free(output);
	return error;
}

int
output_write(struct output *output, struct bytes bytes)
{
	while (bytes.length > 0) {
		ssize_t written = write(output->fd, bytes.data, bytes.length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		bytes = bytes_after(bytes, (size_t)written);
	}
	return 0;
}

/* Where a file system knows no such rename, a second name does it. */
static int
rename_new(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (link(from, to) < 0)
		return -errno;
	return unlink(from) < 0 ? -errno : 0;
}

static int
give_name(const struct output *output)
{
	if (fsync(output->fd) < 0)
		return -errno;
	if (!output->replaces)
		return rename_new(output->made, output->name);
	return rename(output->made, output->name) < 0 ? -errno : 0;
}

int
output_keep(struct output **output)
{
	int error = (*output)->made == NULL ? 0 : give_name(*output);
	if (error == 0) {
		free((*output)->made);
		(*output)->made = NULL;
	}
	output_drop(output);
	return error;
}

void
output_drop(struct output **output)
{
	struct output *dropped = *output;
	*output = NULL;
	if (dropped == NULL)
		return;
	if (dropped->fd != STDOUT_FILENO)
		fd_close(&dropped->fd);
	if (dropped->made != NULL)
		(void)unlink(dropped->made);
	free(dropped->made);
	free(dropped);
}
