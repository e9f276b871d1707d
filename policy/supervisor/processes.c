/*
 * Children (see processes.h). Runs in the supervisor as root. Distrusts every child: one that
 * cannot be started, does not become ready, falls silent or breaks a rule is ended, and its owner
 * decides what follows; nothing of it ends the supervisor.
 */
#include "policy/supervisor/processes.h"

#include "ipc/attach.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/event.h"
#include "ipc/gate.h"
#include "ipc/ledger.h"
#include "ipc/loader.h"
#include "ipc/resolve.h"
#include "ipc/vault.h"
#include "ipc/verdict.h"
#include "policy/supervisor/pairs.h"
#include "policy/supervisor/supervisor.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

enum { PING_MS = 5000, REAP_MS = 5000 };
enum { PING_NEVER, PING_DOUBTED, PING_EACH };

static const struct {
	const char *name;
	const struct message_table *messages;
	int ping;
	uint32_t ping_code;
	uint64_t start_ms;
} kinds[ROLE_COUNT] = {
#define PROGRAM(role, file, folder, channel, ping, code, start_ms) \
	[ROLE_##role] = { file, &channel##_messages, PING_##ping, code, start_ms },
#include "policy/supervisor/programs.def"
};

/* ---- the end ---- */

/* The first reason stays: what follow are its consequences. */
PRINTF_LIKE(2, 3)
static void
note_how(struct process *process, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	if (process->how == NULL && vasprintf(&process->how, format, arguments) < 0)
		process->how = NULL;
	va_end(arguments);
}

static void
set_state(struct process *process, enum process_state state, uint64_t limit_ms)
{
	process->state = state;
	process->deadline_ms = limit_ms == 0 ? 0 : supervisor_now_ms() + limit_ms;
}

static void
conclude(struct process *process)
{
	struct bytes how = bytes_of_text(process_how(process));
	const struct event_process_ended event = {
		.severity = process->expected ? SEVERITY_INFO : SEVERITY_WARNING,
		.process = (enum process_role)process->role,
		.child_pid = (uint32_t)process->pid,
		.for_user = bytes_of_text(process->user),
		.how = bytes_of(how.data, how.length < 255 ? how.length : 255),
	};
	supervisor_event(process->supervisor, EVENT_PROCESS_ENDED, &event);
	channel_free(&process->channel);
	process->duty->ended(process);
}

static void
forget(struct process **process)
{
	LIST_REMOVE(*process, link);
	channel_free(&(*process)->channel);
	free((*process)->how);
	free((*process)->user);
	free(*process);
	*process = NULL;
}

static void
finish(struct process *process)
{
	struct supervisor *supervisor = process->supervisor;
	conclude(process);
	forget(&process);
	supervisor_child_ended(supervisor);
}

/* Its last words may still be in the channel, and count: then its end comes after them. */
static void
note_reaped(struct process *process, int status)
{
	process->expected = process->expected && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (WIFSIGNALED(status))
		note_how(process, "signal %d, %s", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		note_how(process, "exit status %d", WEXITSTATUS(status));
	if (process->state == PROCESS_STUCK) {
		forget(&process);
	} else if (process->closed) {
		finish(process);
	} else {
		set_state(process, PROCESS_REAPED, REAP_MS);
		channel_resume(process->channel);
	}
}

static struct process *
find(const struct supervisor *supervisor, pid_t pid)
{
	struct process *process;
	LIST_FOREACH(process, &supervisor->processes, link)
	if (process->pid == pid)
		break;
	return process;
}

static void
on_sigchld(UNUSED evutil_socket_t signal_number, UNUSED short what, void *supervisor)
{
	pid_t pid;
	int status;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct process *process = find(supervisor, pid);
		if (process != NULL) /* else what a child left behind */
			note_reaped(process, status);
	}
}

void
process_kill(struct process *process, const char *why)
{
	if (process->state >= PROCESS_KILLED)
		return;
	note_how(process, "%s", why);
	kill(process->pid, SIGKILL);
	set_state(process, PROCESS_KILLED, REAP_MS);
}

void
processes_kill_pid(struct supervisor *supervisor, pid_t pid, const char *why)
{
	struct process *process = find(supervisor, pid);
	if (process != NULL)
		process_kill(process, why);
}

void
process_expect_end(struct process *process, uint64_t limit_ms)
{
	process->expected = true;
	if (process->state <= PROCESS_SERVING && limit_ms != 0)
		set_state(process, PROCESS_LEAVING, limit_ms);
}

void
process_dismiss(struct process *process, uint64_t limit_ms)
{
	process_expect_end(process, limit_ms);
	process->closed = true;
	channel_free(&process->channel);
}

static void
overdue(struct process *process)
{
	switch (process->state) {
	case PROCESS_STARTING:
		process_kill(process, "was not ready in time");
		return;
	case PROCESS_SERVING:
		process_kill(process, "gave no sign of life");
		return;
	case PROCESS_LEAVING:
		process_kill(process, "did not leave in time");
		return;
	case PROCESS_KILLED: /* it hangs in the kernel: its owner goes on without it */
		set_state(process, PROCESS_STUCK, 0);
		conclude(process);
		supervisor_child_ended(process->supervisor);
		return;
	case PROCESS_REAPED: /* somebody else holds its channel */
		finish(process);
		return;
	case PROCESS_STUCK:
		return;
	}
}

void
processes_tick(struct supervisor *supervisor)
{
	uint64_t now_ms = supervisor_now_ms();
	struct process *next, *process = LIST_FIRST(&supervisor->processes);
	for (; process != NULL; process = next) {
		next = LIST_NEXT(process, link);
		if (process->deadline_ms != 0 && now_ms >= process->deadline_ms)
			overdue(process);
		else if (kinds[process->role].ping == PING_EACH)
			process_ping(process, PING_MS);
	}
}

/* ---- its channel ---- */

static void
on_closed(void *owner, const char *malformed)
{
	struct process *process = owner;
	process->closed = true;
	if (malformed != NULL) {
		const struct event_malformed event = {
			.severity = SEVERITY_ERROR,
			.peer = (enum process_role)process->role,
			.peer_pid = (uint32_t)process->pid,
			.rule = bytes_of_text(malformed),
		};
		supervisor_event(process->supervisor, EVENT_MALFORMED, &event);
		process_kill(process, malformed);
	}
	if (process->state == PROCESS_REAPED)
		finish(process);
	else if (process->state <= PROCESS_SERVING)
		set_state(process, PROCESS_LEAVING, REAP_MS); /* its end tells more */
}

static void
on_drained(void *owner)
{
	struct process *process = owner;
	channel_resume(process->channel);
}

void
process_posted(struct process *process, int post_result)
{
	ensure(post_result != -EINVAL);
	if (post_result < 0 && post_result != -EPIPE)
		process_kill(process, strerror(-post_result));
	if (process->channel != NULL && channel_is_full(process->channel))
		channel_pause(process->channel); /* until what it asked for before is taken */
}

void
process_violated(struct process *process, uint32_t system_call, uint32_t architecture)
{
	SCOPE_FREE char *name = cage_system_call_name(architecture, system_call);
	note_how(process, "forbidden system call: %s", name != NULL ? name : "?");
}

void
process_ready(struct process *process, struct bytes cage)
{
	if (process->state != PROCESS_STARTING)
		return;
	set_state(process, PROCESS_SERVING, 0);
	channel_set_phase(process->channel, PHASE_SERVING);
	const struct event_process_started event = {
		.process = (enum process_role)process->role,
		.child_pid = (uint32_t)process->pid,
		.for_user = bytes_of_text(process->user),
		.cage = cage,
	};
	supervisor_event(process->supervisor, EVENT_PROCESS_STARTED, &event);
	process->duty->ready(process);
}

void
process_failed(struct process *process, int error, struct bytes reason)
{
	note_how(process, "%.*s", (int)reason.length, reason.data);
	process->error = error;
	if (process->state <= PROCESS_SERVING)
		set_state(process, PROCESS_LEAVING, REAP_MS);
}

void
process_ping(struct process *process, uint64_t limit_ms)
{
	static const char nothing;
	uint32_t code = kinds[process->role].ping_code;
	if (process->state != PROCESS_SERVING || process->deadline_ms != 0)
		return;
	process->deadline_ms = supervisor_now_ms() + limit_ms;
	process_posted(process, channel_post(process->channel, code, 0, &nothing, -1));
}

void
process_answered(struct process *process)
{
	if (process->state != PROCESS_SERVING)
		return;
	process->deadline_ms = 0;
	if (process->duty->answered != NULL)
		process->duty->answered(process);
}

/* ---- the beginning ---- */

static int
start(struct process *process, const struct process_plan *plan)
{
	SCOPE_PAIR struct pair pair = { -1, -1 };
	const struct channel_options options = {
		.base = process->supervisor->base,
		.messages = kinds[plan->role].messages,
		.our_role = ROLE_SUPERVISOR,
		.peer_role = plan->role,
		.phase = PHASE_STARTING,
		.handlers = plan->duty->handlers,
		.owner = process,
		.closed = on_closed,
		.drained = on_drained,
	};
	process->user = bytes_copy_text(plan->user);
	int error = process->user == NULL ? -ENOMEM : 0;
	if (error == 0)
		error = pair_make(ROLE_SUPERVISOR, plan->role, &pair);
	if (error == 0)
		error = channel_new(&options, &pair.one, &process->channel);
	if (error < 0)
		return error;
	const struct launch_plan launch = {
		.program_fd = process->supervisor->programs[plan->role].fd,
		.name = kinds[plan->role].name,
		.arguments = plan->arguments,
		.ground = &process->supervisor->ground,
		.channel_fd = pair.other,
		.identity = plan->identity,
		.folder = plan->folder,
	};
	process->pid = launch_start(&launch);
	set_state(process, PROCESS_STARTING, kinds[plan->role].start_ms);
	return process->pid < 0 ? process->pid : 0;
}

int
process_start(
	struct supervisor *supervisor, const struct process_plan *plan, struct process **result)
{
	struct process *process = calloc(1, sizeof(*process));
	if (process == NULL)
		return -ENOMEM;
	process->supervisor = supervisor;
	process->role = plan->role;
	process->duty = plan->duty;
	process->owner = plan->owner;
	LIST_INSERT_HEAD(&supervisor->processes, process, link);
	int error = start(process, plan);
	if (error < 0)
		forget(&process);
	*result = process;
	return error;
}

int
processes_watch(struct supervisor *supervisor)
{
	struct event *sigchld = evsignal_new(supervisor->base, SIGCHLD, on_sigchld, supervisor);
	return sigchld != NULL && event_add(sigchld, NULL) == 0 ? 0 : -ENOMEM;
}

/* ---- looking ---- */

unsigned
processes_count(const struct supervisor *supervisor, enum role role)
{
	unsigned count = 0;
	const struct process *process;
	LIST_FOREACH(process, &supervisor->processes, link)
	count += process->role == role && process->state != PROCESS_STUCK;
	return count;
}

unsigned
processes_count_stuck(const struct supervisor *supervisor, struct bytes user)
{
	unsigned count = 0;
	const struct process *process;
	LIST_FOREACH(process, &supervisor->processes, link)
	count += process->state == PROCESS_STUCK && bytes_equal_text(user, process->user);
	return count;
}
