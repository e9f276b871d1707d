/*
 * Landlock (see landlock.h), by bare system calls: libc has no wrapper. Runs in cage_enter(), after
 * the root was taken and before any thread is made, since it binds a thread and what that thread
 * makes.
 *
 * Everything that the kernel's ABI can handle is handled, so what has no row in landlock.def is
 * denied. It is a second wall: the first is the root, and the system-call filter is the third.
 */
#include "policy/cage/landlock.h"
#include "ipc/base/scope.h"
#include "policy/cage/landlock_abi.h"
#include "policy/cage/report.h"
#include "policy/cage/tables.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

int
landlock_abi(void)
{
	long abi = syscall(LANDLOCK_CALL_CREATE_RULESET, NULL, 0, LANDLOCK_ASK_VERSION);
	return abi > 0 ? (int)abi : 0;
}

static struct landlock_ruleset
everything_handled(int abi)
{
	struct landlock_ruleset ruleset = { .handled_files = LANDLOCK_REFER - 1 };
	if (abi >= LANDLOCK_ABI_REFER)
		ruleset.handled_files |= LANDLOCK_REFER;
	if (abi >= LANDLOCK_ABI_TRUNCATE)
		ruleset.handled_files |= LANDLOCK_TRUNCATE;
	if (abi >= LANDLOCK_ABI_IOCTL_DEVICE)
		ruleset.handled_files |= LANDLOCK_IOCTL_DEVICE;
	if (abi >= LANDLOCK_ABI_TCP)
		ruleset.handled_net = LANDLOCK_BIND_TCP | LANDLOCK_CONNECT_TCP;
	if (abi >= LANDLOCK_ABI_SCOPE)
		ruleset.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX | LANDLOCK_SCOPE_SIGNAL;
	return ruleset;
}

static uint64_t
rights_of(enum cage_role role)
{
	uint64_t rights = 0;
	for (size_t i = 0; i < cage_landlock_right_count; i++)
		if (cage_landlock_rights[i].role == role)
			rights |= cage_landlock_rights[i].right;
	return rights;
}

static int
rights_add(int ruleset_fd, enum cage_role role, uint64_t rights)
{
	if (rights == 0)
		return 0;
	bool outer = cage_role_data(role)->root == CAGE_ROOT_OUTER;
	SCOPE_FD int root_fd = open(outer ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return -errno;
	struct landlock_path_rule rule = { .allowed = rights, .parent_fd = root_fd };
	long result = syscall(LANDLOCK_CALL_ADD_RULE, ruleset_fd, LANDLOCK_PATH_BENEATH, &rule, 0);
	return result == 0 ? 0 : -errno;
}

static uint32_t
walls_of(const struct landlock_ruleset *ruleset)
{
	uint32_t walls = 1u << CAGE_WALL_LANDLOCK_FILES;
	if (ruleset->handled_net != 0)
		walls |= 1u << CAGE_WALL_LANDLOCK_TCP;
	if (ruleset->scoped != 0)
		walls |= 1u << CAGE_WALL_LANDLOCK_SCOPE;
	return walls;
}

static int
restrict_self(enum cage_role role, const struct landlock_ruleset *ruleset, uint64_t rights)
{
	SCOPE_FD int ruleset_fd =
		(int)syscall(LANDLOCK_CALL_CREATE_RULESET, ruleset, sizeof(*ruleset), 0);
	if (ruleset_fd < 0)
		return -errno;
	int error = rights_add(ruleset_fd, role, rights & ruleset->handled_files);
	if (error < 0)
		return error;
	return syscall(LANDLOCK_CALL_RESTRICT_SELF, ruleset_fd, 0) == 0 ? 0 : -errno;
}

int
landlock_restrict(enum cage_role role, struct cage_report *report)
{
	report->landlock_abi = landlock_abi();
	uint64_t rights = rights_of(role);
	/* The first ABI forbids every rename into another folder: worse than no second wall. */
	if (report->landlock_abi == 0 ||
		(report->landlock_abi < LANDLOCK_ABI_REFER && (rights & LANDLOCK_REFER) != 0))
		return 0;
	struct landlock_ruleset ruleset = everything_handled(report->landlock_abi);
	int error = restrict_self(role, &ruleset, rights);
	if (error < 0)
		return report_fail(report, error, "cannot restrict itself by Landlock", NULL);
	report->walls |= walls_of(&ruleset);
	return 0;
}
