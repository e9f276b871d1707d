/*
 * Tables into a seccomp filter (see filter.h). Runs in every program, in cage_close(), with the
 * privileges that cage_enter() left.
 *
 * libseccomp orders and encodes the comparisons. A call of another architecture (32-bit entry
 * points, x32) kills: its numbers mean something else. On failure nothing is loaded, and the caller
 * ends the process: there is no running without a filter.
 */
#include "policy/cage/filter.h"
#include "ipc/base/ends.h"
#include "policy/cage/tables.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <unistd.h>

static uint32_t
rule_action(const struct cage_rule *rule)
{
	switch (rule->verdict) {
	case CAGE_ALLOW:
		return SCMP_ACT_ALLOW;
	case CAGE_REFUSE:
		return SCMP_ACT_ERRNO((uint16_t)rule->error);
	case CAGE_KILL:
		return SCMP_ACT_KILL_PROCESS;
	}
	bug("a rule without a verdict");
}

static struct scmp_arg_cmp
comparison_encode(const struct cage_comparison *comparison)
{
	struct scmp_arg_cmp encoded = {
		.arg = comparison->position,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = comparison->mask,
		.datum_b = comparison->value,
	};
	if (comparison->compare == CAGE_NOT_EQUAL) {
		encoded.op = SCMP_CMP_NE;
		encoded.datum_a = comparison->value;
	} else if (comparison->compare == CAGE_OWN_PID) {
		encoded.datum_b = (scmp_datum_t)getpid();
	}
	return encoded;
}

static int
rule_add(scmp_filter_ctx filter, const struct cage_rule *rule)
{
	struct scmp_arg_cmp encoded[CAGE_COMPARISONS_MAX];
	unsigned count = 0;
	while (rule->comparisons[count].compare != CAGE_NO_COMPARISON) {
		encoded[count] = comparison_encode(&rule->comparisons[count]);
		count++;
	}
	int number = cage_system_call_number(rule->call);
	if (number == -ENOENT)
		return 0; /* not on this architecture: nothing to allow, nothing to forbid */
	return seccomp_rule_add_array(filter, rule_action(rule), number, count, encoded);
}

static bool
role_has_row(enum cage_role role, const char *call)
{
	const struct cage_rule *rule;
	for (size_t i = 0; (rule = cage_role_rule(role, i)) != NULL; i++)
		if (strcmp(rule->call, call) == 0)
			return true;
	return false;
}

/* Where everything else is allowed there is nothing that they could add. */
static bool
sanitizers_allow(enum cage_role role, const char *call)
{
	const struct cage_rule *rule;
	bool trap = cage_role_data(role)->others == CAGE_OTHERS_TRAP;
	for (size_t i = 0; trap && (rule = cage_sanitizer_rule(i)) != NULL; i++)
		if (rule->verdict == CAGE_ALLOW && strcmp(rule->call, call) == 0)
			return true;
	return false;
}

static int
tables_add(
	scmp_filter_ctx filter, enum cage_role role, enum cage_option option, const char **detail)
{
	const struct cage_rule *rule;
	for (size_t i = 0; (rule = cage_role_rule(role, i)) != NULL; i++) {
		bool is_there = rule->option == CAGE_FOR_ALL || rule->option == option;
		bool is_left_out = !is_there || sanitizers_allow(role, rule->call);
		int error = is_left_out ? 0 : rule_add(filter, rule);
		if (error < 0) {
			*detail = rule->call;
			return error;
		}
	}
	return 0;
}

/* What a build for sanitizers adds (sanitizers.def); nothing in a release build. */
static int
sanitizer_rules_add(scmp_filter_ctx filter, enum cage_role role, const char **detail)
{
	const struct cage_rule *rule;
	for (size_t i = 0; (rule = cage_sanitizer_rule(i)) != NULL; i++) {
		bool yields = rule->verdict == CAGE_REFUSE && role_has_row(role, rule->call);
		int error = yields ? 0 : rule_add(filter, rule);
		if (error < 0) {
			*detail = rule->call;
			return error;
		}
	}
	return 0;
}

static int
additions_add(scmp_filter_ctx filter, const struct cage_additions *additions, const char **detail)
{
	for (size_t i = 0; i < additions->count; i++) {
		struct cage_rule rule = { .call = additions->calls[i], .verdict = CAGE_ALLOW };
		int error = rule_add(filter, &rule);
		if (error < 0) {
			*detail = rule.call;
			return error;
		}
	}
	return 0;
}

static int
attributes_set(scmp_filter_ctx filter)
{
	static const struct {
		enum scmp_filter_attr attribute;
		uint32_t value;
	} attributes[] = {
		{ SCMP_FLTATR_API_SYSRAWRC, 1 }, /* the kernel's errno, not ECANCELED */
		{ SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS }, /* see the head */
		{ SCMP_FLTATR_CTL_NNP, 0 },                         /* cage_enter() has set it */
		{ SCMP_FLTATR_CTL_TSYNC, 1 },                       /* all threads, or an error */
		{ SCMP_FLTATR_CTL_OPTIMIZE, 2 },                    /* a binary tree of numbers */
	};
	for (size_t i = 0; i < ARRAY_LENGTH(attributes); i++) {
		int error = seccomp_attr_set(filter, attributes[i].attribute, attributes[i].value);
		if (error < 0)
			return error;
	}
	return 0;
}

int
filter_load(enum cage_role role, const struct cage_additions *additions, const char **detail)
{
	bool trap = cage_role_data(role)->others == CAGE_OTHERS_TRAP;
	enum cage_option option = additions == NULL ? CAGE_FOR_ALL : additions->option;
	scmp_filter_ctx filter = seccomp_init(trap ? SCMP_ACT_TRAP : SCMP_ACT_ALLOW);
	if (filter == NULL)
		return -ENOMEM;
	int error = attributes_set(filter);
	if (error == 0)
		error = tables_add(filter, role, option, detail);
	if (error == 0 && trap)
		error = sanitizer_rules_add(filter, role, detail);
	if (error == 0 && additions != NULL)
		error = additions_add(filter, additions, detail);
	if (error == 0)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error;
}
