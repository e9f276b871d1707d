/*
 * What is known of the user and of all instances that serve the user (SITE UMASK, WHO). Runs in the
 * worker, on the loop: threads know nothing of the list.
 */
#include "worker/instance_private.h"

#include <time.h>

static uint64_t
now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

void
instance_join(struct instance *instance)
{
	struct nursery *nursery = instance->nursery;
	instance->joined_s = now_s();
	TAILQ_INSERT_TAIL(&nursery->instances, instance, sibling);
	nursery->instance_count++;
}

void
instance_part(struct instance *instance)
{
	struct nursery *nursery = instance->nursery;
	TAILQ_REMOVE(&nursery->instances, instance, sibling);
	nursery->instance_count--;
}

static struct pathio_sibling
describe(const struct instance *instance, const struct instance *asking)
{
	const struct instance_totals *totals = instance->options.totals;
	return (struct pathio_sibling){
		.session = instance->options.identity.session,
		.peer = instance->options.identity.peer,
		.own = instance == asking,
		.age_s = now_s() - instance->joined_s,
		.sent_bytes = totals->sent_bytes,
		.received_bytes = totals->received_bytes,
	};
}

int
instance_begin_account(struct call *call)
{
	const struct nursery *nursery = call->nursery;
	struct wire_list_builder builder = {
		.buffer = call->room,
		.capacity = call->rule->room_bytes,
	};
	const struct instance *instance = TAILQ_FIRST(&nursery->instances);
	while (instance != NULL && builder.count < PATHIO_SESSIONS_MAX) {
		struct pathio_sibling session = describe(instance, call->instance);
		int error = wire_list_add(&builder, &pathio_sibling_record, &session);
		if (error < 0)
			return error;
		instance = TAILQ_NEXT(instance, sibling);
	}
	call->body.account_is = (struct pathio_account_is){
		.umask = nursery->tree.options.umask & 0777,
		.session_count = nursery->instance_count,
		.sessions = wire_list_built(&builder),
	};
	return 0;
}

/* Its beginning has told all. */
int
instance_run_account(struct call *call, union pathio_body *body)
{
	(void)call;
	(void)body;
	return 0;
}
