/*
 * Every row of the system-call tables, from inside the real cage: with arguments for which it
 * holds, the row's verdict; and for each of its comparisons, with that one argument changed, the
 * violation. The other arguments are nonsense, so that an allowed call fails in the kernel, without
 * harm.
 */
#include "ipc/base/ends.h"
#include "policy/cage/tables.h"
#include "tests/cage/caged.h"
#include "tests/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct row_case {
	const char *name;
	const struct scenario *scenario;
	const struct cage_rule *rule;
	const struct cage_comparison *broken; /* the one that does not hold; NULL: all do */
	bool is_off;                          /* the option that the row is for */
};

/* No call comes back from them; that they are allowed shows in every case that ends. */
static const char *const not_callable[] = { "exit", "exit_group", "rt_sigreturn",
	"restart_syscall" };

enum { CASES_MAX = 2000 };
static struct scenario scenarios[CASES_MAX];
static struct row_case cases[CASES_MAX];
static size_t case_count;

static unsigned long
argument_that_holds(const struct cage_comparison *comparison)
{
	switch (comparison->compare) {
	case CAGE_MASKED_EQUAL:
		return comparison->value;
	case CAGE_NOT_EQUAL:
		return comparison->value + 1;
	case CAGE_OWN_PID:
		return (unsigned long)getpid();
	case CAGE_NO_COMPARISON:
		break;
	}
	bug("no comparison");
}

/* Differs in the highest bit that the comparison looks at. */
static unsigned long
argument_that_breaks(const struct cage_comparison *comparison)
{
	uint64_t highest = UINT64_C(1) << (63 - __builtin_clzll(comparison->mask));
	return argument_that_holds(comparison) ^ highest;
}

static long
attempt_row(const struct scenario *scenario, pid_t parent)
{
	(void)parent;
	const struct row_case *row = scenario->data;
	/* A child with a stack of nonsense would crash, and be reported. */
	bool is_fork = strcmp(row->rule->call, "clone") == 0;
	const unsigned long nonsense = is_fork ? 0 : (unsigned long)-1;
	unsigned long arguments[6] = { nonsense, nonsense, nonsense, nonsense, nonsense, nonsense };
	for (const struct cage_comparison *c = row->rule->comparisons; c->compare; c++)
		arguments[c->position] =
			c == row->broken ? argument_that_breaks(c) : argument_that_holds(c);
	return syscall(cage_system_call_number(row->rule->call), arguments[0], arguments[1],
		arguments[2], arguments[3], arguments[4], arguments[5]);
}

/* `added` without a name: its scenario is filled in here. */
static void
case_add(enum cage_role role, const struct row_case *added)
{
	static const struct cage_additions options[CAGE_OPTION_COUNT] = {
		[CAGE_FOR_KERNEL_TLS] = { .option = CAGE_FOR_KERNEL_TLS },
	};
	const struct cage_rule *rule = added->rule;
	const struct cage_comparison *broken = added->broken;
	char *name = NULL;
	int length = asprintf(&name, "%s: %s%s%s%s%s%s%s", cage_role_name(role), rule->call,
		broken == NULL ? "" : " unless ", broken == NULL ? "" : broken->name,
		broken == NULL ? "" : " ", broken == NULL ? "" : broken->text,
		added->is_off ? " without " : "",
		added->is_off ? cage_option_name(rule->option) : "");
	if (length < 0 || case_count == CASES_MAX)
		die("no room for a test");
	cases[case_count] = *added;
	cases[case_count].name = name;
	cases[case_count].scenario = &scenarios[case_count];
	scenarios[case_count] = (struct scenario){
		.name = name,
		.role = role,
		.attempt = attempt_row,
		.data = &cases[case_count],
		.additions = added->is_off ? NULL : &options[rule->option],
	};
	case_count++;
}

static bool
is_callable(const struct cage_rule *rule)
{
	for (size_t i = 0; i < ARRAY_LENGTH(not_callable); i++)
		if (strcmp(rule->call, not_callable[i]) == 0)
			return false;
	return cage_system_call_number(rule->call) >= 0;
}

