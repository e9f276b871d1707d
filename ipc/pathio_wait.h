/*
 * Path I/O for whoever waits: tests and small programs. For REQUEST(stat, ...) of pathio.def there
 * is
 *
 *	int pathio_wait_stat(struct pathio_wait *, struct pathio *, const struct pathio_stat *);
 *
 * which submits, runs the loop until the answer is there, and returns 0 with the answer in
 * wait->body, or a negative errno with what failed in wait->failure. A TRANSFER takes a data
 * descriptor besides. Several requests at a time need a struct pathio_wait each (pathio.h).
 */
#ifndef SALLYPORT_IPC_PATHIO_WAIT_H
#define SALLYPORT_IPC_PATHIO_WAIT_H

#include "ipc/pathio.h"

#define SCOPE_WAIT __attribute__((cleanup(pathio_wait_free)))

/* For the functions below: submits one request of this code and waits. */
MUST_CHECK int pathio_wait_for(struct pathio_wait *wait, struct pathio *io, uint32_t code,
	const void *request, int descriptor);

#define REQUEST(name, CODE, number, answer, doc)                                                  \
	static inline int pathio_wait_##name(                                                     \
		struct pathio_wait *wait, struct pathio *io, const struct pathio_##name *request) \
	{                                                                                         \
		return pathio_wait_for(wait, io, CODE, request, -1);                              \
	}
#define TRANSFER(name, CODE, number, answer, doc)                                         \
	static inline int pathio_wait_##name(struct pathio_wait *wait, struct pathio *io, \
		const struct pathio_##name *request, int descriptor)                      \
	{                                                                                 \
		return pathio_wait_for(wait, io, CODE, request, descriptor);              \
	}
#define ANSWER(name, CODE, number, doc)
#include "ipc/pathio.def"

/* exists, is_file, is_dir: 1, 0, or a negative errno (see pathio_ask()). */
MUST_CHECK int pathio_wait_ask(struct pathio_wait *wait, struct pathio *io,
	enum pathio_question question, const char *path);

/* ---- an open-file scope (PATHIO 1) ---- */

/*
 * A file that is closed on every way out of the block that declares it:
 *
 *	SCOPE_FILE struct pathio_file file = pathio_file_of(&wait, io, 1);
 *	int error = pathio_file_open(&file, "/notes", PATHIO_MODE_RB);
 *
 * `number` is the handle, which no other open file of this instance has. Errors are left in
 * wait->failure, with the path.
 */
struct pathio_file {
	struct pathio_wait *wait;
	struct pathio *io;
	uint32_t number;
	bool is_open;
	char *path; /* of the last opening */
};

#define SCOPE_FILE __attribute__((cleanup(pathio_file_end)))

static inline struct pathio_file
pathio_file_of(struct pathio_wait *wait, struct pathio *io, uint32_t number)
{
	return (struct pathio_file){ .wait = wait, .io = io, .number = number };
}

/* -EINVAL if the scope is open already; after a close it can be opened again. */
MUST_CHECK int pathio_file_open(struct pathio_file *file, const char *path, enum pathio_mode mode);

/* -EBADF if it is not open. After an error of the close itself it is not open either. */
MUST_CHECK int pathio_file_close(struct pathio_file *file);

/* What the scope does at its end. */
void pathio_file_end(struct pathio_file *file);

/* Exactly `length` bytes, or what there is up to the end: the count, 0 at the end. */
MUST_CHECK ssize_t pathio_file_read(struct pathio_file *file, void *buffer, size_t length);

/* To the end, at most so many bytes (-EFBIG). The caller frees *content, which ends in a NUL. */
MUST_CHECK int
pathio_file_read_all(struct pathio_file *file, size_t limit_bytes, char **content, size_t *length);

/* All of it. */
MUST_CHECK int pathio_file_write(struct pathio_file *file, struct bytes content);

/* The new position; or a negative errno. */
MUST_CHECK int64_t pathio_file_seek(
	struct pathio_file *file, int64_t offset, enum pathio_whence whence);

/* ---- a listing, in the same way ---- */

/*
 *	SCOPE_FOLDER struct pathio_folder folder = pathio_folder_of(&wait, io, 2);
 *	int more = pathio_folder_open(&folder, "/");
 *	while (more >= 0 && (more = pathio_folder_next(&folder, &entry)) > 0)
 *		...
 */
struct pathio_folder {
	struct pathio_file handle;
	struct pathio_wait batch; /* which the entries point into */
	struct wire_list entries; /* those that are left of it */
	bool is_last;
};

#define SCOPE_FOLDER __attribute__((cleanup(pathio_folder_end)))

static inline struct pathio_folder
pathio_folder_of(struct pathio_wait *wait, struct pathio *io, uint32_t number)
{
	return (struct pathio_folder){ .handle = { .wait = wait, .io = io, .number = number } };
}

/* -EINVAL if it is open already. */
MUST_CHECK int pathio_folder_open(struct pathio_folder *folder, const char *path);

/* 1 and an entry, whose name lives until the next call; 0 at the end; or a negative errno. */
MUST_CHECK int pathio_folder_next(struct pathio_folder *folder, struct pathio_entry *entry);

/* What the scope does at its end. */
void pathio_folder_end(struct pathio_folder *folder);

#endif
