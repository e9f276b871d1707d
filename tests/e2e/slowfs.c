/*
 * A file system that hangs on command, for the tests of path_timeout: everything goes to another
 * folder, but operations that are held wait until they are released. Run by tests/e2e/slow.py as
 * root, in the foreground:
 *
 *	slowfs MOUNTPOINT FOLDER
 *
 * Commands come as lines on standard input, and each is answered on standard output by itself:
 *	hold OPERATION PATH	operations of that name (below) on that path wait from now on
 *	release			what waits goes on, and nothing waits any more
 * "waiting OPERATION PATH" is said as soon as one waits. The end of the commands is the end of the
 * file system. Nothing is cached by the kernel, so that each look comes here.
 */
#define FUSE_USE_VERSION 31

#include "ipc/base/bytes.h"
#include "ipc/base/ends.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HELD_MAX = 16 };

static int below_fd; /* the folder that everything goes to */

/* ---- holding ---- */

/* The lock protects all of these and standard output. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t released = PTHREAD_COND_INITIALIZER;
static char *held[HELD_MAX]; /* "OPERATION PATH" */
static size_t held_count;
static unsigned releases;

static bool
is_held(const char *operation, const char *path)
{
	size_t length = strlen(operation);
	for (size_t i = 0; i < held_count; i++)
		if (strncmp(held[i], operation, length) == 0 && held[i][length] == ' ' &&
			strcmp(held[i] + length + 1, path) == 0)
			return true;
	return false;
}

static void
pass(const char *operation, const char *path)
{
	pthread_mutex_lock(&lock);
	if (is_held(operation, path)) {
		unsigned before = releases;
		printf("waiting %s %s\n", operation, path);
		fflush(stdout);
		while (releases == before)
			pthread_cond_wait(&released, &lock);
	}
	pthread_mutex_unlock(&lock);
}

static void
obey(const char *command)
{
	pthread_mutex_lock(&lock);
	if (strncmp(command, "hold ", 5) == 0 && held_count < HELD_MAX) {
		held[held_count++] = strdup(command + 5);
	} else if (strcmp(command, "release") == 0) {
		while (held_count > 0)
			free(held[--held_count]);
		releases++;
		pthread_cond_broadcast(&released);
	} else {
		die("no such command: %s", command);
	}
	printf("%s\n", command);
	fflush(stdout);
	pthread_mutex_unlock(&lock);
}

static void *
read_commands(void *argument)
{
	char line[512];
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		obey(line);
	}
	(void)argument;
	obey("release");
	kill(getpid(), SIGTERM); /* libfuse unmounts */
	return NULL;
}

/* ---- operations: each waits if it is held, and goes to the folder below ---- */

static const char *
inside(const char *path)
{
	return path[1] == '\0' ? "." : path + 1;
}

static int
result_of(int returned)
{
	return returned < 0 ? -errno : 0;
}

/* New files belong to whoever makes them, as if they had been made below by them. */
static int
give(const char *path, int made)
{
	const struct fuse_context *caller = fuse_get_context();
	if (made < 0)
		return -errno;
	return result_of(
		fchownat(below_fd, inside(path), caller->uid, caller->gid, AT_SYMLINK_NOFOLLOW));
}

static int
slow_getattr(const char *path, struct stat *found, struct fuse_file_info *file)
{
	(void)file;
	pass("getattr", path);
	return result_of(fstatat(below_fd, inside(path), found, AT_SYMLINK_NOFOLLOW));
}

