/*
 * Tags of requests to auth and to the supervisor: which session waits for which answer. A tag is
 * used once; a late answer to a question that nobody waits for any more finds nothing.
 */
#ifndef SALLYPORT_GATEWAY_TICKET_H
#define SALLYPORT_GATEWAY_TICKET_H

#include "ipc/base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

/* All zero: empty. */
struct ticket_table {
	struct ticket_slot *slots;
	uint32_t count;
	uint32_t first_free; /* index + 1; 0: none */
};

struct ticket {
	uint64_t session; /* id */
	uint32_t purpose; /* the caller's */
};

/* Opens a ticket: 0 and its tag (never 0), or -ENOMEM. */
MUST_CHECK int ticket_open(struct ticket_table *table, struct ticket ticket, uint32_t *tag);

/* What the ticket with that tag is; it stays open. False if there is none. */
bool ticket_find(const struct ticket_table *table, uint32_t tag, struct ticket *ticket);

/* Closes the ticket with that tag: true and what it was, or false if there is none. */
bool ticket_close(struct ticket_table *table, uint32_t tag, struct ticket *ticket);

void ticket_table_free(struct ticket_table *table);

#endif
