/*
 * Tests as tables: one cmocka case per row, so that a report names the row that failed and counts
 * cases rather than programs. Linked into test programs only.
 *
 *	struct fold_row { const char *name, *in, *want; };		// the name comes first
 *	static const struct fold_row fold_rows[] = { { "dot", "/a/./b", "/a/b" }, ... };
 *	static void check_fold(void **state) { const struct fold_row *row = *state; ... }
 *
 *	int main(void)
 *	{
 *		const struct table tables[] = {
 *			TABLE("fold", fold_rows, check_fold),	// cases "fold: dot", ...
 *			CASE("a root is its own parent", check_root_parent),
 *		};
 *		return table_run(tables, ARRAY_LENGTH(tables));
 *	}
 */
#ifndef SALLYPORT_TESTS_TABLE_H
#define SALLYPORT_TESTS_TABLE_H

/* cmocka.h needs these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ipc/base/compiler.h"

struct table {
	const char *name;
	CMUnitTestFunction check; /* *state is a copy of the row; of no use in a CASE */
	const void *rows; /* NULL for a CASE; else each row begins with its const char *name */
	size_t row_bytes;
	size_t count;
};

#define TABLE(table_name, table_rows, table_check)                                      \
	{                                                                               \
		.name = (table_name), .check = (table_check), .rows = (table_rows),     \
		.row_bytes = sizeof((table_rows)[0]), .count = ARRAY_LENGTH(table_rows) \
	}
#define CASE(case_name, case_check)                                    \
	{                                                              \
		.name = (case_name), .check = (case_check), .count = 1 \
	}

/*
 * Ends the running case as skipped. `lacks` is what is missing here, for the test report: "root",
 * "Landlock ABI 6". Does not return.
 */
void case_skip(const char *lacks);

/* Runs every row of every table as a case of its own; the result is main's. */
int table_run(const struct table *tables, size_t count);

#endif
