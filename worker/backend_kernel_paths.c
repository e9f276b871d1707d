/*
 * The kernel backend: operations on paths. Privilege, trust and failure as in backend_kernel.c.
 */
#include "worker/backend_kernel.h"

#include "ipc/base/scope.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452 /* Linux 6.6; the same number on every architecture */
#endif

/* As a whole by openat2(2), which alone can tell that it would have to wait. */
static int
stat_view(const struct backend_tree *tree, const struct path *path, bool follow,
	struct pathio_attributes *result)
{
	uint64_t flags = follow ? O_PATH : O_PATH | O_NOFOLLOW;
	SCOPE_FD int fd = kernel_open_path(tree, path, flags, 0);
	return fd < 0 ? fd : kernel_attributes(fd, "", 0, result);
}

int
kernel_stat(struct backend_tree *tree, const struct path *path, bool follow,
	struct pathio_attributes *result)
{
	if (tree->is_view)
		return stat_view(tree, path, follow, result);
	SCOPE_PLACE struct kernel_place place;
	int error = kernel_place_open(tree, path, &place);
	if (error < 0)
		return error;
	struct pathio_attributes found;
	error = kernel_attributes(place.folder_fd, place.name, 0, &found);
	if (error == 0 && follow && found.type == PATHIO_TYPE_SYMLINK) {
		SCOPE_FD int target = kernel_open_path(tree, path, O_PATH, 0);
		error = target < 0 ? target : kernel_attributes(target, "", 0, &found);
	}
	if (error == 0)
		*result = found;
	return error;
}

int
kernel_enter(struct backend_tree *tree, const struct path *path, struct pathio_attributes *result)
{
	SCOPE_FD int folder = kernel_open_path(tree, path, O_PATH | O_DIRECTORY, 0);
	if (folder < 0)
		return folder;
	/* Looking up "." needs the same permission as looking up any name in it. */
	return kernel_attributes(folder, ".", 0, result);
}

int
kernel_mkdir(struct backend_tree *tree, const struct path *path, uint32_t mode)
{
	SCOPE_PLACE struct kernel_place place;
	int error = kernel_place_open(tree, path, &place);
	if (error < 0)
		return error;
	if (kernel_place_is_root(&place))
		return -EEXIST;
	return mkdirat(place.folder_fd, place.name, (mode_t)mode) < 0 ? -errno : 0;
}

