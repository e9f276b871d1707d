/*
 * A remote instance under a clock that the test sets and a timer that it fires, with a stub for the
 * worker. For tests of time limits: remote.c is compiled into remote_clock.c.
 */
#ifndef SALLYPORT_TESTS_UNIT_IPC_REMOTE_CLOCK_H
#define SALLYPORT_TESTS_UNIT_IPC_REMOTE_CLOCK_H

#include "tests/unit/ipc/worker_stub.h"

enum { DEADLINE_MS = 1000, STALL_MS = 5000, SLOW_MS = 60000 };
extern const struct remote_options remote_clock_limits; /* these */

/* What the clock shows. */
extern uint64_t remote_clock_ms;

/* Lets that time pass; the timer fires if it is due by then, and as often as it is. */
void remote_clock_pass(struct worker_stub *stub, uint64_t ms);

/* When the timer is due; 0: never. */
uint64_t remote_clock_due(struct worker_stub *stub);

/* The tag of the request before the next one. */
void remote_clock_set_tag(struct worker_stub *stub, uint32_t tag);

#endif
