/*
 * Virtual hosts (see config_hosts.h). Runs in every process that has options. Names and values are
 * the administrator's or a channel's, and trusted by nobody.
 */
#include "policy/rules/config_hosts.h"

#include "ipc/base/scope.h"

#include <errno.h>
#include <stddef.h>

enum { LABEL_BYTES_MAX = 63 }; /* RFC 1035 2.3.4 */

static const struct host_option {
	unsigned option;
	size_t value_offset, given_offset;
} host_options[] = {
#define HOST_OPTION(option)                                      \
	{ OPTION_##option, offsetof(struct config_host, option), \
		offsetof(struct config_host, given.option) },
#include "policy/rules/host_options.def"
};

static const struct host_option *
find_option(unsigned option)
{
	for (size_t i = 0; i < ARRAY_LENGTH(host_options); i++)
		if (host_options[i].option == option)
			return &host_options[i];
	return NULL;
}

bool
config_is_of_hosts(unsigned option)
{
	return find_option(option) != NULL;
}

bool
config_host_gives(const struct config_host *host, unsigned option)
{
	const struct host_option *found = find_option(option);
	return found != NULL && *(const bool *)((const char *)host + found->given_offset);
}

struct config_host *
config_last_host(struct config *config)
{
	return config->host_count == 0 ? NULL : &config->hosts[config->host_count - 1];
}

void
config_free_hosts(struct config *config)
{
	for (size_t i = 0; i < config->host_count; i++) {
		for (size_t j = 0; j < ARRAY_LENGTH(host_options); j++)
			value_clear(config_rule(host_options[j].option),
				(char *)&config->hosts[i] + host_options[j].value_offset);
		free(config->hosts[i].name);
	}
	free(config->hosts);
}

/* ---- names ---- */

