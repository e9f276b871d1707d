/*
 * Misdeeds: what a liar does to which message. One line of text each:
 *
 *	CHANNEL TRIGGER [FIELD=VALUE]... ACT [WORD]...
 *	gate out:attach give listener
 *	verdict out:identified user.name=eve set user.uid=0
 *	pathio out:attributes_of twice
 *	attach in:configure malformed starting field
 *
 * TRIGGER is a message of ipc/<channel>.def on its way out (from the program behind the liar) or
 * in. Fields given before the act must have these values. It happens once, unless the act says
 * otherwise. ACT is a row of acts.def. "malformed" and "send" tell their lies outward whichever way
 * the trigger goes, after it went on.
 *
 * VALUE is a number, a text, "@" for what a field of that name last held on any channel, or "@+N".
 * Linked into test programs only.
 */
#ifndef SALLYPORT_TESTS_HOSTILE_DEED_H
#define SALLYPORT_TESTS_HOSTILE_DEED_H

#include "tests/hostile/relay.h"

enum { DEED_WORDS_MAX = 16 };

struct deed {
	const struct protocol *protocol;
	bool is_outward;
	const struct message_rule *trigger;
	bool is_done;
	unsigned count;      /* of words */
	unsigned conditions; /* so many of them, before the act */
	char *words[DEED_WORDS_MAX];
};

/* Takes a line apart, in place; dies if it makes no sense. */
void deed_parse(struct deed *deed, char *line);

/* Does it if this is its moment. False: the message must not go on. */
bool deed_do(struct deed *deed, struct relay *relay, struct wire *wire, bool is_outward,
	struct parcel *parcel);

/* Remembers ids and numbers for "@". */
void deed_note(const struct wire *wire, const struct parcel *parcel);

#endif
