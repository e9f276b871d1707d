/*
 * Which address PASV announces to whom: rules that the supervisor sends, at the start and whenever
 * one of them means another address.
 */
#ifndef SALLYPORT_GATEWAY_ANNOUNCE_H
#define SALLYPORT_GATEWAY_ANNOUNCE_H

#include "ipc/gate.h"

struct gateway;
struct session;

struct announcements {
	struct gate_passive_rule *rules;
	uint32_t count;
};

/* In place of the rules that there were. 0 or -ENOMEM. */
MUST_CHECK int
announce_replace(struct announcements *announcements, const struct gate_passive_rules *rules);
void announce_free(struct announcements *announcements);

/* The address for 227: that of the first rule, or the one that the client reached. */
const struct wire_address *announce_find(const struct session *session);

#endif
