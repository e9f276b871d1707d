/*
 * The kernel backend: open directories. Privilege, trust and failure as in backend_kernel.c.
 *
 * getdents64(2) in blocks large enough that statx(2) for each entry is all that a listing costs.
 */
#include "worker/backend_kernel.h"

#include "ipc/base/scope.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>

enum { BLOCK_BYTES = 65536 };

struct backend_directory {
	int fd;
	bool names;
	size_t at, end; /* within block: what has not been given yet */
	char block[BLOCK_BYTES] __attribute__((aligned(8)));
};

/* Takes the descriptor, or the negative errno in its place. */
static int
directory_new(int fd, unsigned flags, struct backend_directory **result)
{
	SCOPE_FD int taken = fd;
	if (taken < 0)
		return taken;
	struct backend_directory *directory = malloc(sizeof(*directory));
	if (directory == NULL)
		return -ENOMEM;
	directory->fd = fd_take(&taken);
	directory->names = (flags & BACKEND_NAMES) != 0;
	directory->at = directory->end = 0;
	*result = directory;
	return 0;
}

enum { DIRECTORY_FLAGS = O_RDONLY | O_DIRECTORY | O_NONBLOCK };

int
kernel_directory_open(struct backend_tree *tree, const struct path *path, unsigned flags,
	struct backend_directory **result)
{
	uint64_t kernels = DIRECTORY_FLAGS;
	if ((flags & BACKEND_NO_LINK) != 0)
		kernels |= O_NOFOLLOW;
	return directory_new(kernel_open_path(tree, path, kernels, 0), flags, result);
}

int
kernel_directory_open_in(struct backend_directory *directory, const char *name, unsigned flags,
	struct backend_directory **result)
{
	uint64_t how = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
	int fd = kernel_open_below(directory->fd, name, DIRECTORY_FLAGS | O_NOFOLLOW, 0, how);
	return directory_new(fd, flags, result);
}

void
kernel_directory_close(struct backend_directory **directory)
{
	if (*directory == NULL)
		return;
	fd_close(&(*directory)->fd);
	free(*directory);
	*directory = NULL;
}

/* 1 if there is something in the block, 0 at the end. */
static int
fill_block(struct backend_directory *directory)
{
	if (directory->at < directory->end)
		return 1;
	ssize_t got = getdents64(directory->fd, directory->block, sizeof(directory->block));
	if (got < 0 && errno == ENOENT)
		got = 0; /* removed while open: it has no entries */
	if (got < 0)
		return -errno;
	directory->at = 0;
	directory->end = (size_t)got;
	return got > 0;
}

static bool
is_dots(const char *name)
{
	return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* 1, or 0 if the entry has vanished meanwhile. */
static int
describe(const struct backend_directory *directory, const struct dirent64 *found,
	struct pathio_attributes *result)
{
	bool type_known = found->d_type != DT_UNKNOWN;
	if (!directory->names || !type_known) {
		/* What a network file system knew a moment ago is good enough for a listing. */
		int error =
			kernel_attributes(directory->fd, found->d_name, AT_STATX_DONT_SYNC, result);
		if (error == 0)
			return 1;
		if (error == -ENOENT)
			return 0;
	}
	/* Names were asked for, or the folder may be read but not searched. */
	if (!directory->names)
		*result = (struct pathio_attributes){ .inode = found->d_ino };
	result->type = type_known ? kernel_type((mode_t)DTTOIF(found->d_type)) : PATHIO_TYPE_OTHER;
	return 1;
}

/* Vfat, ntfs3, CIFS and FUSE have names of up to 1,024 bytes, which no path can hold (PATHIO 5). */
static bool
is_too_long(const char *name)
{
	return strnlen(name, NAME_BYTES_MAX + 1) > NAME_BYTES_MAX;
}

int
kernel_directory_next(struct backend_directory *directory, struct backend_entry *result)
{
	int more;
	while ((more = fill_block(directory)) > 0) {
		const void *here = directory->block + directory->at;
		const struct dirent64 *found = here;
		directory->at += found->d_reclen;
		if (is_dots(found->d_name) || is_too_long(found->d_name) ||
			!describe(directory, found, &result->attributes))
			continue;
		result->name = bytes_of_text(found->d_name);
		return 1;
	}
	return more;
}

int
kernel_directory_unlink(struct backend_directory *directory, const char *name)
{
	return unlinkat(directory->fd, name, 0) < 0 ? -errno : 0;
}

int
kernel_directory_rmdir(struct backend_directory *directory, const char *name)
{
	return unlinkat(directory->fd, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}
