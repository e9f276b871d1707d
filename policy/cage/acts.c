/*
 * The forbidden acts (see acts.h, acts.def). Runs in throw-away processes inside a closed cage, and
 * nowhere else; makes its system calls bare, so that libc does not come between.
 */
#include "policy/cage/acts.h"
#include "policy/cage/sanitizers.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

static const struct sockaddr_in act_address = { .sin_family = AF_INET };

/* clang-format off */
#define ACT(symbol, who, ends, when, words, name, ...) \
	static long act_##symbol(UNUSED pid_t victim) { return syscall(SYS_##name, __VA_ARGS__); }
#include "policy/cage/acts.def"

#define EVERY	   ((1u << CAGE_ROLE_COUNT) - 1)
#define LOADER	   (1u << CAGE_LOADER)
#define RESOLVER   (1u << CAGE_RESOLVER)
#define CAGED	   (EVERY & ~(LOADER | RESOLVER | 1u << CAGE_SUPERVISOR))
#define GATEWAY	   (1u << CAGE_GATEWAY)
#define WORKER	   (1u << CAGE_WORKER)
#define AUTH	   (1u << CAGE_AUTH)
#define START	   true
#define TEST	   false
#define ACT(symbol, who, ends, when, words, name, ...) \
	{ .call = #name, .text = (words), .roles = (who), .outcome = ACT_##ends, \
	  .at_start = (when), .attempt = act_##symbol },
const struct act acts[] = {
#include "policy/cage/acts.def"
};
/* clang-format on */
const size_t act_count = ARRAY_LENGTH(acts);

enum { EXIT_DONE = 0, EXIT_REFUSED = 1 };

void
act_attempt(const struct act *act, pid_t victim)
{
	_exit(act->attempt(victim) == -1 ? EXIT_REFUSED : EXIT_DONE);
}

enum act_outcome
act_outcome_of(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return WTERMSIG(wait_status) == SIGSYS ? ACT_KILLED : ACT_BROKEN;
	switch (WEXITSTATUS(wait_status)) {
	case EXIT_DONE:
		return ACT_DONE;
	case EXIT_REFUSED:
		return ACT_REFUSED;
	case CAGE_EXIT_VIOLATION:
		return ACT_TRAPPED;
	default:
		return ACT_BROKEN;
	}
}

bool
act_ended_well(const struct act *act, enum act_outcome outcome)
{
	if (outcome == act->outcome)
		return true;
	return CAGE_IS_FOR_SANITIZERS && act->outcome == ACT_TRAPPED && outcome == ACT_REFUSED;
}
