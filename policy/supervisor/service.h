/*
 * A process that is always to be there: record, auth, each gateway. Started again whenever it
 * ends, after a pause that grows while it keeps dying. The first time, its failure ends the server:
 * it would not get better.
 */
#ifndef SALLYPORT_POLICY_SUPERVISOR_SERVICE_H
#define SALLYPORT_POLICY_SUPERVISOR_SERVICE_H

#include "policy/supervisor/often.h"
#include "policy/supervisor/processes.h"

struct service {
	struct supervisor *supervisor;
	struct process *process; /* NULL while it waits for its next start */
	struct respawn respawn;
	bool was_ready;
};

/* Is it not there, and its pause over? Its owner then calls service_start(). */
bool service_is_due(const struct service *service);

/* The plan's identity and user are filled in. 0, or negative errno and it is due again later. */
MUST_CHECK int service_start(struct service *service, struct process_plan *plan);

/* To be called from the process's `ready` and `ended`. */
void service_ready(struct service *service);
void service_ended(struct service *service);

static inline bool
service_is_serving(const struct service *service)
{
	return service->process != NULL && service->process->state == PROCESS_SERVING;
}

#endif
