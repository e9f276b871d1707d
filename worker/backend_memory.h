/*
 * Inside the memory backend: what its files share. Its contract is backend.h.
 *
 * A tree consists of nodes; a folder's node has entries, each a name for one node. A node lives
 * while it has a name or an open handle. Contents are pages of one memfd (the arena), so that
 * sendfile(2) works on them.
 */
#ifndef SALLYPORT_WORKER_BACKEND_MEMORY_H
#define SALLYPORT_WORKER_BACKEND_MEMORY_H

#include "worker/memory_arena.h"
#include "worker/memory_contents.h"

struct memory_entry {
	struct memory_entry *in_bucket;      /* the next one there */
	struct memory_entry *before, *after; /* in the order of their arrival */
	uint64_t arrival;
	struct memory_node *node;
	uint32_t hash;
	uint32_t name_bytes;
	char name[]; /* NUL-terminated */
};

struct memory_folder {
	struct memory_node *parent; /* the root's is itself */
	struct memory_entry *first, *last;
	struct memory_entry **buckets; /* NULL while empty */
	uint32_t bucket_count;         /* a power of two */
	uint32_t entry_count;
	uint64_t arrivals;                 /* so far */
	struct backend_directory *readers; /* whoever lists it now */
};

struct memory_node {
	struct memory_node *before, *after; /* all nodes of the tree */
	enum pathio_type type;
	uint32_t mode;
	uint64_t inode;
	uint64_t links;
	uint32_t handles; /* open files and directories */
	bool held;        /* BACKEND_HELD */
	int64_t mtime_ns, ctime_ns, btime_ns;
	union {
		struct memory_contents contents; /* of a file */
		struct memory_folder folder;     /* of a directory */
		char *target;                    /* of a symbolic link */
	};
};

struct backend_tree {
	struct memory_arena arena;
	struct memory_node *root;
	struct memory_node *nodes; /* the head of all */
	uint64_t next_inode;
	uint64_t hash_seed;
	struct backend_options options;
};

int64_t memory_now_ns(void);

/* The kernel's rule for the owner, who is the only one here. `bits` of 4 (read), 2, 1. */
bool memory_permits(const struct memory_node *node, uint32_t bits);

void memory_describe(const struct backend_tree *tree, const struct memory_node *node,
	struct pathio_attributes *result);

/* ---- nodes (memory_node.c) ---- */

/* A node without a name yet; `mode` before the umask (not applied to links). -ENOSPC, -ENOMEM. */
MUST_CHECK int memory_node_new(struct backend_tree *tree, enum pathio_type type, uint32_t mode,
	struct memory_node **result);
/* What a link may lead to: 0, -ENOENT (to nothing), -ENAMETOOLONG, or -EINVAL for a NUL. */
MUST_CHECK int memory_node_check_target(struct bytes target);
/* A symbolic link, its target checked. -ENOSPC, -ENOMEM. */
MUST_CHECK int
memory_node_new_link(struct backend_tree *tree, struct bytes target, struct memory_node **result);
/* Frees the node if neither a name nor a handle is left. */
void memory_node_release(struct backend_tree *tree, struct memory_node *node);
/* At the end of the tree: whatever its state. */
void memory_node_free(struct backend_tree *tree, struct memory_node *node);

/* ---- entries (memory_folder.c) ---- */

struct memory_entry *memory_folder_find(
	const struct backend_tree *tree, const struct memory_node *folder, struct bytes name);
/*
 * Gives `node` a name in `folder`, which must not have it; adjusts links, parent and times.
 * -ENOSPC, -ENOMEM: nothing changed.
 */
MUST_CHECK int memory_folder_add(struct backend_tree *tree, struct memory_node *folder,
	struct bytes name, struct memory_node *node);
/* Takes the name away; the node may be freed with it. */
void memory_folder_remove(
	struct backend_tree *tree, struct memory_node *folder, struct memory_entry *entry);
/*
 * Moves an entry: another folder, or another name, which the destination must not have. -ENOSPC,
 * -ENOMEM: nothing changed; -ENOSPC never for a name that is no longer, in the same folder.
 */
MUST_CHECK int memory_folder_move(struct backend_tree *tree, struct memory_node *source,
	struct memory_entry *entry, struct memory_node *destination, struct bytes name);
/* Gives what `entry` names to the name `replaced`. Needs no room, so that it succeeds when full. */
void memory_folder_replace(struct backend_tree *tree, struct memory_node *source,
	struct memory_entry *entry, struct memory_node *destination, struct memory_entry *replaced);
