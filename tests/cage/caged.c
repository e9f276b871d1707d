/*
 * The test's side of a process in its real cage (see caged.h): starts it as the supervisor would
 * start a program of its role, and reads what it says. Runs as whoever runs the tests; as root it
 * makes children of another uid.
 */
#include "tests/cage/caged.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/cage/namespace.h"
#include "policy/cage/tables.h"
#include "tests/cage/said.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { LIVENESS_MS = 10000 };

static const struct scenario *known_scenarios;

const char *
caged_mode_name(enum caged_mode mode)
{
	static const char *const names[] = {
		[CAGED_BY_ROOT] = "started by root",
		[CAGED_BY_USER] = "started by a user",
		[CAGED_BY_LANDLOCK] = "with Landlock alone",
	};
	return names[mode];
}

static bool
landlock_has_refer(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 2;
}

const char *
caged_mode_lacks(enum caged_mode mode)
{
	switch (mode) {
	case CAGED_BY_ROOT:
		return geteuid() == 0 ? NULL : "root";
	case CAGED_BY_USER:
		return namespace_is_possible(true) ? NULL : "user namespaces";
	case CAGED_BY_LANDLOCK:
		return landlock_has_refer() ? NULL : "Landlock ABI 2";
	case CAGED_MODE_COUNT:
		break;
	}
	bug("no such mode");
}

enum caged_mode
caged_mode_here(void)
{
	return geteuid() == 0 ? CAGED_BY_ROOT : CAGED_BY_USER;
}

static void
expect(bool worked, const char *what)
{
	if (!worked)
		die("cannot set a test up: %s: %s", what, strerror(errno));
}

/* The build folder may be closed to whom the child becomes: so it executes a copy in memory. */
static int
self_copy(void)
{
	static int copy_fd = -1;
	if (copy_fd >= 0)
		return copy_fd;
	SCOPE_FD int self_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	copy_fd = memfd_create("caged", MFD_CLOEXEC);
	expect(self_fd >= 0 && copy_fd >= 0, "copy of the program");
	while (sendfile(copy_fd, self_fd, NULL, 1 << 20) > 0)
		;
	return copy_fd;
}

void
caged_refuse_call(const char *call)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	expect(filter != NULL, "filter");
	expect(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), cage_system_call_number(call), 0) ==
				0 &&
			seccomp_load(filter) == 0,
		call);
	seccomp_release(filter);
}

static void
become(enum caged_mode mode)
{
	static const gid_t groups[] = { CAGED_EXTRA_GROUP };
	struct cage_identity identity = {
		.uid = CAGED_UID, .gid = CAGED_GID, .groups = groups, .group_count = 1
	};
	if (mode != CAGED_BY_ROOT && geteuid() == 0)
		expect(setgroups(0, NULL) == 0 && setresgid(CAGED_GID, CAGED_GID, CAGED_GID) == 0 &&
				setresuid(CAGED_UID, CAGED_UID, CAGED_UID) == 0,
			"an ordinary user");
	if (geteuid() != 0)
		identity = (struct cage_identity){ .uid = geteuid(), .gid = getegid() };
	expect(cage_become(&identity) == 0, "cage_become");
	if (mode == CAGED_BY_LANDLOCK)
		caged_refuse_call("unshare");
}

/* What the supervisor's child does between fork and execve. */
NORETURN static void
child_start(const struct scenario *scenario, enum caged_mode mode, int channel_fd)
{
	const struct place *place = caged_place();
	if (cage_role_data(scenario->role)->root != CAGE_ROOT_FOLDER && !scenario->in_a_folder) {
		int empty_fd = -1;
		expect(cage_open_empty_folder(&empty_fd) == 0, "empty folder");
		expect(fchdir(empty_fd) == 0, "empty folder");
	} else {
		expect(chdir(place->log) == 0, "log folder");
	}
	if (channel_fd != CAGE_CHANNEL_FD)
		expect(dup2(channel_fd, CAGE_CHANNEL_FD) == CAGE_CHANNEL_FD, "channel");
	become(mode);
	if (scenario->ignores_children)
		signal(SIGCHLD, SIG_IGN);
	if (scenario->refused_call != NULL)
		caged_refuse_call(scenario->refused_call);
	char number[32];
	snprintf(number, sizeof(number), "%zu", (size_t)(scenario - known_scenarios));
	char word[] = "--caged", home[128];
	snprintf(home, sizeof(home), "%s", scenario->home != NULL ? scenario->home : place->home);
	fexecve(self_copy(), (char *[]){ word, word, number, home, NULL }, environ);
	die("cannot execute the test itself: %s", strerror(errno));
}

