/*
 * The time limit of a session: one at a time, moved often and seldom reached.
 */
#ifndef SALLYPORT_GATEWAY_LIMIT_H
#define SALLYPORT_GATEWAY_LIMIT_H

#include "ipc/base/compiler.h"

#include <event2/event_struct.h>
#include <stdint.h>

enum limit_kind {
	LIMIT_NONE,
	LIMIT_LOGIN,     /* from the connection to the login */
	LIMIT_IDLE,      /* between commands */
	LIMIT_PORT,      /* the same, with a passive port that others could use */
	LIMIT_DATA,      /* for the data connection to be made */
	LIMIT_KEEPALIVE, /* no limit: for the next line that says that a command goes on */
	LIMIT_GOODBYE,   /* for the last reply to be taken */
};

struct limit {
	struct event event;
	enum limit_kind kind;
	uint64_t due_ms;
	uint64_t armed_ms; /* when the event fires; 0: it does not */
	void (*reached)(void *owner, enum limit_kind kind);
	void *owner;
};

/* `reached` is called from the loop; the limit is LIMIT_NONE then. */
void limit_init(struct limit *limit, struct event_base *base,
	void (*reached)(void *owner, enum limit_kind kind), void *owner);

/* Instead of the limit that was set before; counts from now. */
void limit_set(struct limit *limit, enum limit_kind kind, uint32_t seconds);

/* Unless another kind has taken its place. */
void limit_clear(struct limit *limit, enum limit_kind kind);

/* For the end of its owner. */
void limit_stop(struct limit *limit);

#endif
