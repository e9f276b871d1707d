/*
 * The quick start: a configuration and a users file made from the arguments of `sallyportd --quick`
 * (DECISIONS 38). Pure but for the random bytes of passwords and salts: the caller looks at the
 * folder and at who it is itself.
 *
 *	quick_parse(argc, argv, &arguments, &error)	what was asked for
 *	... the caller stats arguments.root.items[0] ...
 *	quick_build(&arguments, &home, &quick, &error)	what to serve
 */
#ifndef SALLYPORT_POLICY_RULES_QUICK_H
#define SALLYPORT_POLICY_RULES_QUICK_H

#include "policy/rules/config.h"

#include <stdio.h>

enum { QUICK_VALUES_MAX = 64 };

/* The values of one option, as they stand in argv. */
struct quick_values {
	size_t count;
	const char *items[QUICK_VALUES_MAX];
};

struct quick_arguments {
#define QUICK(option, field, most, value, doc) struct quick_values field;
#include "policy/rules/quick.def"
};

/* What the caller found out. */
struct quick_home {
	bool privileged;  /* we are root: users' processes get the ids below */
	const char *root; /* the absolute, resolved path of --root; NULL without one */
	const char *load; /* likewise of --load */
	/* Whose rights the users get: as root those of the owner of --root or --load, or of nobody
	   where there is neither, or what is loaded belongs to root; else our own. */
	uint32_t uid, gid;
};

/* Wiped on free. */
struct quick_user {
	char *name;
	char *password; /* given or made: for the ready line */
	bool made;
};

struct quick {
	struct config *config;
	char *users_text; /* for users_parse() */
	size_t user_count;
	struct quick_user users[QUICK_VALUES_MAX];
};

/*
 * Sorts the arguments that follow --quick ("--option value" or "--option=value"). The result points
 * into them. 0, or -EINVAL with a reason.
 */
MUST_CHECK int quick_parse(int count, char *const arguments[], struct quick_arguments *result,
	struct rules_error *error);

/*
 * Builds what to serve. 0; -EINVAL with a reason (root's own folder: with the command that mends
 * it); -ENOMEM.
 *
 * The configuration logs to standard output, keeps users in memory, and allows exactly the ids and
 * the root that it uses. Root's group never reaches a worker: it gets the group of nobody instead.
 */
MUST_CHECK int quick_build(const struct quick_arguments *arguments, const struct quick_home *home,
	struct quick **result, struct rules_error *error);

void quick_free(struct quick **quick);

/* The options, one a line, for --help. */
void quick_print_options(FILE *out);

#endif
