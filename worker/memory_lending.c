/*
 * Who still needs which retired pages of a file of the memory backend (see memory_contents.h). Runs
 * in the worker, as the user; trusts its callers.
 */
#include "worker/memory_contents.h"

#include <stdlib.h>

void
memory_contents_lend(struct memory_contents *contents, struct memory_lender *lender)
{
	*lender = (struct memory_lender){ .before = contents->newest,
		.since = contents->retirements };
	if (contents->newest == NULL)
		contents->oldest = lender;
	else
		contents->newest->after = lender;
	contents->newest = lender;
}

static void
free_retired(struct memory_arena *arena, struct memory_contents *contents)
{
	memory_arena_refund(arena, contents->retired_capacity * sizeof(*contents->retired));
	free(contents->retired);
	contents->retired = NULL;
	contents->retired_capacity = 0;
}

/* What the oldest lender that is left never saw. */
static void
give_retired(struct memory_arena *arena, struct memory_contents *contents)
{
	const struct memory_lender *oldest = contents->oldest;
	size_t given = 0;
	for (; given < contents->retired_count; given++) {
		const struct memory_retired *retired = &contents->retired[given];
		if (oldest != NULL && retired->at >= oldest->since)
			break;
		memory_arena_give(arena, retired->arena_page, retired->count);
	}
	contents->retired_count -= given;
	if (contents->retired_count == 0)
		free_retired(arena, contents);
	else if (given > 0)
		memmove(contents->retired, contents->retired + given,
			contents->retired_count * sizeof(*contents->retired));
}

void
memory_contents_return(
	struct memory_arena *arena, struct memory_contents *contents, struct memory_lender *lender)
{
	if (lender->before == NULL)
		contents->oldest = lender->after;
	else
		lender->before->after = lender->after;
	if (lender->after == NULL)
		contents->newest = lender->before;
	else
		lender->after->before = lender->before;
	give_retired(arena, contents);
}

void
memory_contents_free(struct memory_arena *arena, struct memory_contents *contents)
{
	for (size_t i = 0; i < contents->count; i++)
		memory_arena_give(
			arena, contents->stretches[i].arena_page, contents->stretches[i].count);
	give_retired(arena, contents);
	memory_arena_refund(arena, contents->capacity * sizeof(*contents->stretches));
	free(contents->stretches);
	*contents = (struct memory_contents){ .size = 0 };
}
