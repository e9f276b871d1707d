/*
 * Tables as cmocka cases (see table.h). Runs in test programs. A test that cannot be set up, for
 * want of memory, ends the program: meson then reports the missing cases.
 */
#include "tests/table.h"

#include "ipc/base/ends.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka hands the state on as void *, so each row goes out as a copy of its own. */
static void *
copy_row(const struct table *table, size_t index)
{
	void *row = malloc(table->row_bytes);
	if (row == NULL)
		die("no memory for a test row");
	memcpy(row, (const char *)table->rows + index * table->row_bytes, table->row_bytes);
	return row;
}

static struct CMUnitTest
case_of_row(const struct table *table, size_t index)
{
	struct CMUnitTest test = { .test_func = table->check };
	const char *row_name = NULL;
	if (table->rows != NULL) {
		test.initial_state = copy_row(table, index);
		memcpy(&row_name, test.initial_state, sizeof(row_name));
	}
	char *name = NULL;
	if (asprintf(&name, row_name == NULL ? "%s" : "%s: %s", table->name, row_name) < 0)
		die("no memory for the name of a test");
	test.name = name;
	return test;
}

static void
free_case(struct CMUnitTest *test)
{
	free(test->initial_state);
	free((void *)(uintptr_t)test->name);
}

int
table_run(const struct table *tables, size_t count)
{
	size_t total = 0;
	for (size_t i = 0; i < count; i++)
		total += tables[i].count;
	struct CMUnitTest *cases = calloc(total, sizeof(*cases));
	if (cases == NULL)
		die("no memory for %zu tests", total);
	size_t at = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t row = 0; row < tables[i].count; row++)
			cases[at++] = case_of_row(&tables[i], row);
	int failed = _cmocka_run_group_tests("cases", cases, total, NULL, NULL);
	for (size_t i = 0; i < total; i++)
		free_case(&cases[i]);
	free(cases);
	return failed;
}

void
case_skip(const char *lacks)
{
	print_message("# lacks %s\n", lacks); /* cmocka's own line has no room for a reason */
	skip();
}
