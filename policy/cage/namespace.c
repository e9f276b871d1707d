/*
 * A root without privilege (see namespace.h). Runs in cage_enter() of a process that an ordinary
 * user's supervisor started, with one thread; uses /proc, which no later step does.
 */
#include "policy/cage/namespace.h"
#include "ipc/base/scope.h"
#include "policy/cage/throwaway.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
proc_write(const char *name, const char *text, size_t length)
{
	SCOPE_FD int fd = open(name, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return write(fd, text, length) == (ssize_t)length ? 0 : -errno;
}

static int
id_map_write(const char *name, unsigned id)
{
	char line[32];
	int length = snprintf(line, sizeof(line), "%u %u 1", id, id);
	return proc_write(name, line, (size_t)length);
}

/* The kernel takes a map of gids only after the right to change groups was given up. */
static int
ids_map(uid_t uid, gid_t gid)
{
	int error = proc_write("/proc/self/setgroups", "deny", 4);
	if (error == 0)
		error = id_map_write("/proc/self/uid_map", uid);
	if (error == 0)
		error = id_map_write("/proc/self/gid_map", gid);
	return error;
}

static int
restrict_mounts(int tree_fd)
{
	struct mount_attr harmless = {
		.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
	};
	int result = mount_setattr(
		tree_fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &harmless, sizeof(harmless));
	return result == 0 || errno == ENOSYS ? 0 : -errno; /* Linux 5.12 */
}

/*
 * Puts a copy of the working directory's tree over itself and makes it the root of this namespace;
 * everything else is unmounted here. Works on descriptors, so no path is resolved twice.
 */
static int
mounts_narrow(void)
{
	SCOPE_FD int tree_fd =
		open_tree(AT_FDCWD, ".", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (tree_fd < 0)
		return -errno;
	int error = restrict_mounts(tree_fd);
	if (error < 0)
		return error;
	if (move_mount(tree_fd, "", AT_FDCWD, ".", MOVE_MOUNT_F_EMPTY_PATH) != 0 ||
		fchdir(tree_fd) != 0)
		return -errno;
	/* Where the outer root is the kernel's first file system it cannot be swapped. */
	if (syscall(SYS_pivot_root, ".", ".") != 0)
		return chroot(".") == 0 ? 0 : -errno;
	return umount2(".", MNT_DETACH) == 0 && chdir("/") == 0 ? 0 : -errno;
}

int
namespace_enter(bool own_mounts)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	/* /proc/self belongs to root while this is 0, as it is in a fork of the supervisor. */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0)
		return -errno;
	if (unshare(CLONE_NEWUSER | (own_mounts ? CLONE_NEWNS : 0)) != 0)
		return -errno;
	int error = ids_map(uid, gid);
	if (error < 0)
		return error;
	if (own_mounts)
		return mounts_narrow();
	return chroot(".") == 0 ? 0 : -errno;
}

static int
enter_for_trial(const void *own_mounts)
{
	return namespace_enter(own_mounts != NULL) == 0 ? 0 : 1;
}

bool
namespace_is_possible(bool own_mounts)
{
	int status;
	return throwaway_run(enter_for_trial, own_mounts ? "" : NULL, &status) == 0 && status == 0;
}
