/*
 * Tags of requests (see ticket.h). Runs in the gateway. A tag is the number of a slot and, above
 * it, how often the slot was used.
 */
#include "gateway/ticket.h"

#include <errno.h>
#include <stdlib.h>

enum {
	SLOT_BITS = 20,
	SLOTS_MAX = 1 << SLOT_BITS,
	SLOTS_FIRST = 16,
};

struct ticket_slot {
	struct ticket ticket;
	uint32_t uses; /* changes at each opening and closing; odd while open */
	uint32_t next_free;
};

static uint32_t
tag_of(uint32_t index, uint32_t uses)
{
	return uses << SLOT_BITS | index;
}

static int
grow(struct ticket_table *table)
{
	uint32_t count = table->count == 0 ? SLOTS_FIRST : table->count * 2;
	if (count > SLOTS_MAX)
		return -ENOMEM;
	struct ticket_slot *slots = reallocarray(table->slots, count, sizeof(*slots));
	if (slots == NULL)
		return -ENOMEM;
	for (uint32_t i = table->count; i < count; i++) {
		slots[i] = (struct ticket_slot){ .next_free = table->first_free };
		table->first_free = i + 1;
	}
	table->slots = slots;
	table->count = count;
	return 0;
}

int
ticket_open(struct ticket_table *table, struct ticket ticket, uint32_t *tag)
{
	if (table->first_free == 0 && grow(table) < 0)
		return -ENOMEM;
	uint32_t index = table->first_free - 1;
	struct ticket_slot *slot = &table->slots[index];
	table->first_free = slot->next_free;
	slot->ticket = ticket;
	slot->uses++;
	*tag = tag_of(index, slot->uses);
	return 0;
}

/* The open one with that tag, or NULL. */
static struct ticket_slot *
find_slot(const struct ticket_table *table, uint32_t tag)
{
	uint32_t index = tag & (SLOTS_MAX - 1);
	struct ticket_slot *slot = index < table->count ? &table->slots[index] : NULL;
	bool is_open = slot != NULL && slot->uses % 2 == 1 && tag_of(index, slot->uses) == tag;
	return is_open ? slot : NULL;
}

bool
ticket_find(const struct ticket_table *table, uint32_t tag, struct ticket *ticket)
{
	const struct ticket_slot *slot = find_slot(table, tag);
	if (slot != NULL)
		*ticket = slot->ticket;
	return slot != NULL;
}

bool
ticket_close(struct ticket_table *table, uint32_t tag, struct ticket *ticket)
{
	struct ticket_slot *slot = find_slot(table, tag);
	if (slot == NULL)
		return false;
	slot->uses++;
	slot->next_free = table->first_free;
	table->first_free = (uint32_t)(slot - table->slots) + 1;
	*ticket = slot->ticket;
	return true;
}

void
ticket_table_free(struct ticket_table *table)
{
	free(table->slots);
	*table = (struct ticket_table){ .slots = NULL };
}
