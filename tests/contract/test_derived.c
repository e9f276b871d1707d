/*
 * The contract against a derived backend: the counting example of packaging/, over real files and
 * threads, in-process. A backend that overrides and hands on is held to the same cases; without the
 * short cuts that it does not inherit, each of them goes to a thread.
 */
#include "tests/contract/script.h"
#include "tests/unit/worker/trees.h"
#include "worker/backend_module.h"

static const struct backend_host host = {
	.derived = &backend_kernel,
	.settings = "",
	.identity = identity_current,
};

static struct backend table;

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
		.backend = &table, .threads = 4, .deadline_ms = 10000
	};
	int descriptors = count_descriptors();
	struct session *session = session_new_in(&world);
	script_run(session, row->script);
	session_free(session);
	assert_int_equal(count_descriptors(), descriptors);
}

static void
make_table(void)
{
	table = *host.derived;
	assert_int_equal(sallyport_backend.make(&host, &table), 0);
	assert_ptr_not_equal(table.open, host.derived->open);
	table.tree_free = host.derived->tree_free; /* reports of hundreds of trees help nobody */
	table.tree_cached = NULL;
	table.read_cached = NULL;
	table.is_near = NULL;
}

int
main(void)
{
	tree_tests_begin();
	make_table();
	const struct table tables[] = { TABLE("derived", case_rows, check_case) };
	return table_run(tables, ARRAY_LENGTH(tables));
}
