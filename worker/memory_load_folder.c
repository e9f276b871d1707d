/*
 * Loading a tree in memory from a folder (see memory_load.h). Runs in the worker, as the user,
 * before the cage, and before the first client: every name is opened in its folder's descriptor,
 * and no symbolic link or mount is followed, so that whoever changes the folder meanwhile changes
 * what is loaded and nothing else.
 */
#include "worker/memory_load_private.h"

#include "ipc/base/scope.h"
#include "policy/rules/rights.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { BLOCK_BYTES = 65536 };

/* What is being read. */
struct source {
	struct memory_load *load;
	const char *folder; /* below load->fd, "" for itself; */
	struct memory_node *parent;
	int fd; /* open */
	const char *name;
	struct stat found;
};

/* The path of the source's name below load->fd. */
static char *
path_of(const struct source *source)
{
	char *path = NULL;
	const char *slash = source->folder[0] == '\0' ? "" : "/";
	return asprintf(&path, "%s%s%s", source->folder, slash, source->name) < 0 ? NULL : path;
}

static int
refuse(const struct source *source, int error)
{
	SCOPE_FREE char *path = path_of(source);
	return memory_load_refuse_errno(
		source->load, error, bytes_of_text(path == NULL ? source->name : path));
}

static struct memory_load_attributes
attributes_of(const struct stat *found)
{
	return (struct memory_load_attributes){
		.mode = found->st_mode & 0777,
		.mtime_ns = memory_load_time(found->st_mtim.tv_sec, found->st_mtim.tv_nsec),
	};
}

/* ---- files ---- */

/* The bytes from `at` to before `end`; fewer if the file has become shorter. */
static int
copy_data(struct memory_load *load, struct memory_node *node, int fd, off_t at, off_t end)
{
	static char block[BLOCK_BYTES];
	while (at < end) {
		size_t wanted = end - at < BLOCK_BYTES ? (size_t)(end - at) : BLOCK_BYTES;
		ssize_t got = pread(fd, block, wanted, at);
		if (got <= 0)
			return got < 0 ? -errno : 0;
		ssize_t written = memory_contents_write(
			&load->tree->arena, &node->contents, (uint64_t)at, block, (size_t)got);
		if (written < got)
			return written < 0 ? (int)written : -ENOSPC;
		at += got;
	}
	return 0;
}

/* Holes stay holes, where the file system tells them. */
static int
copy_contents(struct memory_load *load, struct memory_node *node, int fd, off_t size)
{
	int error = 0;
	for (off_t at = 0; at < size && error == 0;) {
		off_t data = lseek(fd, at, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;
		off_t end = data < 0 ? size : lseek(fd, data, SEEK_HOLE);
		if (end < 0 || end > size)
			end = size;
		error = copy_data(load, node, fd, data < 0 ? at : data, end);
		at = end;
	}
	if (error == 0 && (uint64_t)size > node->contents.size)
		error = memory_contents_truncate(
			&load->tree->arena, &node->contents, (uint64_t)size);
	return error;
}

static int
read_file(struct source *source)
{
	struct memory_load *load = source->load;
	struct memory_node *node;
	SCOPE_FD int fd = openat(source->fd, source->name,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &source->found) < 0)
		return -errno;
	if (!S_ISREG(source->found.st_mode))
		return -EAGAIN; /* it was one a moment ago */
	int error = memory_load_add_file(load, source->parent, bytes_of_text(source->name), &node);
	if (error == 0)
		error = copy_contents(load, node, fd, source->found.st_size);
	if (error < 0)
		return error;
	const struct memory_load_attributes attributes = attributes_of(&source->found);
	memory_load_set(node, &attributes);
	return 0;
}

/* ---- the others ---- */

static int
read_folder(struct source *source)
{
	const struct memory_load_attributes attributes = attributes_of(&source->found);
	struct memory_node *node;
	char *path = path_of(source);
	if (path == NULL)
		return -ENOMEM;
	return memory_load_add_folder(source->load, source->parent, bytes_of_text(source->name),
		&attributes, &path, &node);
}

static int
read_link(struct source *source)
{
	const struct memory_load_attributes attributes = attributes_of(&source->found);
	char target[PATH_BYTES_MAX + 2];
	ssize_t length = readlinkat(source->fd, source->name, target, sizeof(target));
	if (length < 0)
		return -errno;
	return memory_load_add_link(source->load, source->parent, bytes_of_text(source->name),
		bytes_of(target, (size_t)length), &attributes);
}

static int
read_entry(struct source *source)
{
	if (fstatat(source->fd, source->name, &source->found, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (rights_name_is_hidden(bytes_of_text(source->name))) {
		source->load->skipped++; /* an upload that never came to its end */
		return 0;
	}
	switch (source->found.st_mode & S_IFMT) {
	case S_IFREG:
		return read_file(source);
	case S_IFDIR:
		return read_folder(source);
	case S_IFLNK:
		return read_link(source);
	default:
		source->load->skipped++;
		return 0;
	}
}

/* ---- all of it ---- */

static int
open_folder(const struct memory_load *load, const char *path)
{
	const struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	const char *name = path[0] == '\0' ? "." : path;
	long fd = syscall(SYS_openat2, load->fd, name, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

static int
read_entries(struct source *source, DIR *directory)
{
	int error = 0;
	while (error == 0) {
		errno = 0;
		const struct dirent *entry = readdir(directory);
		source->name = entry == NULL ? "" : entry->d_name;
		if (entry == NULL && errno == 0)
			return 0;
		if (entry == NULL)
			error = -errno;
		else if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			error = read_entry(source);
	}
	return refuse(source, error);
}

/* The index and not a pointer: what is found below it makes the list longer. */
static int
read_listed(struct memory_load *load, size_t index)
{
	const struct memory_load_folder *folder = &load->folders[index];
	struct source source = {
		.load = load, .folder = folder->path, .parent = folder->node, .name = ""
	};
	source.fd = open_folder(load, folder->path);
	if (source.fd == -EXDEV) {
		load->skipped++; /* another mount: its folder stays empty */
		return 0;
	}
	if (source.fd < 0)
		return refuse(&source, source.fd);
	DIR *directory = fdopendir(source.fd);
	if (directory == NULL) {
		int error = refuse(&source, -errno);
		fd_close(&source.fd);
		return error;
	}
	int error = read_entries(&source, directory);
	closedir(directory);
	return error;
}

int
memory_load_read_folder(struct memory_load *load)
{
	struct stat found;
	char *path = strdup("");
	if (fstat(load->fd, &found) < 0 || path == NULL) {
		free(path);
		return -ENOMEM;
	}
	const struct memory_load_attributes attributes = attributes_of(&found);
	int error = memory_load_set_root(load, &attributes, &path);
	for (size_t i = 0; i < load->folder_count && error == 0; i++)
		error = read_listed(load, i);
	return error;
}
