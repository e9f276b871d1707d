/*
 * Waiting for PROXY headers (see arrival.h). Runs in the gateway; a proxy that says nothing holds a
 * descriptor until its time is over.
 */
#include "gateway/arrival.h"

#include "gateway/gateway.h"
#include "ipc/base/scope.h"

#include <errno.h>
#include <stdlib.h>

static void
release(struct arrival *arrival)
{
	event_del(&arrival->readable);
	fd_close(&arrival->fd);
	free(arrival);
}

static void
conclude(struct arrival *arrival, int error, const struct proxy_claim *claim)
{
	LIST_REMOVE(arrival, link);
	arrival->known(arrival->owner, arrival, error, claim);
	release(arrival);
}

/* As long as something comes, and no longer than until its time is over. */
static int
await(struct arrival *arrival)
{
	uint64_t now_ms = gateway_now_ms();
	if (now_ms >= arrival->until_ms)
		return -ETIMEDOUT;
	uint64_t left_ms = arrival->until_ms - now_ms;
	struct timeval limit = {
		.tv_sec = (time_t)(left_ms / 1000),
		.tv_usec = (suseconds_t)(left_ms % 1000) * 1000,
	};
	return event_add(&arrival->readable, &limit) < 0 ? -ENOMEM : 0;
}

static void
read_on(struct arrival *arrival)
{
	struct proxy_claim claim = { .is_claimed = false };
	int error = proxy_read(&arrival->header, arrival->fd, &claim);
	if (error == -EAGAIN && (error = await(arrival)) == 0)
		return;
	conclude(arrival, error, &claim);
}

static void
on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct arrival *arrival = argument;
	const struct proxy_claim none = { .is_claimed = false };
	(void)fd;
	if ((what & EV_TIMEOUT) != 0)
		conclude(arrival, -ETIMEDOUT, &none);
	else
		read_on(arrival);
}

int
arrival_begin(struct arrival_list *list, const struct arrival_options *options, int *fd)
{
	struct arrival *arrival = calloc(1, sizeof(*arrival));
	if (arrival == NULL)
		return -ENOMEM;
	arrival->fd = fd_take(fd);
	arrival->peer = options->peer;
	arrival->local = options->local;
	arrival->since_ms = gateway_now_ms();
	arrival->until_ms = arrival->since_ms + (uint64_t)options->limit_s * 1000;
	arrival->known = options->known;
	arrival->owner = options->owner;
	event_assign(&arrival->readable, options->base, arrival->fd, EV_READ, on_readable, arrival);
	LIST_INSERT_HEAD(list, arrival, link);
	int error = await(arrival);
	if (error < 0) {
		LIST_REMOVE(arrival, link);
		release(arrival);
	}
	return error;
}

void
arrivals_forget(struct arrival_list *list)
{
	while (!LIST_EMPTY(list)) {
		struct arrival *first = LIST_FIRST(list);
		LIST_REMOVE(first, link);
		release(first);
	}
}
