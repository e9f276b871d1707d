/*
 * Finding the programs (see programs.h). Runs in the supervisor as root, once. Trusts the folder
 * that its own program was started from, and the three places that are reckoned from it.
 */
#include "policy/supervisor/programs.h"

#include "ipc/base/path.h"
#include "ipc/base/scope.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>

static const struct {
	const char *file;
	const char *folder;
} files[ROLE_COUNT] = {
#define PROGRAM(role, file, folder, channel, ping, code, start_ms) [ROLE_##role] = { file, folder },
#include "policy/supervisor/programs.def"
};

static const struct {
	const char *way; /* from the folder of this program */
	bool by_folder;  /* each program in a folder of its own */
} places[] = {
	{ "../libexec/sallyport", false },
	{ "../../", true },
	{ "", false },
};

const char *
program_name(enum role role)
{
	return files[role].file;
}

static int
open_program(const char *here, size_t place, enum role role)
{
	char path[PATH_BYTES_MAX + 1];
	int length = snprintf(path, sizeof(path), "%s/%s/%s/%s", here, places[place].way,
		places[place].by_folder ? files[role].folder : "", files[role].file);
	if (length < 0 || (size_t)length >= sizeof(path))
		return -ENAMETOOLONG;
	int fd = open(path, O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The place is the first that has a gateway; a program that it lacks is missing. */
static size_t
find_place(const char *here)
{
	for (size_t place = 0; place < ARRAY_LENGTH(places); place++) {
		SCOPE_FD int fd = open_program(here, place, ROLE_GATEWAY);
		if (fd >= 0)
			return place;
	}
	return 0;
}

int
programs_open(struct programs *programs, const char **missing)
{
	char self[PATH_BYTES_MAX + 1];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	*missing = "/proc/self/exe";
	if (length < 0)
		return -errno;
	self[length] = '\0';
	programs->fd[ROLE_LOADER] = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	if (programs->fd[ROLE_LOADER] < 0)
		return -errno;
	programs->fd[ROLE_SUPERVISOR] = -1;
	const char *here = dirname(self);
	size_t place = find_place(here);
	for (enum role role = ROLE_GATEWAY; role < ROLE_LOADER; role++) {
		*missing = files[role].file;
		programs->fd[role] = open_program(here, place, role);
		if (programs->fd[role] < 0)
			return programs->fd[role];
	}
	return 0;
}
