/*
 * The kernel backend: open files. Privilege, trust and failure as in backend_kernel.c.
 */
#include "worker/backend_kernel.h"

#include "ipc/base/scope.h"

#include <fcntl.h>
#include <sys/file.h>

static uint64_t
open_flags(unsigned flags)
{
	static const struct {
		unsigned ours;
		int kernels;
	} pairs[] = {
		{ BACKEND_CREATE, O_CREAT },
		{ BACKEND_EXCLUSIVE, O_EXCL | O_NOFOLLOW },
		{ BACKEND_TRUNCATE, O_TRUNC },
		{ BACKEND_APPEND, O_APPEND },
		{ BACKEND_NOFOLLOW, O_NOFOLLOW },
	};
	int result = O_NONBLOCK | O_NOCTTY | O_LARGEFILE;
	if ((flags & BACKEND_WRITE) == 0)
		result |= O_RDONLY;
	else
		result |= (flags & BACKEND_READ) != 0 ? O_RDWR : O_WRONLY;
	for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++)
		if ((flags & pairs[i].ours) != 0)
			result |= pairs[i].kernels;
	return (uint64_t)result;
}

/* 0 if it is a regular file; else the error that PATHIO 2 has for opening it. */
static int
check_regular(int fd, struct pathio_attributes *attributes)
{
	struct pathio_attributes found;
	int error = kernel_attributes(fd, "", 0, &found);
	if (error < 0)
		return error;
	if (found.type == PATHIO_TYPE_DIRECTORY)
		return -EISDIR;
	if (found.type != PATHIO_TYPE_FILE)
		return -EACCES;
	if (attributes != NULL)
		*attributes = found;
	return 0;
}

static int
open_regular(const struct backend_tree *tree, const struct path *path, unsigned flags,
	uint32_t mode, struct pathio_attributes *attributes)
{
	bool creates = (flags & BACKEND_CREATE) != 0;
	SCOPE_FD int fd =
		kernel_open_path(tree, path, open_flags(flags), creates ? mode & 0777u : 0);
	if (fd == -ENXIO || fd == -ENODEV)
		return -EACCES; /* a pipe without a reader, a socket, a device without a driver */
	if (fd < 0)
		return fd;
	/* What EXCLUSIVE made is a regular file. */
	if ((flags & BACKEND_EXCLUSIVE) == 0 || attributes != NULL) {
		int error = check_regular(fd, attributes);
		if (error < 0)
			return error;
	}
	if ((flags & BACKEND_HELD) != 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	return fd_take(&fd);
}

int
kernel_file_open(struct backend_tree *tree, const struct path *path, unsigned flags, uint32_t mode,
	struct backend_file **result, struct pathio_attributes *attributes)
{
	struct backend_file *file = malloc(sizeof(*file));
	if (file == NULL)
		return -ENOMEM;
	struct pathio_attributes found = { .device = 0 };
	bool looks = attributes != NULL;
	int fd = open_regular(tree, path, flags, mode, looks ? &found : NULL);
	if (fd < 0) {
		free(file);
		return fd;
	}
	bool is_own = looks && found.device == tree->device && (flags & BACKEND_WRITE) == 0;
	*file = (struct backend_file){
		.fd = fd,
		.readable = (flags & BACKEND_READ) != 0,
		.storage = is_own ? tree->storage : KERNEL_FAR,
	};
	if (looks)
		*attributes = found;
	*result = file;
	return 0;
}

void
kernel_file_close(struct backend_file **file)
{
	if (*file == NULL)
		return;
	fd_close(&(*file)->fd);
	free(*file);
	*file = NULL;
}

int
kernel_file_attributes(struct backend_file *file, struct pathio_attributes *result)
{
	return kernel_attributes(file->fd, "", 0, result);
}

/* Whether a file could be so long; the kernel's answer where not is EINVAL, for want of an offset.
 */
static bool
is_within_reach(uint64_t offset, size_t length)
{
	return offset <= INT64_MAX && length <= INT64_MAX - offset;
}

ssize_t
kernel_file_read(struct backend_file *file, uint64_t offset, void *buffer, size_t length)
{
	if (!is_within_reach(offset, length))
		return 0;
	ssize_t count = pread(file->fd, buffer, length, (off_t)offset);
	return count < 0 ? -errno : count;
}

ssize_t
kernel_file_write(struct backend_file *file, uint64_t offset, const void *data, size_t length)
{
	if (!is_within_reach(offset, length))
		return -EFBIG;
	ssize_t count = pwrite(file->fd, data, length, (off_t)offset);
	return count < 0 ? -errno : count;
}

int
kernel_file_truncate(struct backend_file *file, uint64_t size)
{
	return ftruncate(file->fd, (off_t)size) < 0 ? -errno : 0;
}

int
kernel_file_sync(struct backend_file *file)
{
	return fdatasync(file->fd) < 0 ? -errno : 0;
}

int
kernel_file_change_mode(struct backend_file *file, uint32_t mode)
{
	return fchmod(file->fd, (mode_t)mode) < 0 ? -errno : 0;
}

int
kernel_file_extent(
	struct backend_file *file, uint64_t offset, uint64_t length, struct backend_extent *result)
{
	if (!file->readable)
		return -EBADF;
	struct statx found;
	if (statx(file->fd, "", AT_EMPTY_PATH, STATX_SIZE, &found) < 0)
		return -errno;
	if (offset >= found.stx_size)
		return 0;
	uint64_t left = found.stx_size - offset;
	*result = (struct backend_extent){
		.fd = file->fd, .offset = (off_t)offset, .length = length < left ? length : left
	};
	return 1;
}

ssize_t
kernel_file_copy_range(struct backend_file *source, uint64_t source_offset,
	struct backend_file *destination, uint64_t destination_offset, uint64_t length)
{
	off_t from = (off_t)source_offset;
	off_t to = (off_t)destination_offset;
	ssize_t count = copy_file_range(source->fd, &from, destination->fd, &to, length, 0);
	if (count >= 0)
		return count;
	/* Between file systems, or in one that cannot: the caller reads and writes instead. */
	bool offered = errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP;
	return offered ? -errno : -ENOTSUP;
}
