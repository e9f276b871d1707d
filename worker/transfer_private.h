/*
 * What the kinds of transfers (transfer_send.c, transfer_receive.c) and their engine (transfer.c)
 * share. Nobody else includes this.
 */
#ifndef SALLYPORT_WORKER_TRANSFER_PRIVATE_H
#define SALLYPORT_WORKER_TRANSFER_PRIVATE_H

#include "worker/ascii.h"
#include "worker/deflate.h"
#include "worker/transfer.h"

#include <event2/event_struct.h>
#include <sys/queue.h>

enum {
	TRANSFER_PIECE_BYTES = 64 * 1024,    /* of text, before it is sent */
	TRANSFER_BUFFER_BYTES = 1024 * 1024, /* what arrives is read in this size */
	/* In a turn that deflates or inflates: some milliseconds (HOSTILE 34). */
	TRANSFER_CODED_BYTES = 256 * 1024,
};

/* What a turn works in: the scratch memory of its thread. Nothing in it outlives the turn. */
struct transfer_room {
	char buffer[TRANSFER_BUFFER_BYTES];
	char converted[TRANSFER_BUFFER_BYTES + 1];
};
_Static_assert(sizeof(struct transfer_room) <= EXECUTOR_SCRATCH_BYTES, "too large");
_Static_assert(DEFLATE_ROOM_BYTES(2 * TRANSFER_PIECE_BYTES) <= TRANSFER_BUFFER_BYTES, "too small");
_Static_assert(TRANSFER_PIECE_BYTES + TRANSFER_CODED_BYTES <= TRANSFER_BUFFER_BYTES, "too small");

/* What a turn came to; or negative errno. */
enum transfer_turn {
	TRANSFER_ENDED,
	TRANSFER_BLOCKED, /* until the descriptor is ready */
	TRANSFER_MORE,    /* could go on, and lets others have their turn */
};

struct transfer_kind {
	short ready;   /* EV_READ or EV_WRITE: what it waits for */
	bool is_brief; /* a turn with a small budget is (executor.h) */
	/*
	 * In an effect. Moves about ->budget bytes of file or text and adds what went through the
	 * descriptor to ->bytes.
	 */
	int (*turn)(struct transfer *transfer, struct transfer_room *room);
	/* On the loop; may be NULL. Is there, for sure, nothing for a turn to do yet? */
	bool (*has_nothing)(struct transfer *transfer);
	/* The same. Is a turn best done there, and can it be, for sure, without waiting for the
	 * file? */
	bool (*is_quick)(struct transfer *transfer);
};

/* Text that the descriptor did not take yet: only a transfer that waits has any. */
struct transfer_left {
	char *bytes;
	size_t length;
	size_t sent;
};

struct transfer {
	struct job job; /* first: a turn */
	const struct transfer_kind *kind;
	struct transfer_options options;
	int fd;

	/* The loop's. */
	bool waits;      /* on the list of those that the clock knows */
	bool is_watched; /* its descriptor, by the loop */
	bool is_at_work; /* a turn has begun: what is below is the turn's */
	bool is_away;    /* and it is a thread's */
	bool is_drained; /* the last turn left nothing to read */
	bool has_ended;  /* while it was at work */
	uint64_t bytes_known;
	uint64_t bytes_at_tick;
	uint64_t bytes_reported;
	uint32_t idle_ms;
	uint32_t unreported_ms;
	TAILQ_ENTRY(transfer) entry;
	struct event ready;

	/* The turn's. */
	int result;
	uint64_t budget;
	uint64_t stop_at; /* of bytes */
	uint64_t stop_us; /* until then it goes on beyond; 0: it does not */
	uint64_t bytes;
	struct transfer_file file;
	bool has_read; /* something of the file */
	struct ascii ascii;
	struct deflater *deflater; /* NULL, as the other: not coded */
	struct inflater *inflater;
	struct listing_text *text;
	struct memory_save *save;
	bool text_ended;
	struct transfer_left left;
};

/*
 * In a turn that moves bytes as they are: how many the next piece may have; 0: enough for this
 * turn. A thread's may go on beyond its budget for a while.
 */
uint64_t transfer_piece(const struct transfer *transfer);

uint64_t transfer_now_us(void);

/* Does no other transfer of the worker go on beside it? */
bool transfer_is_alone(const struct transfer *transfer);

/* Starts a transfer of this kind from `prepared`, whose options and kind are set: as in transfer.h.
 */
MUST_CHECK int transfer_start(const struct transfer *prepared);

#endif
