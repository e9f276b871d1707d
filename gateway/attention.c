/*
 * Urgent data and hang-up (see attention.h). Runs in the gateway. libevent has no event for either
 * that leaves the readable bytes alone: hence an epoll set of its own, watched by the loop.
 */
#include "gateway/attention.h"

#include "gateway/session.h"
#include "gateway/turn.h"
#include "ipc/base/scope.h"

#include <stdlib.h>
#include <sys/epoll.h>

enum { EVENTS_PER_TURN = 16 };

struct attention {
	struct gateway *gateway;
	int epoll_fd;
	struct event event;
};

/* What has had its event stays in the set until it is taken out, and cannot be put in again. */
static void
forget(struct session *session)
{
	epoll_ctl(session->gateway->attention->epoll_fd, EPOLL_CTL_DEL, session->stream.fd, NULL);
	session->is_attended = false;
}

static void
notice(struct session *session, uint32_t events)
{
	forget(session);
	if ((events & EPOLLPRI) != 0) {
		session->is_dropping = true;
		turn_drop_held(session);
		session_wake(session);
	} else {
		session_end(session, "client-closed");
	}
}

/* How many there were. */
static int
look(struct attention *attention)
{
	struct epoll_event events[EVENTS_PER_TURN];
	int count = epoll_wait(attention->epoll_fd, events, EVENTS_PER_TURN, 0);
	for (int i = 0; i < count; i++) {
		struct session *session = session_find(attention->gateway, events[i].data.u64);
		if (session != NULL && session->is_attended)
			notice(session, events[i].events);
	}
	return count;
}

static void
on_events(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	(void)look(argument);
}

void
attention_look(struct gateway *gateway)
{
	while (look(gateway->attention) == EVENTS_PER_TURN)
		continue;
}

struct attention *
attention_new(struct gateway *gateway)
{
	struct attention *attention = calloc(1, sizeof(*attention));
	if (attention == NULL)
		return NULL;
	attention->gateway = gateway;
	attention->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	event_assign(&attention->event, gateway->base, attention->epoll_fd, EV_READ | EV_PERSIST,
		on_events, attention);
	if (attention->epoll_fd < 0 || event_add(&attention->event, NULL) < 0) {
		fd_close(&attention->epoll_fd);
		free(attention);
		return NULL;
	}
	return attention;
}

void
attention_free(struct attention **attention)
{
	if (*attention == NULL)
		return;
	event_del(&(*attention)->event);
	fd_close(&(*attention)->epoll_fd);
	free(*attention);
	*attention = NULL;
}

void
attention_begin(struct session *session)
{
	/* Once: urgent data stays urgent until it is read. */
	struct epoll_event event = {
		.events = EPOLLPRI | EPOLLRDHUP | EPOLLONESHOT,
		.data.u64 = session->id,
	};
	int epoll_fd = session->gateway->attention->epoll_fd;
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, session->stream.fd, &event) == 0)
		session->is_attended = true;
}

void
attention_stop(struct session *session)
{
	session->is_dropping = false;
	if (session->is_attended)
		forget(session);
}
