/*
 * What the server is told to do, read and checked: from a configuration file and its users file, or
 * from the arguments of a quick start.
 */
#ifndef SALLYPORT_POLICY_LOADER_LOAD_H
#define SALLYPORT_POLICY_LOADER_LOAD_H

#include "policy/rules/credentials.h"
#include "policy/rules/users_files.h"

struct load_source {
	const char *config_path; /* NULL: a quick start */
	int quick_count;
	char *const *quick_arguments; /* those that follow --quick */
};

struct load {
	struct config *config;
	struct users_files users;
	struct credentials credentials;
	char *banner;  /* lines to print when the server is ready, NULL: none; wiped on free */
	char *remarks; /* lines about what was taken all the same (remarks.h), NULL: none */
};

/*
 * 0, or a negative errno with the reason; *result is untouched then. Looks at files and, as root,
 * asks NSS for the accounts of our processes. `enter` (may be NULL) is called once what a quick
 * start says on its command line has been looked at and before anything is read: the place for a
 * cage; its error ends the load.
 */
MUST_CHECK int load_read(const struct load_source *source, int (*enter)(struct rules_error *error),
	struct load **result, struct rules_error *error);

void load_free(struct load **load);

#endif
