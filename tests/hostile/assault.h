/*
 * Assaults: every malformed message of a table (malformed.h), thrown at a receiver of ours inside
 * the test's own process. One case for each message, which names what got through.
 */
#ifndef SALLYPORT_TESTS_HOSTILE_ASSAULT_H
#define SALLYPORT_TESTS_HOSTILE_ASSAULT_H

#include "tests/hostile/malformed.h"
#include "tests/table.h"

struct assault {
	const char *name; /* "worker, from a gateway" */
	const struct message_table *messages;
	enum role sender;
	enum message_phase phase;
	/*
	 * Sends that message to a fresh receiver, lets it be handled, and checks that everybody
	 * else is undisturbed. Returns which rule the receiver named, as text that outlives the
	 * call; NULL if it took the message for the end; "" if it took no offence.
	 */
	const char *(*strike)(const struct malformed_list *list, size_t index);
	/* How the receiver calls the rule; NULL: as malformed_rule() does. */
	const char *(*rule)(const struct malformed_list *list, enum malformed_kind kind);
};

/* The result is main's. */
int assault_run(const struct assault *assaults, size_t count);

#endif