/* Frees entries and buckets; no node is touched. */
void memory_folder_clear(struct backend_tree *tree, struct memory_node *folder);

/* ---- paths (memory_walk.c) ---- */

struct memory_place {
	struct memory_node *folder; /* NULL for the root */
	struct memory_entry *entry; /* NULL if there is no such name */
	struct memory_node *node;   /* likewise */
	size_t name_bytes;
	char name[NAME_BYTES_MAX + 1];
};

/* What to do with a link at the end of a path. */
enum memory_last {
	MEMORY_KEEP,
	MEMORY_FOLLOW,
	MEMORY_CREATE, /* follow; and an end in a slash is -EISDIR, as open(2) has it */
};

/*
 * Finds what the path names, as the kernel would. A last name that is not there is no error.
 * -ENOENT, -ENOTDIR, -EACCES, -ELOOP, -ENAMETOOLONG.
 */
MUST_CHECK int memory_walk(struct backend_tree *tree, const struct path *path,
	enum memory_last last, struct memory_place *result);
/* The same, but a missing last name is -ENOENT. */
MUST_CHECK int memory_find(struct backend_tree *tree, const struct path *path,
	enum memory_last last, struct memory_place *result);

/* ---- the functions of the table, by file ---- */

/* backend_memory_paths.c */
int memory_stat(struct backend_tree *tree, const struct path *path, bool follow,
	struct pathio_attributes *result);
int
memory_enter(struct backend_tree *tree, const struct path *path, struct pathio_attributes *result);
int memory_mkdir(struct backend_tree *tree, const struct path *path, uint32_t mode);
int memory_rmdir(struct backend_tree *tree, const struct path *path);
int memory_unlink(struct backend_tree *tree, const struct path *path);
int
memory_rename(struct backend_tree *tree, const struct path *source, const struct path *destination);
int memory_symlink(struct backend_tree *tree, struct bytes target, const struct path *path);
int
memory_readlink(struct backend_tree *tree, const struct path *path, char *target, size_t capacity);
int memory_set_times(
	struct backend_tree *tree, const struct path *path, const struct pathio_set_times *times);
int memory_set_mode(struct backend_tree *tree, const struct path *path, uint32_t mode);
int memory_space(struct backend_tree *tree, const struct path *path, uint64_t *result);
int memory_sync_folder(struct backend_tree *tree, const struct path *folder);
/* The last steps of rmdir and unlink, once the place is known. */
int memory_remove_folder(
	struct backend_tree *tree, struct memory_node *folder, struct memory_entry *entry);
int memory_remove_name(
	struct backend_tree *tree, struct memory_node *folder, struct memory_entry *entry);

/* backend_memory_files.c */
int memory_file_open(struct backend_tree *tree, const struct path *path, unsigned flags,
	uint32_t mode, struct backend_file **result, struct pathio_attributes *attributes);
void memory_file_close(struct backend_file **file);
int memory_file_attributes(struct backend_file *file, struct pathio_attributes *result);
ssize_t memory_file_read(struct backend_file *file, uint64_t offset, void *buffer, size_t length);
ssize_t
memory_file_write(struct backend_file *file, uint64_t offset, const void *data, size_t length);
int memory_file_truncate(struct backend_file *file, uint64_t size);
int memory_file_sync(struct backend_file *file);
int memory_file_change_mode(struct backend_file *file, uint32_t mode);
int memory_file_extent(
	struct backend_file *file, uint64_t offset, uint64_t length, struct backend_extent *result);
ssize_t memory_file_copy_range(struct backend_file *source, uint64_t source_offset,
	struct backend_file *destination, uint64_t destination_offset, uint64_t length);

/* backend_memory_folders.c */
int memory_directory_open(struct backend_tree *tree, const struct path *path, unsigned flags,
	struct backend_directory **result);
int memory_directory_next(struct backend_directory *directory, struct backend_entry *result);
void memory_directory_close(struct backend_directory **directory);
int memory_directory_open_in(struct backend_directory *directory, const char *name, unsigned flags,
	struct backend_directory **result);
int memory_directory_unlink(struct backend_directory *directory, const char *name);
int memory_directory_rmdir(struct backend_directory *directory, const char *name);
/* An entry is about to go: whoever would read it next reads on after it. */
void memory_directory_step_over(struct memory_node *folder, const struct memory_entry *entry);

#endif