/* In a build for sanitizers some rows are wider (sanitizers.def). */
static bool
is_widened(enum cage_role role, const struct cage_rule *rule)
{
	const struct cage_rule *wider;
	bool trap = cage_role_data(role)->others == CAGE_OTHERS_TRAP;
	for (size_t i = 0; trap && (wider = cage_sanitizer_rule(i)) != NULL; i++)
		if (wider->verdict == CAGE_ALLOW && strcmp(wider->call, rule->call) == 0)
			return true;
	return false;
}

/* In a hasher auth's filter stays below the own one, and knows auth's pid only (hasher.def). */
static bool
is_narrowed(enum cage_role role, const struct cage_rule *rule)
{
	return role == CAGE_HASHER && rule->comparisons[0].compare == CAGE_OWN_PID;
}

/* What kills unasked is the same list in every role; test_escape tries it in each. */
static bool
is_repetition(enum cage_role role, const struct cage_rule *rule)
{
	return rule->verdict == CAGE_KILL && role != CAGE_GATEWAY && role != CAGE_LOADER &&
	       role != CAGE_RESOLVER && rule->comparisons[0].compare == CAGE_NO_COMPARISON;
}

static void
cases_of_rule(enum cage_role role, const struct cage_rule *rule)
{
	struct row_case added = { .rule = rule };
	case_add(role, &added);
	if (rule->option != CAGE_FOR_ALL) {
		added.is_off = true;
		case_add(role, &added);
		added.is_off = false;
	}
	for (const struct cage_comparison *c = rule->comparisons; c->compare; c++) {
		added.broken = c;
		if (rule->verdict != CAGE_KILL)
			case_add(role, &added);
	}
}

static void
cases_make(void)
{
	const struct cage_rule *rule;
	for (unsigned i = 0; i < CAGE_ROLE_COUNT; i++) {
		enum cage_role role = (enum cage_role)i;
		for (size_t row = 0; (rule = cage_role_rule(role, row)) != NULL; row++)
			if (is_callable(rule) && !is_widened(role, rule) &&
				!is_narrowed(role, rule) && !is_repetition(role, rule))
				cases_of_rule(role, rule);
	}
}

static void
check_verdict(const struct cage_rule *rule, const struct outcome *outcome)
{
	switch (rule->verdict) {
	case CAGE_ALLOW:
		assert_int_equal(outcome->kind, OUTCOME_RETURNED);
		return;
	case CAGE_REFUSE:
		assert_int_equal(outcome->kind, OUTCOME_RETURNED);
		assert_int_equal(outcome->value, -rule->error);
		return;
	case CAGE_KILL:
		assert_int_equal(outcome->kind, OUTCOME_KILLED);
		return;
	}
	bug("a rule without a verdict");
}

static void
check_row(void **state)
{
	const struct row_case *row = *state;
	struct outcome outcome;
	const char *lacks = caged_mode_lacks(caged_mode_here());
	if (lacks != NULL)
		case_skip(lacks);
	caged_run(row->scenario, caged_mode_here(), &outcome);
	if (outcome.kind == OUTCOME_BROKEN)
		fail_msg("%s", outcome.text);
	if (row->broken == NULL && !row->is_off) {
		check_verdict(row->rule, &outcome);
	} else if (cage_role_data(row->scenario->role)->others == CAGE_OTHERS_ALLOW) {
		assert_int_equal(outcome.kind, OUTCOME_RETURNED);
		assert_int_not_equal(outcome.value, -row->rule->error);
	} else {
		assert_int_equal(outcome.kind, OUTCOME_TRAPPED);
		assert_string_equal(outcome.call, row->rule->call);
	}
}

int
main(int argc, char **argv)
{
	cases_make();
	caged_main(argc, argv, scenarios, case_count);
	const struct table tables[] = {
		{ .name = "row",
			.check = check_row,
			.rows = cases,
			.row_bytes = sizeof(*cases),
			.count = case_count },
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
