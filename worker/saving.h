/*
 * A nursery's tree on its way into a data descriptor as an archive (memory_save.h): as a transfer,
 * so that sessions have their turns meanwhile, and a peer that does not read holds up nobody.
 */
#ifndef SALLYPORT_WORKER_SAVING_H
#define SALLYPORT_WORKER_SAVING_H

#include "worker/memory_save.h"
#include "worker/nursery.h"

struct saving;

struct saving_result {
	int error; /* 0, or negative errno and the archive is not whole */
	uint64_t bytes;
	struct memory_save_totals totals;
};

struct saving_options {
	struct nursery *nursery;
	int descriptor; /* borrowed for the call */
	uint32_t stall_timeout_ms;
	struct saving **running; /* where the owner finds it; NULL as soon as it has ended */
	/* Once, maybe inside the call that begins it. */
	void (*ended)(void *owner, const struct saving_result *result);
	void *owner;
};

/*
 * 0; -ENOTSUP: the nursery's files are not in memory; -ENOMEM, -EMFILE: then nothing has begun, and
 * `ended` is not called.
 */
MUST_CHECK int saving_begin(const struct saving_options *options);

/* Ends it now, by way of `ended`, with -ECANCELED. */
void saving_cancel(struct saving *saving);

#endif
