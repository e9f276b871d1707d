/*
 * The configuration: one field for each row of options.def. Built once, by `sallyportd --load`
 * from the file or by each other process from the values that it is sent, then never changed.
 *
 * config_accept() is the one way in for a value, whether it comes from a file, a command line or a
 * channel, so that all of them are held to the same rows. Errors carry a reason for the operator.
 */
#ifndef SALLYPORT_POLICY_RULES_CONFIG_H
#define SALLYPORT_POLICY_RULES_CONFIG_H

#include "policy/rules/value.h"

#include <stdio.h>

/* The number of an option on a channel. */
enum config_option {
#define OPTION(name, TYPE, standard, least, most, readers, doc) OPTION_##name,
#include "policy/rules/options.def"
	OPTION_COUNT,
	/* No option: a virtual host of that name begins, and the options that follow are its own.
	 */
	CONFIG_HOST = OPTION_COUNT,
};

enum { CONFIG_HOSTS_MAX = 64, CONFIG_HOST_NAME_BYTES_MAX = 253 };

/* Which processes are told of an option. */
enum config_reader {
	READER_SUPERVISOR = 1 << 0,
	READER_GATEWAY = 1 << 1,
	READER_WORKER = 1 << 2,
	READER_AUTH = 1 << 3,
	READER_RECORD = 1 << 4,
	READER_ALL =
		READER_SUPERVISOR | READER_GATEWAY | READER_WORKER | READER_AUTH | READER_RECORD,
};

/*
 * A choice is a number of its enum in value.h: config->cage == CONFIG_CAGE_REQUIRED. Numbers are
 * in seconds and bytes.
 */
struct config {
#define OPTION(name, TYPE, standard, least, most, readers, doc) VALUE_STORAGE(TYPE) name;
#include "policy/rules/options.def"
	bool given[OPTION_COUNT]; /* accepted from somewhere, not the default */
	size_t host_count;
	struct config_host *hosts; /* in the order of the file */
};

/*
 * A virtual host: who asks for it by its name (HOST), or comes to one of its addresses, finds its
 * greeting and its users. What is not given is as the server's; see host_options.def.
 */
struct config_host {
	char *name; /* in small letters */
#define HOST_OPTION(option) __typeof__(((struct config *)0)->option) option;
#include "policy/rules/host_options.def"
	struct {
#define HOST_OPTION(option) bool option;
#include "policy/rules/host_options.def"
	} given;
};

enum config_listener_kind {
	CONFIG_LISTENER_PLAIN,
	CONFIG_LISTENER_TLS,
	CONFIG_LISTENER_PROXIES,
};

/* All addresses of listen, tls_listen and proxy_listen, by their place among them. */
size_t config_listener_count(const struct config *config);
const struct value_address *config_listener(const struct config *config, size_t place);
enum config_listener_kind config_listener_kind(const struct config *config, size_t place);

/* "127.0.0.1:21". The caller frees it; NULL: memory is short. */
MUST_CHECK char *config_listener_text(const struct config *config, size_t place);

/* Every option at its default. 0 or -ENOMEM. */
MUST_CHECK int config_create(struct config **result);

void config_free(struct config **config);

/*
 * Gives an option a value: one of the server's, or of the host that began last. The elements of a
 * list come one by one, the first replaces the default, and empty text stands for the empty list.
 * Both are untrusted: an unknown number, a value outside its row or a second value for one option
 * is -EINVAL with a reason; -ENOMEM.
 */
MUST_CHECK int config_accept(
	struct config *config, unsigned option, struct bytes value, struct rules_error *error);

/*
 * The option of that name. 0 or -EINVAL with a reason, which names a similar option if there is
 * one; *option is untouched then.
 */
MUST_CHECK int config_find(struct bytes name, unsigned *option, struct rules_error *error);

/* The row of an option, or of CONFIG_HOST, for messages and documentation. */
const struct value_rule *config_rule(unsigned option);

/*
 * What no row can see by itself: options that contradict each other. Call it when all values are
 * there. 0, -EINVAL with a reason or -ENOMEM.
 */
MUST_CHECK int config_check(const struct config *config, struct rules_error *error);

/* TLS needs certificates from files. 0 or -EINVAL with a reason. */
MUST_CHECK int config_check_certificates(const struct config *config, struct rules_error *error);

/*
 * Calls `visit` with each value that one of `readers` needs, as text that config_accept() of
 * another process takes: the defaults too, a list once for each element (an empty one once, with
 * empty text); then each host with what it has of its own. The text is valid during the call. Stops
 * at the first negative result and returns it; -ENOMEM; else 0.
 */
typedef int config_visit(void *context, unsigned option, struct bytes value);
MUST_CHECK int
config_for_each(const struct config *config, unsigned readers, config_visit *visit, void *context);

/*
 * Loads and checks a configuration file (libConfuse's language less what it would swallow in
 * silence, see config_text.h). May open the file and nothing else. 0; -EINVAL with file, line and
 * reason; -ENOMEM; or the errno of the file, with a reason. *result is untouched on failure.
 */
MUST_CHECK int config_load(const char *path, struct config **result, struct rules_error *error);

/*
 * Looks up the accounts that are given by name, through NSS, and checks that they are
 * different ones; that of keys only where there is TLS. For `sallyportd --load` alone, when it runs
 * as root: the supervisor never calls NSS (DECISIONS 11). 0, -EINVAL with a reason or -ENOMEM.
 */
MUST_CHECK int config_resolve_accounts(struct config *config, struct rules_error *error);

/* The same for admin_group, whoever it runs as. */
MUST_CHECK int config_resolve_group(struct config *config, struct rules_error *error);

/*
 * The usual place of admin_socket is root's: for others it is nowhere, unless they name one. 0 or
 * -ENOMEM.
 */
MUST_CHECK int
config_choose_admin_socket(struct config *config, bool privileged, struct rules_error *error);

/* All options as a table for reading: name, type, default, range, readers, what it is. */
void config_print_options(FILE *out);

#endif
