/*
 * The command line of sallyport (see arguments.h). Runs as whoever typed it.
 */
#include "policy/admin/arguments.h"

#include "ipc/base/bytes.h"
#include "ipc/base/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usual_socket[] = "/run/sallyport/admin.sock"; /* admin_socket of options.def */

static const struct command commands[] = {
#define COMMAND(title, count, usage, known, doc) \
	{ .name = #title, .run = command_##title, .words = (count), .options = (known) },
#include "policy/admin/commands.def"
};

NORETURN static void
print_help(void)
{
	static const struct {
		const char *name, *usage, *doc;
	} rows[] = {
#define COMMAND(name, words, usage, options, doc) { #name, usage, doc },
#include "policy/admin/commands.def"
	};
	fputs("usage: sallyport [--socket PATH] COMMAND\n\n", stdout);
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		printf("  %s%s%s\n      %s\n", rows[i].name, rows[i].usage[0] == '\0' ? "" : " ",
			rows[i].usage, rows[i].doc);
	printf("\n"
	       "  --socket PATH\n      of the server (%s)\n"
	       "  --json\n      status and sessions: as one line of JSON\n"
	       "  --force\n      save: replace the file, if it is there\n"
	       "  --worker PID\n      save: of a user who has several workers, this one's files\n"
	       "  --version | --help\n",
		usual_socket);
	exit(EXIT_SUCCESS);
}

NORETURN static void
refuse(const char *word, const char *why)
{
	fprintf(stderr, "sallyport: %s %s (see --help)\n", word, why);
	exit(EXIT_USAGE);
}

/* The value of an option that was given as "--option value" or "--option=value"; else NULL. */
static const char *
take_value(char *const **at, const char *option)
{
	size_t length = strlen(option);
	const char *word = **at;
	if (strncmp(word, option, length) != 0 || (word[length] != '=' && word[length] != '\0'))
		return NULL;
	if (word[length] == '=')
		return word + length + 1;
	if ((*at)[1] == NULL)
		refuse(option, "needs a value");
	return *++*at;
}

static void
take_worker(struct arguments *result, const char *value)
{
	uint64_t pid;
	if (number_parse(bytes_of_text(value), INT32_MAX, &pid) < 0 || pid == 0)
		refuse(value, "is no process id");
	result->worker_pid = (uint32_t)pid;
	result->options |= OPTION_WORKER;
}

static void
take_option(struct arguments *result, char *const **at)
{
	const char *value;
	if (strcmp(**at, "--help") == 0)
		print_help();
	if (strcmp(**at, "--version") == 0) {
		puts("sallyport " SALLYPORT_VERSION);
		exit(EXIT_SUCCESS);
	}
	if (strcmp(**at, "--json") == 0)
		result->options |= OPTION_JSON;
	else if (strcmp(**at, "--force") == 0)
		result->options |= OPTION_FORCE;
	else if ((value = take_value(at, "--worker")) != NULL)
		take_worker(result, value);
	else if ((value = take_value(at, "--socket")) != NULL)
		result->socket = value;
	else
		refuse(**at, "is not known");
}

static const struct command *
find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	refuse(name, "is no command");
}

static void
check(const struct arguments *arguments, unsigned words)
{
	static const struct {
		enum option option;
		const char *name;
	} names[] = { { OPTION_JSON, "--json" }, { OPTION_FORCE, "--force" },
		{ OPTION_WORKER, "--worker" } };
	const struct command *command = arguments->command;
	if (command == NULL)
		refuse("a command", "is missing");
	if (words < command->words)
		refuse(command->name, "needs more arguments");
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
		if ((arguments->options & ~command->options & names[i].option) != 0)
			refuse(names[i].name, "is not for this command");
}

struct arguments
arguments_parse(char *const *at)
{
	struct arguments result = { .socket = usual_socket };
	bool only_words = false; /* after "--" */
	unsigned words = 0;
	for (; *at != NULL; at++) {
		if (!only_words && strcmp(*at, "--") == 0)
			only_words = true;
		else if (!only_words && (*at)[0] == '-' && (*at)[1] != '\0')
			take_option(&result, &at);
		else if (result.command == NULL)
			result.command = find(*at);
		else if (words == result.command->words)
			refuse(*at, "is one argument too many");
		else
			result.words[words++] = *at;
	}
	check(&result, words);
	return result;
}
