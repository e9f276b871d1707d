/*
 * Path-I/O by a pool of threads (executor.h), in-process, over a backend with a gate (gate.h), so
 * that nothing here waits for time but what tests time. Each case is a row.
 */
#ifndef SALLYPORT_TESTS_CONTRACT_THREADS_H
#define SALLYPORT_TESTS_CONTRACT_THREADS_H

#include "tests/contract/gate.h"
#include "tests/unit/worker/session.h"

struct threads_row {
	const char *name;
	uint32_t threads;
	uint32_t deadline_ms;
	/* There is a file "/f" that holds "abc"; the gate is open. */
	void (*check)(struct session *session);
	struct backend (*make)(void); /* NULL: gate_backend */
};

/* A case of a table: `state` is a row. */
void threads_run(void **state);

/* ---- requests, of "/f" ---- */

struct threads_answer {
	int count;
	int error;
	char first; /* byte that was read */
};

/* A completion; its argument is a struct threads_answer. */
void threads_on_answer(void *argument, const struct pathio_answer *answer);

/* Runs the loop until it is answered, with that error. */
void threads_await(struct session *session, const struct threads_answer *awaited, int error);

uint32_t threads_stat(struct pathio *io, struct threads_answer *answer);
uint32_t threads_open(struct session *session, uint32_t file, struct threads_answer *answer);
uint32_t threads_read(struct session *session, uint32_t file, struct threads_answer *answer);

/* All of the file. */
uint32_t
threads_send(struct session *session, uint32_t file, int descriptor, struct threads_answer *answer);

/* Opens it, and waits for that. */
void threads_open_file(struct session *session, uint32_t file);

/* Opens the gate, and hears of whatever they bring who stood there. */
void threads_release(struct session *session);

#endif
