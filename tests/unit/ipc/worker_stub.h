/*
 * A remote instance with a stub for its worker, on one loop: the test sees each request as it
 * arrives and answers when and how it likes. For tests of remote.h and pathio.h.
 *
 *	struct worker_stub *stub = worker_stub_new(&(struct remote_options){ 0 });
 *	struct call call = { 0 };
 *	pathio_stat(stub->io, &request, call_done, &call);
 *	worker_stub_settle(stub);		// the request has arrived
 *	pathio_post_done(stub->worker, stub->requests[0].tag, ...);
 *	worker_stub_settle(stub);		// call.count == 1
 *	worker_stub_end(&stub);
 */
#ifndef SALLYPORT_TESTS_UNIT_IPC_WORKER_STUB_H
#define SALLYPORT_TESTS_UNIT_IPC_WORKER_STUB_H

#include "ipc/remote.h"
#include "tests/table.h"

/* A request that has arrived at the stub. */
struct stub_request {
	uint32_t code;
	uint32_t tag;
	uint32_t file; /* or the cancelled tag */
};

enum { STUB_REQUESTS = 256 };

struct worker_stub {
	struct event_base *base;
	struct pathio *io;
	struct channel *worker;
	int descriptors_before;
	struct stub_request requests[STUB_REQUESTS];
	size_t received;
	/* Callbacks of the instance. */
	unsigned closed, late, progressed;
	const char *malformed;
	uint64_t progress_bytes;
	bool frees_when_closed, frees_when_late, frees_when_progressed;
};

/* What a completion was given. */
struct call {
	unsigned count;
	int error;
	uint32_t code;
	uint32_t tag;
	union pathio_body body;
	struct worker_stub *frees;       /* may be NULL: the instance that it frees */
	void (*then)(struct call *call); /* may be NULL */
	struct worker_stub *stub;        /* for `then` */
	struct call *other;              /* for `then` */
};

pathio_completion call_done;

/* `options` without base, owner and callbacks. */
struct worker_stub *worker_stub_new(const struct remote_options *options);

/* Checks that no descriptor is left over. */
void worker_stub_end(struct worker_stub **stub);

/* Runs the loop until nothing is ready. */
void worker_stub_settle(struct worker_stub *stub);

/* ---- what most tests ask ---- */

uint32_t worker_stub_stat(struct worker_stub *stub, struct call *call);
uint32_t worker_stub_open(struct worker_stub *stub, struct call *call, uint32_t file);
uint32_t worker_stub_close(struct worker_stub *stub, struct call *call, uint32_t file);
uint32_t worker_stub_send_file(struct worker_stub *stub, struct call *call, uint32_t file);

/* ---- and what the stub answers, once the loop runs ---- */

void worker_stub_answer_done(struct worker_stub *stub, uint32_t tag);
void worker_stub_answer_stat(struct worker_stub *stub, uint32_t tag, uint64_t size);
void worker_stub_answer_opened(struct worker_stub *stub, uint32_t tag);
void worker_stub_answer_moved(struct worker_stub *stub, uint32_t tag, uint64_t bytes);
void worker_stub_answer_failed(struct worker_stub *stub, uint32_t tag, int error);
void worker_stub_report(struct worker_stub *stub, uint32_t tag, uint64_t bytes);

/* ---- what came of it ---- */

void
worker_stub_check(const struct worker_stub *stub, size_t request, uint32_t code, uint32_t file);
void call_check(const struct call *call, unsigned count, int error);

/* Runs the loop until `*count` is at least `wanted`; ends the program after 10 s. */
void worker_stub_wait(struct worker_stub *stub, const unsigned *count, unsigned wanted);

#endif
