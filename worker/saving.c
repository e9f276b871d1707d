/*
 * A tree on its way into a descriptor (see saving.h). Runs in the worker, as the user. At the other
 * end is an administrator's command, which may be slow or gone; that ends the save alone.
 */
#include "worker/saving.h"

#include "worker/instance_private.h"

#include <errno.h>
#include <stdlib.h>

struct saving {
	struct saving_options options;
	struct memory_save *save;
	struct transfer *transfer;
};

static void
on_ended(void *owner, int error, uint64_t bytes)
{
	struct saving *saving = owner;
	const struct saving_result result = {
		.error = error, .bytes = bytes, .totals = memory_save_totals(saving->save)
	};
	*saving->options.running = NULL;
	saving->options.ended(saving->options.owner, &result);
}

static void
saving_free(void *owner)
{
	struct saving *saving = owner;
	memory_save_free(&saving->save);
	free(saving);
}

static int
start(struct saving *saving)
{
	const struct saving_options *options = &saving->options;
	return transfer_send_tree(
		&(struct transfer_options){
			.transfers = options->nursery->transfers,
			.descriptor = options->descriptor,
			.stall_timeout_ms = options->stall_timeout_ms,
			.running = &saving->transfer,
			.owner = saving,
			.ended = on_ended,
			.gone = saving_free,
		},
		saving->save);
}

int
saving_begin(const struct saving_options *options)
{
	const struct tree *tree = &options->nursery->tree;
	if (tree->backend != &backend_memory)
		return -ENOTSUP;
	struct saving *saving = calloc(1, sizeof(*saving));
	if (saving == NULL)
		return -ENOMEM;
	saving->options = *options;
	*options->running = saving;
	int error = memory_save_begin(tree->state, &saving->save);
	if (error == 0)
		error = start(saving);
	if (error < 0) {
		*options->running = NULL;
		saving_free(saving);
	}
	return error;
}

void
saving_cancel(struct saving *saving)
{
	transfer_end(saving->transfer, -ECANCELED);
}
