/*
 * The two sides of a channel between the supervisor and a child, both in one test program.
 */
#ifndef SALLYPORT_TESTS_UNIT_SUPERVISOR_SIDES_H
#define SALLYPORT_TESTS_UNIT_SUPERVISOR_SIDES_H

#include "ipc/channel.h"

/* Sets every handler of a struct <channel>_handlers to one that fails the test. */
void sides_fill(void *handlers, size_t bytes);

struct sides {
	struct event_base *base;
	const struct message_table *messages;
	enum role role;       /* of the child */
	const void *handlers; /* the child's; of `handlers_bytes`, as the supervisor's then are */
	size_t handlers_bytes;
	void (*closed)(void *owner, const char *malformed);
};

/* Opens both: the supervisor's, whose child may send nothing, and the child's. */
void sides_open(const struct sides *sides, struct channel **supervisor, struct channel **child);

/* Puts the words behind those that are in the log, with a blank between. */
PRINTF_LIKE(3, 4) void sides_note(char *log, size_t log_bytes, const char *format, ...);

#endif
