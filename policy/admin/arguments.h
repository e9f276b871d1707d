/*
 * The command line of sallyport.
 */
#ifndef SALLYPORT_POLICY_ADMIN_ARGUMENTS_H
#define SALLYPORT_POLICY_ADMIN_ARGUMENTS_H

#include "ipc/base/compiler.h"

#include <stdint.h>

/* sysexits(3) */
enum { EXIT_USAGE = 64, EXIT_NO_SERVER = 69, EXIT_NO_PERMISSION = 77 };

enum option {
	OPTION_JSON = 1 << 0,
	OPTION_FORCE = 1 << 1,
	OPTION_WORKER = 1 << 2,
};

struct command;

struct arguments {
	const struct command *command;
	const char *socket;
	unsigned options;     /* given, of enum option */
	uint32_t worker_pid;  /* 0: not given */
	const char *words[2]; /* after the command's name */
};

/* A row of commands.def. */
struct command {
	const char *name;
	int (*run)(const struct arguments *arguments); /* the exit status */
	unsigned words;
	unsigned options;
};

#define COMMAND(name, words, usage, options, doc) \
	int command_##name(const struct arguments *arguments);
#include "policy/admin/commands.def"

/*
 * Reads the words after the program's name, up to NULL. What is answered at once (--help,
 * --version) is answered here, and so is a mistake, and the process ends.
 */
struct arguments arguments_parse(char *const *words);

#endif
