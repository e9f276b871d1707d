/*
 * The options as a table for reading (see config.h). Runs in the command that was asked for it.
 */
#include "ipc/base/scope.h"
#include "policy/rules/config.h"

static const struct {
	unsigned bit;
	const char *name;
} readers_names[] = {
	{ READER_SUPERVISOR, "supervisor" },
	{ READER_GATEWAY, "gateway" },
	{ READER_WORKER, "worker" },
	{ READER_AUTH, "auth" },
	{ READER_RECORD, "record" },
};

static const struct row {
	const char *standard;
	unsigned readers;
	const char *doc;
} rows[] = {
#define OPTION(name, TYPE, standard, least, most, readers, doc) { standard, readers, doc },
#include "policy/rules/options.def"
};

static void
print_option(FILE *out, unsigned option)
{
	const struct value_rule *rule = config_rule(option);
	SCOPE_FREE char *range = value_range_text(rule);
	fprintf(out, "%s = %s\n    %s\n", rule->name, value_word(rule->type), rows[option].doc);
	fprintf(out, "    default: %s\n",
		rows[option].standard[0] == '\0' ? "empty" : rows[option].standard);
	if (range != NULL && range[0] != '\0')
		fprintf(out, "    permitted: %s\n", range);
	fputs("    for:", out);
	for (size_t i = 0; i < ARRAY_LENGTH(readers_names); i++)
		if ((rows[option].readers & readers_names[i].bit) != 0)
			fprintf(out, " %s", readers_names[i].name);
	fputs("\n", out);
}

void
config_print_options(FILE *out)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		print_option(out, i);
}
