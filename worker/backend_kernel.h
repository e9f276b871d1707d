/*
 * Inside the kernel backend: what its files share. Its contract is backend.h.
 */
#ifndef SALLYPORT_WORKER_BACKEND_KERNEL_H
#define SALLYPORT_WORKER_BACKEND_KERNEL_H

#include "worker/backend.h"

#include <sys/stat.h>

/* Where a file system keeps its files, and so what a read may wait for. */
enum kernel_storage {
	KERNEL_FAR,       /* another machine, or unknown */
	KERNEL_ON_DISK,   /* of this machine */
	KERNEL_IN_MEMORY, /* nothing, swapping apart */
};

struct backend_tree {
	int root_fd;                 /* O_PATH, borrowed */
	uint64_t resolve;            /* for openat2(2): how paths resolve below the root */
	enum kernel_storage storage; /* of the root */
	uint64_t device;             /* of the root */
	bool is_view;                /* of what the caches have: nothing may wait */
	bool has_view;               /* it follows this struct in memory */
};

/*
 * openat2(2) below `folder_fd`; `how` of RESOLVE_*. A descriptor or a negative errno; -EBUSY when
 * renames raced with ".." more often than is worth trying (DECISIONS 28). With RESOLVE_CACHED
 * -EAGAIN means that it would have to wait.
 */
MUST_CHECK int
kernel_open_below(int folder_fd, const char *path, uint64_t flags, uint32_t mode, uint64_t how);

/* The same for a path of the tree: "/a" is read from the tree's root. */
MUST_CHECK int kernel_open_path(
	const struct backend_tree *tree, const struct path *path, uint64_t flags, uint32_t mode);

struct backend_file {
	int fd;
	bool readable;
	enum kernel_storage storage; /* if for reading only, and on the root's own file system */
};

/*
 * A last name in its open folder. Everything that does not follow the last name works on a place,
 * so that no check and use can be parted by a race. The root's place has the name "".
 */
struct kernel_place {
	int folder_fd; /* the tree's root, or owned_fd */
	int owned_fd;
	const char *name; /* within the path it was made from */
};
#define SCOPE_PLACE __attribute__((cleanup(kernel_place_close)))
void kernel_place_close(struct kernel_place *place);
/* `place` may be uninitialised; after an error it needs no close, but may have one. */
MUST_CHECK int kernel_place_open(
	const struct backend_tree *tree, const struct path *path, struct kernel_place *place);
bool kernel_place_is_root(const struct kernel_place *place);

/* statx(2) of a name in a folder, never through a link; "" is the folder itself. */
MUST_CHECK int
kernel_attributes(int folder_fd, const char *name, int flags, struct pathio_attributes *result);
enum pathio_type kernel_type(mode_t mode);

/* By its type: whether its waits are short, and its caches answer for it. */
enum kernel_storage kernel_storage(int fd);

/* ---- the functions of the table, by file ---- */

/* backend_kernel_cached.c */
struct backend_tree *kernel_tree_cached(struct backend_tree *tree);
ssize_t
kernel_file_read_cached(struct backend_file *file, uint64_t offset, void *buffer, size_t length);
bool kernel_file_is_near(const struct backend_file *file);

/* backend_kernel_paths.c */
int kernel_stat(struct backend_tree *tree, const struct path *path, bool follow,
	struct pathio_attributes *result);
int
kernel_enter(struct backend_tree *tree, const struct path *path, struct pathio_attributes *result);
int kernel_mkdir(struct backend_tree *tree, const struct path *path, uint32_t mode);
int kernel_rmdir(struct backend_tree *tree, const struct path *path);
int kernel_unlink(struct backend_tree *tree, const struct path *path);
int
kernel_rename(struct backend_tree *tree, const struct path *source, const struct path *destination);
int kernel_symlink(struct backend_tree *tree, struct bytes target, const struct path *path);
int
kernel_readlink(struct backend_tree *tree, const struct path *path, char *target, size_t capacity);
int kernel_set_times(
	struct backend_tree *tree, const struct path *path, const struct pathio_set_times *times);
int kernel_set_mode(struct backend_tree *tree, const struct path *path, uint32_t mode);
int kernel_space(struct backend_tree *tree, const struct path *path, uint64_t *result);
int kernel_sync_folder(struct backend_tree *tree, const struct path *folder);

/* backend_kernel_files.c */
int kernel_file_open(struct backend_tree *tree, const struct path *path, unsigned flags,
	uint32_t mode, struct backend_file **result, struct pathio_attributes *attributes);
void kernel_file_close(struct backend_file **file);
int kernel_file_attributes(struct backend_file *file, struct pathio_attributes *result);
ssize_t kernel_file_read(struct backend_file *file, uint64_t offset, void *buffer, size_t length);
ssize_t
kernel_file_write(struct backend_file *file, uint64_t offset, const void *data, size_t length);
int kernel_file_truncate(struct backend_file *file, uint64_t size);
int kernel_file_sync(struct backend_file *file);
int kernel_file_change_mode(struct backend_file *file, uint32_t mode);
int kernel_file_extent(
	struct backend_file *file, uint64_t offset, uint64_t length, struct backend_extent *result);
ssize_t kernel_file_copy_range(struct backend_file *source, uint64_t source_offset,
	struct backend_file *destination, uint64_t destination_offset, uint64_t length);

/* backend_kernel_folders.c */
int kernel_directory_open(struct backend_tree *tree, const struct path *path, unsigned flags,
	struct backend_directory **result);
int kernel_directory_next(struct backend_directory *directory, struct backend_entry *result);
void kernel_directory_close(struct backend_directory **directory);
int kernel_directory_open_in(struct backend_directory *directory, const char *name, unsigned flags,
	struct backend_directory **result);
int kernel_directory_unlink(struct backend_directory *directory, const char *name);
int kernel_directory_rmdir(struct backend_directory *directory, const char *name);

#endif
