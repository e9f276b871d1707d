/*
 * The remote implementation of path-I/O: requests over a channel to a worker (DESIGN 4, PATHIO 4).
 *
 * It sends at once, so that requests in one breath are pipelined, and enforces the time limits of
 * the caller's side: after a deadline the completion gets -ETIMEDOUT once, the late answer is
 * dropped, and a file that was opened too late is closed. A transfer's limit counts from its last
 * progress, that of a request behind another on its file from that one's end. When the channel
 * ends, all that is pending completes with -EIO, then `closed` is called.
 */
#ifndef SALLYPORT_IPC_REMOTE_H
#define SALLYPORT_IPC_REMOTE_H

#include "ipc/pathio.h"

struct remote_options {
	struct event_base *base;
	uint32_t deadline_ms; /* of a request; 0: none */
	uint32_t stall_ms;    /* of a transfer without progress; 0: none */
	/* Of commit, sync, copy, combine, digest and remove_tree; 0: none. */
	uint32_t slow_deadline_ms;
	void *owner;
	/* As of struct channel_options: once, from the loop. Usually frees the instance. */
	void (*closed)(void *owner, const char *malformed);
	/* May be NULL. A request ran out of time: the worker may be stuck (complain about it). */
	void (*late)(void *owner);
	/* May be NULL. A transfer has moved so many bytes so far. */
	void (*progress)(void *owner, uint32_t tag, uint64_t bytes);
};

/*
 * The worker will never answer, although its channel stays open: at once as if the channel had
 * ended. `io` is one of remote_new().
 */
void remote_abandon(struct pathio *io);

/* Takes *fd, the gateway's end of a session's channel. 0, -ENOMEM or -EBADMSG. */
MUST_CHECK int remote_new(const struct remote_options *options, int *fd, struct pathio **result);

#endif
