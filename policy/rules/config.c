/*
 * The configuration as a table (see config.h). Runs in every process that has options; the values
 * come from a file, a command line or a channel and are trusted by nobody. A value that its row
 * does not permit leaves the configuration as it was.
 */
#include "policy/rules/config.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/rules/config_hosts.h"

#include <errno.h>
#include <stddef.h>

static const struct option {
	struct value_rule rule;
	const char *standard;
	unsigned readers;
	size_t offset;
} options[] = {
#define OPTION(name, TYPE, standard, least, most, readers, doc) \
	{ { #name, VALUE_##TYPE, least, most }, standard, readers, offsetof(struct config, name) },
#include "policy/rules/options.def"
};

static const struct value_rule host_rule = { "host", VALUE_TEXT, 1, CONFIG_HOST_NAME_BYTES_MAX };

static void *
slot_of(struct config *config, unsigned option)
{
	return (char *)config + options[option].offset;
}

static const void *
slot_of_const(const struct config *config, unsigned option)
{
	return (const char *)config + options[option].offset;
}

const struct value_rule *
config_rule(unsigned option)
{
	return option == CONFIG_HOST ? &host_rule : &options[option].rule;
}

unsigned
config_readers(unsigned option)
{
	return options[option].readers;
}

/* A row's own default is a constant of ours: that it is refused can only be a defect. */
static int
set_default(struct config *config, const struct option *option, struct bytes text)
{
	struct rules_error error = { 0 };
	void *slot = (char *)config + option->offset;
	int result = value_is_list(option->rule.type)
			     ? value_append(&option->rule, text, slot, &error)
			     : value_accept(&option->rule, text, slot, &error);
	if (result == -EINVAL)
		bug("default of %s: %s", option->rule.name, error.reason);
	rules_error_free(&error);
	return result;
}

static int
set_default_list(struct config *config, const struct option *option)
{
	int result = 0;
	for (const char *at = option->standard; result == 0 && *at != '\0';) {
		size_t length = strcspn(at, " ");
		result = set_default(config, option, bytes_of(at, length));
		at += length + strspn(at + length, " ");
	}
	return result;
}

int
config_create(struct config **result)
{
	struct config *config = calloc(1, sizeof(*config));
	int error = config == NULL ? -ENOMEM : 0;
	for (unsigned i = 0; error == 0 && i < OPTION_COUNT; i++)
		error = value_is_list(options[i].rule.type)
				? set_default_list(config, &options[i])
				: set_default(
					  config, &options[i], bytes_of_text(options[i].standard));
	if (error < 0) {
		config_free(&config);
		return error;
	}
	*result = config;
	return 0;
}

void
config_free(struct config **config)
{
	for (unsigned i = 0; *config != NULL && i < OPTION_COUNT; i++)
		value_clear(&options[i].rule, slot_of(*config, i));
	if (*config != NULL)
		config_free_hosts(*config);
	free(*config);
	*config = NULL;
}

int
config_accept_own(
	struct config *config, unsigned option, struct bytes value, struct rules_error *error)
{
	const struct value_rule *rule = &options[option].rule;
	bool again = config->given[option];
	if (again && !value_is_list(rule->type))
		return rules_refuse(error, "%s: set a second time", rule->name);
	int result = again ? value_append(rule, value, slot_of(config, option), error)
			   : value_accept(rule, value, slot_of(config, option), error);
	config->given[option] = again || result == 0;
	return result;
}

int
config_accept(struct config *config, unsigned option, struct bytes value, struct rules_error *error)
{
	if (option == CONFIG_HOST)
		return config_add_host(config, value, error);
	if (option >= OPTION_COUNT)
		return rules_refuse(error, "option number %u is not known", option);
	struct config_host *host = config_last_host(config);
	return host == NULL ? config_accept_own(config, option, value, error)
			    : config_accept_of_host(host, option, value, error);
}

int
config_visit_slot(unsigned option, const void *slot, config_visit *visit, void *context)
{
	const struct value_rule *rule = config_rule(option);
	size_t count = value_count(rule, slot);
	if (count == 0)
		return visit(context, option, bytes_of_text(""));
	int result = 0;
	for (size_t i = 0; i < count && result >= 0; i++) {
		SCOPE_FREE char *text = value_text(rule, slot, i);
		result = text == NULL ? -ENOMEM : visit(context, option, bytes_of_text(text));
	}
	return result;
}

int
config_for_each(const struct config *config, unsigned readers, config_visit *visit, void *context)
{
	int result = 0;
	for (unsigned i = 0; i < OPTION_COUNT && result >= 0; i++)
		if ((options[i].readers & readers) != 0)
			result = config_visit_slot(i, slot_of_const(config, i), visit, context);
	if (result >= 0)
		result = config_for_each_of_hosts(config, readers, visit, context);
	return result < 0 ? result : 0;
}

enum {
	HINT_NAME_BYTES_MAX = 64, /* longer than every name in the table */
	HINT_CHANGES_MAX = 2,     /* letters to add, drop or replace in a likely slip */
};

/* Levenshtein's distance; both at most HINT_NAME_BYTES_MAX bytes. */
static size_t
distance(struct bytes a, struct bytes b)
{
	size_t row[HINT_NAME_BYTES_MAX + 1];
	for (size_t j = 0; j <= b.length; j++)
		row[j] = j;
	for (size_t i = 0; i < a.length; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < b.length; j++) {
			size_t replaced = diagonal + (a.data[i] != b.data[j]);
			size_t shorter = row[j] < row[j + 1] ? row[j] : row[j + 1];
			diagonal = row[j + 1];
			row[j + 1] = replaced < shorter + 1 ? replaced : shorter + 1;
		}
	}
	return row[b.length];
}

static const char *
similar_name(struct bytes name)
{
	const char *best = NULL;
	size_t least = HINT_CHANGES_MAX + 1;
	for (unsigned i = 0; i < OPTION_COUNT && name.length <= HINT_NAME_BYTES_MAX; i++) {
		size_t changes = distance(name, bytes_of_text(options[i].rule.name));
		if (changes < least) {
			least = changes;
			best = options[i].rule.name;
		}
	}
	return best;
}

int
config_find(struct bytes name, unsigned *option, struct rules_error *error)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (bytes_equal_text(name, options[i].rule.name)) {
			*option = i;
			return 0;
		}
	const char *similar = similar_name(name);
	if (similar == NULL)
		return rules_refuse_value(error, "option", name, "is not known");
	return rules_refuse_value(error, "option", name, "is not known; is '%s' meant?", similar);
}
