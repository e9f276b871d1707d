/*
 * Resource limits (see limits.h). Lowers the hard limit with the soft one, so that nothing inside
 * raises it again.
 */
#include "policy/cage/limits.h"

#include <errno.h>
#include <sys/resource.h>

static int
limit_set(const struct cage_limit *limit)
{
	struct rlimit now;
	if (getrlimit((unsigned)limit->resource, &now) != 0)
		return -errno;
	if (limit->value == CAGE_LIMIT_HARD)
		now.rlim_cur = now.rlim_max;
	else
		now.rlim_cur = now.rlim_max = (rlim_t)limit->value;
	return setrlimit((unsigned)limit->resource, &now) == 0 ? 0 : -errno;
}

int
limits_set(enum cage_role role, enum cage_gate gate, const char **detail)
{
	for (size_t i = 0; i < cage_limit_count; i++) {
		const struct cage_limit *limit = &cage_limits[i];
		if (limit->role != role || limit->gate != gate)
			continue;
		int error = limit_set(limit);
		if (error < 0) {
			*detail = limit->name;
			return error;
		}
	}
	return 0;
}
