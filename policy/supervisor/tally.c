/*
 * Counts by name (see tally.h). Runs in the supervisor as root; the names come from auth and from
 * the kernel.
 */
#include "policy/supervisor/tally.h"

#include "ipc/base/ends.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>

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

int
tally_add(struct tally *tally, struct bytes name)
{
	struct named_count *entry = find(tally, name);
	if (entry == NULL) {
		entry = malloc(sizeof(*entry) + name.length);
		if (entry == NULL)
			return -ENOMEM;
		*entry = (struct named_count){ .name = bytes_of(entry->copy, name.length) };
		memcpy(entry->copy, name.data, name.length);
		if (tsearch(entry, &tally->tree, compare) == NULL) {
			free(entry);
			return -ENOMEM;
		}
	}
	entry->count++;
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
