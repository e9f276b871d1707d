/*
 * The nursery (see nursery.h). Runs in the worker, as the user: made before the cage closes, it
 * opens what the sessions share.
 */
#include "worker/nursery.h"

#include "worker/instance_private.h"

#include <errno.h>
#include <stdlib.h>

static int
make_executor(struct nursery *nursery)
{
	const struct nursery_options *options = &nursery->options;
	if (options->threads == 0)
		return executor_inline_new(options->base, &nursery->executor);
	return executor_pool_new(
		&(struct executor_pool_options){
			.base = options->base,
			.threads = options->threads,
			.queue_max = NURSERY_QUEUE_MAX,
		},
		&nursery->executor);
}

/* Only a pool makes use of it. */
static void
look_for_caches(struct nursery *nursery)
{
	const struct backend *backend = nursery->tree.backend;
	if (backend->tree_cached == NULL)
		return;
	nursery->cached = nursery->tree;
	nursery->cached.state = backend->tree_cached(nursery->tree.state);
}

int
nursery_new(const struct nursery_options *options, struct nursery **result)
{
	struct nursery *nursery = calloc(1, sizeof(*nursery));
	if (nursery == NULL)
		return -ENOMEM;
	nursery->options = *options;
	TAILQ_INIT(&nursery->instances);
	int error = access_load(&nursery->access);
	if (error == 0)
		error = tree_open(
			&nursery->tree, options->backend, &options->tree, &options->uploads);
	if (error == 0)
		look_for_caches(nursery);
	if (error == 0)
		error = make_executor(nursery);
	if (error == 0)
		error = transfers_new(options->base, nursery->executor, &nursery->transfers);
	if (error < 0)
		nursery_free(&nursery);
	else
		*result = nursery;
	return error;
}

void
nursery_dispatch(struct nursery *nursery, void (*after)(void *owner), void *owner)
{
	executor_dispatch(nursery->executor, after, owner);
}

bool
nursery_rest(struct nursery *nursery, uint32_t limit_ms)
{
	return executor_rest(nursery->executor, limit_ms);
}

void
nursery_free(struct nursery **nursery)
{
	struct nursery *freed = *nursery;
	*nursery = NULL;
	if (freed == NULL)
		return;
	executor_free(&freed->executor);
	transfers_free(&freed->transfers);
	tree_close(&freed->tree);
	access_release(&freed->access);
	free(freed);
}
