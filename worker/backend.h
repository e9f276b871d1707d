/*
 * A backend: one kind of file tree, as a table of plain blocking functions (PATHIO 2, 3).
 *
 * A backend knows files and nothing else: no channel, no event loop, no rights, no record. What
 * runs above it is the same for all backends: uploads in two steps (upload.h), recursive and long
 * operations (operations.h), handles and rights (instance.h), transfers (transfer.h). `sync` runs
 * these functions of the kernel backend on the worker's loop; an executor with threads can run the
 * very same functions on its pool, so they must not share state between trees without a lock of
 * their own. A custom backend is one more table (backend_module.h).
 *
 * Paths are folded (ipc/base/path.h) and judged before they come here. Errors are negative errnos,
 * those of PATHIO 2's right column, in every backend alike; results are untouched on failure. Every
 * function may be called with any path: a symbolic link inside a path resolves inside the tree's
 * root, and under SYMLINKS_REFUSE any link among the parents or at the end of a followed path is
 * ELOOP. The last name is followed by stat with `follow`, enter, open, set_times, space and
 * directory_open, and by nothing else.
 */
#ifndef SALLYPORT_WORKER_BACKEND_H
#define SALLYPORT_WORKER_BACKEND_H

#include "ipc/pathio_messages.h"

#include <sys/types.h>

struct backend_tree;      /* one user's files; a backend has its own definition */
struct backend_file;      /* an open file; likewise */
struct backend_directory; /* an open directory; likewise */

struct backend_options {
	int root_fd;                 /* O_PATH descriptor of the user's root, borrowed; or -1 */
	uint64_t memory_limit_bytes; /* of the memory backend: nodes and contents */
	struct backend_tree *made;   /* likewise: one from memory_load.h to be taken, or NULL */
	uint32_t umask;              /* applied to every mode that creates something */
	uint32_t uid;                /* owner of what the memory backend makes */
	uint32_t gid;
	enum symlink_policy symlinks;
};

/* How the functions of a backend are called; who bears the second bears the first. */
enum backend_executor {
	BACKEND_INLINE, /* on the worker's loop, one at a time; they never wait long */
	BACKEND_POOL,   /* on a pool of threads, several at a time */
};

enum backend_open_flag {
	BACKEND_READ = 1 << 0,
	BACKEND_WRITE = 1 << 1,
	BACKEND_CREATE = 1 << 2,
	BACKEND_EXCLUSIVE = 1 << 3, /* with CREATE: -EEXIST if anything, also a link, is there */
	BACKEND_TRUNCATE = 1 << 4,
	BACKEND_APPEND = 1 << 5,   /* writes go to the end, whatever their offset */
	BACKEND_NOFOLLOW = 1 << 6, /* a final symbolic link is -ELOOP */
	BACKEND_HELD = 1 << 7,     /* flock: -EAGAIN if somebody else holds this file */
};

enum backend_directory_flag {
	BACKEND_NAMES = 1 << 0,   /* type and name of each entry are enough (and much cheaper) */
	BACKEND_NO_LINK = 1 << 1, /* a final symbolic link is -ENOTDIR or -ELOOP */
};

/* A stretch of a file as sendfile(2) takes it. */
struct backend_extent {
	int fd; /* of the backend; valid until the file is closed; -1: a hole, send zeros */
	off_t offset;
	uint64_t length; /* at least 1 and at most what was asked for */
};

struct backend_entry {
	struct bytes name; /* at most NAME_BYTES_MAX; lives until the next call on the directory */
	struct pathio_attributes attributes; /* as lstat; only the type if names were asked for */
};

struct backend {
	const char *name;

	/*
	 * Runs before the cage closes, and once in a process: the kernel backend sets the umask of
	 * the process, which the kernel applies where a folder has no default ACL. -ENOSYS: the
	 * kernel cannot resolve paths inside a root.
	 */
	int (*tree_open)(const struct backend_options *options, struct backend_tree **result);
	void (*tree_free)(struct backend_tree **tree);

