/*
 * Inside the saving of a tree in memory (memory_save.h): what its files share.
 */
#ifndef SALLYPORT_WORKER_MEMORY_SAVE_PRIVATE_H
#define SALLYPORT_WORKER_MEMORY_SAVE_PRIVATE_H

#include "worker/backend_memory.h"
#include "worker/memory_save.h"

enum {
	TAR_BLOCK_BYTES = 512,
	MEMORY_SAVE_PATH_BYTES_MAX = PATH_BYTES_MAX - 1, /* there is no slash in front */
	/* Of an entry: path, target and the path of a sparse file, and what stands around them. */
	MEMORY_SAVE_HEADER_BYTES_MAX = 16 * 1024,
};

#define MEMORY_SAVE_NONE SIZE_MAX

/* A name in the tree, as it was at the snapshot. Folders come before what is in them. */
struct memory_save_entry {
	struct memory_node *node; /* held; its attributes are those below, and its target stays */
	const struct memory_entry *source; /* NULL for the root; only while entries are collected */
	size_t parent;                     /* an entry; the root's is itself */
	size_t name_at;                    /* in save->names */
	uint32_t name_bytes;
	uint32_t path_bytes; /* as in an archive, "a/b" */
	uint32_t mode;
	int64_t mtime_ns;
	size_t same_as; /* an earlier entry that names the same file; or MEMORY_SAVE_NONE */

	/* Of a file that is the first of its names. */
	uint64_t size;
	size_t stretches_at; /* in save->stretches */
	size_t stretch_count;
	struct memory_lender lender;
};

/* What comes next in the archive. */
enum memory_save_stage {
	MEMORY_SAVE_HEADER,
	MEMORY_SAVE_MAP,  /* where the pieces of a sparse file are, in decimal digits */
	MEMORY_SAVE_DATA, /* of a file */
	MEMORY_SAVE_END,
};

struct memory_save {
	struct backend_tree *tree;
	struct memory_save_entry *entries;
	size_t count, capacity;
	char *names;
	size_t names_bytes, names_capacity;
	struct memory_stretch *stretches;
	size_t stretch_count;
	struct memory_save_totals totals;

	/* How far the archive has come. */
	enum memory_save_stage stage;
	size_t at;         /* entry */
	size_t line;       /* of its map */
	size_t stretch;    /* of its data, */
	uint64_t within;   /* and bytes of that */
	uint64_t unpadded; /* bytes of map or data that were written */
};

/* ---- memory_save_collect.c ---- */

/* Fills entries, names and stretches; holds and lends. 0 or -ENOMEM: then nothing is held. */
MUST_CHECK int memory_save_collect(struct memory_save *save);
void memory_save_give_back(struct memory_save *save);

/* ---- memory_save_sparse.c: GNU's format 1.0, which every tar of today reads ---- */

/* Has it holes, so that a map says where its bytes belong? */
bool memory_save_is_sparse(const struct memory_save *save, const struct memory_save_entry *entry);

/* What is stored of a file: its bytes without the holes. */
uint64_t
memory_save_data_bytes(const struct memory_save *save, const struct memory_save_entry *entry);

/* The length of the map of a sparse file, whole blocks. */
uint64_t
memory_save_map_bytes(const struct memory_save *save, const struct memory_save_entry *entry);

/*
 * The next line of it, at most MEMORY_SAVE_LINE_BYTES_MAX: its length, 0 at the end. *next is 0 at
 * first.
 */
enum { MEMORY_SAVE_LINE_BYTES_MAX = 48 };
size_t memory_save_map_line(const struct memory_save *save, const struct memory_save_entry *entry,
	size_t *next, char text[MEMORY_SAVE_LINE_BYTES_MAX]);

/* ---- memory_save_header.c ---- */

/* The blocks before an entry's map or data: their length. */
size_t memory_save_header(
	const struct memory_save *save, size_t index, char buffer[MEMORY_SAVE_HEADER_BYTES_MAX]);

static inline uint64_t
memory_save_whole_blocks(uint64_t bytes)
{
	return (bytes + TAR_BLOCK_BYTES - 1) / TAR_BLOCK_BYTES * TAR_BLOCK_BYTES;
}

#endif
