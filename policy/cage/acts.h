/*
 * The forbidden acts of acts.def, for the probe and for tests/cage. Private to this folder and its
 * tests.
 */
#ifndef SALLYPORT_POLICY_CAGE_ACTS_H
#define SALLYPORT_POLICY_CAGE_ACTS_H

#include "policy/cage/cage.h"

/* How an act ended; ACT_DONE is an escape, the others are ways to fail. */
enum act_outcome { ACT_DONE, ACT_REFUSED, ACT_TRAPPED, ACT_KILLED, ACT_BROKEN };

struct act {
	const char *call; /* the system call that it makes */
	const char *text;
	uint32_t roles; /* bit 1 << CAGE_* for each that must not be able to */
	enum act_outcome outcome;
	bool at_start;
	long (*attempt)(pid_t victim); /* -1 and errno, unless it went through or never came back */
};

extern const struct act acts[];
extern const size_t act_count;

/*
 * In a process that has closed its cage: attempts the act, on its parent `victim` where the act
 * needs one, and ends with a status that act_outcome_of() reads.
 */
NORETURN void act_attempt(const struct act *act, pid_t victim);

/* What the status from waitpid says about an attempt; ACT_BROKEN: something else ended it. */
enum act_outcome act_outcome_of(int wait_status);

/* Is this how the act must end? A build for sanitizers answers some traps with an errno. */
bool act_ended_well(const struct act *act, enum act_outcome outcome);

#endif
