/*
 * The contract of path-I/O against every backend, in-process and across a channel: the cases of
 * pathio.def in each world, and those of refusing.def where symbolic links are refused; descriptors
 * are counted before and after each of them.
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

static const struct case_row refusing_rows[] = {
#define STATEMENT(name, script) { name, script },
#include "tests/contract/refusing.def"
};

static void
run(const struct session_world *world, void **state)
{
	const struct case_row *row = *state;
	int descriptors = count_descriptors();
	struct session *session = session_new_in(world);
	script_run(session, row->script);
	session_free(session);
	assert_int_equal(count_descriptors(), descriptors);
}

#define WORLD(name, title, ...)                                           \
	static void run_##name(void **state)                              \
	{                                                                 \
		run(&(const struct session_world){ __VA_ARGS__ }, state); \
	}
#include "tests/contract/worlds.def"

#define WORLD(name, title, ...)                                                                \
	static void run_##name##_refusing(void **state)                                        \
	{                                                                                      \
		run(&(const struct session_world){ __VA_ARGS__, .symlinks = SYMLINKS_REFUSE }, \
			state);                                                                \
	}
#include "tests/contract/worlds.def"

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = {
#define WORLD(name, title, ...)              \
	TABLE(title, case_rows, run_##name), \
		TABLE(title ", links refused", refusing_rows, run_##name##_refusing),
#include "tests/contract/worlds.def"
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
