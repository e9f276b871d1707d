/*
 * The oracle's verbs on paths (see plain.h).
 */
#include "ipc/base/number.h"
#include "tests/contract/plain_private.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

/* ---- what is there ---- */

static int
look(const struct script *script, size_t word, bool follow, struct stat *found)
{
	if (follow) {
		SCOPE_FD int fd = plain_open_word(script, word, O_PATH);
		return fd < 0 ? fd : fstat(fd, found);
	}
	SCOPE_PLAIN_PLACE struct plain_place place;
	int error = plain_place_of_word(script, word, &place);
	if (error < 0)
		return error;
	const char *name = place.is_root ? "" : place.name;
	int flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
	return fstatat(place.folder_fd, name, found, flags) < 0 ? -errno : 0;
}

/* Missing, in whatever way, is "no"; what cannot be told is an error. */
static int
ask(struct script *script, mode_t type)
{
	struct stat found = { .st_mode = 0 };
	int error = look(script, 0, true, &found);
	bool missing =
		error == -ENOENT || error == -ENOTDIR || error == -ELOOP || error == -ENAMETOOLONG;
	if (error < 0 && !missing)
		return error;
	bool yes = error == 0 && (type == 0 || (found.st_mode & S_IFMT) == type);
	script_say(script, yes ? "yes" : "no");
	return 0;
}

int
plain_exists(struct script *script)
{
	return ask(script, 0);
}

int
plain_is_file(struct script *script)
{
	return ask(script, S_IFREG);
}

int
plain_is_dir(struct script *script)
{
	return ask(script, S_IFDIR);
}

static int
say_type_and_size(struct script *script, bool follow)
{
	struct stat found;
	int error = look(script, 0, follow, &found);
	if (error < 0)
		return error;
	if (S_ISDIR(found.st_mode))
		script_say(script, "dir");
	else
		script_say(script, "%s %lld", S_ISLNK(found.st_mode) ? "link" : "file",
			(long long)found.st_size);
	return 0;
}

int
plain_stat(struct script *script)
{
	return say_type_and_size(script, true);
}

int
plain_lstat(struct script *script)
{
	return say_type_and_size(script, false);
}

int
plain_mode(struct script *script)
{
	struct stat found;
	int error = look(script, 0, true, &found);
	if (error == 0)
		script_say(script, "%o", found.st_mode & 07777u);
	return error;
}

int
plain_when(struct script *script)
{
	struct stat found;
	int error = look(script, 0, true, &found);
	if (error < 0)
		return error;
	int64_t when_ns = found.st_mtim.tv_sec * INT64_C(1000000000) + found.st_mtim.tv_nsec;
	if (when_ns < SCRIPT_OLD_NS)
		script_say(script, "%lld", (long long)when_ns);
	else
		script_say(script, "now");
	return 0;
}

int
plain_links(struct script *script)
{
	struct stat found;
	int error = look(script, 0, false, &found);
	if (error == 0 && S_ISREG(found.st_mode))
		script_say(script, "%llu", (unsigned long long)found.st_nlink);
	else if (error == 0)
		script_say(script, "some");
	return error;
}