static int
slow_readdir(const char *path, void *entries, fuse_fill_dir_t fill, off_t offset,
	struct fuse_file_info *file, enum fuse_readdir_flags flags)
{
	(void)offset;
	(void)file;
	(void)flags;
	pass("readdir", path);
	int fd = openat(below_fd, inside(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	if (folder == NULL)
		return -errno;
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
		fill(entries, entry->d_name, NULL, 0, (enum fuse_fill_dir_flags)0);
	closedir(folder);
	return 0;
}

static int
slow_open(const char *path, struct fuse_file_info *file)
{
	pass("open", path);
	int fd = openat(below_fd, inside(path), file->flags | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	file->fh = (uint64_t)fd;
	return 0;
}

static int
slow_create(const char *path, mode_t mode, struct fuse_file_info *file)
{
	pass("create", path);
	int fd = openat(below_fd, inside(path), file->flags | O_CREAT | O_CLOEXEC, mode);
	int error = give(path, fd);
	if (error == 0)
		file->fh = (uint64_t)fd;
	return error;
}

static int
slow_read(const char *path, char *buffer, size_t length, off_t offset, struct fuse_file_info *file)
{
	pass("read", path);
	ssize_t got = pread((int)file->fh, buffer, length, offset);
	return got < 0 ? -errno : (int)got;
}

static int
slow_write(const char *path, const char *data, size_t length, off_t offset,
	struct fuse_file_info *file)
{
	pass("write", path);
	ssize_t written = pwrite((int)file->fh, data, length, offset);
	return written < 0 ? -errno : (int)written;
}

static int
slow_release(const char *path, struct fuse_file_info *file)
{
	(void)path;
	return result_of(close((int)file->fh));
}

static int
slow_truncate(const char *path, off_t size, struct fuse_file_info *file)
{
	pass("truncate", path);
	return file != NULL ? result_of(ftruncate((int)file->fh, size)) : -EACCES;
}

static int
slow_chmod(const char *path, mode_t mode, struct fuse_file_info *file)
{
	(void)file;
	pass("chmod", path);
	return result_of(fchmodat(below_fd, inside(path), mode, 0));
}

static int
slow_mkdir(const char *path, mode_t mode)
{
	pass("mkdir", path);
	return give(path, mkdirat(below_fd, inside(path), mode));
}

static int
slow_rmdir(const char *path)
{
	pass("rmdir", path);
	return result_of(unlinkat(below_fd, inside(path), AT_REMOVEDIR));
}

static int
slow_unlink(const char *path)
{
	pass("unlink", path);
	return result_of(unlinkat(below_fd, inside(path), 0));
}

static int
slow_rename(const char *source, const char *destination, unsigned flags)
{
	pass("rename", destination);
	return flags != 0 ? -EINVAL
			  : result_of(renameat(
				    below_fd, inside(source), below_fd, inside(destination)));
}

static void *
slow_init(struct fuse_conn_info *connection, struct fuse_config *config)
{
	pthread_t reader;
	(void)connection;
	config->use_ino = 1;
	config->attr_timeout = config->entry_timeout = config->negative_timeout = 0;
	if (pthread_create(&reader, NULL, read_commands, NULL) != 0)
		die("no thread for the commands");
	puts("ready");
	fflush(stdout);
	return NULL;
}

static const struct fuse_operations operations = {
	.init = slow_init,
	.getattr = slow_getattr,
	.readdir = slow_readdir,
	.open = slow_open,
	.create = slow_create,
	.read = slow_read,
	.write = slow_write,
	.release = slow_release,
	.truncate = slow_truncate,
	.chmod = slow_chmod,
	.mkdir = slow_mkdir,
	.rmdir = slow_rmdir,
	.unlink = slow_unlink,
	.rename = slow_rename,
};

int
main(int count, char **arguments)
{
	static char foreground[] = "-f", option[] = "-o",
		    shared[] = "allow_other,default_permissions";
	ends_set_program("slowfs");
	if (count != 3)
		die("usage: slowfs MOUNTPOINT FOLDER");
	below_fd = open(arguments[2], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (below_fd < 0)
		die("%s: %s", arguments[2], strerror(errno));
	umask(0);
	char *fuse_arguments[] = { arguments[0], foreground, option, shared, arguments[1], NULL };
	return fuse_main(5, fuse_arguments, &operations, NULL);
}
