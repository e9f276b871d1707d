/*
 * The contract of path-I/O against every backend, in-process and across a channel: the cases of
 * pathio.def in each world, descriptors counted before and after each of them.
 */
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

static struct session *
open_sync(void)
{
	return session_new(&backend_kernel, NULL, 0);
}

static struct session *
open_memory(void)
{
	return session_new(&backend_memory, NULL, 0);
}

static struct session *
open_across(const struct backend *backend)
{
	struct session *session = session_new_across(backend);
	session_open_record(session);
	return session;
}

static struct session *
open_sync_remote(void)
{
	return open_across(&backend_kernel);
}

static struct session *
open_memory_remote(void)
{
	return open_across(&backend_memory);
}

static void
run(struct session *(*open_world)(void), void **state)
{
	const struct case_row *row = *state;
	int descriptors = count_descriptors();
	struct session *session = open_world();
	script_run(session, row->script);
	session_free(session);
	assert_int_equal(count_descriptors(), descriptors);
}

static void
run_sync(void **state)
{
	run(open_sync, state);
}

static void
run_memory(void **state)
{
	run(open_memory, state);
}

static void
run_sync_remote(void **state)
{
	run(open_sync_remote, state);
}

static void
run_memory_remote(void **state)
{
	run(open_memory_remote, state);
}

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = {
		TABLE("sync", case_rows, run_sync),
		TABLE("memory", case_rows, run_memory),
		TABLE("sync, remote", case_rows, run_sync_remote),
		TABLE("memory, remote", case_rows, run_memory_remote),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
