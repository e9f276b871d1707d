/*
 * The backends by name (see backends.h). Runs in the worker, as the user, before its cage. Trusts
 * the supervisor for the names.
 */
#include "worker/backends.h"

#include "ipc/base/ends.h"
#include "ipc/base/number.h"
#include "worker/module.h"

#include <stdio.h>

enum place { PLACE_HOME, PLACE_MEMORY };

static const struct row {
	const char *name;
	struct backend_choice choice;
} rows[] = {
#define BACKEND(name, table, EXECUTOR, PLACE, doc)       \
	{ #name, { .backend = &(table),                  \
			 .executor = BACKEND_##EXECUTOR, \
			 .in_memory = PLACE_##PLACE == PLACE_MEMORY } },
#include "policy/rules/backends.def"
};

const struct backend_choice *
backends_find(struct bytes name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		if (bytes_equal_text(name, rows[i].name))
			return &rows[i].choice;
	return NULL;
}

int
backends_choose(
	const struct backends_options *options, struct backend_choice *result, char **reason)
{
	const struct backend_choice *built_in = backends_find(options->name);
	if (built_in == NULL)
		return module_load(options, result, reason);
	*result = *built_in;
	return 0;
}

void
backends_show_calls(char *const words[3], int fd)
{
	struct backend_choice choice;
	uint64_t owner = 0;
	char *reason = NULL;
	if (number_parse(bytes_of_text(words[2]), UINT32_MAX, &owner) < 0)
		die("%s is no user's number", words[2]);
	const struct backends_options options = {
		.name = bytes_of_text(words[0]),
		.directory = bytes_of_text(words[1]),
		.settings = bytes_of_text(""),
		.owner = (uint32_t)owner,
	};
	if (backends_choose(&options, &choice, &reason) < 0)
		die("%s", reason == NULL ? "memory is short" : reason);
	for (size_t i = 0; i < choice.additions.count; i++)
		dprintf(fd, "%s\n", choice.additions.calls[i]);
}
