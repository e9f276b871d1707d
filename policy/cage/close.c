/*
 * The last gate (see cage.h): the handler that reports a violation, the limits of a closed cage,
 * the filter. Runs in every program, already without privilege. Whatever fails here is fatal: a
 * process that faces others never runs without its filter.
 */
#include "policy/cage/cage.h"
#include "policy/cage/filter.h"
#include "policy/cage/limits.h"
#include "policy/cage/report.h"
#include "policy/cage/sanitizers.h"
#include "policy/cage/tables.h"

#include <endian.h>
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Runs where the forbidden call was made, in any thread, with nothing known about its state: makes
 * two system calls that every table allows, and ends. The message may be lost when the channel is
 * full; the exit status is not.
 */
static void
violation_handle(int signal_number, siginfo_t *information, void *context)
{
	(void)signal_number;
	(void)context;
	struct cage_violation violation = {
		.type = htole32(CAGE_VIOLATION_TYPE),
		.tag = 0,
		.system_call = htole32((uint32_t)information->si_syscall),
		.audit_arch = htole32(information->si_arch),
	};
	ssize_t sent =
		send(CAGE_CHANNEL_FD, &violation, sizeof(violation), MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)sent; /* nobody left to tell */
	_exit(CAGE_EXIT_VIOLATION);
}

/* Once in a process and, by fork, in those of auth's pool, whose filter forbids to do it again. */
static int
violation_catch(void)
{
	static bool caught;
	if (caught)
		return 0;
	struct sigaction action = { .sa_sigaction = violation_handle, .sa_flags = SA_SIGINFO };
	sigfillset(&action.sa_mask);
	if (sigaction(SIGSYS, &action, NULL) != 0)
		return -errno;
	caught = true;
	return 0;
}

/* Only workers have backends, and those may ask for what additions.def lists. */
static int
additions_check(
	enum cage_role role, const struct cage_additions *additions, struct cage_report *report)
{
	for (size_t i = 0; additions != NULL && i < additions->count; i++)
		if (role != CAGE_WORKER || !cage_addition_is_permitted(additions->calls[i]))
			return report_fail(report, -EACCES,
				"a backend asks for a system call that none may have",
				additions->calls[i]);
	return 0;
}

int
cage_close(enum cage_role role, const struct cage_additions *additions, struct cage_report *report)
{
	int error = additions_check(role, additions, report);
	if (error < 0)
		return error;
	if (cage_role_data(role)->others == CAGE_OTHERS_TRAP)
		error = violation_catch();
	if (error < 0)
		return report_fail(report, error, "cannot catch SIGSYS", NULL);
	error = limits_set(role, CAGE_GATE_CLOSE, &report->detail);
	if (error < 0)
		return report_fail(report, error, "cannot set the resource limit", report->detail);
	const char *call = cage_walls[CAGE_WALL_SECCOMP].name;
	error = filter_load(role, additions, &call);
	if (error < 0)
		return report_fail(report, error, "cannot close the cage", call);
	sanitizers_forgo_leaks();
	report->walls |= 1u << CAGE_WALL_SECCOMP;
	return 0;
}
