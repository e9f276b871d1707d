/*
 * The client's end of a data connection in a test: a socketpair whose one end a transfer uses while
 * the other is read here, as fast or as slowly as the test likes.
 */
#ifndef SALLYPORT_TESTS_UNIT_WORKER_WIRE_END_H
#define SALLYPORT_TESTS_UNIT_WORKER_WIRE_END_H

#include "tests/table.h"

#include <event2/event.h>
#include <stdbool.h>

struct wire_end {
	int worker_fd; /* to hand to a transfer; close it when the transfer has begun */
	int fd;
	struct event *readable;
	char *bytes; /* what has arrived, with a NUL behind it */
	size_t length;
	size_t room;
	bool ended;
};

/* Reads whatever comes, while the loop runs. */
struct wire_end *wire_end_new(struct event_base *base);

/* Reads nothing. */
struct wire_end *wire_end_new_silent(struct event_base *base);

void wire_end_free(struct wire_end **end);

/* Reads from here on. */
void wire_end_read(struct wire_end *end);

/* Closes the worker's copy, and reads what is still on its way: the whole stream is in ->bytes. */
void wire_end_finish(struct wire_end *end);

#endif
