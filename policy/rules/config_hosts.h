/*
 * The virtual hosts of a configuration, for config*.c only: what config.h promises of them.
 */
#ifndef SALLYPORT_POLICY_RULES_CONFIG_HOSTS_H
#define SALLYPORT_POLICY_RULES_CONFIG_HOSTS_H

#include "policy/rules/config.h"

/* A value of the server itself, hosts or not: as config_accept(). */
MUST_CHECK int config_accept_own(
	struct config *config, unsigned option, struct bytes value, struct rules_error *error);

/* One more host, which is the last one from now on: 0, -EINVAL with a reason, -ENOMEM. */
MUST_CHECK int config_add_host(struct config *config, struct bytes name, struct rules_error *error);

/* A value of a host: as config_accept(). */
MUST_CHECK int config_accept_of_host(
	struct config_host *host, unsigned option, struct bytes value, struct rules_error *error);

/* The last host, NULL if there is none. */
struct config_host *config_last_host(struct config *config);

/* Has the host its own value of that option? */
bool config_host_gives(const struct config_host *host, unsigned option);

/* May hosts have that option? */
bool config_is_of_hosts(unsigned option);

/* As config_for_each(), of the hosts. */
MUST_CHECK int config_for_each_of_hosts(
	const struct config *config, unsigned readers, config_visit *visit, void *context);

/* What hosts listen on that the server does not yet, is added to what it listens on. */
MUST_CHECK int config_merge_hosts(struct config *config, struct rules_error *error);

/* What no section can see by itself: 0, -EINVAL with a reason, -ENOMEM. */
MUST_CHECK int config_check_hosts(const struct config *config, struct rules_error *error);

void config_free_hosts(struct config *config);

/* Which processes are told of an option (enum config_reader). */
unsigned config_readers(unsigned option);

/* Each value of one slot, as text: as config_for_each(). */
MUST_CHECK int
config_visit_slot(unsigned option, const void *slot, config_visit *visit, void *context);

#endif
