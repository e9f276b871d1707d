/*
 * A process' own root (see root.h). Runs first in cage_enter(), with one thread, as the user that
 * the process stays; it holds CAP_SYS_CHROOT if root started it.
 *
 * The home is opened here, by the worker, and not by the supervisor: it may be on a file system
 * that hangs. A path with a symbolic link is refused: what the link leads to could be changed by
 * whoever owns the folder that holds it, and the check of `roots =` was made on the text.
 */
#include "policy/cage/root.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/cage/capabilities.h"
#include "policy/cage/namespace.h"
#include "policy/cage/report.h"
#include "policy/cage/tables.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
home_open(const char *home, int *home_fd)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS,
	};
	if (home == NULL || home[0] != '/')
		return -EINVAL;
	long fd = syscall(SYS_openat2, AT_FDCWD, home, &how, sizeof(how));
	if (fd < 0)
		return -errno;
	*home_fd = (int)fd;
	return 0;
}

static int
home_go(const char *home, struct cage_report *report)
{
	SCOPE_FD int home_fd = -1;
	int error = home_open(home, &home_fd);
	if (error == -ELOOP)
		return report_fail(report, error,
			"a symbolic link stands on the way to the home; write the path without it",
			home);
	if (error == 0 && fchdir(home_fd) != 0)
		error = -errno;
	return error < 0 ? report_fail(report, error, "cannot enter the home", home) : 0;
}

static int
empty_check(struct cage_report *report)
{
	struct stat attributes;
	if (stat(".", &attributes) != 0)
		return report_fail(report, -errno, "cannot see the working directory", NULL);
	if (attributes.st_nlink != 0)
		return report_fail(report, -EINVAL,
			"the working directory is not a removed, empty folder", NULL);
	return 0;
}

static int
folder_go(enum cage_root root, const struct cage_options *options, struct cage_report *report)
{
	switch (root) {
	case CAGE_ROOT_HOME: /* a worker whose files are in memory has none */
		return options->home == NULL ? empty_check(report) : home_go(options->home, report);
	case CAGE_ROOT_EMPTY:
		return empty_check(report);
	case CAGE_ROOT_FOLDER:
	case CAGE_ROOT_OUTER:
		return 0;
	}
	bug("a role without a root");
}

int
root_take(enum cage_role role, const struct cage_options *options, struct cage_report *report)
{
	enum cage_root root = cage_role_data(role)->root;
	int error = folder_go(root, options, report);
	if (error < 0 || root == CAGE_ROOT_OUTER)
		return error;
	if (capabilities_have(CAP_SYS_CHROOT)) {
		if (chroot(".") != 0)
			return report_fail(report, -errno, "cannot take the root", NULL);
		report->walls |= 1u << CAGE_WALL_ROOT;
		if (geteuid() != 0)
			report->walls |= 1u << CAGE_WALL_UID;
		return 0;
	}
	bool own_mounts = root == CAGE_ROOT_HOME && options->home != NULL;
	if (!namespace_is_possible(own_mounts))
		return 0;
	error = namespace_enter(own_mounts);
	if (error < 0)
		return report_fail(report, error, "cannot take a root in a user namespace", NULL);
	report->walls |= 1u << CAGE_WALL_ROOT;
	return 0;
}

/* Tried in this order: the first place in which an ordinary or caged daemon may make a folder. */
static const char *const empty_folder_names[] = {
	"/run/sallyport-empty-XXXXXX",
	"/tmp/sallyport-empty-XXXXXX",
	"/dev/shm/sallyport-empty-XXXXXX",
};

static int
empty_folder_make(const char *pattern, int *folder_fd)
{
	char name[64];
	snprintf(name, sizeof(name), "%s", pattern);
	if (mkdtemp(name) == NULL)
		return -errno;
	/* Whoever is to live there must be able to go there. */
	int error = chmod(name, 0555) == 0 ? 0 : -errno;
	SCOPE_FD int fd = open(name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		error = -errno;
	if (rmdir(name) != 0 && error == 0)
		error = -errno;
	if (error == 0)
		*folder_fd = fd_take(&fd);
	return error;
}

int
cage_open_empty_folder(int *folder_fd)
{
	int error = -ENOENT;
	for (size_t i = 0; i < ARRAY_LENGTH(empty_folder_names) && error < 0; i++)
		error = empty_folder_make(empty_folder_names[i], folder_fd);
	return error;
}
