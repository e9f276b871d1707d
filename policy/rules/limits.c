/*
 * How many, how often, how soon again (see limits.h). Runs in the supervisor; pure. Names come from
 * auth and from the kernel.
 */
#include "policy/rules/limits.h"

#include "ipc/base/ends.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>

enum { GOOD_RUN_MS = 10000, WAIT_MS_FIRST = 1000, WAIT_MS_MAX = 30000 };

struct named_count {
	struct bytes name; /* first: what compare() sees */
	uint64_t count;
	char copy[];
};

static int
compare(const void *left, const void *right)
{
	const struct bytes *a = left;
	const struct bytes *b = right;
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return memcmp(a->data, b->data, a->length);
}

static struct named_count *
find(const struct tally *tally, struct bytes name)
{
	struct named_count *const *node = tfind(&name, &tally->tree, compare);
	return node == NULL ? NULL : *node;
}

uint64_t
tally_count(const struct tally *tally, struct bytes name)
{
	const struct named_count *entry = find(tally, name);
	return entry == NULL ? 0 : entry->count;
}

static struct named_count *
make(struct bytes name)
{
	struct named_count *entry = malloc(sizeof(*entry) + name.length);
	if (entry == NULL)
		return NULL;
	*entry = (struct named_count){ .name = bytes_of(entry->copy, name.length) };
	memcpy(entry->copy, name.data, name.length);
	return entry;
}

int
tally_add(struct tally *tally, struct bytes name)
{
	struct named_count **node = tsearch(&name, &tally->tree, compare);
	if (node == NULL)
		return -ENOMEM;
	if ((void *)*node == &name) { /* it was not there: an entry takes the place of our name */
		struct named_count *entry = make(name);
		if (entry == NULL) {
			tdelete(&name, &tally->tree, compare);
			return -ENOMEM;
		}
		*node = entry;
	}
	(*node)->count++;
	return 0;
}

void
tally_remove(struct tally *tally, struct bytes name)
{
	struct named_count *entry = find(tally, name);
	ensure(entry != NULL);
	if (--entry->count == 0) {
		tdelete(entry, &tally->tree, compare);
		free(entry);
	}
}

void
often_note(struct often *often, uint64_t now_ms)
{
	often->at_ms[often->count % OFTEN_TIMES] = now_ms;
	often->count++;
}

bool
often_is_reached(const struct often *often, uint64_t now_ms)
{
	/* The next one would take the slot of the oldest. */
	uint64_t oldest_ms = often->at_ms[often->count % OFTEN_TIMES];
	return often->count >= OFTEN_TIMES && now_ms - oldest_ms < OFTEN_PERIOD_MS;
}

void
respawn_started(struct respawn *respawn, uint64_t now_ms)
{
	respawn->started_ms = now_ms;
}

void
respawn_died(struct respawn *respawn, uint64_t now_ms)
{
	bool soon = now_ms - respawn->started_ms < GOOD_RUN_MS;
	uint64_t wait_ms = WAIT_MS_FIRST;
	respawn->deaths = soon ? respawn->deaths + 1 : 1;
	for (unsigned i = 2; i < respawn->deaths && wait_ms < WAIT_MS_MAX; i++)
		wait_ms *= 2;
	if (respawn->deaths == 1)
		wait_ms = 0;
	respawn->next_ms = now_ms + (wait_ms < WAIT_MS_MAX ? wait_ms : WAIT_MS_MAX);
}
