/*
 * The command line of sallyportd (see arguments.h). Runs as whoever started it, before anything
 * else. The words are the operator's.
 */
#include "policy/loader/arguments.h"

#include "policy/rules/quick.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXIT_USAGE = 64 }; /* sysexits(3): EX_USAGE */

static const char default_config[] = "/etc/sallyport/sallyport.conf";

/* " gateway worker ...", as roles.def has them */
#define ROLE(symbol, name, ...) " " #name
static const char roles[] =
#include "policy/cage/roles.def"
	;

NORETURN static void
print_help(void)
{
	fputs("usage: sallyportd [--config FILE] [--check]\n"
	      "       sallyportd --quick [OPTION VALUE]...\n"
	      "       sallyportd --show-cage ROLE [--config FILE]\n"
	      "       sallyportd --version | --help\n"
	      "\n"
	      "  --config FILE\n      serve as it says (/etc/sallyport/sallyport.conf)\n"
	      "  --check\n      say what is wrong with it, or ok, and end\n"
	      "  --show-cage ROLE\n      what processes of that role may do, and why; for the\n"
	      "      worker also what a custom backend adds; roles are\n     ",
		stdout);
	fputs(roles, stdout);
	fputs("\n\n"
	      "  --quick serves without a configuration file until it is interrupted:\n",
		stdout);
	quick_print_options(stdout);
	exit(EXIT_SUCCESS);
}

NORETURN static void
refuse_usage(const char *argument, const char *why)
{
	fprintf(stderr, "sallyportd: %s %s (see --help)\n", argument, why);
	exit(EXIT_USAGE);
}

/* Values of a quick start are refused by who uses them; its grammar is that of the command line. */
static void
check_quick(const struct load_source *source)
{
	struct quick_arguments sorted;
	struct rules_error error = { 0 };
	if (quick_parse(source->quick_count, source->quick_arguments, &sorted, &error) == 0)
		return;
	fprintf(stderr, "sallyportd: %s (see --help)\n",
		error.reason != NULL ? error.reason : strerror(ENOMEM));
	exit(EXIT_USAGE);
}

NORETURN static void
refuse_role(const char *name)
{
	fprintf(stderr, "sallyportd: %s is no role; these are:%s\n", name, roles);
	exit(EXIT_USAGE);
}

/* The value of an option that was given as "--option value" or "--option=value"; else NULL. */
static const char *
take_value(char *const **argument, const char *option)
{
	size_t length = strlen(option);
	const char *word = **argument;
	if (strncmp(word, option, length) != 0 || (word[length] != '=' && word[length] != '\0'))
		return NULL;
	if (word[length] == '=')
		return word + length + 1;
	if (*++*argument == NULL)
		refuse_usage(option, "needs a value");
	return **argument;
}

static void
take_role(struct arguments *result, const char *name)
{
	if (cage_role_find(name, &result->role) < 0)
		refuse_role(name);
	result->action = ARGUMENTS_SHOW_CAGE;
}

NORETURN static void
print_version(void)
{
	puts("sallyportd " SALLYPORT_VERSION);
	exit(EXIT_SUCCESS);
}

/* What `argument` asks for is answered at once, and that is the end; or it asks for nothing. */
static void
answer(const char *argument)
{
	if (strcmp(argument, "--help") == 0)
		print_help();
	if (strcmp(argument, "--version") == 0)
		print_version();
}

static void
take_quick(struct load_source *source, char *const *words)
{
	*source = (struct load_source){ .quick_arguments = words };
	for (; words[source->quick_count] != NULL; source->quick_count++)
		answer(words[source->quick_count]);
	check_quick(source);
}

struct arguments
arguments_parse(char *const *argument)
{
	struct arguments result = { .source.config_path = default_config };
	const char *value;
	if (*argument != NULL && strcmp(*argument, "--load") == 0) {
		result.action = ARGUMENTS_LOAD;
		argument++;
	}
	for (; *argument != NULL; argument++) {
		if (strcmp(*argument, "--quick") == 0) {
			take_quick(&result.source, argument + 1);
			return result;
		}
		answer(*argument);
		if (strcmp(*argument, "--check") == 0)
			result.action = ARGUMENTS_CHECK;
		else if ((value = take_value(&argument, "--show-cage")) != NULL)
			take_role(&result, value);
		else if ((value = take_value(&argument, "--config")) != NULL)
			result.source.config_path = result.shown_config = value;
		else
			refuse_usage(*argument, "is not known");
	}
	if (result.shown_config == NULL && access(default_config, R_OK) == 0)
		result.shown_config = default_config;
	return result;
}
