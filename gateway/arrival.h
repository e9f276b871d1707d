/*
 * Connections from proxies that have not said yet for whom they come: each waits for its header,
 * for a limited time. Reception has those to be control connections, a session those to be its data
 * connection.
 */
#ifndef SALLYPORT_GATEWAY_ARRIVAL_H
#define SALLYPORT_GATEWAY_ARRIVAL_H

#include "gateway/proxy.h"

#include <event2/event_struct.h>
#include <sys/queue.h>

struct arrival {
	LIST_ENTRY(arrival) link;
	int fd;                   /* owned */
	struct wire_address peer; /* the proxy */
	struct wire_address local;
	uint64_t since_ms;
	uint64_t until_ms;
	struct event readable;
	struct proxy_header header;
	/* Said once, with the claim or a negative errno (-ETIMEDOUT, as of proxy_read()). The
	   arrival has left its list, and is gone after the call; *fd may be taken. */
	void (*known)(
		void *owner, struct arrival *arrival, int error, const struct proxy_claim *claim);
	void *owner;
};
LIST_HEAD(arrival_list, arrival);

struct arrival_options {
	struct event_base *base;
	struct wire_address peer;
	struct wire_address local;
	uint32_t limit_s;
	void (*known)(
		void *owner, struct arrival *arrival, int error, const struct proxy_claim *claim);
	void *owner;
};

/* Takes *fd. `known` is called from the loop, never from inside. 0 or negative errno. */
MUST_CHECK int
arrival_begin(struct arrival_list *list, const struct arrival_options *options, int *fd);

/* Closes all of them, without a word. */
void arrivals_forget(struct arrival_list *list);

#endif