static bool
is_letter_or_digit(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

static bool
is_label(const char *label, size_t length)
{
	if (length == 0 || length > LABEL_BYTES_MAX || label[0] == '-' || label[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_letter_or_digit(label[i]) && label[i] != '-' && label[i] != '_')
			return false;
	return true;
}

/* A name whose last label is a number would be an address (RFC 1123 2.1). */
static bool
is_host_name(const char *name)
{
	const char *label = name;
	for (;; label += strcspn(label, ".") + 1) {
		size_t length = strcspn(label, ".");
		if (!is_label(label, length))
			return false;
		if (label[length] == '\0')
			break;
	}
	return label[strspn(label, "0123456789")] != '\0';
}

static void
make_small(char *name)
{
	for (; *name != '\0'; name++)
		if (*name >= 'A' && *name <= 'Z')
			*name = (char)(*name - 'A' + 'a');
}

/* A fresh copy of a good name in small letters; NULL: -EINVAL or -ENOMEM in *result. */
static char *
take_name(struct bytes name, int *result, struct rules_error *error)
{
	bool fits = name.length > 0 && name.length <= CONFIG_HOST_NAME_BYTES_MAX &&
		    memchr(name.data, '\0', name.length) == NULL;
	char *copy = fits ? bytes_copy_text(name) : NULL;
	if (fits && copy == NULL) {
		*result = -ENOMEM;
		return NULL;
	}
	if (fits) {
		make_small(copy);
		if (is_host_name(copy))
			return copy;
	}
	free(copy);
	*result = rules_refuse_value(
		error, "host", name, "is no name of a host (as in ftp.example.org)");
	return NULL;
}

int
config_add_host(struct config *config, struct bytes name, struct rules_error *error)
{
	int result = 0;
	if (config->host_count == CONFIG_HOSTS_MAX)
		return rules_refuse(error, "host: more than %d", CONFIG_HOSTS_MAX);
	SCOPE_FREE char *taken = take_name(name, &result, error);
	if (taken == NULL)
		return result;
	for (size_t i = 0; i < config->host_count; i++)
		if (strcmp(config->hosts[i].name, taken) == 0)
			return rules_refuse_value(error, "host", name, "is there twice");
	struct config_host *hosts =
		reallocarray(config->hosts, config->host_count + 1, sizeof(*hosts));
	if (hosts == NULL)
		return -ENOMEM;
	config->hosts = hosts;
	hosts[config->host_count++] = (struct config_host){ .name = taken };
	taken = NULL;
	return 0;
}

/* ---- values ---- */

int
config_accept_of_host(
	struct config_host *host, unsigned option, struct bytes value, struct rules_error *error)
{
	const struct host_option *found = find_option(option);
	const struct value_rule *rule = config_rule(option);
	if (found == NULL)
		return rules_refuse(error, "%s: is the server's, not a host's", rule->name);
	bool *given = (bool *)((char *)host + found->given_offset);
	void *slot = (char *)host + found->value_offset;
	if (*given && !value_is_list(rule->type))
		return rules_refuse(error, "%s: set a second time", rule->name);
	int result = *given ? value_append(rule, value, slot, error)
			    : value_accept(rule, value, slot, error);
	*given = *given || result == 0;
	return result;
}

static int
visit_host(const struct config_host *host, unsigned readers, config_visit *visit, void *context)
{
	int result = visit(context, CONFIG_HOST, bytes_of_text(host->name));
	for (size_t i = 0; i < ARRAY_LENGTH(host_options) && result >= 0; i++) {
		const struct host_option *option = &host_options[i];
		bool is_given = config_host_gives(host, option->option);
		if (is_given && (config_readers(option->option) & readers) != 0)
			result = config_visit_slot(option->option,
				(const char *)host + option->value_offset, visit, context);
	}
	return result;
}

int
config_for_each_of_hosts(
	const struct config *config, unsigned readers, config_visit *visit, void *context)
{
	int result = 0;
	for (size_t i = 0; i < config->host_count && result >= 0; i++)
		result = visit_host(&config->hosts[i], readers, visit, context);
	return result;
}

/* ---- addresses ---- */

/* Does a listener at `wide` take who comes to `address`? */
static bool
covers(const struct value_address *wide, const struct value_address *address)
{
	struct value_address same_port = *wide;
	if (value_address_equal(wide, address))
		return true;
	if (wide->any.sa_family != address->any.sa_family || !value_address_is_any(wide))
		return false;
	if (wide->any.sa_family == AF_INET)
		same_port.v4.sin_addr = address->v4.sin_addr;
	else
		same_port.v6.sin6_addr = address->v6.sin6_addr;
	return value_address_equal(&same_port, address);
}

static bool
is_listened_on(const struct config *config, const struct value_address *address)
{
	for (size_t i = 0; i < config_listener_count(config); i++)
		if (covers(config_listener(config, i), address))
			return true;
	return false;
}

int
config_merge_hosts(struct config *config, struct rules_error *error)
{
	const struct value_rule *rule = config_rule(OPTION_listen);
	int result = 0;
	for (size_t i = 0; i < config->host_count; i++)
		for (size_t j = 0; j < config->hosts[i].listen.count && result == 0; j++) {
			const struct value_addresses *wanted = &config->hosts[i].listen;
			if (is_listened_on(config, &wanted->items[j]))
				continue;
			SCOPE_FREE char *text = value_text(rule, wanted, j);
			result = text == NULL ? -ENOMEM
					      : value_append(rule, bytes_of_text(text),
							&config->listen, error);
		}
	return result;
}

/* Whose address it is among the hosts before this one; NULL: nobody's. */
static const char *
find_owner(const struct config *config, size_t before, const struct value_address *address)
{
	for (size_t i = 0; i < before; i++)
		for (size_t j = 0; j < config->hosts[i].listen.count; j++)
			if (value_address_equal(&config->hosts[i].listen.items[j], address))
				return config->hosts[i].name;
	return NULL;
}

static int
check_address(const struct config *config, size_t host, size_t place, struct rules_error *error)
{
	const struct value_addresses *listen = &config->hosts[host].listen;
	const struct value_address *address = &listen->items[place];
	const char *name = config->hosts[host].name;
	const char *owner = find_owner(config, host, address);
	SCOPE_FREE char *text = value_text(config_rule(OPTION_listen), listen, place);
	if (text == NULL)
		return -ENOMEM;
	if (address->v4.sin_port == 0)
		return rules_refuse(error, "host \"%s\": listen: %s needs its port", name, text);
	if (owner != NULL)
		return rules_refuse(
			error, "host \"%s\": listen: %s is that of host \"%s\"", name, text, owner);
	if (!is_listened_on(config, address))
		return rules_refuse(error, "host \"%s\": listen: nobody listens on %s", name, text);
	return 0;
}

int
config_check_hosts(const struct config *config, struct rules_error *error)
{
	int result = 0;
	for (size_t i = 0; i < config->host_count && result == 0; i++) {
		const struct config_host *host = &config->hosts[i];
		if (host->given.listen && host->listen.count == 0)
			return rules_refuse(
				error, "host \"%s\": listen: may not be empty", host->name);
		for (size_t j = 0; j < host->listen.count && result == 0; j++)
			result = check_address(config, i, j, error);
	}
	return result;
}
