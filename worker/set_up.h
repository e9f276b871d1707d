/*
 * How a worker comes from the open world into its cage: libraries, the user's character set and
 * what a tree in memory begins with come first, then the walls, behind them the tree and the pool's
 * threads, and last the system-call filter.
 */
#ifndef SALLYPORT_WORKER_SET_UP_H
#define SALLYPORT_WORKER_SET_UP_H

#include "ipc/attach.h"
#include "worker/backends.h"
#include "worker/memory_load.h"
#include "worker/serve.h"

struct set_up_options {
	struct event_base *base;
	struct recorder *recorder;           /* outlives what is made */
	const struct attach_configure *told; /* borrowed for the call */
	const char *directory;               /* of custom backends; NULL: none is asked for */
	const char *settings;                /* what they are told */
	uint32_t owner;                      /* who beside root may own them */
	/* Of struct serve_options. */
	void (*ended)(void *owner, uint64_t session);
	void *ended_owner;
};

/* What has been made, from the configuration to the end of the process. */
struct set_up {
	char *user;
	char *home; /* NULL where files are in memory */
	struct backend_choice chosen;
	struct charset *charset;  /* NULL: names are UTF-8 for everybody */
	struct memory_load *load; /* until record knows what was loaded; or NULL */
	struct nursery *nursery;
	struct serve *serve; /* NULL until all is done */
	char *refusal;       /* why it cannot be, where an errno would not say it; or NULL */
};

/*
 * With one thread. 0, and the process is caged; or a negative errno, and it must end. `report` is
 * that of the cage, filled in as far as the way led, and so is *result.
 */
MUST_CHECK int set_up_worker(
	const struct set_up_options *options, struct set_up *result, struct cage_report *report);

/* Why set_up_worker() failed, for the operator. The caller frees it; NULL when memory is short. */
char *set_up_problem(const struct set_up *set_up, int error, const struct cage_report *report);

/* Frees all but ->serve, which goes first: its sessions have what threads may still use. */
void set_up_free(struct set_up *set_up);

#endif
