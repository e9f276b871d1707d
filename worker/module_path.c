/*
 * The way to a module (see module_path.h). Runs in the worker, as the user, before its cage. What
 * was judged is what is used: each step starts from the descriptor of the last one, and names in a
 * folder that only root may write do not change.
 */
#include "worker/module_path.h"

#include "ipc/base/path.h"
#include "ipc/base/scope.h"

#include <fcntl.h>
#include <sys/stat.h>

static int
stop(struct module_problem *problem, int error, const char *why)
{
	problem->why = why;
	return error;
}

/* `may_be_sticky`: what is in it is judged, too. */
static int
judge(const struct stat *status, uint32_t owner, bool may_be_sticky, struct module_problem *problem)
{
	bool safe_for_all = may_be_sticky && (status->st_mode & S_ISVTX) != 0;
	if (status->st_uid != 0 && status->st_uid != owner)
		return stop(problem, -EACCES, "belongs neither to root nor to the server's user");
	if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0 && !safe_for_all)
		return stop(problem, -EACCES, "others than its owner may write it: chmod go-w");
	return 0;
}

static int
open_step(
	int *folder_fd, const char *name, uint32_t owner, bool last, struct module_problem *problem)
{
	struct stat status;
	SCOPE_FD int next = openat(*folder_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0 || fstat(next, &status) < 0)
		return stop(problem, -errno, strerror(errno));
	if (S_ISLNK(status.st_mode))
		return stop(problem, -ELOOP, "is a symbolic link: write the path without it");
	if (!S_ISDIR(status.st_mode))
		return stop(problem, -ENOTDIR, "is no folder");
	int error = judge(&status, owner, !last, problem);
	if (error < 0)
		return error;
	fd_close(folder_fd);
	*folder_fd = fd_take(&next);
	return 0;
}

int
module_open_folder(
	struct bytes directory, uint32_t owner, int *folder_fd, struct module_problem *problem)
{
	struct path path;
	char *rest = path.text;
	problem->path = directory;
	int error = path_fold(NULL, directory, &path);
	if (error < 0)
		return stop(problem, error, strerror(-error));
	SCOPE_FD int fd = -1;
	problem->path.length = 1;
	error = open_step(&fd, "/", owner, path.length == 1, problem);
	for (rest++; rest != NULL && *rest != '\0' && error == 0;) {
		const char *name = strsep(&rest, "/");
		problem->path.length = (size_t)(name - path.text) + strlen(name);
		error = open_step(&fd, name, owner, rest == NULL, problem);
	}
	if (error == 0)
		*folder_fd = fd_take(&fd);
	return error;
}

int
module_check_file(int folder_fd, const char *name, uint32_t owner, struct module_problem *problem)
{
	struct stat status;
	SCOPE_FD int fd = openat(folder_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0)
		return stop(problem, -errno, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return stop(problem, -EACCES, "is no regular file");
	return judge(&status, owner, false, problem);
}
