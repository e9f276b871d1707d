/*
 * What PASV announces (see announce.h). Runs in the gateway; the rules are the supervisor's, which
 * is trusted, and whom they are for is decided by the client's address.
 */
#include "gateway/announce.h"

#include "gateway/session.h"
#include "ipc/address.h"

#include <errno.h>
#include <stdlib.h>

int
announce_replace(struct announcements *announcements, const struct gate_passive_rules *rules)
{
	struct wire_list list = rules->rules;
	struct gate_passive_rule *copies = calloc(list.count + 1, sizeof(*copies));
	if (copies == NULL)
		return -ENOMEM;
	uint32_t count = 0;
	while (wire_list_next(&list, &gate_passive_rule_record, &copies[count]))
		count++;
	announce_free(announcements);
	*announcements = (struct announcements){ .rules = copies, .count = count };
	return 0;
}

void
announce_free(struct announcements *announcements)
{
	free(announcements->rules);
	*announcements = (struct announcements){ .rules = NULL };
}

const struct wire_address *
announce_find(const struct session *session)
{
	const struct announcements *announcements = &session->gateway->announcements;
	for (uint32_t i = 0; i < announcements->count; i++) {
		const struct gate_passive_rule *rule = &announcements->rules[i];
		const struct gate_network *clients = &rule->clients;
		if (!address_is_within(&session->peer, clients->base.ip, clients->prefix))
			continue;
		return address_is_v4(&rule->address) ? &rule->address : &session->reached;
	}
	return &session->reached;
}
