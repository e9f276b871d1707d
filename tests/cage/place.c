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
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct place place;
static pid_t owner;

PRINTF_LIKE(3, 4)
static void
write_text(char *text, size_t size, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text, size, format, arguments);
	va_end(arguments);
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
	write_text(path, sizeof(path), "%s/%s", folder, name);
	SCOPE_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	expect(fd >= 0 && write(fd, name, strlen(name)) > 0, path);
	if (is_theirs && geteuid() == 0)
		expect(fchown(fd, CAGED_UID, CAGED_GID) == 0, path);
}

static void
link_make(const char *name, const char *target)
{
	char path[160];
	write_text(path, sizeof(path), "%s/%s", place.home, name);
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
	write_text(place.home, sizeof(place.home), "%s/home", place.base);
	write_text(place.log, sizeof(place.log), "%s/log", place.base);
	write_text(place.outside, sizeof(place.outside), "%s/outside", place.base);
	folder_make(place.home, true);
	folder_make(place.log, true);
	folder_make(place.outside, true);
	file_make(place.outside, "secret", true);
	file_make(place.home, "inside", true);
	file_make(place.log, "old.log", true);
	write_text(target, sizeof(target), "%s/folder", place.home);
	folder_make(target, true);
	write_text(target, sizeof(target), "%s/secret", place.outside);
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
