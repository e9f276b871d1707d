/*
 * sallyportd. Runs as whoever started it, usually root. It reads no file: the supervisor has that
 * done by `sallyportd --load`, a child, and --check does what such a child does.
 */
#include "ipc/base/ends.h"
#include "policy/loader/arguments.h"
#include "policy/loader/loader.h"
#include "policy/loader/show.h"
#include "policy/supervisor/supervisor.h"

#include <stdlib.h>

/* The same words again, after --load. They live as long as the process. */
static char *const *
load_arguments(int count, char *const *words)
{
	static char load[] = "--load";
	char **arguments = calloc((size_t)count + 2, sizeof(*arguments));
	if (arguments == NULL)
		die("memory is short");
	arguments[0] = words[0];
	arguments[1] = load;
	for (int i = 1; i < count; i++)
		arguments[i + 1] = words[i];
	return arguments;
}

int
main(int count, char **words)
{
	ends_set_program("sallyportd");
	struct arguments arguments = arguments_parse(words + 1);
	switch (arguments.action) {
	case ARGUMENTS_LOAD:
		return loader_run(&arguments.source);
	case ARGUMENTS_CHECK:
		return loader_check(&arguments.source);
	case ARGUMENTS_SHOW_CAGE:
		return show_cage(arguments.role, arguments.shown_config);
	case ARGUMENTS_SERVE:
		break;
	}
	return supervisor_run(load_arguments(count, words), arguments.source.config_path == NULL);
}
