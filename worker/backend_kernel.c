/*
 * The kernel backend: real files. This file: the table, the way from a path to a descriptor.
 *
 * Runs in the worker, as the user, without capabilities. Distrusts the tree itself: other programs
 * of the same user (a web server, a shell) change it at any moment. The folder of a last name is
 * opened by openat2(2) below the root descriptor and the call is made on that descriptor; what
 * follows a last link is opened by openat2(2) as a whole. Nothing here resolves a path twice and
 * hopes for the same answer, and nothing uses /proc. On failure: a negative errno.
 */
#include "worker/backend_kernel.h"

#include "ipc/base/scope.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

/*
 * A rename anywhere on the machine makes a walk over ".." start again. One try takes microseconds;
 * neighbours who rename without a pause spoil most of them.
 */
enum { RESOLVE_TRIES = 1000 };

int
kernel_open_below(int folder_fd, const char *path, uint64_t flags, uint32_t mode, uint64_t how)
{
	struct open_how request = { .flags = flags | O_CLOEXEC, .mode = mode, .resolve = how };
	for (int tries = 0; tries < RESOLVE_TRIES; tries++) {
		long fd = syscall(SYS_openat2, folder_fd, path, &request, sizeof(request));
		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if ((how & RESOLVE_CACHED) != 0)
			return -EAGAIN;
	}
	return -EBUSY;
}

int
kernel_open_path(
	const struct backend_tree *tree, const struct path *path, uint64_t flags, uint32_t mode)
{
	return kernel_open_below(tree->root_fd, path->text, flags, mode, tree->resolve);
}

int
kernel_place_open(
	const struct backend_tree *tree, const struct path *path, struct kernel_place *place)
{
	*place = (struct kernel_place){
		.folder_fd = tree->root_fd, .owned_fd = -1, .name = path_name(path)
	};
	if (place->name == path->text + 1)
		return 0; /* the most common folder costs no open */
	struct path folder;
	path_parent(path, &folder);
	int fd = kernel_open_path(tree, &folder, O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	place->folder_fd = place->owned_fd = fd;
	return 0;
}

void
kernel_place_close(struct kernel_place *place)
{
	fd_close(&place->owned_fd);
}

bool
kernel_place_is_root(const struct kernel_place *place)
{
	return place->name[0] == '\0';
}

enum pathio_type
kernel_type(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return PATHIO_TYPE_FILE;
	case S_IFDIR:
		return PATHIO_TYPE_DIRECTORY;
	case S_IFLNK:
		return PATHIO_TYPE_SYMLINK;
	default:
		return PATHIO_TYPE_OTHER;
	}
}

/* Years that 64 bits of nanoseconds cannot hold become the nearest that they can. */
static int64_t
nanoseconds(const struct statx_timestamp *time)
{
	int64_t result;
	if (__builtin_mul_overflow(time->tv_sec, INT64_C(1000000000), &result) ||
		__builtin_add_overflow(result, (int64_t)time->tv_nsec, &result))
		return time->tv_sec < 0 ? INT64_MIN : INT64_MAX;
	return result;
}

int
kernel_attributes(int folder_fd, const char *name, int flags, struct pathio_attributes *result)
{
	struct statx found;
	if (name[0] == '\0') /* with a name the flag only costs time */
		flags |= AT_EMPTY_PATH;
	if (statx(folder_fd, name, flags | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		    STATX_BASIC_STATS | STATX_BTIME, &found) < 0)
		return -errno;
	bool has_btime = (found.stx_mask & STATX_BTIME) != 0;
	*result = (struct pathio_attributes){
		.type = kernel_type(found.stx_mode),
		.size = found.stx_size,
		.mode = found.stx_mode & 07777u,
		.links = found.stx_nlink,
		.uid = found.stx_uid,
		.gid = found.stx_gid,
		.mtime_ns = nanoseconds(&found.stx_mtime),
		.ctime_ns = nanoseconds(&found.stx_ctime),
		.has_btime = has_btime,
		.btime_ns = has_btime ? nanoseconds(&found.stx_btime) : 0,
		.device = makedev(found.stx_dev_major, found.stx_dev_minor),
		.inode = found.stx_ino,
	};
	return 0;
}

/* A kernel before 5.12 does not know of it, and then there is none. */
static void
make_view(struct backend_tree *tree)
{
	uint64_t resolve = tree->resolve | RESOLVE_CACHED | RESOLVE_NO_XDEV;
	SCOPE_FD int probe = -1;
	if (tree->storage != KERNEL_FAR)
		probe = kernel_open_below(tree->root_fd, "/", O_PATH | O_DIRECTORY, 0, resolve);
	tree->has_view = probe >= 0;
	tree[1] = tree[0];
	tree[1].resolve = resolve;
	tree[1].is_view = true;
}

static int
kernel_tree_open(const struct backend_options *options, struct backend_tree **result)
{
	uint64_t resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
	if (options->symlinks == SYMLINKS_REFUSE)
		resolve |= RESOLVE_NO_SYMLINKS;
	SCOPE_FD int probe =
		kernel_open_below(options->root_fd, "/", O_PATH | O_DIRECTORY, 0, resolve);
	if (probe == -EPERM)
		return -ENOSYS; /* how some containers' filters answer a call they do not know */
	if (probe < 0)
		return probe;
	struct pathio_attributes root;
	int error = kernel_attributes(options->root_fd, "", 0, &root);
	if (error < 0)
		return error;
	struct backend_tree *tree = calloc(2, sizeof(*tree));
	if (tree == NULL)
		return -ENOMEM;
	tree[0] = (struct backend_tree){
		.root_fd = options->root_fd,
		.resolve = resolve,
		.storage = kernel_storage(options->root_fd),
		.device = root.device,
	};
	make_view(tree);
	umask((mode_t)options->umask);
	*result = tree;
	return 0;
}

static void
kernel_tree_free(struct backend_tree **tree)
{
	free(*tree);
	*tree = NULL;
}

const struct backend backend_kernel = {
	.name = "sync",
	.tree_open = kernel_tree_open,
	.tree_free = kernel_tree_free,
	.stat = kernel_stat,
	.enter = kernel_enter,
	.mkdir = kernel_mkdir,
	.rmdir = kernel_rmdir,
	.unlink = kernel_unlink,
	.rename = kernel_rename,
	.symlink = kernel_symlink,
	.readlink = kernel_readlink,
	.set_times = kernel_set_times,
	.set_mode = kernel_set_mode,
	.space = kernel_space,
	.sync_folder = kernel_sync_folder,
	.open = kernel_file_open,
	.close = kernel_file_close,
	.attributes = kernel_file_attributes,
	.read = kernel_file_read,
	.write = kernel_file_write,
	.truncate = kernel_file_truncate,
	.sync = kernel_file_sync,
	.change_mode = kernel_file_change_mode,
	.extent = kernel_file_extent,
	.copy_range = kernel_file_copy_range,
	.tree_cached = kernel_tree_cached,
	.read_cached = kernel_file_read_cached,
	.is_near = kernel_file_is_near,
	.directory_open = kernel_directory_open,
	.directory_next = kernel_directory_next,
	.directory_close = kernel_directory_close,
	.directory_open_in = kernel_directory_open_in,
	.directory_unlink = kernel_directory_unlink,
	.directory_rmdir = kernel_directory_rmdir,
};
