/*
 * Starting programs (see launch.h). Runs in the supervisor as root; between fork and execve as the
 * child, still as root until cage_become(). Trusts the folder that its own program was started
 * from, and the places that are reckoned from it. A child that cannot be dressed ends.
 */
#include "policy/cage/launch.h"

#include "ipc/base/ends.h"
#include "ipc/base/path.h"
#include "ipc/base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <unistd.h>

enum { PROGRAM_FD = CAGE_CHANNEL_FD + 1 };

/* ---- finding ---- */

static const struct {
	const char *way; /* from the folder of the running program */
	bool by_folder;  /* each program in a folder of its own */
} places[] = {
	{ "../libexec/sallyport", false },
	{ "../..", true },
	{ ".", false },
};

static int
open_program(const struct launch_program *program, const char *here, size_t place)
{
	char path[PATH_BYTES_MAX + 1] = "/proc/self/exe";
	int length = 0;
	if (program->folder != NULL)
		length = snprintf(path, sizeof(path), "%s/%s/%s/%s", here, places[place].way,
			places[place].by_folder ? program->folder : ".", program->file);
	if (length < 0 || (size_t)length >= sizeof(path))
		return -ENAMETOOLONG;
	int fd = open(path, O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* All programs from one place, or they might be of different versions. */
static int
open_all(struct launch_program *programs, size_t count, const char *here, size_t place,
	const char **missing)
{
	for (size_t i = 0; i < count; i++)
		fd_close(&programs[i].fd);
	for (size_t i = 0; i < count; i++) {
		if (programs[i].file == NULL)
			continue;
		*missing = programs[i].file;
		programs[i].fd = open_program(&programs[i], here, place);
		if (programs[i].fd < 0)
			return programs[i].fd;
	}
	return 0;
}

int
launch_find(struct launch_program *programs, size_t count, const char **missing)
{
	char self[PATH_BYTES_MAX + 1];
	*missing = "/proc/self/exe";
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (length < 0)
		return -errno;
	self[length] = '\0';
	const char *here = dirname(self);
	int error = -ENOENT;
	for (size_t i = 0; i < count; i++)
		programs[i].fd = -1;
	for (size_t place = 0; place < ARRAY_LENGTH(places) && error == -ENOENT; place++)
		error = open_all(programs, count, here, place, missing);
	return error;
}

/* ---- the ground ---- */

int
launch_prepare(struct launch_ground *ground)
{
	close_range(STDERR_FILENO + 1, ~0U, 0);
	do {
		ground->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (ground->null_fd < 0)
			return -errno;
	} while (ground->null_fd <= PROGRAM_FD);
	return cage_open_empty_folder(&ground->empty_folder_fd);
}

/* ---- starting ---- */

static int
arrange_descriptors(const struct launch_plan *plan)
{
	if (dup2(plan->ground->null_fd, STDIN_FILENO) < 0 ||
		dup2(plan->ground->null_fd, STDOUT_FILENO) < 0 ||
		dup2(plan->channel_fd, CAGE_CHANNEL_FD) < 0 ||
		dup3(plan->program_fd, PROGRAM_FD, O_CLOEXEC) < 0 ||
		close_range(PROGRAM_FD + 1, ~0U, 0) < 0)
		return -errno;
	return 0;
}

static int
take_place(const struct launch_plan *plan)
{
	if (plan->identity == NULL)
		return 0;
	if (fchdir(plan->ground->empty_folder_fd) < 0)
		return -errno;
	int error = cage_become(plan->identity);
	/* After it: the folder may be open to that user alone. */
	if (error == 0 && plan->folder != NULL && chdir(plan->folder) < 0)
		error = -errno;
	return error;
}

NORETURN static void
become(const struct launch_plan *plan)
{
	char name[NAME_BYTES_MAX + 1];
	char *const alone[] = { name, NULL };
	snprintf(name, sizeof(name), "%s", plan->name);
	setsid(); /* an interrupt from the terminal is for the supervisor alone */
	int error = take_place(plan);
	if (error == 0)
		error = arrange_descriptors(plan);
	if (error == 0) {
		fexecve(PROGRAM_FD, plan->arguments != NULL ? plan->arguments : alone, environ);
		error = -errno;
	}
	die("%s: cannot be started: %s", plan->name, strerror(-error));
}

pid_t
launch_start(const struct launch_plan *plan)
{
	pid_t child = fork();
	if (child == 0)
		become(plan);
	return child < 0 ? -errno : child;
}
