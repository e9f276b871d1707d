/*
 * What a pump is, between pump.c, which moves bytes, and pump_end.c, which sees its clients off.
 * For these two only.
 */
#ifndef SALLYPORT_GATEWAY_PUMP_PRIVATE_H
#define SALLYPORT_GATEWAY_PUMP_PRIVATE_H

#include "gateway/pump.h"

#include <event2/event_struct.h>
#include <sys/queue.h>

enum {
	PIECE_BYTES = 16 * 16384, /* a gathered write: so many records are taken without a send */
	PIECES_PER_TURN = 4,
};

enum pump_phase {
	PUMP_HANDSHAKE,
	PUMP_MOVING,
	PUMP_HEARING, /* out: the worker and the kernel move */
	PUMP_DRAINED, /* out: the worker has no more; was that all? */
	PUMP_ENDING,  /* close_notify is on its way */
	PUMP_LINGERS, /* nobody's any more: the client has yet to read its end */
};

struct pump_room {
	struct event_base *base;
	TAILQ_HEAD(lingering_pumps, pump) lingering;
	char piece[PIECE_BYTES];
};

struct pump {
	struct pump_options options;
	struct pump **place; /* where the owner has it */
	TAILQ_ENTRY(pump) entry;
	enum pump_phase phase;
	struct tls *tls;
	int fd;    /* the client's */
	int inner; /* our end of the socketpair; -1 once closed */
	bool may_end;
	bool has_turn;             /* work goes on in the next round of the loop */
	bool is_in_kernel;         /* which encrypts; others have our fd as well */
	bool is_gathering;         /* in: for a moment, until many records are there */
	int gathered_bytes;        /* in: so many wake us, as the kernel has been told; 0: any */
	size_t come;               /* in: since we last waited */
	bool is_deaf;              /* HEARING, LINGERS: nothing more of the client's is read */
	int unacknowledged;        /* LINGERS in the kernel: bytes at the last look, */
	uint32_t unacknowledged_s; /* and for how long as many */
	char *left;                /* for the worker, which did not take it yet */
	size_t left_length, left_sent;
	struct event outer, inside, turn;
};

/* Nothing that was waited for comes any more. */
void pump_stop_waiting(struct pump *pump);

/* One thing at a time is waited for, limit_s at most; 0: for ever. -EINPROGRESS or -ENOMEM. */
MUST_CHECK int
pump_wait_for(struct pump *pump, struct event *event, int fd, short what, uint32_t limit_s);

/* At once, with everything that it has. */
void pump_release(struct pump *pump);

/*
 * The close_notify of a download is with the kernel, or an upload has come whole: tells the owner,
 * who has it no more, and awaits the client's own end; then what came of that.
 */
void pump_linger(struct pump *pump);
void pump_linger_on(struct pump *pump, bool is_late);

#endif
