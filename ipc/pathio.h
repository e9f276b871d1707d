/*
 * Path I/O: the one asynchronous interface to files (PATHIO, DESIGN 4).
 *
 * An instance (struct pathio) belongs to one session. There are several implementations: local
 * ones over a backend (worker/) and `remote` (remote.h), the same calls over a channel; a caller
 * cannot tell which it has. Requests and answers are the rows of pathio.def: for
 * REQUEST(stat, ..., attributes_of, ...) there is
 *
 *	uint32_t pathio_stat(struct pathio *, const struct pathio_stat *,
 *		pathio_completion *, void *);
 *
 *	pathio_stat(io, &(struct pathio_stat){ .path = path, .follow = true }, on_stat, session);
 *
 * and on_stat() finds answer->body->attributes_of.attributes, or answer->error. A TRANSFER takes
 * a data descriptor besides, which is borrowed for the call.
 *
 * Rules for all implementations
 *   - The completion is called exactly once; never from inside the call by remote or threaded.
 *   - Request structs and what they point to are the caller's and may go after the call.
 *   - The answer and what it points to live until the completion returns.
 *   - Handles of files are chosen by the caller, per instance. A handle is free again once its
 *     close, commit or discard was submitted, or its opening failed (but by -ETIMEDOUT: it may
 *     still come to pass). Reusing one in use: EINVAL.
 *   - Requests on one number are carried out in the order of their submission, across a close and
 *     an opening that reuses it too; all others in any order, where threads carry them out.
 *   - Errors are errnos, negative: -ETIMEDOUT after the instance's deadline, -ECANCELED after
 *     pathio_cancel(), -ENOTSUP if the backend does not offer it, -EINVAL for a bad argument (also
 *     for a descriptor that is no connected, non-blocking stream socket),
 *     -EBADF for a handle that is not open, -EIO when the worker is gone.
 */
#ifndef SALLYPORT_IPC_PATHIO_H
#define SALLYPORT_IPC_PATHIO_H

#include "ipc/pathio_messages.h"

/* Any answer, by the name of its row. */
union pathio_body {
#define REQUEST(name, CODE, number, answer, doc)
#define TRANSFER(name, CODE, number, answer, doc)
#define ANSWER(name, CODE, number, doc) struct pathio_##name name;
#include "ipc/pathio.def"
};

struct pathio_answer {
	int error;     /* 0 or negative errno */
	uint32_t code; /* PATHIO_DONE, ...; PATHIO_FAILED with an error */
	uint32_t tag;
	const union pathio_body *body;
};

typedef void pathio_completion(void *argument, const struct pathio_answer *answer);

struct pathio;

/* What an implementation provides; its struct begins with a struct pathio. */
struct pathio_operations {
	uint32_t (*submit)(struct pathio *io, uint32_t code, const void *request, int descriptor,
		pathio_completion *done, void *argument);
	void (*cancel)(struct pathio *io, uint32_t tag);
	void (*free)(struct pathio *io);
};

struct pathio {
	const struct pathio_operations *operations;
};

/* The typed calls. They return the tag, which is never 0, for pathio_cancel(). */
#define REQUEST(name, CODE, number, answer, doc)                                              \
	static inline uint32_t pathio_##name(struct pathio *io,                               \
		const struct pathio_##name *request, pathio_completion *done, void *argument) \
	{                                                                                     \
		return io->operations->submit(io, CODE, request, -1, done, argument);         \
	}
#define TRANSFER(name, CODE, number, answer, doc)                                             \
	static inline uint32_t pathio_##name(struct pathio *io,                               \
		const struct pathio_##name *request, int descriptor, pathio_completion *done, \
		void *argument)                                                               \
	{                                                                                     \
		return io->operations->submit(io, CODE, request, descriptor, done, argument); \
	}
#define ANSWER(name, CODE, number, doc)
#include "ipc/pathio.def"

/* Ends a request early: its completion gets -ECANCELED, unless its answer is already on the way. */
static inline void
pathio_cancel(struct pathio *io, uint32_t tag)
{
	io->operations->cancel(io, tag);
}

/* ---- for implementations ---- */

/*
 * The request as it is carried out: a read or write of more than PATHIO_BLOCK_BYTES is one of so
 * many (DECISIONS 23). `request` itself, or a copy of it in *bounded with the same pointers.
 */
struct pathio_bounded {
	struct pathio_read read;
	struct pathio_write write;
};
const void *pathio_bound(uint32_t code, const void *request, struct pathio_bounded *bounded);

/*
 * Does its row permit the request? 0, or what every implementation answers: -EINVAL, or the errno
 * of a path that cannot be (-ENAMETOOLONG). A handle is not looked at.
 */
MUST_CHECK int pathio_check(uint32_t code, const void *request);

/*
 * Closes all handles, discards uploads, completes what is pending with -ECANCELED, and sets *io to
 * NULL. NULL is fine.
 */
void pathio_free(struct pathio **io);

/* ---- questions (PATHIO 2: exists, is_file, is_dir) ---- */

enum pathio_question { PATHIO_EXISTS, PATHIO_IS_FILE, PATHIO_IS_DIR };

/* error: 0, or a real one (-EIO, -EACCES on the way, -EINVAL for a NUL, ...); missing is "no". */
typedef void pathio_reply(void *argument, int error, bool yes);

void pathio_ask(struct pathio *io, enum pathio_question question, struct bytes path,
	pathio_reply *done, void *argument);

/* ---- errors (PATHIO 1) ---- */

/* What was asked, about what, and what came of it. */
struct pathio_error {
	const char *operation; /* "rename", as in pathio.def; static. NULL: nothing has failed */
	char *path;            /* as the caller gave it, and a NUL behind it; "": none */
	size_t path_length;
	int error; /* negative errno */
};

/* Replaces what it held, which was zero bytes or was set so; copies the path. */
void
pathio_error_set(struct pathio_error *error, const char *operation, struct bytes path, int number);

/* "rename /a: File exists", in one line whatever the path. The caller frees it; NULL: no memory. */
MUST_CHECK char *pathio_error_text(const struct pathio_error *error);

/* ---- blocking use, for tests and small programs: see pathio_wait.h ---- */

/* Holds one answer with its own copy of what it points to. Initialise with { .base = base }. */
struct pathio_wait {
	struct event_base *base;
	bool finished;
	int error;
	union pathio_body body;
	char *copied; /* what body points into; freed by the next wait or pathio_wait_free() */
	struct pathio_error failure; /* of the last call of pathio_wait.h that failed */
};

/*
 *	struct pathio_wait wait = { .base = base };
 *	pathio_stat(io, &request, pathio_wait_done, &wait);
 *	int error = pathio_wait_finish(&wait);		// runs the loop until done
 */
pathio_completion pathio_wait_done;
MUST_CHECK int pathio_wait_finish(struct pathio_wait *wait);
void pathio_wait_free(struct pathio_wait *wait);

#endif
