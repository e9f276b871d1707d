/*
 * A loop that is led by the pool's threads (executor.h, executor_lead.c), in-process, over a
 * backend with a gate (gate.h). What a case does is done on the loop, as in a worker, and what it
 * finds is looked at when that is over.
 */
#ifndef SALLYPORT_TESTS_CONTRACT_LEADING_H
#define SALLYPORT_TESTS_CONTRACT_LEADING_H

#include "tests/contract/gate.h"
#include "tests/unit/worker/session.h"
#include "worker/executor_pool.h"

enum { LEADING_ANSWERS_MAX = 8 };

struct leading_answer {
	struct leading *leading;
	int count;
	int error;
	pthread_t thread; /* that led when it came */
};

struct leading {
	struct session *session;
	const struct leading_row *row;
	struct leading_answer answers[LEADING_ANSWERS_MAX];
	unsigned awaited; /* so many, then it is over */
	unsigned answered;
	unsigned begun;
	unsigned told;        /* of what is answered, by the end of a round */
	uint32_t next_length; /* when all were submitted */
	bool is_out_of_time;
	struct event *timer;
	/* The executor's at the end. */
	uint64_t brief_from_us;
	uint64_t brief_jobs;
};

struct leading_row {
	const char *name;
	uint32_t threads;
	uint32_t deadline_ms;
	/* Once all threads are in their roles. */
	void (*begin)(struct leading *leading);
	/* After each answer, and after each round that has told of some; may be NULL. */
	void (*go_on)(struct leading *leading);
	void (*check)(struct leading *leading);
};

/* A case of a table: `state` is a row. */
void leading_run(void **state);

/* ---- on the loop ---- */

/* Its effect goes through the gate. Returns its tag. */
uint32_t leading_ask_stat(struct leading *leading, size_t number);

/* Its effect does not. */
void leading_ask_mkdir(struct leading *leading, size_t number);

/* Lengthy, and through the gate: it reads a whole file. */
void leading_ask_size(struct leading *leading, size_t number);

void leading_do_soon(struct leading *leading, event_callback_fn call);

/* The loop is to end. */
void leading_end(struct leading *leading);

bool leading_has_deputy(const struct leading *leading);

/* ---- anywhere ---- */

struct executor_pool *leading_pool(const struct leading *leading);

/* Opens the gate and waits for whoever stands there. */
void leading_release(struct leading *leading);

#endif