int
plain_enter(struct script *script)
{
	struct stat found;
	SCOPE_FD int fd = plain_open_word(script, 0, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return fd;
	return fstatat(fd, ".", &found, 0) < 0 ? -errno : 0;
}

/* ---- making ---- */

static bool
has_word(const struct script *script, const char *word)
{
	for (size_t i = 1; i < script->count; i++)
		if (bytes_equal_text(script->words[i], word))
			return true;
	return false;
}

static int
make_folder(const struct plain *plain, const char *folded)
{
	SCOPE_PLAIN_PLACE struct plain_place place;
	int error = plain_place_open(plain, folded, &place);
	if (error < 0 || place.is_root)
		return error < 0 ? error : -EEXIST;
	return mkdirat(place.folder_fd, place.name, 0777) < 0 ? -errno : 0;
}

static int
make_folder_and_parents(const struct plain *plain, char *folded)
{
	for (char *slash = strchr(folded + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int error = make_folder(plain, folded);
		*slash = '/';
		if (error < 0 && error != -EEXIST)
			return error;
	}
	return make_folder(plain, folded);
}

int
plain_mkdir(struct script *script)
{
	char folded[PATH_MAX];
	int error = plain_fold(script->words[0], folded);
	if (error < 0)
		return error;
	error = make_folder(script->plain, folded);
	if (error == -ENOENT && has_word(script, "parents"))
		error = make_folder_and_parents(script->plain, folded);
	if (error != -EEXIST || !has_word(script, "exist_ok"))
		return error;
	struct stat found = { .st_mode = 0 };
	SCOPE_FD int there = plain_open_at(script->plain, folded, O_PATH, 0);
	if (there < 0)
		return there == -ENOENT ? -EEXIST : there;
	assert_int_equal(fstat(there, &found), 0);
	return S_ISDIR(found.st_mode) ? 0 : -EEXIST;
}

int
plain_symlink(struct script *script)
{
	char target[PATH_MAX];
	SCOPE_PLAIN_PLACE struct plain_place place;
	int error = plain_place_of_word(script, 1, &place);
	if (error < 0 || place.is_root)
		return error < 0 ? error : -EEXIST;
	snprintf(target, sizeof(target), "%.*s", (int)script->words[0].length,
		script->words[0].data);
	return symlinkat(target, place.folder_fd, place.name) < 0 ? -errno : 0;
}

int
plain_readlink(struct script *script)
{
	char target[PATH_MAX];
	SCOPE_PLAIN_PLACE struct plain_place place;
	int error = plain_place_of_word(script, 0, &place);
	if (error < 0 || place.is_root)
		return error < 0 ? error : -EINVAL;
	ssize_t length = readlinkat(place.folder_fd, place.name, target, sizeof(target));
	if (length < 0)
		return -errno;
	script_say_bytes(script, bytes_of(target, (size_t)length));
	return 0;
}

/* ---- changing ---- */

int
plain_set_times(struct script *script)
{
	int64_t when_ns = (int64_t)script_number(script, 1);
	struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT },
		{ .tv_sec = when_ns / 1000000000, .tv_nsec = when_ns % 1000000000 },
	};
	SCOPE_FD int fd = plain_open_word(script, 0, O_PATH);
	if (fd < 0)
		return fd;
	return utimensat(fd, "", times, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

int
plain_set_mode(struct script *script)
{
	uint64_t mode;
	struct stat found;
	assert_int_equal(number_parse_octal(script->words[1], 07777, &mode), 0);
	char folded[PATH_MAX];
	SCOPE_PLAIN_PLACE struct plain_place place = { .folder_fd = -1 };
	int error = plain_fold(script->words[0], folded);
	if (error == 0 && mode > 0777)
		error = -EINVAL;
	if (error == 0)
		error = plain_place_open(script->plain, folded, &place);
	if (error < 0)
		return error;
	if (place.is_root) /* "." could not be looked up if it may not be searched */
		return chmod(script->plain->folder, (mode_t)mode) < 0 ? -errno : 0;
	if (fstatat(place.folder_fd, place.name, &found, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISLNK(found.st_mode))
		return -ENOTSUP;
	return fchmodat(place.folder_fd, place.name, (mode_t)mode, 0) < 0 ? -errno : 0;
}

/* ---- removing and moving ---- */

int
plain_rmdir(struct script *script)
{
	SCOPE_PLAIN_PLACE struct plain_place place;
	int error = plain_place_of_word(script, 0, &place);
	if (error < 0)
		return error;
	if (place.is_root)
		return -EBUSY;
	return unlinkat(place.folder_fd, place.name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

int
plain_unlink(struct script *script)
{
	SCOPE_PLAIN_PLACE struct plain_place place;
	int error = plain_place_of_word(script, 0, &place);
	if (error < 0)
		return error;
	if (place.is_root)
		return -EISDIR;
	return unlinkat(place.folder_fd, place.name, 0) < 0 ? -errno : 0;
}

int
plain_rename(struct script *script)
{
	char from[PATH_MAX], to[PATH_MAX];
	SCOPE_PLAIN_PLACE struct plain_place source = { .folder_fd = -1 };
	SCOPE_PLAIN_PLACE struct plain_place destination = { .folder_fd = -1 };
	int error = plain_fold(script->words[0], from);
	if (error == 0)
		error = plain_fold(script->words[1], to);
	if (error == 0)
		error = plain_place_open(script->plain, from, &source);
	if (error == 0)
		error = plain_place_open(script->plain, to, &destination);
	if (error < 0)
		return error;
	if (source.is_root || destination.is_root)
		return -EBUSY;
	return renameat(source.folder_fd, source.name, destination.folder_fd, destination.name) < 0
		       ? -errno
		       : 0;
}

static int
empty_folder(int fd)
{
	struct stat found;
	DIR *folder = fdopendir(fd);
	assert_non_null(folder);
	int error = 0;
	const struct dirent *entry;
	while (error == 0 && (entry = readdir(folder)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (fstatat(fd, entry->d_name, &found, AT_SYMLINK_NOFOLLOW) < 0) {
			error = -errno;
			continue;
		}
		bool is_folder = S_ISDIR(found.st_mode);
		int below = is_folder ? openat(fd, entry->d_name, O_RDONLY | O_CLOEXEC) : -1;
		if (is_folder)
			error = below < 0 ? -errno : empty_folder(below);
		if (error == 0 && unlinkat(fd, entry->d_name, is_folder ? AT_REMOVEDIR : 0) < 0)
			error = -errno;
	}
	closedir(folder);
	return error;
}

/* The folder itself goes by its path once more: a link on the way may have been among the rest. */
int
plain_remove_tree(struct script *script)
{
	char folded[PATH_MAX];
	SCOPE_PLAIN_PLACE struct plain_place place = { .folder_fd = -1 };
	int error = plain_fold(script->words[0], folded);
	if (error == 0 && folded[1] == '\0')
		error = -EBUSY;
	if (error == 0)
		error = plain_place_open(script->plain, folded, &place);
	if (error < 0)
		return error;
	int fd = openat(
		place.folder_fd, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	error = fd < 0 ? -errno : empty_folder(fd);
	return error < 0 ? error : plain_rmdir(script);
}

/* ---- listing ---- */

enum { NAMES_MAX = 1024 };

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
is_listed(const char *name)
{
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !plain_is_hidden(name);
}

int
plain_list(struct script *script)
{
	char *names[NAMES_MAX];
	size_t count = 0;
	int fd = plain_open_word(script, 0, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	DIR *folder = fdopendir(fd);
	assert_non_null(folder);
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
		if (is_listed(entry->d_name) && count < NAMES_MAX)
			names[count++] = strdup(entry->d_name);
	closedir(folder);
	qsort(names, count, sizeof(names[0]), compare_names);
	for (size_t i = 0; i < count; i++) {
		script_say(script, "%s%s", i == 0 ? "" : " ", names[i]);
		free(names[i]);
	}
	return 0;
}