	int (*stat)(struct backend_tree *tree, const struct path *path, bool follow,
		struct pathio_attributes *result);
	/* May files in this directory be reached? -ENOTDIR, -EACCES, -ENOENT. */
	int (*enter)(struct backend_tree *tree, const struct path *path,
		struct pathio_attributes *result);
	/* One level; -EEXIST if anything has the name. */
	int (*mkdir)(struct backend_tree *tree, const struct path *path, uint32_t mode);
	int (*rmdir)(struct backend_tree *tree, const struct path *path);
	int (*unlink)(struct backend_tree *tree, const struct path *path);
	int (*rename)(struct backend_tree *tree, const struct path *source,
		const struct path *destination);
	int (*symlink)(struct backend_tree *tree, struct bytes target, const struct path *path);
	/* The length of the target; -EINVAL if it is no link, -ERANGE if it does not fit. */
	int (*readlink)(
		struct backend_tree *tree, const struct path *path, char *target, size_t capacity);
	/* Which of the two times to set is said in *times. */
	int (*set_times)(struct backend_tree *tree, const struct path *path,
		const struct pathio_set_times *times);
	/* -ENOTSUP of a symbolic link. */
	int (*set_mode)(struct backend_tree *tree, const struct path *path, uint32_t mode);
	/* Bytes that may still be stored there. */
	int (*space)(struct backend_tree *tree, const struct path *path, uint64_t *result);
	/* What has been renamed, made or removed in this folder is on the disk when it returns. */
	int (*sync_folder)(struct backend_tree *tree, const struct path *folder);

	/*
	 * `flags` of enum backend_open_flag; `mode` for what is created. Opens regular files only:
	 * a directory is -EISDIR, anything else -EACCES, and opening never blocks (a FIFO). A final
	 * symbolic link is followed inside the root, unless EXCLUSIVE or NOFOLLOW. `attributes` may
	 * be NULL; else they come at no extra cost.
	 */
	int (*open)(struct backend_tree *tree, const struct path *path, unsigned flags,
		uint32_t mode, struct backend_file **result, struct pathio_attributes *attributes);
	void (*close)(struct backend_file **file);
	int (*attributes)(struct backend_file *file, struct pathio_attributes *result);
	/* Bytes read (0 at the end) or written; may be less than asked for. */
	ssize_t (*read)(struct backend_file *file, uint64_t offset, void *buffer, size_t length);
	ssize_t (*write)(
		struct backend_file *file, uint64_t offset, const void *data, size_t length);
	int (*truncate)(struct backend_file *file, uint64_t size);
	int (*sync)(struct backend_file *file);
	int (*change_mode)(struct backend_file *file, uint32_t mode);
	/*
	 * The stretch that begins at `offset`: 1 and the extent; 0 at the end of the file. Somebody
	 * else may cut a real file short meanwhile: sendfile(2) then returns 0, which is the end.
	 * What the memory backend handed out keeps its bytes until the file is closed, also when
	 * the file is overwritten, truncated or unlinked (DECISIONS 29). -ENOTSUP: use read().
	 */
	int (*extent)(struct backend_file *file, uint64_t offset, uint64_t length,
		struct backend_extent *result);
	/*
	 * Bytes copied, 0 at the end of the source; may be less than asked for. -ENOTSUP, before
	 * anything was copied: not offered for these two, the caller reads and writes.
	 */
	ssize_t (*copy_range)(struct backend_file *source, uint64_t source_offset,
		struct backend_file *destination, uint64_t destination_offset, uint64_t length);

	/*
	 * What can be done without waiting, so that no thread is needed for it; all three or none.
	 * A view of the tree, which lives as long: its functions (stat, enter, open for
	 * reading) answer -EAGAIN or -EXDEV, having done nothing, where they might have to wait for
	 * a disk or a network; NULL: this tree has none.
	 */
	struct backend_tree *(*tree_cached)(struct backend_tree *tree);
	/* As read, all of it or up to the end of the file; -EAGAIN if it would have to wait. */
	ssize_t (*read_cached)(
		struct backend_file *file, uint64_t offset, void *buffer, size_t length);
	/* Neither its attributes nor its close wait for anybody, if it was opened for reading. */
	bool (*is_near)(const struct backend_file *file);

	/* `flags` of enum backend_directory_flag. Reads nothing yet. */
	int (*directory_open)(struct backend_tree *tree, const struct path *path, unsigned flags,
		struct backend_directory **result);
	/*
	 * 1 and the next entry, in no order, never "." or "..", nor a name that is too long for any
	 * path; 0 at the end. An entry that stays while others come and go is seen once.
	 */
	int (*directory_next)(struct backend_directory *directory, struct backend_entry *result);
	void (*directory_close)(struct backend_directory **directory);
	/*
	 * What remove_tree needs: by one name in an open directory, never through a link, so that
	 * no race leads elsewhere. directory_open_in: -EXDEV for another mount, -ENOTDIR or -ELOOP
	 * for a link. Removing what directory_next gave last is fine.
	 */
	int (*directory_open_in)(struct backend_directory *directory, const char *name,
		unsigned flags, struct backend_directory **result);
	int (*directory_unlink)(struct backend_directory *directory, const char *name);
	int (*directory_rmdir)(struct backend_directory *directory, const char *name);
};

extern const struct backend backend_kernel; /* real files: "sync" and "threaded" */
extern const struct backend backend_memory; /* a tree in this process: "memory" */

#endif
