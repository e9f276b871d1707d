/*
 * The contract against a derived backend: the counting example of packaging/, over real files and
 * threads, in-process. A backend that overrides and hands on is held to the same cases.
 */
#include "tests/contract/derived.h"
#include "tests/contract/script.h"
#include "tests/unit/worker/trees.h"

struct case_row {
	const char *name;
	const char *script;
};

static const struct case_row case_rows[] = {
#define STATEMENT(name, script) { name, script },
#include "tests/contract/pathio.def"
};

static void
check_case(void **state)
{
	const struct case_row *row = *state;
	const struct session_world world = {
		.backend = derived_backend, .threads = 4, .deadline_ms = 10000
	};
	int descriptors = count_descriptors();
	struct session *session = session_new_in(&world);
	script_run(session, row->script);
	session_free(session);
	assert_int_equal(count_descriptors(), descriptors);
}

int
main(void)
{
	tree_tests_begin();
	derived_make();
	const struct table tables[] = { TABLE("derived", case_rows, check_case) };
	return table_run(tables, ARRAY_LENGTH(tables));
}
