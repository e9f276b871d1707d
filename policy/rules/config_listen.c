/*
 * What is listened on, as one list (see config.h). Runs in every process that has options.
 */
#include "policy/rules/config.h"

size_t
config_listener_count(const struct config *config)
{
	return config->listen.count + config->tls_listen.count + config->proxy_listen.count;
}

/* Which option it comes from, and its place there. */
static const struct value_addresses *
find(const struct config *config, size_t *place, enum config_listener_kind *kind)
{
	const struct value_addresses *lists[] = {
		[CONFIG_LISTENER_PLAIN] = &config->listen,
		[CONFIG_LISTENER_TLS] = &config->tls_listen,
		[CONFIG_LISTENER_PROXIES] = &config->proxy_listen,
	};
	*kind = CONFIG_LISTENER_PLAIN;
	for (; *kind < CONFIG_LISTENER_PROXIES && *place >= lists[*kind]->count; ++*kind)
		*place -= lists[*kind]->count;
	return lists[*kind];
}

enum config_listener_kind
config_listener_kind(const struct config *config, size_t place)
{
	enum config_listener_kind kind;
	(void)find(config, &place, &kind);
	return kind;
}

const struct value_address *
config_listener(const struct config *config, size_t place)
{
	enum config_listener_kind kind;
	const struct value_addresses *addresses = find(config, &place, &kind);
	return &addresses->items[place];
}

char *
config_listener_text(const struct config *config, size_t place)
{
	static const unsigned options[] = { OPTION_listen, OPTION_tls_listen, OPTION_proxy_listen };
	enum config_listener_kind kind;
	const struct value_addresses *addresses = find(config, &place, &kind);
	return value_text(config_rule(options[kind]), addresses, place);
}
