/*
 * A transfer: one file or listing over a data connection, in either direction.
 *
 * The worker moves the bytes; here is who says begin, how far, enough. Opening, moving and closing
 * are asked for in one breath when the data connection is there (what counts is the number
 * of wake-ups). An upload is committed only after its stream ended cleanly (DESIGN 5).
 */
#ifndef SALLYPORT_GATEWAY_TRANSFER_H
#define SALLYPORT_GATEWAY_TRANSFER_H

#include "ipc/pathio.h"

struct data_wait;
struct session;

enum transfer_kind { TRANSFER_DOWNLOAD, TRANSFER_UPLOAD, TRANSFER_LISTING };

/* How the bytes of a listing are made, besides its folder. */
struct transfer_listing {
	enum pathio_style style;
	uint32_t show; /* of enum pathio_show */
	enum pathio_order order;
	struct bytes prefix; /* of each name, or the folder's for the heads of -R */
	struct bytes below;  /* patterns for the levels below that of the order's */
	bool is_by_type;     /* the prefix is for a folder; for a file only its first bytes: */
	size_t file_prefix_bytes;
};

/* What a command asks for. What it points to may go after the call. */
struct transfer_order {
	enum transfer_kind kind;
	struct bytes path;
	enum pathio_form form;
	uint64_t offset;     /* where to start */
	uint64_t count;      /* bytes: of a download at the most, of an upload into a range all */
	enum pathio_how how; /* of an upload */

	struct transfer_listing listing;
	struct bytes pattern;  /* of a listing's names; empty: all */
	bool is_of_files_also; /* a path that is no folder lists as itself */
	bool is_itself;        /* and one that is a folder does */
};

/* Runs it: the session's command from now on. */
void transfer_start(struct session *session, const struct transfer_order *order);

/*
 * The first ABOR during a transfer, which ends it now, or once a commit that had begun is answered:
 * its reply, and behind it that of ABOR by session_finish().
 */
void transfer_abort(struct session *session);

/* One line of what it does, for STAT. */
void transfer_reply_status(struct session *session);

/* The session ends: so does its transfer, without a reply. */
void transfer_abandon(struct session *session);

/* The worker is gone. */
void transfer_lost(struct session *session);

/* The transfer's waiting for its data connection; NULL if there is none. */
struct data_wait *transfer_data_wait(struct session *session);

/* Its end: takes fd; or there will be none; or not in time. */
void transfer_connected(struct session *session, int fd);
void transfer_unconnected(struct session *session);
void transfer_late(struct session *session);

/* The worker has moved so many bytes of the request with that tag. */
void transfer_progress(struct session *session, uint32_t tag, uint64_t bytes);

#endif
