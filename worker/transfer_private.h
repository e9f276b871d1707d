/*
 * What the kinds of transfers (transfer_send.c, transfer_receive.c) and their engine (transfer.c)
 * share. Nobody else includes this.
 */
#ifndef SALLYPORT_WORKER_TRANSFER_PRIVATE_H
#define SALLYPORT_WORKER_TRANSFER_PRIVATE_H

#include "worker/ascii.h"
#include "worker/transfer.h"

#include <event2/event_struct.h>
#include <sys/queue.h>

enum {
	TRANSFER_PIECE_BYTES = 64 * 1024,    /* of text, before it is sent */
	TRANSFER_BUFFER_BYTES = 1024 * 1024, /* what arrives is read in this size */
};

/* What a turn came to; or negative errno. */
enum transfer_turn {
	TRANSFER_ENDED,
	TRANSFER_BLOCKED, /* until the descriptor is ready */
	TRANSFER_MORE,    /* could go on, and lets others have their turn */
};

struct transfer_kind {
	short ready; /* EV_READ or EV_WRITE: what it waits for */
	/* Moves about `budget` bytes and adds what went through the descriptor to ->bytes. */
	int (*turn)(struct transfer *transfer, uint64_t budget);
};

/* Text that the descriptor did not take yet: only a transfer that waits has any. */
struct transfer_left {
	char *bytes;
	size_t length;
	size_t sent;
};

struct transfer {
	const struct transfer_kind *kind;
	struct transfer_options options;
	int fd;
	bool waits; /* on the list of those that the loop knows */
	uint64_t bytes;
	uint64_t bytes_at_tick;
	uint64_t bytes_reported;
	uint32_t idle_ms;
	uint32_t unreported_ms;
	TAILQ_ENTRY(transfer) entry;
	struct event ready;

	struct transfer_file file;
	struct ascii ascii;
	struct listing_text *text;
	bool text_ended;
	struct transfer_left left;
};

/*
 * Shared by all transfers of a process: a turn ends before the next one begins, and what must be
 * kept between turns is copied out.
 */
extern char transfer_buffer[TRANSFER_BUFFER_BYTES];
extern char transfer_converted[TRANSFER_BUFFER_BYTES + 1];

/* Starts a transfer of this kind from `prepared`, whose options and kind are set. */
void transfer_start(const struct transfer *prepared);

#endif
