/*
 * Contents of files (see content.h). Runs in any process; trusts a file's size for as long as it
 * takes to read it, and finds out if that changed.
 */
#include "ipc/base/content.h"

#include "ipc/base/scope.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t
content_read_into(int fd, void *buffer, size_t length)
{
	char *at = buffer;
	size_t have = 0;
	while (have < length) {
		ssize_t got = pread(fd, at + have, length - have, (off_t)have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

int
content_read(int fd, size_t bytes_max, char **owner, struct bytes *result)
{
	struct stat status;
	if (fstat(fd, &status) < 0)
		return -errno;
	if (status.st_size <= 0 || (uintmax_t)status.st_size > bytes_max)
		return -EFBIG;
	size_t length = (size_t)status.st_size;
	SCOPE_FREE char *content = malloc(length);
	if (content == NULL)
		return -ENOMEM;
	ssize_t have = content_read_into(fd, content, length);
	if (have != (ssize_t)length)
		return have < 0 ? (int)have : -EIO;
	*result = bytes_of(content, length);
	*owner = content;
	content = NULL;
	return 0;
}
