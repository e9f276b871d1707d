/*
 * The inside of an instance: what its files (instance*.c, call.c, handle.c, nursery.c) share.
 * Nobody else includes this.
 */
#ifndef SALLYPORT_WORKER_INSTANCE_PRIVATE_H
#define SALLYPORT_WORKER_INSTANCE_PRIVATE_H

#include "worker/access.h"
#include "worker/call.h"
#include "worker/charset.h"
#include "worker/nursery.h"
#include "worker/transfer.h"
#include "worker/upload.h"

#include <sys/queue.h>

struct nursery {
	struct nursery_options options;
	struct tree tree;
	struct tree cached; /* the same, for what its caches have; no state: there is none */
	struct access access;
	struct executor *executor;
	struct transfers *transfers;
	TAILQ_HEAD(instances, instance) instances; /* that are not freed */
	uint32_t instance_count;
};

/* ---- handles ---- */

enum handle_kind { HANDLE_NOTHING, HANDLE_FILE, HANDLE_LISTING, HANDLE_UPLOAD };

/*
 * An open file, listing or upload under a number that the caller chose. While it is lent to a call,
 * only that call's effect touches the object; requests that come meanwhile wait. It is freed when
 * what it was lent to has returned and its object is closed, on a thread like everything else.
 */
struct handle {
	struct job disposal; /* first: the closing of what nobody closed */
	TAILQ_ENTRY(handle) entry;
	struct nursery *nursery;
	struct instance *instance;
	uint32_t number;
	enum handle_kind kind;
	bool is_released; /* its number is free again; goes when nothing is left to do */
	bool is_revoked;  /* rights have changed since it was opened */
	bool is_resuming;
	bool is_disposing;
	bool is_late;         /* what it is lent to is out of time */
	struct handle *after; /* the one that had its number before, and is not yet done with */
	struct call *lent_to; /* NULL: idle */
	uint32_t wanted;      /* the rights that opening it wanted */
	struct calls waiting;

	/* The object: of one kind, the others are NULL. */
	struct backend_file *file;
	struct listing *listing;
	struct upload *upload;

	enum pathio_mode mode;
	uint64_t position;
	bool must_be_new; /* an upload that may not replace what has come up meanwhile */
	bool has_received;

	size_t path_length;
	char path[];
};

/*
 * A new handle under this number, lent to the call that opens it: -EINVAL if it is in use, -EMFILE,
 * -ENOMEM. CALL_RUNS: requests on the file that had the number before are still under way, and the
 * call goes on behind them; so what is sent in one breath keeps its order.
 */
MUST_CHECK int handle_new(struct call *call, uint32_t number);

/* NULL if the number is not in use. */
struct handle *handle_find(struct instance *instance, uint32_t number);

void handle_lend(struct handle *handle, struct call *call);

/* It is out of time: what waits for it is refused, an opening behind it waits no longer. */
void handle_give_up(struct handle *handle, int error);

/* Rights have changed: may it go on? */
void handle_judge_again(struct handle *handle);

/* Its number is free again. */
void handle_release(struct handle *handle);

/* In an effect: closes the object; an upload is discarded. */
void handle_close_object(struct handle *handle);

/* Disposes of it if it is released and nothing is left to do. It may be gone afterwards. */
void handle_settle(struct handle *handle);

/* Keeps the call until the handle is idle: 0, -EBUSY, -EMFILE. */
MUST_CHECK int handle_queue(struct handle *handle, struct call *call);

/* Takes one out of the queue. */
void handle_take_waiting(struct handle *handle, struct call *call);

/* Answers what waits with this error. */
void handle_refuse_waiting(struct handle *handle, int error);

static inline struct bytes
handle_path(const struct handle *handle)
{
	return bytes_of(handle->path, handle->path_length);
}

/* ---- the instance ---- */

struct instance {
	struct pathio io; /* first: the instance is a struct pathio */
	struct nursery *nursery;
	TAILQ_ENTRY(instance) sibling;
	uint64_t joined_s;
	struct instance_options options;
	struct instance_totals own_totals;
	struct shared_rights *shared_rights;
	struct charset *charset; /* in which names come and go; NULL: as they are stored */
	uint32_t last_tag;
	uint32_t depth;        /* of calls on the stack */
	bool is_dying;         /* freed, maybe by a completion */
	bool is_gone;          /* all is answered; what is left waits for threads */
	uint32_t open_count;   /* handles whose number is in use */
	uint32_t handle_count; /* and those that are being closed */
	uint32_t long_count;
	uint32_t waiting_count;
	size_t waiting_bytes;
	struct calls calls; /* begun, and not yet at their end */
	TAILQ_HEAD(handles, handle) handles;
};

extern const struct pathio_operations instance_operations;

/* It is, or is no longer, among those that the nursery has made. */
void instance_join(struct instance *instance);
void instance_part(struct instance *instance);

/* Between these a completion may free the instance; the leave may be its end. */
void instance_enter(struct instance *instance);
void instance_leave(struct instance *instance);

/* The call begins: it is judged, then its effect is submitted. It may be gone afterwards. */
void instance_begin(struct call *call);

/* The end of a call that something else than its effect has ended. It is gone afterwards. */
void instance_end(struct call *call, int error);

/* Out of time: it is answered, and so is what waits behind it on its file. */
void instance_give_up(struct call *call, int error);

/* ---- beginnings and ends of operations.def ---- */

int instance_begin_symlink(struct call *call);
int instance_begin_charset(struct call *call);
int instance_begin_list(struct call *call);
int instance_begin_open(struct call *call);
int instance_begin_upload_open(struct call *call);
int instance_end_opening(struct call *call, int error);

int instance_begin_next(struct call *call);
int instance_begin_seek(struct call *call);
int instance_begin_read(struct call *call);
int instance_begin_write(struct call *call);
int instance_begin_sync(struct call *call);
int instance_begin_close(struct call *call);

int instance_begin_send(struct call *call);
int instance_begin_send_listing(struct call *call);
int instance_end_send_listing(struct call *call, int error);
int instance_begin_receive(struct call *call);
int instance_end_receive(struct call *call, int error);
int instance_begin_commit(struct call *call);
int instance_begin_discard(struct call *call);

int instance_begin_account(struct call *call);

int instance_begin_long(struct call *call);
int instance_end_long(struct call *call, int error);

/* ---- rights (instance_rights.c) ---- */

/* Folds and judges the request's paths: 0, or negative errno. */
MUST_CHECK int instance_judge(struct call *call);

/*
 * In an effect. What is there wants `present`, what is not wants `absent`; looks only if it makes a
 * difference. ->judged becomes the bits that were wanted.
 */
MUST_CHECK int instance_judge_target(
	struct call *call, const struct path *path, uint32_t present, uint32_t absent);

/* In an effect: each parent that mkdir would make. */
MUST_CHECK int instance_judge_parents(const struct call *call);

/* ---- transfers (instance_transfers.c) ---- */

/* Ends the one that the call has; the call may be gone afterwards. */
void instance_end_transfer(struct call *call, int error);

#endif
