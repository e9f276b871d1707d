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

bool
ticket_close(struct ticket_table *table, uint32_t tag, struct ticket *ticket)
{
	uint32_t index = tag & (SLOTS_MAX - 1);
	if (index >= table->count)
		return false;
	struct ticket_slot *slot = &table->slots[index];
	if (slot->uses % 2 == 0 || tag_of(index, slot->uses) != tag)
		return false;
	slot->uses++;
	slot->next_free = table->first_free;
	table->first_free = index + 1;
	*ticket = slot->ticket;
	return true;
}

void
ticket_table_free(struct ticket_table *table)
{
	free(table->slots);
	*table = (struct ticket_table){ .slots = NULL };
}
