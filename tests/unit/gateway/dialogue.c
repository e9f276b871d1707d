/*
 * Runs the dialogue of a row (see dialogue.h).
 */
#include "tests/unit/gateway/dialogue.h"

#include "tests/unit/gateway/script.h"

void
dialogue_check(void **state)
{
	const struct dialogue_row *row = *state;
	struct house house;
	house_init(&house);
	house_open(&house);
	script_run(&house, row->script);
	house_close(&house);
}
