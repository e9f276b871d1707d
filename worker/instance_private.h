/*
 * The inside of an instance: what its files (instance*.c, handle.c, nursery.c) share. Nobody else
 * includes this.
 */
#ifndef SALLYPORT_WORKER_INSTANCE_PRIVATE_H
#define SALLYPORT_WORKER_INSTANCE_PRIVATE_H

#include "worker/access.h"
#include "worker/nursery.h"
#include "worker/transfer.h"
#include "worker/upload.h"

#include <sys/queue.h>

struct nursery {
	struct nursery_options options;
	struct tree tree;
	struct access access;
	struct transfers *transfers;
};

/* ---- operations ---- */

struct call;

enum operation_scope { SCOPE_ITSELF, SCOPE_TREE };
enum operation_record { RECORD_NOTHING, RECORD_OPERATION, RECORD_TRANSFER };
enum operation_subject { SUBJECT_PATH, SUBJECT_MOVE, SUBJECT_FILE };

/* A row of operations.def. */
struct operation_rule {
	const char *name;
	uint32_t answer; /* its code */
	enum operation_subject subject;
	size_t first;  /* offset in the request of `path`, `source` or `file` */
	size_t second; /* of `destination` */
	uint32_t wanted;
	uint32_t wanted_there;
	enum operation_scope scope;
	bool releases; /* the number of the file is free again at once */
	enum operation_record record;
	/* 0 with the answer in *body, negative errno, or CALL_RUNS: it will be answered later. */
	int (*run)(struct call *call, union pathio_body *body);
};

enum { CALL_RUNS = 1 };

/* Whom to answer. */
struct completion {
	const struct operation_rule *rule;
	uint32_t tag;
	pathio_completion *done;
	void *argument;
};

/* A request that is being carried out; lives as long as instance_run_<name>(). */
struct call {
	struct instance *instance;
	struct completion completion;
	const void *request;
	int descriptor;        /* borrowed; -1: none */
	struct handle *handle; /* of an operation on a file */
	const struct path *path;
	const struct path *destination;
	struct bytes recorded_path; /* as judged; as it came if it could not be folded */
	struct bytes recorded_destination;
};

enum { INSTANCE_RULE_COUNT = PATHIO_COPY + 1 };
extern const struct operation_rule instance_rules[INSTANCE_RULE_COUNT]; /* by the request's code */

#define PATH_OPERATION(name, wanted, scope, doc) \
	MUST_CHECK int instance_run_##name(struct call *call, union pathio_body *body);
#define MOVE_OPERATION(name, wanted, there, scope, doc) \
	MUST_CHECK int instance_run_##name(struct call *call, union pathio_body *body);
#define FILE_OPERATION(name, releases, record, doc) \
	MUST_CHECK int instance_run_##name(struct call *call, union pathio_body *body);
#include "worker/operations.def"

/* ---- handles ---- */

enum handle_kind { HANDLE_FILE, HANDLE_LISTING, HANDLE_UPLOAD, HANDLE_CLOSED };

/* A request that waits for the transfer on its file, in wire form. */
struct waiting_call {
	TAILQ_ENTRY(waiting_call) entry;
	struct completion completion;
	uint32_t code;
	int descriptor;
	size_t length;
	char encoded[];
};

struct handle {
	TAILQ_ENTRY(handle) entry;
	struct instance *instance;
	uint32_t number;
	enum handle_kind kind;
	bool released;   /* its number is free again; goes when nothing is left to do */
	bool revoked;    /* rights have changed since it was opened */
	uint32_t wanted; /* the rights that opening it wanted */
	uint32_t calls;  /* being carried out right now, on the stack */
	TAILQ_HEAD(waiting_calls, waiting_call) waiting;

	/* The transfer on it. */
	bool busy;
	struct completion transferring;
	struct transfer *transfer;
	enum pathio_form form;
	uint64_t started_us;
	struct listing_text *text;

