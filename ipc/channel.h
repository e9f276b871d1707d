/*
 * A channel: one end of an AF_UNIX SOCK_SEQPACKET socketpair with a table of messages (DESIGN 3),
 * served by a libevent loop. A message is never partial; its descriptor arrives with it.
 *
 * Before a handler runs, in this order: known code, the peer's role may send it, this phase permits
 * it, exactly the declared descriptor and of its kind, every field in range, no bytes left over.
 * Anything else is *malformed*: nothing is repaired, the channel stops and its owner is told why.
 *
 * All channels of a process belong to one thread. A handler may free its own channel, or any other.
 */
#ifndef SALLYPORT_IPC_CHANNEL_H
#define SALLYPORT_IPC_CHANNEL_H

#include "ipc/message.h"

#include <event2/event.h>

struct channel;

enum {
	CHANNEL_QUEUE_BYTES_FULL = 128 * 1024, /* channel_is_full() from here */
	CHANNEL_QUEUE_BYTES_MAX = 1024 * 1024, /* channel_post() refuses from here */
};

struct channel_options {
	struct event_base *base;
	const struct message_table *messages;
	enum role our_role;
	enum role peer_role; /* from whoever made the channel, never from a message */
	enum message_phase phase;
	const void *handlers; /* struct <channel>_handlers: one for all that the peer may send */
	void *owner;          /* handed to handlers and callbacks */
	/*
	 * The channel has ended: by a malformed message (a constant text that says which rule it
	 * broke) or, with malformed == NULL, by the peer's end of file or because the system could
	 * not carry a message. Called once, from the loop, never from inside a call; afterwards
	 * nothing arrives and posting fails. Usually frees the channel.
	 */
	void (*closed)(void *owner, const char *malformed);
	/* May be NULL. The queue of a channel that was full is empty again. */
	void (*drained)(void *owner);
};

/* A socketpair for a channel, close-on-exec and non-blocking: 0 or negative errno. */
MUST_CHECK int channel_pair(int ends[2]);

/* Takes *fd (set to -1 on success). 0, -ENOMEM, or -EBADMSG if it is no channel's end. */
MUST_CHECK int channel_new(const struct channel_options *options, int *fd, struct channel **result);

/* Closes the descriptor, drops what was not sent, and sets *channel to NULL. NULL is fine. */
void channel_free(struct channel **channel);

/*
 * Sends a message; use the typed <channel>_post_<message>(). `descriptor` is borrowed (-1: none).
 * Never blocks: what the socket does not take at once is queued. What is accepted arrives in order,
 * or the channel ends. Returns 0, or nothing was sent and
 *   -EINVAL    a field breaks its own row
 *   -EMSGSIZE  each field is in range, but together they are more than a body holds
 *   -ENOBUFS   the queue has reached CHANNEL_QUEUE_BYTES_MAX, or as -ENOMEM
 *   -EPIPE     the channel has ended, or the peer is gone and `closed` follows
 *   -ENOMEM
 *   -EMFILE, -ETOOMANYREFS   with a descriptor only
 */
MUST_CHECK int channel_post(
	struct channel *channel, uint32_t code, uint32_t tag, const void *body, int descriptor);

/*
 * The same, but it is only queued: channel_flush() sends it, with all that was held before it. So
 * that what is said in one breath wakes the peer once. A channel that is full by that is flushed at
 * once: what is refused was refused by the peer.
 */
MUST_CHECK int channel_hold(struct channel *channel, uint32_t code, uint32_t tag, const void *body);
void channel_flush(struct channel *channel);

/*
 * For posts that nobody has to follow up: the peer is gone and `closed` follows, or it reads
 * nothing and will miss this as well. Not for a message whose fields may be too much (-EINVAL,
 * -EMSGSIZE: a bug).
 */
void channel_lost(int post_result);

bool channel_is_full(const struct channel *channel);

/* Nothing that was posted or held is still in this process, or there is nobody left to take it. */
bool channel_is_drained(const struct channel *channel);

/*
 * Before a process ends: runs the loop until *channel is drained, or its owner has set it to NULL
 * (see `closed`). NULL is fine.
 */
void channel_drain(struct channel *const *channel);

/*
 * Handlers come only while reading; a paused channel leaves messages in the socket, and the peer's
 * end behind them.
 */
void channel_pause(struct channel *channel);
void channel_resume(struct channel *channel);

void channel_set_phase(struct channel *channel, enum message_phase phase);

/* A well-formed message is out of place, its handler found: as malformed. `why` is a constant. */
void channel_reject(struct channel *channel, const char *why);

/*
 * For a fork that goes on without its parent's channels: wipes the copy of the message that is
 * being handled, which the parent wipes behind its handler.
 */
void channel_wipe_received(void);

/* Writes every message of this process to `output` as one JSON line (NULL: off). For debugging. */
void channel_trace(FILE *output);

#endif
