/*
 * A local path-I/O instance: one session's view of a tree, with rights and record (PATHIO 1).
 *
 * Each request is folded, judged and only then carried out, and its event is recorded before its
 * answer. Implements struct pathio (ipc/pathio.h), so that whoever uses it cannot tell it from a
 * remote one. The nursery (nursery.h) makes instances.
 */
#ifndef SALLYPORT_WORKER_INSTANCE_H
#define SALLYPORT_WORKER_INSTANCE_H

#include "ipc/pathio.h"
#include "policy/rules/rights.h"
#include "worker/tree.h"

#include <event2/event.h>

/* Who a session is: for the record, and for custom backends. */
struct instance_identity {
	uint64_t session;
	struct wire_address peer;
	struct bytes user; /* the worker's; process lifetime */
};

/* Where events go. Both may refuse nothing; see recorder.h for the one over a channel. */
struct instance_observer {
	void (*operation)(void *context, const struct instance_identity *identity, const char *name,
		struct bytes path, struct bytes destination, int error);
	void (*transfer)(void *context, const struct instance_identity *identity, const char *name,
		struct bytes path, enum pathio_form form, uint64_t bytes, uint64_t duration_us,
		int error);
	void *context;
};

struct instance_options {
	struct event_base *base;
	struct tree *tree; /* borrowed, outlives the instance */
	struct instance_identity identity;
	const struct instance_observer *observer; /* NULL: nothing is recorded */
	uint32_t deadline_ms;                     /* 0: none */
	uint32_t stall_timeout_ms;                /* of a transfer without progress; 0: none */
	bool local_times;                         /* of LIST */
	/* May be NULL. As in remote.h, at most one a second per transfer. */
	void (*progress)(void *owner, uint32_t tag, uint64_t bytes);
	void *owner;
};

/* Takes *rights (set to NULL). 0 or -ENOMEM. pathio_free() frees the instance. */
MUST_CHECK int instance_new(
	const struct instance_options *options, struct rights **rights, struct pathio **result);

/* Judges by these from the next operation on; takes *rights. */
void instance_change_rights(struct pathio *io, struct rights **rights);

#endif
