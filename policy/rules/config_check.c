/*
 * What options say together, and the accounts behind their names (see config.h). Runs in the loader
 * and, without the accounts, in every process that is sent a configuration.
 */
#include "ipc/base/scope.h"
#include "policy/rules/config_hosts.h"

#include <assert.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stddef.h>

/* Both families keep the port in the same place. */
static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
	"one way to the port");

static bool
is_passive_port(const struct config *config, uint64_t port)
{
	return port >= config->passive_ports.first && port <= config->passive_ports.last;
}

/* Nothing can leave from a port that is listened on. */
static int
check_source_port(
	const struct config *config, uint16_t port, const char *listener, struct rules_error *error)
{
	if (config->active_source_port == 0 || config->active_source_port != port)
		return 0;
	return rules_refuse(error, "active_source_port: %u is a port of %s", port, listener);
}

static int
check_ports(const struct config *config, struct rules_error *error)
{
	uint64_t source_port = config->active_source_port;
	if (is_passive_port(config, source_port))
		return check_source_port(config, (uint16_t)source_port, "passive_ports", error);
	static const char *const options[] = {
		[CONFIG_LISTENER_PLAIN] = "listen",
		[CONFIG_LISTENER_TLS] = "tls_listen",
		[CONFIG_LISTENER_PROXIES] = "proxy_listen",
	};
	for (size_t i = 0; i < config_listener_count(config); i++) {
		const char *option = options[config_listener_kind(config, i)];
		uint16_t port = ntohs(config_listener(config, i)->v4.sin_port);
		if (is_passive_port(config, port))
			return rules_refuse(error, "%s: port %u is one of passive_ports %u-%u",
				option, port, config->passive_ports.first,
				config->passive_ports.last);
		int result = check_source_port(config, port, option, error);
		if (result < 0)
			return result;
	}
	return 0;
}

/* Authorities that nobody is held to would look like protection. */
static int
check_client_certificates(const struct config *config, struct rules_error *error)
{
	bool is_off = config->tls_client_certificate == CONFIG_TLS_CLIENT_CERTIFICATE_OFF;
	if (!is_off && config->tls == CONFIG_TLS_OFF)
		return rules_refuse(
			error, "tls_client_certificate: needs tls = optional or required");
	if (is_off && config->tls_client_ca[0] != '\0')
		return rules_refuse(
			error, "tls_client_ca: needs tls_client_certificate = request or require");
	if (config->tls_client_crl[0] != '\0' && config->tls_client_ca[0] == '\0')
		return rules_refuse(error, "tls_client_crl: needs tls_client_ca");
	return 0;
}

/* A user may want more than the server, and nobody what is not there. */
static int
check_tls(const struct config *config, struct rules_error *error)
{
	size_t count = config->tls_certificates.count;
	if (config->tls_keys.count != count)
		return rules_refuse(error,
			"tls_keys: %zu keys for %zu certificates; each needs its own",
			config->tls_keys.count, count);
	if (config->tls_staples.count > count)
		return rules_refuse(error, "tls_staples: more than there are tls_certificates");
	if (config->tls == CONFIG_TLS_OFF && config->tls_listen.count > 0)
		return rules_refuse(error, "tls_listen: needs tls = optional or required");
	return check_client_certificates(config, error);
}

/* In a quick start the certificate is made, and in no file. */
int
config_check_certificates(const struct config *config, struct rules_error *error)
{
	if (config->tls != CONFIG_TLS_OFF && config->tls_certificates.count == 0)
		return rules_refuse(error, "tls: needs tls_certificates and tls_keys");
	return 0;
}

/* Who comes to such an address is a proxy or nobody; who comes to others is no proxy. */
static int
check_proxies(const struct config *config, struct rules_error *error)
{
	const struct value_addresses *listen = &config->listen, *proxied = &config->proxy_listen;
	if (listen->count + proxied->count == 0)
		return rules_refuse(error, "listen: may not be empty without proxy_listen");
	if (proxied->count > 0 && config->proxy_from.count == 0)
		return rules_refuse(error,
			"proxy_from: may not be empty with proxy_listen: name the networks of "
			"your proxies, whose word about clients is believed");
	if (proxied->count == 0 && config->proxy_from.count > 0)
		return rules_refuse(error, "proxy_from: there is no proxy_listen to come to");
	for (size_t i = 0; i < proxied->count; i++) {
		if (proxied->items[i].v4.sin_port == 0)
			return rules_refuse(error, "proxy_listen: a proxy cannot guess port 0");
		for (size_t j = 0; j < listen->count; j++)
			if (value_address_equal(&listen->items[j], &proxied->items[i]))
				return rules_refuse(error,
					"proxy_listen: one of its addresses is in listen, too");
	}
	return 0;
}

