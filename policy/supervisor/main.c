/*
 * sallyportd: the command line. Runs as whoever started it, usually root. Reads no file itself: the
 * supervisor has that done by `sallyportd --load`, a child, and --check does what such a child
 * does.
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/loader/loader.h"
#include "policy/rules/quick.h"
#include "policy/supervisor/supervisor.h"

#include <stdio.h>

enum { EXIT_USAGE = 64 }; /* sysexits(3): EX_USAGE */

static const char default_config[] = "/etc/sallyport/sallyport.conf";

NORETURN static void
print_help(void)
{
	fputs("usage: sallyportd [--config FILE] [--check]\n"
	      "       sallyportd --quick [OPTION VALUE]...\n"
	      "       sallyportd --show-cage ROLE | --version | --help\n"
	      "\n"
	      "  --config FILE\n      serve as it says (/etc/sallyport/sallyport.conf)\n"
	      "  --check\n      say what is wrong with it, or ok, and end\n"
	      "  --show-cage ROLE\n      what processes of that role may do, and why\n"
	      "\n"
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

NORETURN static void
show_cage(const char *name)
{
	enum cage_role role;
	if (cage_role_find(name, &role) < 0)
		refuse_usage(name, "is no role");
	cage_print(stdout, role, NULL);
	exit(EXIT_SUCCESS);
}

NORETURN static void
check(const struct load_source *source)
{
	struct rules_error error = { 0 };
	struct load *load = NULL;
	int failure = load_read(source, NULL, &load, &error);
	SCOPE_FREE char *text = failure < 0 ? rules_error_text(&error) : NULL;
	if (failure < 0)
		fprintf(stderr, "%s\n", text != NULL ? text : strerror(-failure));
	else
		puts("ok");
	load_free(&load);
	rules_error_free(&error);
	exit(failure < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
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

/* Words up to the NULL; returns where they are to be read from, and whether only to be checked. */
static struct load_source
parse(char *const *argument, bool *only_check)
{
	struct load_source source = { .config_path = default_config };
	const char *value;
	for (; *argument != NULL; argument++) {
		if (strcmp(*argument, "--quick") == 0) {
			source = (struct load_source){ .quick_arguments = argument + 1 };
			while (argument[1 + source.quick_count] != NULL)
				source.quick_count++;
			return source;
		}
		if (strcmp(*argument, "--help") == 0)
			print_help();
		if (strcmp(*argument, "--version") == 0) {
			puts("sallyportd " SALLYPORT_VERSION);
			exit(EXIT_SUCCESS);
		}
		if (strcmp(*argument, "--check") == 0)
			*only_check = true;
		else if ((value = take_value(&argument, "--show-cage")) != NULL)
			show_cage(value);
		else if ((value = take_value(&argument, "--config")) != NULL)
			source.config_path = value;
		else
			refuse_usage(*argument, "is not known");
	}
	return source;
}

/* The same words again, after --load. They live as long as the process. */
static char *const *
load_arguments(int count, char *const *arguments)
{
	static char load[] = "--load";
	char **words = calloc((size_t)count + 2, sizeof(*words));
	if (words == NULL)
		die("memory is short");
	words[0] = arguments[0];
	words[1] = load;
	for (int i = 1; i < count; i++)
		words[i + 1] = arguments[i];
	return words;
}

int
main(int count, char **arguments)
{
	bool only_check = false;
	bool is_loader = count > 1 && strcmp(arguments[1], "--load") == 0;
	ends_set_program("sallyportd");
	struct load_source source = parse(arguments + (is_loader ? 2 : 1), &only_check);
	if (is_loader)
		return loader_run(&source);
	if (only_check)
		check(&source);
	return supervisor_run(load_arguments(count, arguments), source.config_path == NULL);
}
