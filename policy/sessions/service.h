/*
 * A process that is always to be there: record, auth, each gateway. Started again whenever it
 * ends, after a pause that grows while it keeps dying. The first time, its failure ends the server:
 * it would not get better.
 */
#ifndef SALLYPORT_POLICY_SESSIONS_SERVICE_H
#define SALLYPORT_POLICY_SESSIONS_SERVICE_H

#include "policy/rules/limits.h"
#include "policy/supervisor/processes.h"

struct service {
	struct process *process; /* NULL while it waits for its next start */
	struct respawn respawn;
	bool was_ready;
	bool is_needed_to_the_end; /* of the others; else nothing is started once the server ends */
};

/* Is it not there, and its pause over? */
bool service_is_due(const struct service *service, const struct supervisor *supervisor);

/* Starts it, as the identity of its role. 0, or negative errno and it is due again later. */
MUST_CHECK int service_start(
	struct service *service, struct supervisor *supervisor, const struct process_plan *plan);

/* To be called from the process's `ready` and `ended`. */
void service_ready(struct service *service);
void service_ended(struct service *service);

#endif
