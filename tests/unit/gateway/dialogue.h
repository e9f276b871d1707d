/*
 * Dialogues as rows of a table: each in a house of its own (script.h).
 */
#ifndef SALLYPORT_TESTS_UNIT_GATEWAY_DIALOGUE_H
#define SALLYPORT_TESTS_UNIT_GATEWAY_DIALOGUE_H

#include "tests/table.h"

struct dialogue_row {
	const char *name;
	const char *script;
};

/* The check of such tables. */
void dialogue_check(void **state);

#endif
