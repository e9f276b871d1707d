/*
 * A remote instance under a clock of the test's (see remote_clock.h).
 */
#include <stdbool.h>
#include <time.h>

static int read_test_clock(clockid_t clock, struct timespec *result);
#define clock_gettime read_test_clock
#include "ipc/remote.c"
#undef clock_gettime

#include "tests/unit/ipc/remote_clock.h"

const struct remote_options remote_clock_limits = {
	.deadline_ms = DEADLINE_MS,
	.stall_ms = STALL_MS,
	.slow_deadline_ms = SLOW_MS,
};

uint64_t remote_clock_ms = 1;

static int
read_test_clock(clockid_t clock, struct timespec *result)
{
	assert_int_equal(clock, CLOCK_MONOTONIC);
	result->tv_sec = (time_t)(remote_clock_ms / 1000);
	result->tv_nsec = (long)(remote_clock_ms % 1000 * 1000000);
	return 0;
}

static struct remote *
remote_of(struct worker_stub *stub)
{
	return (struct remote *)stub->io;
}

uint64_t
remote_clock_due(struct worker_stub *stub)
{
	return stub->io == NULL ? 0 : remote_of(stub)->timer_due_ms;
}

void
remote_clock_pass(struct worker_stub *stub, uint64_t ms)
{
	uint64_t end_ms = remote_clock_ms + ms, due_ms;
	worker_stub_settle(stub);
	while ((due_ms = remote_clock_due(stub)) != 0 && due_ms <= end_ms) {
		if (due_ms > remote_clock_ms)
			remote_clock_ms = due_ms;
		event_active(&remote_of(stub)->timer, EV_TIMEOUT, 0);
		worker_stub_settle(stub);
	}
	remote_clock_ms = end_ms;
}

void
remote_clock_set_tag(struct worker_stub *stub, uint32_t tag)
{
	remote_of(stub)->last_tag = tag;
}
