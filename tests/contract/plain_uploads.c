/*
 * The oracle's uploads (see plain.h): DECISIONS 26 and 27 once more, by system calls.
 */
#include "tests/contract/plain_private.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>

enum { LINKS_MAX = 40, UNIQUE_MAX = 16 };

/* ---- where it goes ---- */

static void
join(char *result, const char *folder, const char *name)
{
	if (snprintf(result, PATH_MAX, "%s/%s", folder[1] == '\0' ? "" : folder, name) >= PATH_MAX)
		fail_msg("%s", "a path that the oracle has no room for");
}

/* The path of an open folder without a link in it. */
static void
name_folder(const struct plain *plain, int folder_fd, char *result)
{
	char link[64], real[PATH_MAX];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", folder_fd);
	ssize_t length = readlink(link, real, sizeof(real) - 1);
	assert_true(length > 0);
	real[length] = '\0';
	assert_int_equal(strncmp(real, plain->folder, strlen(plain->folder)), 0);
	const char *below = real + strlen(plain->folder);
	snprintf(result, PATH_MAX, "%s", *below == '\0' ? "/" : below);
}

static void
cut_slashes(char *path)
{
	size_t length = strlen(path);
	while (length > 1 && path[length - 1] == '/')
		path[--length] = '\0';
}

/* Splits at the last slash; "." and ".." belong to the folder, and leave no name. */
static void
split(char *path, char *folder, char *name)
{
	cut_slashes(path);
	const char *last = strrchr(path, '/') + 1;
	bool names_folder = strcmp(last, ".") == 0 || strcmp(last, "..") == 0;
	snprintf(name, PATH_MAX, "%s", names_folder ? "" : last);
	snprintf(folder, PATH_MAX, "%.*s", (int)(strlen(path) - strlen(name)), path);
}

/* `path` becomes what its last name, a link, leads to: 1. Or 0, if it is no link. */
static int
follow_once(const struct plain *plain, char *path)
{
	char folder[PATH_MAX], target[PATH_MAX], name[PATH_MAX];
	split(path, folder, name);
	if (strlen(name) > NAME_MAX)
		return -ENAMETOOLONG;
	SCOPE_FD int fd = plain_open_at(plain, folder, O_PATH | O_DIRECTORY, 0);
	if (fd < 0 || name[0] == '\0')
		return fd < 0 ? fd : -EISDIR;
	name_folder(plain, fd, folder);
	ssize_t length = readlinkat(fd, name, target, sizeof(target) - 1);
	if (length < 0 && errno != EINVAL && errno != ENOENT)
		return -errno;
	if (length >= 0 && (plain->resolve & RESOLVE_NO_SYMLINKS) != 0)
		return -ELOOP;
	target[length < 0 ? 0 : length] = '\0';
	if (target[0] == '/')
		snprintf(path, PATH_MAX, "%s", target);
	else
		join(path, folder, length < 0 ? name : target);
	return length >= 0;
}

/*
 * Follows the last name until it is no link: `path` becomes what it leads to, the folder by its
 * real path. The last name need not be there, its folder must.
 */
static int
follow_last(const struct plain *plain, char *path)
{
	int more = 1;
	for (int links = 0; more > 0; links++)
		more = links > LINKS_MAX ? -ELOOP : follow_once(plain, path);
	return more;
}

/* ---- the hidden file ---- */

