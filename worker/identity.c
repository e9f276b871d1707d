/*
 * The session of the running effect (see identity.h), each thread its own. Runs in the worker.
 */
#include "worker/identity.h"

static _Thread_local struct instance_identity current;
static _Thread_local bool is_set;

const struct instance_identity *
identity_current(void)
{
	return is_set ? &current : NULL;
}

void
identity_set(const struct instance_identity *identity)
{
	is_set = identity != NULL;
	if (is_set)
		current = *identity;
}
