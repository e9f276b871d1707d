/*
 * Trying a cage before it is needed (see cage.h). Runs in the supervisor at start, before it has
 * children or a loop; everything happens in forked processes that end, so the caller loses nothing
 * but a few milliseconds. One child enters the cage; for each act it forks another, which closes
 * the cage behind itself and attempts the act.
 *
 * They share one page with the caller, in which the report is written: texts in it are constants of
 * this program, at the same address on both sides of a fork.
 */
#include "ipc/base/scope.h"
#include "policy/cage/acts.h"
#include "policy/cage/cage.h"
#include "policy/cage/report.h"
#include "policy/cage/tables.h"
#include "policy/cage/throwaway.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct probe {
	enum cage_role role;
	const struct cage_identity *identity; /* NULL: stays who it is */
	bool required;
	bool with_acts;
	const char *folder; /* stands for the home and the log folder */
	struct cage_report *report;
};

/* One attempt: the act is NULL to close the cage and do nothing. */
struct attempt {
	const struct probe *probe;
	const struct act *act;
};

static int
close_and_attempt(const void *context)
{
	const struct attempt *attempt = context;
	const struct probe *probe = attempt->probe;
	pid_t victim = getppid();
	int error = 0;
	if (probe->role == CAGE_HASHER) /* lives inside its parent's cage */
		error = cage_close(CAGE_AUTH, NULL, probe->report);
	if (error == 0)
		error = cage_close(probe->role, NULL, probe->report);
	if (error == 0 && attempt->act != NULL)
		act_attempt(attempt->act, victim);
	return 0;
}

static int
try_act(const struct probe *probe, const struct act *act)
{
	const struct attempt attempt = { .probe = probe, .act = act };
	int status = 0;
	int error = throwaway_run(close_and_attempt, &attempt, &status);
	if (error < 0)
		return report_fail(probe->report, error, "cannot try the cage", NULL);
	if (probe->report->error < 0)
		return probe->report->error;
	if (act != NULL && !act_ended_well(act, act_outcome_of(status)))
		return report_fail(probe->report, -ENOTRECOVERABLE,
			"a forbidden act was not stopped as it must be", act->text);
	if (act == NULL && status != 0)
		return report_fail(probe->report, -ENOTRECOVERABLE,
			"a process died while it closed its cage", NULL);
	return 0;
}

static int
try_acts(const struct probe *probe)
{
	int error = try_act(probe, NULL);
	for (size_t i = 0; i < act_count && error == 0 && probe->with_acts; i++)
		if (acts[i].at_start && (acts[i].roles & 1u << probe->role) != 0)
			error = try_act(probe, &acts[i]);
	return error;
}

/* Goes where the supervisor's child goes before its execve. */
static int
go_to_start(enum cage_root root, const char *folder)
{
	if (root != CAGE_ROOT_EMPTY)
		return chdir(folder) == 0 ? 0 : -errno;
	SCOPE_FD int empty_fd = -1;
	int error = cage_open_empty_folder(&empty_fd);
	if (error == 0 && fchdir(empty_fd) != 0)
		error = -errno;
	return error;
}

static int
enter_and_try(const struct probe *probe)
{
	enum cage_root root = cage_role_data(probe->role)->root;
	int error = go_to_start(root, probe->folder);
	if (error == 0 && probe->identity != NULL)
		error = cage_become(probe->identity);
	if (error < 0)
		return report_fail(probe->report, error, "cannot become the user to try it", NULL);
	struct cage_options options = {
		.home = root == CAGE_ROOT_HOME ? probe->folder : NULL,
		.required = probe->required,
	};
	enum cage_role entered = probe->role == CAGE_HASHER ? CAGE_AUTH : probe->role;
	error = cage_enter(entered, &options, probe->report);
	return error < 0 ? error : try_acts(probe);
}

static int
probe_live(const void *context)
{
	close(CAGE_CHANNEL_FD); /* the caller's: nothing said here is meant for it */
	return enter_and_try(context) == 0 ? 0 : 1;
}

static void
probe_in_child(const struct probe *probe)
{
	int status = 0;
	int error = throwaway_run(probe_live, probe, &status);
	if (error == 0 && status != 0 && probe->report->error == 0)
		error = -ENOTRECOVERABLE;
	if (error < 0)
		report_fail(probe->report, error, "cannot try the cage", NULL);
}

static int
probe_run(struct probe *probe, struct cage_report *report)
{
	char folder[] = "/tmp/sallyport-probe-XXXXXX";
	*report = (struct cage_report){ 0 };
	probe->report = mmap(
		NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (probe->report == MAP_FAILED)
		return report_fail(report, -errno, "no memory to try the cage", NULL);
	if (mkdtemp(folder) == NULL || chmod(folder, 0555) != 0) {
		report_fail(
			probe->report, -errno, "cannot make a folder to try the cage in", "/tmp");
	} else {
		probe->folder = folder;
		probe_in_child(probe);
		rmdir(folder);
	}
	*report = *probe->report;
	munmap(probe->report, sizeof(*report));
	return report->error;
}

int
cage_probe(enum cage_role role, const struct cage_identity *identity, bool required,
	struct cage_report *report)
{
	struct probe probe = {
		.role = role, .identity = identity, .required = required, .with_acts = true
	};
	return probe_run(&probe, report);
}

int
cage_survey(enum cage_role role, struct cage_report *report)
{
	static const struct cage_identity nobody = { .uid = 65534, .gid = 65534 };
	bool changes = geteuid() == 0 && cage_role_data(role)->root != CAGE_ROOT_OUTER;
	struct probe probe = { .role = role, .identity = changes ? &nobody : NULL };
	return probe_run(&probe, report);
}
