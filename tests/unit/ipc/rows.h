/*
 * Every message of every channel, for tests that walk the tables: a case a channel.
 */
#ifndef SALLYPORT_TESTS_UNIT_IPC_ROWS_H
#define SALLYPORT_TESTS_UNIT_IPC_ROWS_H

#include "ipc/protocol.h"
#include "tests/table.h"

struct protocol_row {
	const char *name;
	size_t index;
};

/* One for each row of protocol.def, for TABLE(). */
static const struct protocol_row protocol_rows[] = {
#define PROTOCOL(name, one_end, other_end, doc) { #name, PROTOCOL_INDEX_##name },
#include "ipc/protocol.def"
};

/* Runs `check` on each message of the row's channel. */
void
each_message(void **state, void (*check)(const struct protocol *, const struct message_rule *));

/* Fails the case, which then says for which message it is not so. */
#define want(condition, protocol, rule) want_true(condition, #condition, protocol, rule)
void want_true(bool condition, const char *text, const struct protocol *protocol,
	const struct message_rule *rule);

#endif