static void
outcome_set_broken(struct outcome *outcome, const char *text)
{
	outcome->kind = OUTCOME_BROKEN;
	snprintf(outcome->text, sizeof(outcome->text), "%s", text);
}

static void
violation_read(const void *message, struct outcome *outcome)
{
	struct cage_violation violation;
	memcpy(&violation, message, sizeof(violation));
	SCOPE_FREE char *call = cage_system_call_name(violation.audit_arch, violation.system_call);
	if (violation.type != CAGE_VIOLATION_TYPE || violation.tag != 0 ||
		violation.audit_arch != seccomp_arch_native()) {
		outcome_set_broken(outcome, "a violation in other words");
		return;
	}
	outcome->kind = OUTCOME_TRAPPED;
	snprintf(outcome->call, sizeof(outcome->call), "%s", call);
}

static void
said_read(const struct said *said, struct outcome *outcome)
{
	outcome->kind = said->kind;
	outcome->value = said->value;
	outcome->report = said->report;
	memcpy(outcome->text, said->text, sizeof(said->text));
}

/* One message of the child: false at the end of what it says. */
static bool
message_read(struct caged *caged, bool *is_waiting)
{
	union {
		struct said said;
		char bytes[sizeof(struct said)];
	} message;
	struct pollfd ready = { .fd = caged->channel_fd, .events = POLLIN };
	if (poll(&ready, 1, LIVENESS_MS) != 1) {
		outcome_set_broken(&caged->outcome, "silent for too long");
		kill(caged->pid, SIGKILL);
		return false;
	}
	ssize_t length = recv(caged->channel_fd, &message, sizeof(message), 0);
	if (length <= 0)
		return false;
	if ((size_t)length == sizeof(struct cage_violation))
		violation_read(message.bytes, &caged->outcome);
	else if ((size_t)length != sizeof(message.said))
		outcome_set_broken(&caged->outcome, "spoke nonsense");
	else if (message.said.is_waiting)
		*is_waiting = true;
	else
		said_read(&message.said, &caged->outcome);
	return true;
}

static void
end_read(struct caged *caged)
{
	struct outcome *outcome = &caged->outcome;
	int status = 0;
	expect(waitpid(caged->pid, &status, 0) == caged->pid, "waitpid");
	if (caged->role == CAGE_HASHER && status == 0)
		expect(waitpid(-1, &status, 0) > 0, "waitpid for an orphan");
	caged->pid = 0;
	outcome->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	bool silent = outcome->kind == OUTCOME_BROKEN && outcome->text[0] == '\0';
	if (silent && outcome->signal == SIGSYS)
		outcome->kind = OUTCOME_KILLED;
	else if (silent)
		snprintf(outcome->text, sizeof(outcome->text), "ended silently: %#x",
			(unsigned)status);
	else if (outcome->kind == OUTCOME_TRAPPED &&
		 (!WIFEXITED(status) || WEXITSTATUS(status) != CAGE_EXIT_VIOLATION))
		outcome_set_broken(outcome, "went on after a violation");
}

void
caged_start(const struct scenario *scenario, enum caged_mode mode, struct caged *caged)
{
	int ends[2];
	*caged = (struct caged){ .role = scenario->role, .outcome = { .kind = OUTCOME_BROKEN } };
	expect(prctl(PR_SET_CHILD_SUBREAPER, scenario->role == CAGE_HASHER, 0, 0, 0) == 0,
		"adoption of orphans");
	caged_place(); /* these two are made here, once, and not by the child */
	self_copy();
	expect(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, "channel");
	caged->channel_fd = ends[0];
	caged->pid = fork();
	expect(caged->pid >= 0, "fork");
	if (caged->pid == 0) {
		close(ends[0]);
		child_start(scenario, mode, ends[1]);
	}
	close(ends[1]);
	bool is_waiting = false;
	while (!is_waiting && message_read(caged, &is_waiting))
		;
	if (!is_waiting)
		end_read(caged);
}

void
caged_finish(struct caged *caged)
{
	bool is_waiting = false;
	if (caged->pid > 0) {
		shutdown(caged->channel_fd, SHUT_WR);
		while (message_read(caged, &is_waiting))
			;
		end_read(caged);
	}
	fd_close(&caged->channel_fd);
}

void
caged_run(const struct scenario *scenario, enum caged_mode mode, struct outcome *outcome)
{
	struct caged caged;
	caged_start(scenario, mode, &caged);
	caged_finish(&caged);
	*outcome = caged.outcome;
}

void
caged_main(int argc, char **argv, const struct scenario *scenarios, size_t count)
{
	known_scenarios = scenarios;
	if (argc == 4 && strcmp(argv[1], "--caged") == 0)
		caged_live(argv[2], argv[3], scenarios, count);
}
