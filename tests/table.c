/*
 * Tables as cmocka cases (see table.h). Runs in test programs. A test that cannot be set up, for
 * want of memory, ends the program: meson then reports the missing cases.
 */
#include "tests/table.h"

#include "ipc/base/ends.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * cmocka hands the state on as void *, so each row goes out as a copy of its own; the case's name
 * stands behind it in the same memory.
 */
static struct CMUnitTest
case_of_row(const struct table *table, size_t index)
{
	const void *row = NULL;
	const char *row_name = "";
	if (table->rows != NULL) {
		row = (const char *)table->rows + index * table->row_bytes;
		const char *const *first_member = row;
		row_name = *first_member;
	}
	size_t name_bytes = strlen(table->name) + strlen(": ") + strlen(row_name) + 1;
	char *state = malloc(table->row_bytes + name_bytes);
	if (state == NULL)
		die("no memory for a test");
	if (row != NULL)
		memcpy(state, row, table->row_bytes);
	char *name = state + table->row_bytes;
	snprintf(name, name_bytes, "%s%s%s", table->name, row == NULL ? "" : ": ", row_name);
	return (struct CMUnitTest){
		.name = name, .test_func = table->check, .initial_state = state
	};
}

int
table_run(const struct table *tables, size_t count)
{
	size_t total = 0;
	for (size_t i = 0; i < count; i++)
		total += tables[i].count;
	if (total == 0)
		die("a test program without cases");
	struct CMUnitTest *cases = calloc(total, sizeof(*cases));
	if (cases == NULL)
		die("no memory for %zu tests", total);
	size_t at = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t row = 0; row < tables[i].count; row++)
			cases[at++] = case_of_row(&tables[i], row);
	int failed = _cmocka_run_group_tests("cases", cases, total, NULL, NULL);
	for (size_t i = 0; i < total; i++)
		free(cases[i].initial_state);
	free(cases);
	return failed;
}

void
case_skip(const char *lacks)
{
	print_message("# lacks %s\n", lacks); /* cmocka's own line has no room for a reason */
	skip();
}