static int
make_temporary(struct plain *plain, struct plain_handle *handle)
{
	static unsigned number;
	const char *target = handle->upload.target;
	int length = snprintf(handle->upload.temporary, PATH_MAX, "%.*s/.sallyport-%016x.part",
		(int)(strrchr(target, '/') - target), target, ++number);
	if (length >= PATH_MAX) {
		handle->upload.temporary[0] = '\0';
		return -ENAMETOOLONG;
	}
	handle->fd =
		plain_open_at(plain, handle->upload.temporary, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (handle->fd < 0)
		handle->upload.temporary[0] = '\0';
	return handle->fd < 0 ? handle->fd : 0;
}

static void
remove_path(const struct plain *plain, const char *path)
{
	SCOPE_PLAIN_PLACE struct plain_place place;
	if (plain_place_open(plain, path, &place) == 0)
		unlinkat(place.folder_fd, place.name, 0);
}

/* Only what is this upload's own, and only as long as it is empty. */
static void
remove_empty(const struct plain *plain, const char *path, int own_fd)
{
	struct stat found, own;
	SCOPE_PLAIN_PLACE struct plain_place place;
	assert_int_equal(fstat(own_fd, &own), 0);
	if (plain_place_open(plain, path, &place) == 0 &&
		fstatat(place.folder_fd, place.name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
		found.st_ino == own.st_ino && found.st_size == 0)
		unlinkat(place.folder_fd, place.name, 0);
}

void
plain_drop_upload(struct plain *plain, struct plain_handle *handle)
{
	struct plain_upload *upload = &handle->upload;
	if (upload->temporary[0] != '\0')
		remove_path(plain, upload->temporary);
	else if (upload->created)
		remove_empty(plain, upload->target, handle->fd);
	if (upload->reserved_fd >= 0)
		remove_empty(plain, upload->target, upload->reserved_fd);
	fd_close(&upload->reserved_fd);
	fd_close(&handle->fd);
	handle->kind = PLAIN_CLOSED;
}

/* ---- the ways to begin ---- */

static int
begin_replace(struct plain *plain, struct plain_handle *handle)
{
	struct stat found;
	struct plain_upload *upload = &handle->upload;
	SCOPE_PLAIN_PLACE struct plain_place place;
	int error = plain_place_open(plain, upload->target, &place);
	if (error == 0 && place.is_root)
		return -EISDIR;
	if (error == 0 && fstatat(place.folder_fd, place.name, &found, AT_SYMLINK_NOFOLLOW) < 0)
		error = -errno;
	if (error == 0 && S_ISLNK(found.st_mode)) {
		error = follow_last(plain, upload->target);
		if (error < 0)
			return error;
	}
	if (error < 0 && error != -ENOENT)
		return error;
	SCOPE_FD int existing = plain_open_file(plain, upload->target, O_WRONLY);
	if (existing < 0 && existing != -ENOENT)
		return existing;
	if (existing >= 0 && fstat(existing, &found) == 0)
		upload->mode = found.st_mode & 0777;
	error = make_temporary(plain, handle);
	if (error == -EACCES && existing >= 0) {
		handle->fd = fd_take(&existing);
		upload->truncates = true;
		return 0;
	}
	return error;
}

static int
begin_in_place(struct plain *plain, struct plain_handle *handle, uint64_t flags)
{
	struct stat found;
	struct plain_upload *upload = &handle->upload;
	handle->fd = plain_open_file(plain, upload->target, O_WRONLY | flags);
	if (handle->fd == -ENOENT && upload->offset > 0) {
		SCOPE_PLAIN_PLACE struct plain_place place;
		int error = plain_place_open(plain, upload->target, &place);
		return error < 0 ? error : -EINVAL;
	}
	if (handle->fd == -ENOENT) {
		handle->fd = plain_open_file(plain, upload->target, O_WRONLY | O_CREAT | flags);
		upload->created = handle->fd >= 0;
	}
	if (handle->fd < 0)
		return handle->fd;
	assert_int_equal(fstat(handle->fd, &found), 0);
	if (upload->offset <= found.st_size)
		return 0;
	fd_close(&handle->fd);
	return -EINVAL;
}

static int
begin_append(struct plain *plain, struct plain_handle *handle)
{
	handle->upload.truncates = handle->upload.offset > 0;
	return begin_in_place(plain, handle, O_APPEND);
}

static int
begin_at_offset(struct plain *plain, struct plain_handle *handle)
{
	handle->upload.truncates = true;
	return begin_in_place(plain, handle, 0);
}

static int
begin_range(struct plain *plain, struct plain_handle *handle)
{
	return begin_in_place(plain, handle, 0);
}

static int
reserve(struct plain *plain, struct plain_upload *upload, const char *path)
{
	int fd = plain_open_at(plain, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return fd;
	upload->reserved_fd = fd;
	return 0;
}

/* "name", "name.1", "name.2", ...; a long name gives way. */
static int
begin_unique(struct plain *plain, struct plain_handle *handle)
{
	struct plain_upload *upload = &handle->upload;
	char first[PATH_MAX];
	snprintf(first, sizeof(first), "%s", upload->target);
	size_t folder_bytes = (size_t)(strrchr(first, '/') + 1 - first);
	if (first[folder_bytes] == '\0')
		return -EISDIR;
	int error = reserve(plain, upload, upload->target);
	for (int number = 1; error == -EEXIST && number <= UNIQUE_MAX; number++) {
		char ending[16];
		int bytes = snprintf(ending, sizeof(ending), ".%d", number);
		snprintf(upload->target, PATH_MAX, "%.*s%s", (int)(folder_bytes) + NAME_MAX - bytes,
			first, ending);
		error = strlen(upload->target) == PATH_MAX - 1
				? -ENAMETOOLONG
				: reserve(plain, upload, upload->target);
	}
	return error < 0 ? error : make_temporary(plain, handle);
}

static const struct way {
	const char *how;
	bool takes_offset;
	int (*begin)(struct plain *plain, struct plain_handle *handle);
} ways[] = {
	{ "replace", false, begin_replace },
	{ "append", true, begin_append },
	{ "at-offset", true, begin_at_offset },
	{ "unique", false, begin_unique },
	{ "range", true, begin_range },
};

static const struct way *
find_way(struct bytes how)
{
	for (size_t i = 0; i < ARRAY_LENGTH(ways); i++)
		if (bytes_equal_text(how, ways[i].how))
			return &ways[i];
	fail_msg("%s", "no such way");
	return NULL;
}

int
plain_begin_upload(struct plain *plain, struct plain_handle *handle, struct bytes how, off_t offset)
{
	const struct way *way = find_way(how);
	handle->upload.mode = 0644;
	handle->upload.offset = way->takes_offset ? offset : 0;
	int error = way->begin(plain, handle);
	if (error < 0)
		plain_drop_upload(plain, handle);
	else
		handle->kind = PLAIN_UPLOAD;
	return error;
}

int
plain_upload(struct script *script)
{
	struct plain_handle fresh = { .fd = -1, .upload.reserved_fd = -1 };
	int error = plain_fold(script->words[1], fresh.upload.target);
	if (error < 0)
		return error;
	struct plain_handle *handle = plain_free_handle(script, 0);
	if (handle == NULL)
		return -EINVAL;
	off_t offset = script->count > 3 ? (off_t)script_number(script, 3) : 0;
	error = plain_begin_upload(script->plain, &fresh, script->words[2], offset);
	if (error < 0)
		return error;
	bool is_range = bytes_equal_text(script->words[2], "range");
	fresh.upload.count = is_range ? (size_t)script_number(script, 4) : SIZE_MAX;
	*handle = fresh;
	script_say(script, "%s", strrchr(fresh.upload.target, '/') + 1);
	return 0;
}

/* ---- data ---- */

static int
find_upload(const struct script *script, struct plain_handle **result)
{
	*result = plain_find_handle(script, 0);
	return *result == NULL || (*result)->kind != PLAIN_UPLOAD ? -EBADF : 0;
}

/* The same, to end it: then the number of any other file is free as well (pathio.h). */
static int
find_to_end(const struct script *script, struct plain_handle **result)
{
	int error = find_upload(script, result);
	if (error < 0 && *result != NULL)
		plain_close_handle(script->plain, *result);
	return error;
}

static int
cut_at_offset(struct plain_handle *handle)
{
	if (handle->upload.truncates && ftruncate(handle->fd, handle->upload.offset) < 0)
		return -errno;
	handle->upload.truncates = false;
	return 0;
}

int
plain_receive(struct script *script)
{
	struct bytes content = script->words[2];
	struct plain_handle *handle;
	bool ascii = bytes_equal_text(script->words[1], "ascii");
	int error = find_upload(script, &handle);
	if (error == 0 && handle->upload.received)
		error = -EINVAL;
	if (error == 0)
		error = cut_at_offset(handle);
	if (error < 0)
		return error;
	handle->upload.received = true;
	assert_true(lseek(handle->fd, handle->upload.offset, SEEK_SET) >= 0);
	for (size_t i = 0; i < content.length; i++) {
		bool ends_line = ascii && i + 1 < content.length && content.data[i] == '\r' &&
				 content.data[i + 1] == '\n';
		if (!ends_line)
			script_say_bytes(script, bytes_of(content.data + i, 1));
	}
	size_t arrived = script->result_bytes;
	script->result_bytes = 0;
	if (arrived > handle->upload.count)
		return -EFBIG;
	plain_write_all(handle->fd, script->result, arrived);
	if (handle->upload.count != SIZE_MAX && arrived < handle->upload.count)
		return -ENODATA;
	script_say(script, "%zu", content.length);
	return 0;
}

/* ---- the ways to end ---- */

static int
put_in_place(struct plain *plain, struct plain_handle *handle)
{
	struct plain_upload *upload = &handle->upload;
	SCOPE_PLAIN_PLACE struct plain_place from;
	SCOPE_PLAIN_PLACE struct plain_place to = { .folder_fd = -1 };
	if (fchmod(handle->fd, upload->mode) < 0)
		return -errno;
	int error = plain_place_open(plain, upload->temporary, &from);
	if (error == 0)
		error = plain_place_open(plain, upload->target, &to);
	if (error < 0)
		return error;
	if (renameat(from.folder_fd, from.name, to.folder_fd, to.name) < 0)
		return -errno;
	upload->temporary[0] = '\0';
	fd_close(&upload->reserved_fd);
	return 0;
}

int
plain_end_upload(struct plain *plain, struct plain_handle *handle, off_t *size)
{
	struct stat found;
	int error = cut_at_offset(handle);
	if (error == 0 && handle->upload.temporary[0] != '\0')
		error = put_in_place(plain, handle);
	if (error == 0 && fstat(handle->fd, &found) < 0)
		error = -errno;
	if (error == 0) {
		handle->upload.created = false;
		*size = found.st_size;
	}
	plain_drop_upload(plain, handle);
	return error;
}

int
plain_commit(struct script *script)
{
	struct plain_handle *handle;
	off_t size;
	int error = find_to_end(script, &handle);
	if (error == 0)
		error = plain_end_upload(script->plain, handle, &size);
	if (error == 0)
		script_say(script, "%s %lld", handle->upload.target, (long long)size);
	return error;
}

int
plain_discard(struct script *script)
{
	struct plain_handle *handle;
	int error = find_to_end(script, &handle);
	if (error == 0)
		plain_drop_upload(script->plain, handle);
	return error;
}

/* An upload whose data comes from another file. */
int
plain_copy(struct script *script)
{
	char from[PATH_MAX];
	struct stat source, existing;
	off_t size;
	struct plain *plain = script->plain;
	struct plain_handle handle = { .fd = -1, .upload.reserved_fd = -1 };
	int error = plain_fold(script->words[0], from);
	if (error == 0)
		error = plain_fold(script->words[1], handle.upload.target);
	if (error < 0)
		return error;
	SCOPE_FD int fd = plain_open_file(plain, from, O_RDONLY);
	if (fd < 0)
		return fd;
	error = plain_begin_upload(plain, &handle, bytes_of_text("replace"), 0);
	if (error < 0)
		return error;
	assert_int_equal(fstat(fd, &source), 0);
	SCOPE_FD int there = plain_open_at(plain, handle.upload.target, O_PATH, 0);
	bool same = there >= 0 && fstat(there, &existing) == 0 && existing.st_ino == source.st_ino;
	error = same ? -EINVAL : cut_at_offset(&handle);
	if (error < 0) {
		plain_drop_upload(plain, &handle);
		return error;
	}
	plain_say_content(script, fd, 0, SIZE_MAX);
	plain_write_all(handle.fd, script->result, script->result_bytes);
	script->result_bytes = 0;
	error = plain_end_upload(plain, &handle, &size);
	if (error == 0)
		script_say(script, "%lld", (long long)size);
	return error;
}
