/*
 * Inside the loading of a tree in memory (memory_load.h): what its files share.
 */
#ifndef SALLYPORT_WORKER_MEMORY_LOAD_PRIVATE_H
#define SALLYPORT_WORKER_MEMORY_LOAD_PRIVATE_H

#include "worker/backend_memory.h"
#include "worker/memory_load.h"

struct memory_archive;

/* A folder that has come, in the order of their arrival. */
struct memory_load_folder {
	struct memory_node *node;
	bool is_told; /* the next two are known; else it was made for the sake of what is in it */
	uint32_t mode;
	int64_t mtime_ns; /* set when no more entries come, since each of them changes it */
	char *path;       /* below the folder that is read; NULL in an archive */
};

struct memory_load {
	char *path;
	int fd;
	struct backend_tree *tree;
	bool owns_tree;
	struct memory_archive *archive; /* NULL: a folder */
	char *text;
	struct memory_load_folder *folders;
	size_t folder_count, folder_capacity;
	uint64_t files, made, links, skipped; /* made: folders */
};

struct memory_load_attributes {
	uint32_t mode;
	int64_t mtime_ns;
};

/* Since 1970. What 64 bits of nanoseconds cannot hold becomes the nearest that they can. */
int64_t memory_load_time(int64_t seconds, int64_t nanoseconds);

/* Says in words why `entry` (in the folder or archive; may be empty) is refused. Returns error. */
int memory_load_refuse(struct memory_load *load, int error, struct bytes entry, const char *format,
	...) PRINTF_LIKE(4, 5);

/* The same for an errno that the tree or the kernel gave: words for it, those of the limit too. */
int memory_load_refuse_errno(struct memory_load *load, int error, struct bytes entry);

/* ---- entries (memory_load_place.c); 0 or negative errno, nothing said yet ---- */

/* A name in a folder: what has it, NULL if nothing. -ENAMETOOLONG. */
MUST_CHECK int memory_load_find(const struct memory_load *load, const struct memory_node *folder,
	struct bytes name, struct memory_entry **result);

/*
 * A folder: new, or the one that is there (-ENOTDIR if it is something else). `attributes` may be
 * NULL: not known. Takes *path (may be NULL) for the list, also on failure.
 */
MUST_CHECK int
memory_load_add_folder(struct memory_load *load, struct memory_node *parent, struct bytes name,
	const struct memory_load_attributes *attributes, char **path, struct memory_node **result);

/* A file without contents; replaces what is there, unless it is a folder (-EISDIR). */
MUST_CHECK int memory_load_add_file(struct memory_load *load, struct memory_node *parent,
	struct bytes name, struct memory_node **result);

MUST_CHECK int memory_load_add_link(struct memory_load *load, struct memory_node *parent,
	struct bytes name, struct bytes target, const struct memory_load_attributes *attributes);

/* One more name for a file. */
MUST_CHECK int memory_load_add_name(struct memory_load *load, struct memory_node *parent,
	struct bytes name, struct memory_node *node);

/* What is known of a file, once it is written. */
void memory_load_set(struct memory_node *node, const struct memory_load_attributes *attributes);

/* What is known of the root. */
MUST_CHECK int memory_load_set_root(
	struct memory_load *load, const struct memory_load_attributes *attributes, char **path);

/* All entries have come: folders get their modes and times. */
void memory_load_settle(struct memory_load *load);

/* ---- the two kinds ---- */

/* memory_load_folder.c: everything below load->fd. */
MUST_CHECK int memory_load_read_folder(struct memory_load *load);

/* memory_load_archive.c: what is needed of the library, while there are files to load it from. */
MUST_CHECK int memory_load_prepare_archive(struct memory_load *load);
MUST_CHECK int memory_load_read_archive(struct memory_load *load);
void memory_load_free_archive(struct memory_archive **archive);

#endif
