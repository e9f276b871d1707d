/*
 * What an administrator may look at: the server, its processes (see admin.h). Runs in the
 * supervisor as root.
 */
#include "policy/sessions/admin.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/sessions/session.h"
#include "policy/supervisor/listeners.h"
#include "policy/supervisor/supervisor.h"

enum { PART_MAX = 96 };

_Static_assert((int)PROCESS_STUCK == (int)PROCESS_STAGE_STUCK, "the order of process_stage");

static struct bytes
shortened(const char *text, size_t most)
{
	size_t length = text == NULL ? 0 : strlen(text);
	return bytes_of(text == NULL ? "" : text, length < most ? length : most);
}

static unsigned
count_stuck(const struct supervisor *supervisor)
{
	unsigned count = 0;
	const struct process *process;
	LIST_FOREACH(process, &supervisor->processes, link)
	count += process->state == PROCESS_STUCK;
	return count;
}

void
admin_on_ask_status(
	void *owner, struct message *message, UNUSED const struct admin_ask_status *body)
{
	struct admin *admin = owner;
	const struct supervisor *supervisor = admin->admins->supervisor;
	if (!admin_begin(admin, message))
		return;
	SCOPE_FREE char *addresses =
		supervisor->listeners == NULL ? NULL : listeners_text(supervisor->listeners);
	const struct admin_status status = {
		.version = bytes_of_text(SALLYPORT_VERSION),
		.is_ending = supervisor->stage != STAGE_RUN,
		.uptime_s = (supervisor_now_ms() - admin->admins->started_ms) / 1000,
		.addresses = shortened(addresses, 2048),
		.cage = shortened(supervisor->cage, 1024),
		.sessions = supervisor->sessions->count,
		.sessions_max = supervisor->settings->config->max_sessions,
		.gateways = processes_count(supervisor, ROLE_GATEWAY),
		.workers = processes_count(supervisor, ROLE_WORKER),
		.stuck = count_stuck(supervisor),
	};
	admin_answered(admin, admin_post_status(admin->channel, admin->tag, &status));
}

/* Those with the smallest pids above one, in their order: how many. */
static size_t
select_processes(const struct supervisor *supervisor, pid_t after,
	const struct process *selected[PART_MAX + 1])
{
	size_t count = 0;
	const struct process *process;
	LIST_FOREACH(process, &supervisor->processes, link)
	{
		if (process->pid <= after ||
			(count == PART_MAX + 1 && selected[count - 1]->pid < process->pid))
			continue;
		size_t at = count < PART_MAX + 1 ? count++ : count - 1;
		for (; at > 0 && selected[at - 1]->pid > process->pid; at--)
			selected[at] = selected[at - 1];
		selected[at] = process;
	}
	return count;
}

void
admin_on_ask_processes(void *owner, struct message *message, const struct admin_ask_processes *body)
{
	static char encoded[WIRE_LIST_BYTES_MAX];
	struct admin *admin = owner;
	const struct process *selected[PART_MAX + 1];
	struct wire_list_builder list = { .buffer = encoded, .capacity = sizeof(encoded) };
	if (!admin_begin(admin, message))
		return;
	size_t count =
		select_processes(admin->admins->supervisor, (pid_t)body->after_pid, selected);
	for (size_t i = 0; i < count && i < PART_MAX; i++) {
		const struct admin_process process = {
			.process_pid = (uint32_t)selected[i]->pid,
			.process = (enum process_role)selected[i]->role,
			.stage = (enum process_stage)selected[i]->state,
			.for_user = bytes_of_text(selected[i]->user),
		};
		ensure(wire_list_add(&list, &admin_process_record, &process) == 0);
	}
	const struct admin_processes answer = { .list = wire_list_built(&list),
		.is_last = count <= PART_MAX };
	admin_answered(admin, admin_post_processes(admin->channel, admin->tag, &answer));
}