	/* By kind. */
	struct backend_file *file;
	enum pathio_mode mode;
	uint64_t position;
	struct listing *listing;
	struct upload *upload;
	bool must_be_new; /* an upload that may not replace what has come up meanwhile */
	bool received;

	size_t path_length;
	char path[];
};

/*
 * A new handle under this number: -EINVAL if it is in use, -EMFILE, -ENOMEM. It must become a kind
 * or be given back with handle_settle() after ->released was set.
 */
MUST_CHECK int handle_new(struct instance *instance, uint32_t number, const struct path *path,
	struct handle **result);

/* NULL if the number is not in use. */
struct handle *handle_find(struct instance *instance, uint32_t number);

/* Closes the file, the listing or the upload; an upload is dropped. The number is free. */
void handle_close(struct handle *handle);

/* Frees it if it is released and nothing is left to do. It may be gone afterwards. */
void handle_settle(struct handle *handle);

/* Keeps the request until the handle is idle: 0, -EBUSY, -ENOMEM, -EINVAL, -EMFILE. */
MUST_CHECK int handle_queue(struct handle *handle, const struct call *call);

/* Answers what waits with -ECANCELED. The caller counts as one of ->calls. */
void handle_cancel_waiting(struct handle *handle);

/* Takes one out of the queue; the caller frees it with waiting_call_free(). */
struct waiting_call *handle_take_waiting(struct handle *handle, struct waiting_call *waiting);
void waiting_call_free(struct waiting_call **waiting);

static inline struct bytes
handle_path(const struct handle *handle)
{
	return bytes_of(handle->path, handle->path_length);
}

/* ---- the instance ---- */

struct long_call; /* instance_long.c */

struct instance {
	struct pathio io; /* first: the instance is a struct pathio */
	struct nursery *nursery;
	struct instance_options options;
	struct instance_totals own_totals;
	struct rights *rights;
	uint32_t last_tag;
	uint32_t depth; /* of calls on the stack */
	bool dying;     /* freed by a completion */
	uint32_t handle_count;
	uint32_t long_call_count;
	uint32_t waiting_count;
	size_t waiting_bytes;
	TAILQ_HEAD(handles, handle) handles;
	TAILQ_HEAD(long_calls, long_call) long_calls;
};

extern const struct pathio_operations instance_operations;

/* Between these a completion may free the instance; the leave may be its end. */
void instance_enter(struct instance *instance);
void instance_leave(struct instance *instance);

/* Records and answers. `body` is not used with an error. */
void instance_finish(const struct call *call, int error, union pathio_body *body);

/* Answers only: 0 with `body`, or negative errno. */
void instance_answer(const struct completion *completion, int error, union pathio_body *body);

/* The transfer on it has ended: carries out what waits. The handle may be gone afterwards. */
void instance_resume(struct handle *handle);

static inline struct tree *
call_tree(const struct call *call)
{
	return &call->instance->nursery->tree;
}

static inline const struct backend *
call_backend(const struct call *call)
{
	return call->instance->nursery->tree.backend;
}

static inline struct backend_tree *
call_state(const struct call *call)
{
	return call->instance->nursery->tree.state;
}

/* ---- rights (instance_rights.c) ---- */

/* Folds and judges the request's paths: 0, or negative errno. */
MUST_CHECK int instance_judge(struct call *call);

/*
 * What is there wants `present`, what is not wants `absent`; looks only if it makes a difference.
 * *judged becomes the bits that were wanted.
 */
MUST_CHECK int instance_judge_target(const struct call *call, const struct path *path,
	uint32_t present, uint32_t absent, uint32_t *judged);

/* Each parent that mkdir would make. */
MUST_CHECK int instance_judge_parents(const struct call *call);

/* ---- long operations (instance_long.c) ---- */

/* Ends the one with this tag, if there is one. */
bool instance_cancel_long(struct instance *instance, uint32_t tag);
void instance_cancel_all_long(struct instance *instance);

#endif
