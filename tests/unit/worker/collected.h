/*
 * Requests whose answers are collected instead of being waited for one by one; and a session over
 * memory with one big file for them.
 */
#ifndef SALLYPORT_TESTS_UNIT_WORKER_COLLECTED_H
#define SALLYPORT_TESTS_UNIT_WORKER_COLLECTED_H

#include "tests/unit/worker/session.h"

#define PATH(literal) bytes_of((literal), sizeof(literal) - 1)

enum { COLLECTED_BIG = 4 * 1024 * 1024 };

/* What a completion got. */
struct collected {
	int count;
	int error;
	uint64_t bytes;        /* that a transfer moved */
	int turn;              /* the how-many-th answer of all */
	struct pathio **freed; /* freed by this completion; may be NULL */
};

pathio_completion collect;

/* Runs the loop until it is there. */
void collected_await(struct session *session, const struct collected *collected);

/* With /big, of COLLECTED_BIG bytes; turns are counted anew. */
struct session *collected_session(void);

/* Of /big, and of an upload to `path`. */
uint32_t collect_open(struct session *session, uint32_t number, struct collected *collected);
uint32_t
collect_send(struct session *session, uint32_t number, int descriptor, struct collected *collected);
uint32_t collect_close(struct session *session, uint32_t number, struct collected *collected);
uint32_t collect_upload(
	struct session *session, uint32_t number, struct bytes path, struct collected *collected);

/* Waits for the answer. */
bool session_has(struct session *session, struct bytes path);

#endif
