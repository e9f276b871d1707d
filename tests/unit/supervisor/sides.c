/*
 * Both sides of a channel in one program (see sides.h). Runs in tests only.
 */
#include "tests/unit/supervisor/sides.h"

#include "tests/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
never(UNUSED void *owner, UNUSED struct message *message, UNUSED const void *body)
{
	fail_msg("%s", "a message that nobody sends here");
}

void
sides_fill(void *handlers, size_t bytes)
{
	void (*function)(void *, struct message *, const void *) = never;
	for (size_t at = 0; at < bytes; at += sizeof(function))
		memcpy((char *)handlers + at, &function, sizeof(function));
}

void
sides_open(const struct sides *sides, struct channel **supervisor, struct channel **child)
{
	static union {
		void (*functions[64])(void);
		max_align_t align;
	} nothing;
	int ends[2];
	struct channel_options options = {
		.base = sides->base,
		.messages = sides->messages,
		.our_role = sides->role,
		.peer_role = ROLE_SUPERVISOR,
		.phase = PHASE_SERVING,
		.handlers = sides->handlers,
		.closed = sides->closed,
	};
	assert_true(sides->handlers_bytes <= sizeof(nothing));
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(channel_new(&options, &ends[0], child), 0);
	sides_fill(&nothing, sides->handlers_bytes);
	options.our_role = ROLE_SUPERVISOR;
	options.peer_role = sides->role;
	options.handlers = &nothing;
	assert_int_equal(channel_new(&options, &ends[1], supervisor), 0);
}

void
sides_note(char *log, size_t log_bytes, const char *format, ...)
{
	size_t length = strlen(log);
	va_list arguments;
	va_start(arguments, format);
	if (length > 0)
		log[length++] = ' ';
	vsnprintf(log + length, log_bytes - length, format, arguments);
	va_end(arguments);
}
