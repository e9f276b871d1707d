/*
 * A call: one request of an instance, from its submission until nothing of it is under way any more
 * (instance.c tells the story). Inside the instance; its operations are operations.def.
 *
 * Its effect may run on a thread of the pool and touches the call and what the call was lent: its
 * own copy of the request, its folded paths, the rights as they were when it began, the tree, and
 * the object of its handle. Everything else is the loop's. A call may be answered before its effect
 * has returned (a deadline, a cancel, the end of the session): then it goes on for nobody, and what
 * it brings is disposed of.
 */
#ifndef SALLYPORT_WORKER_CALL_H
#define SALLYPORT_WORKER_CALL_H

#include "worker/executor.h"
#include "worker/nursery.h"
#include "worker/operations.h"

#include <sys/queue.h>

struct call;
struct handle;
struct instance;

enum operation_scope { SCOPE_ITSELF, SCOPE_TREE, SCOPE_ANY };
enum operation_record { RECORD_NOTHING, RECORD_OPERATION, RECORD_TRANSFER };
enum operation_subject { SUBJECT_SESSION, SUBJECT_PATH, SUBJECT_MOVE, SUBJECT_FILE };

enum operation_trait {
	RELEASES = 1 << 0,   /* the number of the file is free again at once */
	QUICK = 1 << 1,      /* tried first with what the caches have */
	SLOW = 1 << 2,       /* has the instance's slow deadline, not the usual one */
	UNRECORDED = 1 << 3, /* says nothing about a file */
	PARTS = 1 << 4,      /* what its list names is judged and recorded, too */
	LENGTHY = 1 << 5,    /* not brief (executor.h) */
};

/* What a part of an operation came to beside 0 and negative errno: it goes on, see below. */
enum { CALL_RUNS = 1 };

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
	unsigned traits;
	enum operation_record record;
	size_t room_bytes; /* for what the answer points to */

	/* On the loop, once it is judged; may be NULL. CALL_RUNS: something else ends the call. */
	int (*begin)(struct call *call);
	/*
	 * The effect: 0 with the answer in *body, negative errno, or CALL_RUNS: there is more to
	 * do. With ->is_quick, -EAGAIN where it would have to wait, and nothing has happened.
	 */
	int (*run)(struct call *call, union pathio_body *body);
	/*
	 * On the loop, with what became of the effect; may be NULL. Gives back what it was lent and
	 * says what the answer is. CALL_RUNS: something else ends the call.
	 */
	int (*end)(struct call *call, int error);
};

enum { INSTANCE_RULE_COUNT = PATHIO_ACCOUNT + 1 };
extern const struct operation_rule instance_rules[INSTANCE_RULE_COUNT]; /* by the request's code */

/* Rights that calls under way share with their instance. Counted by the loop. */
struct shared_rights {
	uint32_t holders;
	struct rights *rights;
};

struct call {
	struct job job;          /* first: the job of a call is the call */
	TAILQ_ENTRY(call) entry; /* of its instance, or of the handle that it waits for */
	struct nursery *nursery;
	struct instance *instance;
	const struct operation_rule *rule;
	uint32_t tag;
	pathio_completion *done;
	void *argument;
	bool is_answered;
	bool is_quick; /* being tried on the loop */

	const void *request;
	size_t request_bytes; /* with all that it points to */
	int descriptor;       /* of a transfer: borrowed while it is submitted; -1: none */
	bool owns_descriptor;
	struct handle *handle; /* lent to it */
	struct path *path;
	struct path *destination;
	struct bytes recorded_path; /* as judged; as it came if it could not be folded */
	struct charset *charset;    /* of the names that it came with, and of the answer's */
	struct bytes recorded_destination;
	struct wire_list parts; /* with PARTS: each as `recorded_path` is; encoded in ->room */
	struct shared_rights *shared_rights;
	const struct rights *rights; /* of shared_rights */
	struct tree *tree;

	int result; /* of the effect */
	uint32_t judged;
	union pathio_body body;
	char *room;
	struct operation *operation; /* a long one, under way */
	bool is_long;                /* counted as one of its instance */
	bool is_dropped;             /* the operation is to be freed, not to go on */
	struct transfer *transfer;
	struct listing_text *text; /* of a send_listing */
	enum pathio_form form;
	enum pathio_coding coding;
	uint64_t started_us;
};

TAILQ_HEAD(calls, call);

static inline struct call *
call_of(struct job *job)
{
	return (struct call *)(void *)job;
}

/* With a copy of the request and all that it points to. NULL: no memory. */
MUST_CHECK struct call *
call_new(struct instance *instance, uint32_t code, const void *request, int descriptor);

/* Memory for what the answer points to: 0 or -ENOMEM. */
MUST_CHECK int call_make_room(struct call *call);

/* The descriptor becomes the call's own: 0 or -EMFILE. */
MUST_CHECK int call_keep_descriptor(struct call *call);

/* The rights of now, for what comes next. */
void call_take_rights(struct call *call);

/* Records and answers, unless that has been done: 0 with ->body, or negative errno. */
void call_answer(struct call *call, int error);

/* Answers only: what waited and never began is in no record. */
void call_answer_unrecorded(struct call *call, int error);

/* Sets *call to NULL. */
void call_free(struct call **call);

static inline const struct backend *
call_backend(const struct call *call)
{
	return call->tree->backend;
}

static inline struct backend_tree *
call_state(const struct call *call)
{
	return call->tree->state;
}

void shared_rights_drop(struct shared_rights **shared);

#define PATH_OPERATION(name, wanted, scope, traits, room, begin, end, doc) \
	MUST_CHECK int instance_run_##name(struct call *call, union pathio_body *body);
#define MOVE_OPERATION(name, wanted, there, scope, traits, room, begin, end, doc) \
	MUST_CHECK int instance_run_##name(struct call *call, union pathio_body *body);
#define SESSION_OPERATION(name, traits, room, begin, end, doc) \
	MUST_CHECK int instance_run_##name(struct call *call, union pathio_body *body);
#define FILE_OPERATION(name, record, traits, room, begin, end, doc) \
	MUST_CHECK int instance_run_##name(struct call *call, union pathio_body *body);
#include "worker/operations.def"

#endif
