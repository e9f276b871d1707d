/*
 * Inside the executors: what a kind of executor provides. Its contract is executor.h.
 */
#ifndef SALLYPORT_WORKER_EXECUTOR_PRIVATE_H
#define SALLYPORT_WORKER_EXECUTOR_PRIVATE_H

#include "worker/executor.h"

#include <event2/event_struct.h>

/* Functions as in executor.h, executor_<name>(). */
struct executor_kind {
	void (*dispatch)(struct executor *executor, void (*after)(void *owner), void *owner);
	void (*submit)(struct executor *executor, struct job *job);
	void (*submit_next)(struct executor *executor, struct job *job);
	void (*settle)(struct executor *executor, struct job *job, int error);
	bool (*withdraw)(struct executor *executor, struct job *job);
	bool (*rest)(struct executor *executor, uint32_t limit_ms);
	void (*free)(struct executor *executor);
};

/* The struct of a kind begins with it. */
struct executor {
	const struct executor_kind *kind;
};

#endif
