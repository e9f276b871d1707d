/*
 * What the gateway tells record: events of its sessions and of itself (ipc/event.def). Nothing is
 * lost while record is slow: sessions then wait before their next command, and no new ones are
 * taken (DECISIONS 22).
 */
#ifndef SALLYPORT_GATEWAY_RECORD_H
#define SALLYPORT_GATEWAY_RECORD_H

#include "ipc/event.h"

struct gateway;
struct session;

struct record_link {
	struct channel *channel; /* NULL until it is there */
	uint32_t sequence;       /* of the last event on this channel */
};

/* Takes *fd, a channel to record, in place of an earlier one. 0 or negative errno. */
MUST_CHECK int record_connect(struct gateway *gateway, int *fd);

/* Must whoever makes events wait? session_wake() and the listeners follow when it may go on. */
bool record_is_full(const struct gateway *gateway);

/* In words, about the process. */
void record_notice(struct gateway *gateway, enum severity severity, const char *text);

void record_connected(const struct session *session);
void record_secured(const struct session *session);
void record_certificate(const struct session *session);
void record_unsecured(const struct session *session);
void record_unclean_end(const struct session *session, uint64_t bytes);
void record_client(const struct session *session, struct bytes name);
void record_disconnected(const struct session *session, const char *reason);
void record_turned_away(struct gateway *gateway, const struct wire_address *peer, const char *limit,
	uint32_t count);

/* A peer broke the rules of a channel; session 0: it was no session's channel. */
void record_malformed(
	struct gateway *gateway, enum process_role peer, uint64_t session, const char *rule);

void record_free(struct record_link *record);

#endif
