/*
 * Every message of every channel (see rows.h).
 */
#include "tests/unit/ipc/rows.h"

void
each_message(void **state, void (*check)(const struct protocol *, const struct message_rule *))
{
	const struct protocol_row *row = *state;
	const struct protocol *protocol = &protocols[row->index];
	unsigned checked = 0;
	for (uint32_t i = 0; i < protocol->messages->count; i++) {
		if (protocol->messages->rules[i].name == NULL)
			continue;
		check(protocol, &protocol->messages->rules[i]);
		checked++;
	}
	assert_true(checked > 0);
}

void
want_true(bool condition, const char *text, const struct protocol *protocol,
	const struct message_rule *rule)
{
	if (!condition)
		fail_msg("%s %s: not so: %s", protocol->name, rule->name, text);
}
