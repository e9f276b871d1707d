/*
 * Every forbidden act of policy/cage/acts.def, attempted from inside the real cage of every role
 * that must not be able to, and by a worker also from a thread that its pool made before the filter
 * closed. The outcome is exact: killed and silent, or the violation with the right name on
 * descriptor 3, or an errno.
 */
#include "ipc/base/ends.h"
#include "policy/cage/acts.h"
#include "tests/cage/caged.h"
#include "tests/table.h"

#include <stdlib.h>
#include <string.h>

struct escape_row {
	const char *name;
	const struct scenario *scenario;
	const struct act *act;
};

static struct scenario *scenarios;
static struct escape_row *rows;
static size_t count;

static long
attempt_act(const struct scenario *scenario, pid_t parent)
{
	const struct act *act = scenario->data;
	return act->attempt(parent);
}

static void
row_add(const struct act *act, enum cage_role role, bool in_pool_thread)
{
	char *name = NULL;
	if (asprintf(&name, "%s: %s%s", cage_role_name(role), act->text,
		    in_pool_thread ? ", from its pool" : "") < 0)
		die("no memory for a test");
	scenarios[count] = (struct scenario){
		.name = name,
		.role = role,
		.attempt = attempt_act,
		.data = act,
		.in_pool_thread = in_pool_thread,
	};
	rows[count] = (struct escape_row){ name, &scenarios[count], act };
	count++;
}

static void
rows_make(void)
{
	size_t most = act_count * (CAGE_ROLE_COUNT + 1);
	scenarios = calloc(most, sizeof(*scenarios));
	rows = calloc(most, sizeof(*rows));
	if (scenarios == NULL || rows == NULL)
		die("no memory for tests");
	for (size_t i = 0; i < act_count; i++) {
		for (unsigned role = 0; role < CAGE_ROLE_COUNT; role++)
			if ((acts[i].roles & 1u << role) != 0)
				row_add(&acts[i], (enum cage_role)role, false);
		if ((acts[i].roles & 1u << CAGE_WORKER) != 0)
			row_add(&acts[i], CAGE_WORKER, true);
	}
}

static enum act_outcome
outcome_as_act(const struct outcome *outcome)
{
	switch (outcome->kind) {
	case OUTCOME_RETURNED:
		return outcome->value < 0 ? ACT_REFUSED : ACT_DONE;
	case OUTCOME_TRAPPED:
		return ACT_TRAPPED;
	case OUTCOME_KILLED:
		return ACT_KILLED;
	case OUTCOME_NO_ENTRY:
	case OUTCOME_NO_CLOSE:
	case OUTCOME_BROKEN:
		break;
	}
	return ACT_BROKEN;
}

static void
check_escape(void **state)
{
	const struct escape_row *row = *state;
	struct outcome outcome;
	enum caged_mode mode = caged_mode_here();
	const char *lacks = caged_mode_lacks(mode);
	if (lacks != NULL)
		case_skip(lacks);
	caged_run(row->scenario, mode, &outcome);
	if (!act_ended_well(row->act, outcome_as_act(&outcome)))
		fail_msg("kind %d, value %ld, signal %d: %s %s", outcome.kind, outcome.value,
			outcome.signal, outcome.call, outcome.text);
	if (outcome.kind == OUTCOME_TRAPPED)
		assert_string_equal(outcome.call, row->act->call);
}

int
main(int argc, char **argv)
{
	rows_make();
	caged_main(argc, argv, scenarios, count);
	const struct table tables[] = {
		{ .name = "escape",
			.check = check_escape,
			.rows = rows,
			.row_bytes = sizeof(*rows),
			.count = count },
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
