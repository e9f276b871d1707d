/*
 * A gate before functions of the kernel backend: a thread stands there until the test lets it go.
 * There is one in a process.
 */
#ifndef SALLYPORT_TESTS_CONTRACT_GATE_H
#define SALLYPORT_TESTS_CONTRACT_GATE_H

#include "worker/backend.h"

#include <pthread.h>

enum { GATE_LIMIT_S = 10 }; /* for liveness */

/* Closed, or open and all go; counts anew who has passed. */
void gate_set(bool is_closed);

/* Until so many threads stand before it; fails beyond the limit. */
void gate_await(unsigned count);

unsigned gate_passed(void);

/* Who came to it last. */
pthread_t gate_last(void);

/*
 * The kernel's, without a view of the caches, with the gate before stat, open, read and extent:
 * nothing is done without a thread.
 */
struct backend gate_backend(void);

int gate_mkdir(struct backend_tree *tree, const struct path *path, uint32_t mode);

#endif
