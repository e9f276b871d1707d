/*
 * The time limit of a session (see limit.h). Runs in the gateway.
 *
 * A limit that moves to a later time leaves its event as it is; when that fires too early it is
 * armed anew. So a command costs no timer call.
 */
#include "gateway/limit.h"

#include "gateway/gateway.h"

static void
arm(struct limit *limit, uint64_t now_ms)
{
	uint64_t wait_ms = limit->due_ms > now_ms ? limit->due_ms - now_ms : 0;
	struct timeval wait = {
		.tv_sec = (time_t)(wait_ms / 1000),
		.tv_usec = (suseconds_t)(wait_ms % 1000 * 1000),
	};
	limit->armed_ms = limit->due_ms;
	event_add(&limit->event, &wait);
}

static void
on_time(evutil_socket_t fd, short what, void *argument)
{
	struct limit *limit = argument;
	uint64_t now_ms = gateway_now_ms();
	(void)fd;
	(void)what;
	limit->armed_ms = 0;
	if (limit->kind == LIMIT_NONE)
		return;
	if (now_ms < limit->due_ms) {
		arm(limit, now_ms);
		return;
	}
	enum limit_kind reached = limit->kind;
	limit->kind = LIMIT_NONE;
	limit->reached(limit->owner, reached);
}

void
limit_init(struct limit *limit, struct event_base *base,
	void (*reached)(void *owner, enum limit_kind kind), void *owner)
{
	limit->kind = LIMIT_NONE;
	limit->armed_ms = 0;
	limit->reached = reached;
	limit->owner = owner;
	event_assign(&limit->event, base, -1, 0, on_time, limit);
}

void
limit_set(struct limit *limit, enum limit_kind kind, uint32_t seconds)
{
	uint64_t now_ms = gateway_now_ms();
	limit->kind = kind;
	limit->due_ms = now_ms + (uint64_t)seconds * 1000;
	if (limit->armed_ms == 0 || limit->armed_ms > limit->due_ms)
		arm(limit, now_ms);
}

void
limit_clear(struct limit *limit, enum limit_kind kind)
{
	if (limit->kind == kind)
		limit->kind = LIMIT_NONE;
}

void
limit_stop(struct limit *limit)
{
	limit->kind = LIMIT_NONE;
	limit->armed_ms = 0;
	event_del(&limit->event);
}
