/*
 * Transfers: bytes between a file or a listing and a data descriptor (DESIGN 5).
 *
 * A data descriptor is a non-blocking stream socket; what is behind it is not known here, and its
 * flags are never changed: they belong to the gateway. A transfer tries at once, waits for the
 * descriptor on the loop and only when it must, and gives way to others after a bounded piece of
 * work, its turn. Turns touch the file, so they are the executor's; what the page cache holds is
 * sent from the loop. A stretch of `stall_timeout_ms` without progress ends it with -ETIMEDOUT.
 * What is in flight for a peer that does not read is bounded (HOSTILE 30).
 */
#ifndef SALLYPORT_WORKER_TRANSFER_H
#define SALLYPORT_WORKER_TRANSFER_H

#include "worker/executor.h"
#include "worker/identity.h"
#include "worker/listing_text.h"
#include "worker/memory_save.h"
#include "worker/tree.h"

#include <event2/event.h>

struct transfers; /* of a process: its clock */
struct transfer;

/* The executor is borrowed. 0 or -ENOMEM. */
MUST_CHECK int
transfers_new(struct event_base *base, struct executor *executor, struct transfers **result);

/* After the last transfer has ended. Sets *transfers to NULL. NULL is fine. */
void transfers_free(struct transfers **transfers);

struct transfer_options {
	struct transfers *transfers;
	int descriptor;                           /* borrowed for the call, unless: */
	bool takes_descriptor;                    /* it is the transfer's own, also on failure */
	enum pathio_coding coding;                /* of what goes through it */
	unsigned level;                           /* of deflate, on the way out */
	uint32_t stall_timeout_ms;                /* 0: none */
	uint32_t deadline_ms;                     /* of a turn on a thread; 0: none */
	const struct instance_identity *identity; /* for whom; NULL: nobody */
	struct transfer **running; /* where the owner finds it; NULL as soon as it has ended */
	void *owner;
	/* Before each turn. May be NULL. */
	void (*before)(void *owner);
	/* At most once a second, and only after progress. May be NULL. */
	void (*progress)(void *owner, uint64_t bytes);
	/* A turn is out of time: the owner ends the transfer, if it has not done so. */
	void (*late)(void *owner);
	/*
	 * Once: 0 or negative errno, and the bytes that went through the descriptor. *running is
	 * NULL by then. With the inline executor maybe inside the call that starts it.
	 */
	void (*ended)(void *owner, int error, uint64_t bytes);
	/* Once, after `ended`: file or text are borrowed no more. May be NULL. */
	void (*gone)(void *owner);
};

/*
 * Each of these starts a transfer: 0, or -ENOMEM, -EMFILE or -EINVAL (a level that there is not)
 * and nothing has begun.
 *
 * From `offset`, at most `count` bytes of the file (UINT64_MAX: to the end). -EINVAL if `offset` is
 * beyond the end. The file is borrowed until it is gone.
 */
struct transfer_file {
	const struct backend *backend;
	struct backend_file *file;
	uint64_t offset;
	uint64_t count;
	enum pathio_form form;
};
MUST_CHECK int
transfer_send(const struct transfer_options *options, const struct transfer_file *source);

/*
 * From the descriptor to the file, from `offset` on, until the peer's end of stream. A reset is an
 * error, and so is a deflated stream that is cut short (-ECONNRESET), damaged or followed by more
 * (-EBADMSG). Where writing fails, reading stops. Of a finite `count` all must come (-ENODATA), and
 * no more (-EFBIG). The file is borrowed.
 */
MUST_CHECK int
transfer_receive(const struct transfer_options *options, const struct transfer_file *destination);

/* A listing as text; the text is borrowed until it is gone. */
MUST_CHECK int
transfer_send_listing(const struct transfer_options *options, struct listing_text *text);

/* A tree in memory as an archive; the save is borrowed until it is gone. */
MUST_CHECK int transfer_send_tree(const struct transfer_options *options, struct memory_save *save);

/* Ends it now with `error`, by way of `ended`; a turn on a thread goes on for nobody. */
void transfer_end(struct transfer *transfer, int error);

#endif
