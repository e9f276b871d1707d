/*
 * The nursery: makes path-I/O instances that share one tree and differ in what sessions differ in
 * (PATHIO 1). One in a worker.
 */
#ifndef SALLYPORT_WORKER_NURSERY_H
#define SALLYPORT_WORKER_NURSERY_H

#include "worker/instance.h"
#include "worker/listing_text.h"
#include "worker/tree.h"

#include <event2/event.h>

struct charset;
struct nursery;

struct nursery_options {
	struct event_base *base;
	const struct backend *backend;
	struct backend_options tree;
	/*
	 * Threads that carry out what may block (executor.h): "threaded". 0: all is done on the
	 * loop, which waits meanwhile: "sync", and backends that never wait.
	 */
	uint32_t threads;
	struct upload_policy uploads;
	/* In which names are written unless a session wants them as they are stored; may be NULL.
	 */
	struct charset *charset;
	bool mode_z;                /* transfers may be deflated */
	bool local_times;           /* of LIST */
	struct listing_owner owner; /* likewise; its name lives as long as the nursery */
	const struct instance_observer *observer; /* NULL: nothing is recorded */
};

/* Of the pool's queue: beyond it, requests are refused with -EBUSY. */
enum { NURSERY_QUEUE_MAX = 256, NURSERY_THREADS_MAX = 64 };

/* Opens the tree and makes the threads: inside the cage and before it closes. 0 or negative errno.
 */
MUST_CHECK int nursery_new(const struct nursery_options *options, struct nursery **result);

/* Runs the loop until event_base_loopbreak(), on the nursery's threads if any (executor.h). */
void nursery_dispatch(struct nursery *nursery, void (*after)(void *owner), void *owner);

/*
 * Waits until no thread is at work. False: after `limit_ms` one still is; then nursery_free() would
 * wait for it, and who cannot ends by _exit(2).
 */
MUST_CHECK bool nursery_rest(struct nursery *nursery, uint32_t limit_ms);

/* After the last of its instances. Sets *nursery to NULL. NULL is fine. */
void nursery_free(struct nursery **nursery);

/* Takes *rights (set to NULL, also on failure). 0 or -ENOMEM. pathio_free() frees the instance. */
MUST_CHECK int nursery_make(struct nursery *nursery, const struct instance_options *options,
	struct rights **rights, struct pathio **result);

#endif
