/*
 * The command line of sallyportd.
 */
#ifndef SALLYPORT_POLICY_LOADER_ARGUMENTS_H
#define SALLYPORT_POLICY_LOADER_ARGUMENTS_H

#include "policy/cage/cage.h"
#include "policy/loader/load.h"

enum arguments_action { ARGUMENTS_SERVE, ARGUMENTS_CHECK, ARGUMENTS_LOAD, ARGUMENTS_SHOW_CAGE };

struct arguments {
	enum arguments_action action;
	struct load_source source; /* points into the words */
	enum cage_role role;       /* to be shown, */
	const char *shown_config;  /* with what this configuration adds; NULL: none */
};

/*
 * Reads the words after the program's name, up to NULL. What is answered at once (--help,
 * --version) is answered here, and so is a mistake, and the process ends.
 */
struct arguments arguments_parse(char *const *words);

#endif
