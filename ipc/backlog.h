/*
 * Packets that a socket had no room for, in order, with copies of their descriptors. Part of a
 * channel; nothing else uses it.
 */
#ifndef SALLYPORT_IPC_BACKLOG_H
#define SALLYPORT_IPC_BACKLOG_H

#include "ipc/base/bytes.h"

struct outgoing;

/* All zero: empty. */
struct backlog {
	struct outgoing *first, *last;
	size_t bytes;
};

/* Copies a packet to the end; `descriptor` is borrowed (-1: none). 0, -ENOMEM or -EMFILE. */
MUST_CHECK int backlog_add(struct backlog *backlog, struct bytes data, int descriptor);

/*
 * Sends from the front what the socket takes. 0 when nothing is left, or the errno of packet_send()
 * for the first packet that stays. When the peer has closed all of it is dropped: 0.
 */
MUST_CHECK int backlog_send(struct backlog *backlog, int fd);

/* Drops everything; what it held is wiped. */
void backlog_clear(struct backlog *backlog);

#endif
