/*
 * Names of roles (see role.h).
 */
#include "ipc/base/role.h"

#include "ipc/base/ends.h"

static const char *const names[ROLE_COUNT] = {
	[ROLE_SUPERVISOR] = "supervisor",
	[ROLE_GATEWAY] = "gateway",
	[ROLE_WORKER] = "worker",
	[ROLE_AUTH] = "auth",
	[ROLE_RECORD] = "record",
	[ROLE_LOADER] = "loader",
	[ROLE_HASHER] = "hasher",
	[ROLE_KEYS] = "keys",
	[ROLE_RESOLVER] = "resolver",
	[ROLE_ADMIN] = "admin",
};

const char *
role_name(enum role role)
{
	ensure((unsigned)role < ROLE_COUNT);
	return names[role];
}
