/*
 * Whom the server may serve: the ids and the home of a user, held against the configuration
 * (DECISIONS 11).
 */
#ifndef SALLYPORT_POLICY_RULES_IDENTITY_H
#define SALLYPORT_POLICY_RULES_IDENTITY_H

#include "policy/rules/config.h"

struct identity {
	uint32_t uid, gid;
	const uint32_t *groups; /* supplementary ones */
	size_t group_count;
	struct bytes home;        /* untrusted; data NULL: needs none */
	struct bytes memory_load; /* likewise: what is read into memory instead */
};

/*
 * The identity is untrusted. Root (`own_uid` 0) gives each user its own uid and gid, within
 * uid_min, groups_allowed and roots; anybody else can only serve users of the own uid and gid, and
 * gives no groups. 0, -EINVAL with the reason, or -ENOMEM.
 */
MUST_CHECK int identity_check(const struct identity *identity, const struct config *config,
	uint32_t own_uid, uint32_t own_gid, struct rules_error *error);

#endif
