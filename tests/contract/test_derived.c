/*
 * The contract against a derived backend: the counting example of packaging/, over real files and
 * threads, in-process. A backend that overrides and hands on is held to the same cases.
 */
#include "tests/contract/derived.h"
#include "tests/contract/script.h"
#include "tests/unit/worker/trees.h"

#include <errno.h>

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

/* ---- what it does not offer ---- */

static int
no_links(UNUSED struct backend_tree *tree, UNUSED struct bytes target,
	UNUSED const struct path *path)
{
	return -ENOTSUP;
}

static void
check_not_offered(UNUSED void **state)
{
	struct backend without = *derived_backend;
	without.symlink = no_links;
	for (int remote = 0; remote < 2; remote++) {
		const struct session_world world = { .backend = &without, .remote = remote == 1 };
		struct session *session = session_new_in(&world);
		script_run(session, "put /f x; symlink f /l = ENOTSUP; list / = f");
		session_free(session);
	}
}

int
main(void)
{
	tree_tests_begin();
	derived_make();
	const struct table tables[] = {
		TABLE("derived", case_rows, check_case),
		CASE("an operation that it does not offer", check_not_offered),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
