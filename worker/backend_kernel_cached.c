/*
 * The kernel backend: what the caches can serve without waiting (backend.h, tree_cached).
 * Privilege, trust and failure as in backend_kernel.c.
 *
 * Only on file systems that are local, by their type: elsewhere even the attributes of an open file
 * may ask a server. openat2(2) with RESOLVE_CACHED answers -EAGAIN rather than read a folder, and
 * with RESOLVE_NO_XDEV never leaves the root's own file system; preadv2(2) with RWF_NOWAIT answers
 * -EAGAIN rather than read a disk.
 */
#include "worker/backend_kernel.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/uio.h>
#include <sys/vfs.h>

/* A type that is not here is taken for a far one. */
enum kernel_storage
kernel_storage(int fd)
{
	static const struct {
		uint32_t type;
		enum kernel_storage storage;
	} rows[] = {
		{ EXT4_SUPER_MAGIC, KERNEL_ON_DISK }, /* ext2 and ext3 too */
		{ XFS_SUPER_MAGIC, KERNEL_ON_DISK },
		{ BTRFS_SUPER_MAGIC, KERNEL_ON_DISK },
		{ F2FS_SUPER_MAGIC, KERNEL_ON_DISK },
		{ OVERLAYFS_SUPER_MAGIC, KERNEL_ON_DISK },
		{ 0x2fc12fc1, KERNEL_ON_DISK }, /* ZFS */
		{ 0xca451a4e, KERNEL_ON_DISK }, /* bcachefs */
		{ TMPFS_MAGIC, KERNEL_IN_MEMORY },
		{ RAMFS_MAGIC, KERNEL_IN_MEMORY },
	};
	struct statfs found;
	if (fstatfs(fd, &found) < 0)
		return KERNEL_FAR;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		if ((uint32_t)found.f_type == rows[i].type)
			return rows[i].storage;
	return KERNEL_FAR;
}

struct backend_tree *
kernel_tree_cached(struct backend_tree *tree)
{
	return tree->has_view ? tree + 1 : NULL;
}

/* A disk's file system that knows no RWF_NOWAIT might wait; those in memory know none. */
static ssize_t
read_now(const struct backend_file *file, uint64_t offset, char *buffer, size_t length)
{
	struct iovec place = { .iov_base = buffer, .iov_len = length };
	int flags = file->storage == KERNEL_IN_MEMORY ? 0 : RWF_NOWAIT;
	ssize_t count = preadv2(file->fd, &place, 1, (off_t)offset, flags);
	if (count < 0)
		return errno == EOPNOTSUPP ? -EAGAIN : -errno;
	return count;
}

ssize_t
kernel_file_read_cached(struct backend_file *file, uint64_t offset, void *buffer, size_t length)
{
	size_t done = 0;
	if (file->storage == KERNEL_FAR)
		return -EAGAIN;
	if (offset > INT64_MAX || length > INT64_MAX - offset)
		return 0;
	while (done < length) {
		ssize_t count = read_now(file, offset + done, (char *)buffer + done, length - done);
		if (count < 0)
			return count;
		if (count == 0)
			break;
		done += (size_t)count;
	}
	return (ssize_t)done;
}

bool
kernel_file_is_near(const struct backend_file *file)
{
	return file->storage != KERNEL_FAR;
}
