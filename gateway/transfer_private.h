/*
 * What a transfer is, between transfer.c, which decides, transfer_connection.c, which has its data
 * connection, and transfer_requests.c, which asks the worker. For these three only.
 */
#ifndef SALLYPORT_GATEWAY_TRANSFER_PRIVATE_H
#define SALLYPORT_GATEWAY_TRANSFER_PRIVATE_H

#include "gateway/data.h"
#include "gateway/transfer.h"

enum transfer_state {
	TRANSFER_PREPARING,  /* the file is opened, the data connection made, in either order */
	TRANSFER_MOVING,     /* the client has had its 150 */
	TRANSFER_COMMITTING, /* an upload's stream has ended cleanly */
	TRANSFER_DISCARDING, /* or not, or it was aborted */
	TRANSFER_OVER,       /* the client has had its answer; the worker owes some */
};

struct transfer {
	struct session *session; /* NULL once it is over */
	enum transfer_state state;
	enum transfer_kind kind;
	enum pathio_form form;
	uint64_t offset;
	uint64_t count; /* of a download */
	struct transfer_listing listing;
	char *prefix; /* what listing.prefix points to */
	char *below;  /* and listing.below */
	bool is_unique;

	struct data_wait wait;
	/* The data connection; or a pump's end for the worker until it has it; -1: not there yet */
	int fd;
	struct pump *pump; /* NULL: the data connection is in the clear, or over */
	uint32_t file;
	uint32_t owed; /* answers that refer to this struct */
	uint32_t opening_tag;
	uint32_t moving_tag; /* 0: not asked for */
	uint32_t commit_tag;
	bool is_connected;
	bool is_opened;
	bool is_moved; /* the worker has answered, perhaps before the 150 */
	bool is_folder;
	bool is_unclean; /* an upload over TLS that was taken without its close_notify */
	bool is_unset;   /* there is no data connection to wait for */
	int error;       /* of the moving */
	uint64_t size;
	uint64_t bytes; /* so far */
	uint64_t begun_ms;
	char name[NAME_BYTES_MAX + 1]; /* what STOU's file is called */
};

/* ---- transfer.c ---- */

/* Whatever could come has come: goes on as far as possible. */
void transfer_advance(struct transfer *transfer);

/* Has the bytes moved, as soon as there is something to move them through. */
void transfer_begin_move(struct transfer *transfer);

/* After its 150. It may be over then, as it is after the others below. */
void transfer_fail_move(struct transfer *transfer, int error);
void transfer_succeed(struct transfer *transfer);

/* At once, behind a reply of the caller's. */
void transfer_cut(struct transfer *transfer);

/* ---- transfer_connection.c ---- */

/* The worker may hold the connection too: it ends for both. */
void transfer_end_connection(struct transfer *transfer);

/* ---- transfer_requests.c ---- */

/* As ordered, with nothing begun; its session keeps it. NULL when memory is short. */
struct transfer *transfer_new(struct session *session, const struct transfer_order *order);

/* Once nothing is owed. */
void transfer_free(struct transfer *transfer);

/* Asks for what opens the file or folder, and for what moves its bytes; `done` is owed then. */
void transfer_ask_opening(
	struct transfer *transfer, const struct transfer_order *order, pathio_completion *done);
void transfer_ask_move(struct transfer *transfer, pathio_completion *done);

/* Ends an upload, one way or the other. `done` is owed then. */
void transfer_ask_commit(struct transfer *transfer, pathio_completion *done);
void transfer_ask_discard(struct transfer *transfer, pathio_completion *done);

/* Nothing is moved any more and nothing half done stays; what is owed says ECANCELED. */
void transfer_drop_file(struct transfer *transfer);

#endif
