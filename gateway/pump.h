/*
 * A pump: the gateway's relay between a data descriptor and TLS (DESIGN 5). The worker has one end
 * of a socketpair and does not know what is behind it; the client has the other end of a TLS
 * connection. What is in between is bounded, in both directions, whoever is slow.
 *
 *	out	worker -> client. The worker's end of file means nothing by itself: only when the
 *		owner knows that all of it was meant, and says so with pump_end(), does the client
 *		get the close_notify by which it tells a whole file from a cut one.
 *		Where the kernel encrypts (tls_kernel.h), the worker gets the client's connection
 *		itself once the handshake is done. No byte of the file comes by here then; what is
 *		left is to hear the client, and to say the close_notify.
 *	in	client -> worker. `ended` says whether the client said that it was done, before the
 *		worker sees any end.
 */
#ifndef SALLYPORT_GATEWAY_PUMP_H
#define SALLYPORT_GATEWAY_PUMP_H

#include "gateway/tls.h"

#include <event2/event.h>

struct pump;
struct pump_room;

/* What pumps of one process work in, one after the other. NULL when memory is short. */
MUST_CHECK struct pump_room *pump_room_new(struct event_base *base);

/* Pumps that wait for a last word of their peers end with it. */
void pump_room_free(struct pump_room **room);

struct pump_options {
	struct pump_room *room;
	struct tls_context *context;
	const char *host; /* the session's; as tls.h has it */
	uint64_t session;
	struct tls *control; /* the session's; borrowed until the pump has ended */
	bool is_upload;
	uint32_t stall_timeout_s;        /* without progress towards the client */
	const struct tls_kernel *kernel; /* for a download; NULL: none */
	/* The handshake is done: 0, or a negative errno with which the pump ends. */
	int (*secured)(void *owner, const struct tls *tls);
	/*
	 * Behind it, where pump_new() had no end for the worker yet: takes worker_fd. It may end
	 * the pump.
	 */
	void (*placed)(void *owner, int worker_fd);
	/*
	 * Once, from the loop: 0, or why not. 0 of an upload: the client said that it was done, and
	 * all of it is with the worker; of a download: all of it is with the client's kernel. The
	 * pump is gone afterwards, and *pump of pump_new() NULL.
	 */
	void (*ended)(void *owner, int error);
	void *owner;
};

/*
 * Takes *fd, the client's connection, and gives *worker_fd, the worker's end, which the caller
 * owns; with a kernel that may encrypt that is -1, and `placed` follows. Begins with the handshake.
 * `pump` is where the owner keeps it. 0 or negative errno.
 */
MUST_CHECK int
pump_new(const struct pump_options *options, int *fd, int *worker_fd, struct pump **pump);

/* All that the worker has sent, or will have, is what the client is to get. Of a download. */
void pump_end(struct pump *pump);

/* At once, without `ended`: the client sees a cut stream. Sets *pump to NULL. NULL is fine. */
void pump_free(struct pump **pump);

#endif
