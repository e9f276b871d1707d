/*
 * Configurations from text, as a file that is nowhere on the disk.
 */
#ifndef SALLYPORT_TESTS_UNIT_RULES_CONFIG_FILE_H
#define SALLYPORT_TESTS_UNIT_RULES_CONFIG_FILE_H

#include "policy/rules/config.h"

/* A text that may hold NULs, as struct bytes. */
#define IN(literal)                          \
	{                                    \
		literal, sizeof(literal) - 1 \
	}

struct loaded {
	int result;
	struct config *config;
	struct rules_error error;
};

/* Loads a file with these bytes, or with this text, which must be right. */
struct loaded config_file_load(struct bytes text);
struct loaded config_file_load_good(const char *text);

void config_file_unload(struct loaded *loaded);
#define SCOPE_LOADED __attribute__((cleanup(config_file_unload))) struct loaded

#endif