int
kernel_rmdir(struct backend_tree *tree, const struct path *path)
{
	SCOPE_PLACE struct kernel_place place;
	int error = kernel_place_open(tree, path, &place);
	if (error < 0)
		return error;
	if (kernel_place_is_root(&place))
		return -EBUSY;
	return unlinkat(place.folder_fd, place.name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

int
kernel_unlink(struct backend_tree *tree, const struct path *path)
{
	SCOPE_PLACE struct kernel_place place;
	int error = kernel_place_open(tree, path, &place);
	if (error < 0)
		return error;
	if (kernel_place_is_root(&place))
		return -EISDIR;
	return unlinkat(place.folder_fd, place.name, 0) < 0 ? -errno : 0;
}

/* Are both paths names in one folder? Then it is opened once. */
static bool
same_folder(const struct path *a, const struct path *b)
{
	size_t a_bytes = (size_t)(path_name(a) - a->text);
	size_t b_bytes = (size_t)(path_name(b) - b->text);
	return bytes_equal(bytes_of(a->text, a_bytes), bytes_of(b->text, b_bytes));
}

int
kernel_rename(struct backend_tree *tree, const struct path *source, const struct path *destination)
{
	SCOPE_PLACE struct kernel_place from;
	SCOPE_PLACE struct kernel_place to = { .owned_fd = -1 };
	int error = kernel_place_open(tree, source, &from);
	if (error < 0)
		return error;
	if (same_folder(source, destination))
		to = (struct kernel_place){
			.folder_fd = from.folder_fd, .owned_fd = -1, .name = path_name(destination)
		};
	else
		error = kernel_place_open(tree, destination, &to);
	if (error < 0)
		return error;
	if (kernel_place_is_root(&from) || kernel_place_is_root(&to))
		return -EBUSY;
	return renameat(from.folder_fd, from.name, to.folder_fd, to.name) < 0 ? -errno : 0;
}

int
kernel_symlink(struct backend_tree *tree, struct bytes target, const struct path *path)
{
	if (target.length > PATH_BYTES_MAX)
		return -ENAMETOOLONG;
	if (memchr(target.data, '\0', target.length) != NULL)
		return -EINVAL;
	char text[PATH_BYTES_MAX + 1];
	memcpy(text, target.data, target.length);
	text[target.length] = '\0';

	SCOPE_PLACE struct kernel_place place;
	int error = kernel_place_open(tree, path, &place);
	if (error < 0)
		return error;
	if (kernel_place_is_root(&place))
		return -EEXIST;
	return symlinkat(text, place.folder_fd, place.name) < 0 ? -errno : 0;
}

int
kernel_readlink(struct backend_tree *tree, const struct path *path, char *target, size_t capacity)
{
	SCOPE_PLACE struct kernel_place place;
	int error = kernel_place_open(tree, path, &place);
	if (error < 0)
		return error;
	if (kernel_place_is_root(&place))
		return -EINVAL;
	ssize_t length = readlinkat(place.folder_fd, place.name, target, capacity);
	if (length < 0)
		return -errno;
	return (size_t)length == capacity ? -ERANGE : (int)length; /* full: perhaps cut short */
}

static struct timespec
time_or_omit(bool given, int64_t time_ns)
{
	if (!given)
		return (struct timespec){ .tv_nsec = UTIME_OMIT };
	int64_t second = INT64_C(1000000000);
	struct timespec time = { .tv_sec = time_ns / second, .tv_nsec = time_ns % second };
	if (time.tv_nsec < 0) { /* before 1970: down to the second before it */
		time.tv_sec--;
		time.tv_nsec += second;
	}
	return time;
}

int
kernel_set_times(
	struct backend_tree *tree, const struct path *path, const struct pathio_set_times *times)
{
	SCOPE_FD int fd = kernel_open_path(tree, path, O_PATH, 0);
	if (fd < 0)
		return fd;
	struct timespec both[2] = {
		time_or_omit(times->has_atime, times->atime_ns),
		time_or_omit(times->has_mtime, times->mtime_ns),
	};
	return utimensat(fd, "", both, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

/*
 * Before Linux 6.6 there is no call that sets the mode of a name and follows no link, but on an
 * open file. A file that its owner may not read is then EACCES.
 */
static int
set_mode_by_opening(const struct backend_tree *tree, const struct path *path, uint32_t mode)
{
	SCOPE_FD int fd =
		kernel_open_path(tree, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	if (fd == -ELOOP)
		return -ENOTSUP;
	if (fd < 0)
		return fd;
	return fchmod(fd, (mode_t)mode) < 0 ? -errno : 0;
}

int
kernel_set_mode(struct backend_tree *tree, const struct path *path, uint32_t mode)
{
	SCOPE_PLACE struct kernel_place place;
	int error = kernel_place_open(tree, path, &place);
	if (error < 0)
		return error;
	if (syscall(SYS_fchmodat2, place.folder_fd, place.name, mode,
		    AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) == 0)
		return 0;
	return errno == ENOSYS ? set_mode_by_opening(tree, path, mode) : -errno;
}

int
kernel_space(struct backend_tree *tree, const struct path *path, uint64_t *result)
{
	SCOPE_FD int fd = kernel_open_path(tree, path, O_PATH, 0);
	if (fd < 0)
		return fd;
	struct statfs found;
	if (fstatfs(fd, &found) < 0)
		return -errno;
	uint64_t bytes;
	if (__builtin_mul_overflow((uint64_t)found.f_bavail, (uint64_t)found.f_frsize, &bytes))
		bytes = UINT64_MAX;
	*result = bytes;
	return 0;
}

int
kernel_sync_folder(struct backend_tree *tree, const struct path *folder)
{
	SCOPE_FD int fd = kernel_open_path(tree, folder, O_RDONLY | O_DIRECTORY, 0);
	if (fd == -EACCES)
		return 0; /* a drop box: nobody but the file system can sync what cannot be read */
	if (fd < 0)
		return fd;
	if (fsync(fd) == 0 || errno == EINVAL) /* EINVAL: there is nothing to sync in it */
		return 0;
	return -errno;
}