static int
check_times(const struct config *config, struct rules_error *error)
{
	if (config->commit_timeout < config->path_timeout)
		return rules_refuse(error, "commit_timeout: shorter than path_timeout, of which a "
					   "commit takes several");
	if (config->idle_timeout_max > 0 && config->idle_timeout_max < config->idle_timeout)
		return rules_refuse(error,
			"idle_timeout_max: shorter than idle_timeout, with which "
			"every session begins");
	return 0;
}

static int
check_backend(const struct config *config, struct rules_error *error)
{
	struct bytes name = bytes_of_text(config->backend.name);
	if (backend_is_built_in(name) || config->backend_directory[0] != '\0')
		return 0;
	SCOPE_FREE char *words = backend_words();
	if (words == NULL)
		return -ENOMEM;
	return rules_refuse_value(error, "backend", name,
		"is not one of: %s; a custom one needs backend_directory", words);
}

int
config_check(const struct config *config, struct rules_error *error)
{
	int result = check_ports(config, error);
	if (result == 0)
		result = check_proxies(config, error);
	if (result == 0)
		result = check_times(config, error);
	if (result == 0)
		result = check_tls(config, error);
	if (result == 0)
		result = check_backend(config, error);
	return result < 0 ? result : config_check_hosts(config, error);
}

enum { ACCOUNT_RECORD_BYTES = 1 << 20 }; /* of passwd(5) or group(5), more than any sane one */

static int
resolve_account(const char *option, struct value_account *account, struct rules_error *error)
{
	if (account->resolved)
		return 0;
	SCOPE_FREE char *buffer = malloc(ACCOUNT_RECORD_BYTES);
	if (buffer == NULL)
		return -ENOMEM;
	struct passwd record, *found = NULL;
	int failure = getpwnam_r(account->name, &record, buffer, ACCOUNT_RECORD_BYTES, &found);
	if (failure != 0)
		return rules_refuse(
			error, "%s: no account '%s': %s", option, account->name, strerror(failure));
	if (found == NULL)
		return rules_refuse(error,
			"%s: no account '%s'; make it: useradd --system --no-create-home "
			"--shell /usr/sbin/nologin '%s'",
			option, account->name, account->name);
	if (record.pw_uid == 0 || record.pw_gid == 0)
		return rules_refuse(error, "%s: '%s' is root's", option, account->name);
	account->uid = record.pw_uid;
	account->gid = record.pw_gid;
	account->resolved = true;
	return 0;
}

int
config_resolve_accounts(struct config *config, struct rules_error *error)
{
	const struct {
		const char *option;
		struct value_account *account;
	} rows[] = {
		{ "gateway_user", &config->gateway_user },
		{ "auth_user", &config->auth_user },
		{ "record_user", &config->record_user },
		{ "keys_user", &config->keys_user },
	};
	size_t count = ARRAY_LENGTH(rows) - (config->tls == CONFIG_TLS_OFF);
	for (size_t i = 0; i < count; i++) {
		int result = resolve_account(rows[i].option, rows[i].account, error);
		if (result < 0)
			return result;
		for (size_t j = 0; j < i; j++)
			if (rows[j].account->uid == rows[i].account->uid)
				return rules_refuse(error, "%s: the same account as %s",
					rows[i].option, rows[j].option);
	}
	return 0;
}

int
config_resolve_group(struct config *config, struct rules_error *error)
{
	struct value_group *group = &config->admin_group;
	if (group->name == NULL || group->resolved)
		return 0;
	SCOPE_FREE char *buffer = malloc(ACCOUNT_RECORD_BYTES);
	if (buffer == NULL)
		return -ENOMEM;
	struct group record, *found = NULL;
	int failure = getgrnam_r(group->name, &record, buffer, ACCOUNT_RECORD_BYTES, &found);
	if (found == NULL)
		return rules_refuse(error, "admin_group: no group '%s'%s%s", group->name,
			failure == 0 ? "" : ": ", failure == 0 ? "" : strerror(failure));
	group->gid = record.gr_gid;
	group->resolved = true;
	return 0;
}

int
config_choose_admin_socket(struct config *config, bool privileged, struct rules_error *error)
{
	if (config->given[OPTION_admin_socket] || privileged)
		return 0;
	return config_accept_own(config, OPTION_admin_socket, bytes_of_text(""), error);
}
