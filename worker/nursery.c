/*
 * The nursery (see nursery.h). Runs in the worker, as the user: made before the cage closes, it
 * opens what the sessions share.
 */
#include "worker/nursery.h"

#include "worker/instance_private.h"

#include <errno.h>
#include <stdlib.h>

int
nursery_new(const struct nursery_options *options, struct nursery **result)
{
	struct nursery *nursery = calloc(1, sizeof(*nursery));
	if (nursery == NULL)
		return -ENOMEM;
	nursery->options = *options;
	int error = access_load(&nursery->access);
	if (error == 0)
		error = executor_inline_new(options->base, &nursery->executor);
	if (error == 0)
		error = transfers_new(options->base, nursery->executor, &nursery->transfers);
	if (error == 0)
		error = tree_open(
			&nursery->tree, options->backend, &options->tree, &options->uploads);
	if (error < 0)
		nursery_free(&nursery);
	else
		*result = nursery;
	return error;
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
