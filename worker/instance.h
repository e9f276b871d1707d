/*
 * A local path-I/O instance: one session's view of a tree, with rights and record (PATHIO 1).
 *
 * Each request is folded, judged and only then carried out, and its event is recorded before its
 * answer. Implements struct pathio (ipc/pathio.h), so that whoever uses it cannot tell it from a
 * remote one. Without threads most completions come from inside the call, with threads none does.
 * The nursery (nursery.h) makes instances.
 *
 * Requests on one file are carried out in the order of their submission: while it is lent to one,
 * the next ones wait, within bounds, and are refused beyond them (-EBUSY). A file whose operation
 * outlived its deadline answers -ETIMEDOUT at once until the thread is back; its number can be
 * freed and used again meanwhile.
 */
#ifndef SALLYPORT_WORKER_INSTANCE_H
#define SALLYPORT_WORKER_INSTANCE_H

#include "ipc/pathio.h"
#include "policy/rules/rights.h"
#include "worker/identity.h"

enum {
	INSTANCE_FILES_MAX = 64,   /* open at a time; then -EMFILE */
	INSTANCE_WAITING_MAX = 64, /* requests that wait for an earlier one on their file */
	INSTANCE_WAITING_BYTES = 64 * 1024, /* of those requests */
	INSTANCE_LONG_MAX = 8 /* remove_tree, copy, combine, digest at a time; then -EBUSY */
};

/* How a transfer went. */
struct transfer_report {
	enum pathio_form form;
	enum pathio_coding coding;
	uint64_t bytes; /* through the data descriptor */
	uint64_t duration_us;
};

/* Where events go. Both may refuse nothing; see recorder.h for the one over a channel. */
struct instance_observer {
	void (*operation)(void *context, const struct instance_identity *identity, const char *name,
		struct bytes path, struct bytes destination, int error);
	void (*transfer)(void *context, const struct instance_identity *identity, const char *name,
		struct bytes path, const struct transfer_report *report, int error);
	void *context;
};

/* What a session has done. */
struct instance_totals {
	uint64_t operations;
	uint64_t sent_bytes;
	uint64_t received_bytes;
	uint32_t uploads_dropped; /* neither committed nor discarded */
};

struct instance_options {
	struct instance_identity identity;
	/*
	 * Of an effect, where threads carry them out; commit, copy and sync, which flush, have the
	 * slow one. 0: none. Whoever calls across a channel has his own (remote.h).
	 */
	uint32_t deadline_ms;
	uint32_t slow_deadline_ms;
	uint32_t stall_timeout_ms;      /* of a transfer without progress; 0: none */
	struct instance_totals *totals; /* kept up to date, outlives the instance; may be NULL */
	/* May be NULL. As in remote.h, at most one a second per transfer. */
	void (*progress)(void *owner, uint32_t tag, uint64_t bytes);
	void *owner;
};

/* Judges by these from the next operation on, open files too; takes *rights (set to NULL). */
void instance_change_rights(struct pathio *io, struct rights **rights);

#endif
