/*
 * The oracle's root, its paths and the list of its verbs (see plain.h).
 */
#include "tests/contract/plain_private.h"
#include "tests/unit/worker/trees.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>

struct plain *
plain_new(enum symlink_policy symlinks)
{
	struct plain *plain = calloc(1, sizeof(*plain));
	assert_non_null(plain);
	test_new_folder(plain->folder, sizeof(plain->folder));
	plain->root_fd = open(plain->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(plain->root_fd >= 0);
	plain->resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
	if (symlinks == SYMLINKS_REFUSE)
		plain->resolve |= RESOLVE_NO_SYMLINKS;
	umask(022);
	return plain;
}

void
plain_free(struct plain **plain)
{
	struct plain *freed = *plain;
	*plain = NULL;
	for (size_t i = 0; i < PLAIN_HANDLES; i++)
		plain_close_handle(freed, &freed->handles[i]);
	fd_close(&freed->root_fd);
	test_remove_folder(freed->folder);
	free(freed);
}

script_verb *
plain_find_verb(struct bytes name, size_t words)
{
	static const struct {
		const char *name;
		script_verb *run;
	} verbs[] = {
#define PLAIN(name) { #name, plain_##name },
#include "tests/contract/plain.def"
	};
	(void)words;
	for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++)
		if (bytes_equal_text(name, verbs[i].name))
			return verbs[i].run;
	return NULL;
}

/* ---- paths ---- */

bool
plain_is_hidden(const char *name)
{
	return strncmp(name, ".sallyport-", 11) == 0 && strlen(name) == 32;
}

static char *
drop_name(const char *start, char *end)
{
	while (end > start && *--end != '/')
		continue;
	return end;
}

/* One name of the input goes to the end of the result; the new end, or NULL if it is too long. */
static char *
fold_name(const char *result, char *end, struct bytes name)
{
	if (name.length == 0 || bytes_equal_text(name, "."))
		return end;
	if (bytes_equal_text(name, ".."))
		return drop_name(result, end);
	if (name.length > NAME_MAX)
		return NULL;
	*end++ = '/';
	memcpy(end, name.data, name.length);
	return end + name.length;
}

static bool
has_hidden_name(const char *folded)
{
	char copy[PATH_MAX];
	char *rest;
	snprintf(copy, sizeof(copy), "%s", folded);
	for (char *name = strtok_r(copy, "/", &rest); name != NULL;
		name = strtok_r(NULL, "/", &rest))
		if (plain_is_hidden(name))
			return true;
	return false;
}

int
plain_fold(struct bytes input, char *result)
{
	if (input.length == 0 || input.data[0] != '/' ||
		memchr(input.data, '\0', input.length) != NULL)
		return -EINVAL;
	if (input.length >= PATH_MAX)
		return -ENAMETOOLONG;
	char *end = result;
	for (size_t at = 0; at < input.length;) {
		size_t length = 0;
		while (at + length < input.length && input.data[at + length] != '/')
			length++;
		end = fold_name(result, end, bytes_of(input.data + at, length));
		if (end == NULL)
			return -ENAMETOOLONG;
		at += length + 1;
	}
	if (end == result)
		*end++ = '/';
	*end = '\0';
	return has_hidden_name(result) ? -EACCES : 0;
}

int
plain_open_at(const struct plain *plain, const char *path, uint64_t flags, mode_t mode)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC, .mode = mode, .resolve = plain->resolve
	};
	long fd;
	do
		fd = syscall(SYS_openat2, plain->root_fd, path, &how, sizeof(how));
	while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	return fd < 0 ? -errno : (int)fd;
}

int
plain_open_word(const struct script *script, size_t word, uint64_t flags)
{
	char folded[PATH_MAX];
	int error = plain_fold(script->words[word], folded);
	return error < 0 ? error : plain_open_at(script->plain, folded, flags, 0);
}

int
plain_place_open(const struct plain *plain, const char *folded, struct plain_place *place)
{
	char folder[PATH_MAX];
	const char *name = strrchr(folded, '/') + 1;
	*place = (struct plain_place){ .folder_fd = -1, .is_root = *name == '\0' };
	snprintf(folder, sizeof(folder), "%.*s", (int)(name - folded), folded);
	snprintf(place->name, sizeof(place->name), "%s", place->is_root ? "." : name);
	place->folder_fd = plain_open_at(plain, folder, O_PATH | O_DIRECTORY, 0);
	return place->folder_fd < 0 ? place->folder_fd : 0;
}

int
plain_place_of_word(const struct script *script, size_t word, struct plain_place *place)
{
	char folded[PATH_MAX];
	*place = (struct plain_place){ .folder_fd = -1 };
	int error = plain_fold(script->words[word], folded);
	return error < 0 ? error : plain_place_open(script->plain, folded, place);
}

void
plain_place_close(struct plain_place *place)
{
	fd_close(&place->folder_fd);
}

/* ---- all there is ---- */

static enum pathio_type
type_of(int folder_fd, const char *name)
{
	struct stat found;
	assert_int_equal(fstatat(folder_fd, name, &found, AT_SYMLINK_NOFOLLOW), 0);
	if (S_ISDIR(found.st_mode))
		return PATHIO_TYPE_DIRECTORY;
	return S_ISLNK(found.st_mode) ? PATHIO_TYPE_SYMLINK : PATHIO_TYPE_FILE;
}

/* Folders that are still to be read: a path may be too deep for a recursion. */
struct walk {
	struct plain *plain;
	plain_visitor *each;
	void *argument;
	size_t count;
	char *folders[1024];
};

/* Takes the path. */
static void
visit(struct walk *walk, char *path, enum pathio_type type)
{
	walk->each(walk->argument, path, type);
	if (type != PATHIO_TYPE_DIRECTORY || walk->count == ARRAY_LENGTH(walk->folders))
		free(path);
	else
		walk->folders[walk->count++] = path;
}

static void
visit_entry(struct walk *walk, const char *folder, int folder_fd, const char *name)
{
	char *path;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || plain_is_hidden(name))
		return;
	assert_true(asprintf(&path, "%s/%s", folder[1] == '\0' ? "" : folder, name) > 0);
	visit(walk, path, type_of(folder_fd, name));
}

void
plain_walk(struct plain *plain, plain_visitor *each, void *argument)
{
	struct walk walk = { .plain = plain, .each = each, .argument = argument };
	visit(&walk, strdup("/"), PATHIO_TYPE_DIRECTORY);
	while (walk.count > 0) {
		SCOPE_FREE char *path = walk.folders[--walk.count];
		SCOPE_FD int fd = plain_open_at(plain, path, O_RDONLY | O_DIRECTORY, 0);
		if (fd < 0 || faccessat(fd, ".", X_OK, 0) < 0)
			continue;
		DIR *folder = fdopendir(fd_take(&fd));
		assert_non_null(folder);
		for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
			visit_entry(&walk, path, dirfd(folder), entry->d_name);
		closedir(folder);
	}
}
