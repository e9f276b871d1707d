/*
 * The folders that scenarios play in (see caged.h). Made by the test, as whoever runs it; owned by
 * whom caged processes run as.
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "tests/cage/caged.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct place place;
static pid_t owner;

static void
path_write(char *path, size_t size, const char *folder, const char *name)
{
	int length = snprintf(path, size, "%s/%s", folder, name);
	if (length < 0 || (size_t)length >= size)
		die("a test's path is too long");
}

static void
expect(bool worked, const char *what)
{
	if (!worked)
		die("cannot make a place for tests: %s: %s", what, strerror(errno));
}

static void
folder_make(const char *path, bool is_theirs)
{
	expect(mkdir(path, 0755) == 0, path);
	if (is_theirs && geteuid() == 0)
		expect(chown(path, CAGED_UID, CAGED_GID) == 0, path);
}

static void
file_make(const char *folder, const char *name, bool is_theirs)
{
	char path[160];
	path_write(path, sizeof(path), folder, name);
	SCOPE_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	expect(fd >= 0 && write(fd, name, strlen(name)) > 0, path);
	if (is_theirs && geteuid() == 0)
		expect(fchown(fd, CAGED_UID, CAGED_GID) == 0, path);
}

static void
link_make(const char *name, const char *target)
{
	char path[160];
	path_write(path, sizeof(path), place.home, name);
	expect(symlink(target, path) == 0, path);
}

static int
remove_entry(const char *path, const struct stat *attributes, int kind, struct FTW *position)
{
	(void)attributes;
	(void)kind;
	(void)position;
	return remove(path);
}

static void
place_remove(void)
{
	if (getpid() == owner)
		nftw(place.base, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void
place_make(void)
{
	char target[160];
	owner = getpid();
	umask(022);
	strcpy(place.base, "/tmp/sallyport-cage-XXXXXX");
	expect(mkdtemp(place.base) != NULL && chmod(place.base, 0755) == 0, place.base);
	atexit(place_remove);
	path_write(place.home, sizeof(place.home), place.base, "home");
	path_write(place.log, sizeof(place.log), place.base, "log");
	path_write(place.outside, sizeof(place.outside), place.base, "outside");
	folder_make(place.home, true);
	folder_make(place.log, true);
	folder_make(place.outside, true);
	file_make(place.outside, "secret", true);
	file_make(place.home, "inside", true);
	file_make(place.log, "old.log", true);
	path_write(target, sizeof(target), place.home, "folder");
	folder_make(target, true);
	path_write(target, sizeof(target), place.outside, "secret");
	link_make("out", target);
	link_make("up", "../outside/secret");
	link_make("away", place.outside);
}

const struct place *
caged_place(void)
{
	if (place.base[0] == '\0')
		place_make();
	return &place;
}
