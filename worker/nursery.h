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

struct nursery;

struct nursery_options {
	struct event_base *base;
	const struct backend *backend;
	struct backend_options tree;
	struct upload_policy uploads;
	bool local_times;           /* of LIST */
	struct listing_owner owner; /* likewise; its name lives as long as the nursery */
	const struct instance_observer *observer; /* NULL: nothing is recorded */
};

/* Opens the tree; before the cage closes. 0 or negative errno. */
MUST_CHECK int nursery_new(const struct nursery_options *options, struct nursery **result);

/* After the last of its instances. Sets *nursery to NULL. NULL is fine. */
void nursery_free(struct nursery **nursery);

/* Takes *rights (set to NULL, also on failure). 0 or -ENOMEM. pathio_free() frees the instance. */
MUST_CHECK int nursery_make(struct nursery *nursery, const struct instance_options *options,
	struct rights **rights, struct pathio **result);

#endif
