/*
 * What one gateway process has, and when it leaves. Process lifetime; one per process.
 *
 * The gateway talks to the supervisor (supervisor.h), auth (login.h) and record (record.h), accepts
 * control connections (reception.h), keeps passive listeners at hand (passive.h) and has one
 * session (session.h) for each control connection.
 */
#ifndef SALLYPORT_GATEWAY_GATEWAY_H
#define SALLYPORT_GATEWAY_GATEWAY_H

#include "gateway/announce.h"
#include "gateway/hosts.h"
#include "gateway/line.h"
#include "gateway/proxies.h"
#include "gateway/record.h"
#include "gateway/ticket.h"
#include "ipc/gate.h"

#include <event2/event_struct.h>

struct session;

/* What an answer with a ticket's tag belongs to. */
enum ticket_purpose { TICKET_VERIFY, TICKET_ATTACH, TICKET_CONNECT, TICKET_PORT };

/* All sessions, by the lower half of their ids. */
struct session_table {
	struct session **buckets;
	uint32_t bucket_count; /* a power of two */
	uint32_t count;
	uint32_t last_number; /* lower half of the last id given */
};

struct gateway {
	struct event_base *base;
	struct gate_configure settings; /* without its greeting, which is a host's */
	struct hosts hosts;
	struct channel *supervisor; /* NULL once it is gone */
	struct channel *auth;       /* NULL until auth is there */
	struct record_link record;
	struct ticket_table tickets;
	struct session_table sessions;
	struct attention *attention;
	struct reception *reception;
	struct turnstile *turnstile;
	struct passive_pool *passive;
	struct announcements announcements;
	struct security *security;
	struct proxies proxies;
	struct line_buffer input;
	struct session *awake; /* sessions whose turn is due */
	struct event turn;
	bool is_leaving; /* takes no new sessions; ends when it has none */
};

/* Takes nothing yet; gateway_configure() comes first. NULL when memory is short. */
struct gateway *gateway_new(struct event_base *base);

/* The settings, once: 0 or -ENOMEM. */
MUST_CHECK int gateway_configure(struct gateway *gateway, const struct gate_configure *settings);

/* Ends all sessions at once and closes everything. */
void gateway_free(struct gateway **gateway);

/*
 * Closes listeners and idle passive ports and takes no new session; the loop ends with the last
 * one. With `now`, sessions are told to go as soon as they have done what they are doing.
 */
void gateway_leave(struct gateway *gateway, bool now);

/* A session has ended. */
void gateway_leave_if_empty(struct gateway *gateway);

/* Milliseconds of a clock that only goes forward. */
uint64_t gateway_now_ms(void);

#endif
