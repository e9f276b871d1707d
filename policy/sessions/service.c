/*
 * Processes that are always to be there (see service.h). Runs in the supervisor as root. A
 * service that fails is started again without end; that it does so is in the record.
 */
#include "policy/sessions/service.h"

#include "policy/supervisor/supervisor.h"

bool
service_is_due(const struct service *service, const struct supervisor *supervisor)
{
	enum supervisor_stage last = service->is_needed_to_the_end ? STAGE_WORKERS : STAGE_RUN;
	return service->process == NULL && supervisor->stage <= last &&
	       supervisor_now_ms() >= service->respawn.next_ms;
}

int
service_start(
	struct service *service, struct supervisor *supervisor, const struct process_plan *plan)
{
	struct cage_identity identity = supervisor_identity(supervisor, plan->role);
	struct process_plan dressed = *plan;
	dressed.identity = &identity;
	respawn_started(&service->respawn, supervisor_now_ms());
	int error = process_start(supervisor, &dressed, &service->process);
	if (error < 0)
		respawn_died(&service->respawn, supervisor_now_ms());
	return error;
}

void
service_ready(struct service *service)
{
	if (!service->was_ready)
		supervisor_service_ready(service->process->supervisor);
	service->was_ready = true;
}

void
service_ended(struct service *service)
{
	const struct process *process = service->process;
	service->process = NULL;
	respawn_died(&service->respawn, supervisor_now_ms());
	if (!service->was_ready)
		supervisor_give_up(
			process->supervisor, role_name(process->role), process_how(process));
}
