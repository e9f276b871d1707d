/*
 * The second gate (see cage.h), in the one order that works: the root needs a capability, Landlock
 * needs no_new_privs, and what drops capabilities comes after what needs them. Runs in every
 * program as its first act. On failure the process must end, since a cage is never half there.
 */
#include "policy/cage/cage.h"
#include "policy/cage/capabilities.h"
#include "policy/cage/landlock.h"
#include "policy/cage/limits.h"
#include "policy/cage/report.h"
#include "policy/cage/root.h"
#include "policy/cage/sanitizers.h"
#include "policy/cage/tables.h"

#include <errno.h>
#include <sys/prctl.h>
#include <time.h>

static int
no_new_privileges(struct cage_report *report)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return report_fail(report, -errno, "cannot set no_new_privs", NULL);
	return 0;
}

static int
capabilities_drop(enum cage_role role, struct cage_report *report)
{
	cap_value_t kept[CAP_LAST_CAP + 1];
	size_t count = 0;
	for (size_t i = 0; i < cage_capability_count; i++)
		if (cage_capabilities[i].role == role)
			kept[count++] = cage_capabilities[i].capability;
	int error = capabilities_keep(kept, count);
	if (error < 0)
		return report_fail(report, error, "cannot drop capabilities", NULL);
	if (count == 0)
		report->walls |= 1u << CAGE_WALL_CAPABILITIES;
	return 0;
}

/* Hides /proc/self from others of the same uid, and with it memory, descriptors and ptrace. */
static int
become_undumpable(struct cage_report *report)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return report_fail(report, -errno, "cannot forbid dumps", NULL);
	return 0;
}

static int
limits_take(enum cage_role role, struct cage_report *report)
{
	const char *resource = NULL;
	int error = limits_set(role, CAGE_GATE_ENTER, &resource);
	if (error < 0)
		return report_fail(report, error, "cannot set the resource limit", resource);
	return 0;
}

/*
 * What libc reads late, once, and could not any more: the time zone, which even gmtime_r() loads. A
 * program that wants another one sets TZ before.
 */
static void
libc_prepare(void)
{
	tzset();
}

int
cage_enter(enum cage_role role, const struct cage_options *options, struct cage_report *report)
{
	*report = (struct cage_report){ .expected = cage_role_data(role)->walls };
	if (role == CAGE_HASHER)
		return report_fail(report, -EINVAL, "a hasher is born inside auth's cage", NULL);
	libc_prepare();
	sanitizers_prepare();
	int error = root_take(role, options, report);
	if (error == 0)
		error = no_new_privileges(report);
	if (error == 0 && (report->expected & 1u << CAGE_WALL_LANDLOCK_FILES) != 0)
		error = landlock_restrict(role, report);
	if (error == 0)
		error = capabilities_drop(role, report);
	if (error == 0)
		error = become_undumpable(report);
	if (error == 0)
		error = limits_take(role, report);
	if (error == 0 && options->required)
		error = report_check_required(report);
	return error;
}
