/*
 * Sanitizers inside a cage (see sanitizers.h). Linked into test builds only. The functions of the
 * sanitizers' run time are weak here, so that such a build also links without one.
 */
#include "policy/cage/sanitizers.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>

struct sandbox_arguments { /* of sanitizer/common_interface_defs.h */
	int coverage_sandboxed;
	intptr_t coverage_fd;
	unsigned coverage_max_block_size;
};
__attribute__((weak)) void __sanitizer_sandbox_on_notify(struct sandbox_arguments *arguments);
int __lsan_is_turned_off(void);

static bool leaks_are_forgone;

void
sanitizers_prepare(void)
{
	struct sandbox_arguments none = { .coverage_fd = -1 };
	if (__sanitizer_sandbox_on_notify != 0)
		__sanitizer_sandbox_on_notify(&none);
}

void
sanitizers_forgo_leaks(void)
{
	leaks_are_forgone = true;
}

/* Under the filter of whoever started this process, too: there whoever traces for leaks is killed,
 * and waited for in vain. */
static bool
inherits_cage(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

int
__lsan_is_turned_off(void)
{
	return leaks_are_forgone || inherits_cage();
}
