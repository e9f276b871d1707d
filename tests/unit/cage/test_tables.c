/*
 * The cage's tables as data (tables.h): every row means something on this architecture, no two rows
 * of a role contradict each other, and nothing that is forbidden is allowed anywhere. What the rows
 * do to a process is tested in tests/cage/.
 */
#include "policy/cage/landlock_abi.h"
#include "policy/cage/tables.h"
#include "tests/table.h"

#include <errno.h>
#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

struct role_row {
	const char *name;
	enum cage_role role;
};

static const struct role_row role_rows[] = {
#define ROLE(symbol, role_name, ...) { #role_name, CAGE_##symbol },
#include "policy/cage/roles.def"
};

/* What this architecture has under another name, or libc of it does not use. */
static bool
may_be_absent(const char *call)
{
#if defined(__x86_64__)
	(void)call;
	return false;
#else
	static const char *const absent[] = { "epoll_wait", "dup2", "renameat", "newfstatat",
		"iopl", "ioperm", "modify_ldt", "poll", "lookup_dcookie", "kexec_file_load" };
	for (size_t i = 0; i < ARRAY_LENGTH(absent); i++)
		if (strcmp(absent[i], call) == 0)
			return true;
	return false;
#endif
}

static void
check_rows_resolve(void **state)
{
	const struct role_row *row = *state;
	const struct cage_rule *rule;
	for (size_t i = 0; (rule = cage_role_rule(row->role, i)) != NULL; i++) {
		if (cage_system_call_number(rule->call) < 0 && !may_be_absent(rule->call))
			fail_msg("%s is no system call", rule->call);
		if (rule->reason == NULL || strlen(rule->reason) < 5)
			fail_msg("%s has no reason", rule->call);
		if (rule->verdict == CAGE_REFUSE && (rule->error <= 0 || rule->error_name == NULL))
			fail_msg("%s is refused without an errno", rule->call);
	}
}

static void
check_comparisons_can_hold(void **state)
{
	const struct role_row *row = *state;
	const struct cage_rule *rule;
	for (size_t i = 0; (rule = cage_role_rule(row->role, i)) != NULL; i++) {
		unsigned positions = 0;
		for (const struct cage_comparison *c = rule->comparisons; c->compare; c++) {
			assert_in_range(c->position, 0, 5);
			if ((positions & 1u << c->position) != 0)
				fail_msg("%s: one argument is compared twice", rule->call);
			positions |= 1u << c->position;
			if (c->compare == CAGE_MASKED_EQUAL && (c->value & ~c->mask) != 0)
				fail_msg("%s: %s %s can never hold", rule->call, c->name, c->text);
			assert_string_not_equal(c->name, "");
			assert_string_not_equal(c->text, "");
		}
		assert_true(rule->comparisons[CAGE_COMPARISONS_MAX].compare == CAGE_NO_COMPARISON);
	}
}

/* Is there a bit of an argument on which the two rows insist differently? */
static bool
rules_are_apart(const struct cage_rule *one, const struct cage_rule *other)
{
	for (const struct cage_comparison *a = one->comparisons; a->compare; a++)
		for (const struct cage_comparison *b = other->comparisons; b->compare; b++)
			if (a->position == b->position && a->compare == CAGE_MASKED_EQUAL &&
				b->compare == CAGE_MASKED_EQUAL &&
				(a->mask & b->mask & (a->value ^ b->value)) != 0)
				return true;
	return false;
}

static void
check_rows_are_apart(void **state)
{
	const struct role_row *row = *state;
	const struct cage_rule *one, *other;
	for (size_t i = 0; (one = cage_role_rule(row->role, i)) != NULL; i++)
		for (size_t j = i + 1; (other = cage_role_rule(row->role, j)) != NULL; j++)
			if (strcmp(one->call, other->call) == 0 && !rules_are_apart(one, other))
				fail_msg("two rows of %s hold for the same arguments", one->call);
}

static const char *const forbidden_everywhere[] = {
#define EVERYWHERE(call) #call,
#define CAGED(call)
#define FORBID(call, where, reason) where(call)
#include "policy/cage/forbidden.def"
#undef EVERYWHERE
#undef CAGED
};

static const char *const forbidden_in_cages[] = {
#define EVERYWHERE(call)
#define CAGED(call)                 #call,
#define FORBID(call, where, reason) where(call)
#include "policy/cage/forbidden.def"
#undef EVERYWHERE
#undef CAGED
};

static bool
is_listed(const char *call, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], call) == 0)
			return true;
	return false;
}

static bool
is_forbidden(const char *call)
{
	return is_listed(call, forbidden_everywhere, ARRAY_LENGTH(forbidden_everywhere)) ||
	       is_listed(call, forbidden_in_cages, ARRAY_LENGTH(forbidden_in_cages));
}

static bool
is_killed(enum cage_role role, const char *call)
{
	const struct cage_rule *rule;
	for (size_t i = 0; (rule = cage_role_rule(role, i)) != NULL; i++)
		if (strcmp(rule->call, call) == 0 && rule->verdict == CAGE_KILL &&
			rule->comparisons[0].compare == CAGE_NO_COMPARISON)
			return true;
	return false;
}

static void
check_forbidden_kills(void **state)
{
	const struct role_row *row = *state;
	const struct cage_rule *rule;
	bool allows_others = cage_role_data(row->role)->others == CAGE_OTHERS_ALLOW;
	for (size_t i = 0; (rule = cage_role_rule(row->role, i)) != NULL; i++) {
		bool takes_away = rule->verdict == CAGE_KILL ||
				  (rule->verdict == CAGE_REFUSE && allows_others);
		if (!takes_away && is_forbidden(rule->call))
			fail_msg("%s is forbidden, and has a row", rule->call);
	}
	for (size_t i = 0; i < ARRAY_LENGTH(forbidden_everywhere); i++)
		if (!is_killed(row->role, forbidden_everywhere[i]))
			fail_msg("%s does not kill", forbidden_everywhere[i]);
	if (allows_others)
		return;
	for (size_t i = 0; i < ARRAY_LENGTH(forbidden_in_cages); i++)
		if (!is_killed(row->role, forbidden_in_cages[i]))
			fail_msg("%s does not kill", forbidden_in_cages[i]);
}

/* What the processes promise (DESIGN 2, DECISIONS 8), by name. */
struct absent_row {
	const char *name;
	enum cage_role role;
	const char *calls[12];
};

static const struct absent_row absent_rows[] = {
	{ "no gateway opens, makes or starts anything", CAGE_GATEWAY,
		{ "open", "openat", "openat2", "creat", "unlinkat", "renameat2", "mkdirat", "clone",
			"fork", "vfork", "kill", "memfd_create" } },
	{ "no worker leaves its user", CAGE_WORKER,
		{ "clone", "fork", "vfork", "kill", "socketpair", "accept4", "setsockopt",
			"shutdown", "mknodat", "linkat", "fchown", "fchownat" } },
	{ "no worker opens but by openat2", CAGE_WORKER, { "open", "openat", "creat" } },
	{ "no auth opens", CAGE_AUTH, { "open", "openat", "openat2", "creat", "kill" } },
	{ "no hasher forks", CAGE_HASHER, { "clone", "fork", "socketpair", "dup2", "seccomp" } },
	{ "no record takes back what is written", CAGE_RECORD,
		{ "ftruncate", "truncate", "fallocate", "unlink", "unlinkat", "rename", "renameat",
			"renameat2", "pwrite64", "pwritev", "openat2", "mkdirat" } },
};

static void
check_absent(void **state)
{
	const struct absent_row *row = *state;
	const struct cage_rule *rule;
	for (size_t i = 0; (rule = cage_role_rule(row->role, i)) != NULL; i++)
		if (rule->verdict == CAGE_ALLOW && rule->call != NULL)
			for (size_t j = 0; j < ARRAY_LENGTH(row->calls) && row->calls[j]; j++)
				assert_string_not_equal(rule->call, row->calls[j]);
}

static void
check_additions(void **state)
{
	(void)state;
	const struct cage_rule *rule;
	for (size_t i = 0; i < cage_permitted_addition_count; i++) {
		const char *call = cage_permitted_additions[i].call;
		if (is_forbidden(call) ||
			is_listed(call, (const char *[]){ "clone", "clone3", "fork" }, 3))
			fail_msg("%s is forbidden", call);
		if (cage_system_call_number(call) < 0 && !may_be_absent(call))
			fail_msg("%s is no system call", call);
		for (size_t j = 0; (rule = cage_role_rule(CAGE_WORKER, j)) != NULL; j++)
			if (strcmp(rule->call, call) == 0)
				fail_msg("%s has a row in every worker", call);
		assert_true(cage_addition_is_permitted(call));
	}
	assert_false(cage_addition_is_permitted("socket"));
	assert_false(cage_addition_is_permitted(""));
}

static void
check_other_tables(void **state)
{
	const struct role_row *row = *state;
	bool dumps_nothing = row->role == CAGE_HASHER; /* inherits auth's limits */
	for (size_t i = 0; i < cage_limit_count; i++)
		if (cage_limits[i].role == row->role && cage_limits[i].resource == (int)RLIMIT_CORE)
			dumps_nothing = cage_limits[i].value == 0;
	assert_true(dumps_nothing);
	for (size_t i = 0; i < cage_capability_count; i++)
		if (cage_capabilities[i].role == row->role)
			assert_int_equal(row->role, CAGE_SUPERVISOR);
	uint64_t rights = 0;
	for (size_t i = 0; i < cage_landlock_right_count; i++)
		if (cage_landlock_rights[i].role == row->role)
			rights |= cage_landlock_rights[i].right;
	assert_true((rights & (LANDLOCK_EXECUTE | LANDLOCK_MAKE_CHAR | LANDLOCK_MAKE_BLOCK |
				      LANDLOCK_MAKE_SOCK | LANDLOCK_IOCTL_DEVICE)) == 0);
	if (row->role != CAGE_WORKER)
		assert_true((rights & (LANDLOCK_REMOVE_FILE | LANDLOCK_REMOVE_DIR |
					      LANDLOCK_TRUNCATE | LANDLOCK_REFER)) == 0);
}

static void
check_role_names(void **state)
{
	const struct role_row *row = *state;
	enum cage_role found = CAGE_ROLE_COUNT;
	assert_string_equal(cage_role_name(row->role), row->name);
	assert_int_equal(cage_role_find(row->name, &found), 0);
	assert_int_equal(found, row->role);
	assert_int_equal(cage_role_find("keeper", &found), -ENOENT);
	assert_int_equal(found, row->role);
}

struct call_row {
	const char *name;
	uint32_t arch;
	uint32_t number;
	const char *want;
};

static const struct call_row call_rows[] = {
	{ "of x86-64", AUDIT_ARCH_X86_64, 59, "execve" },
	{ "of i386", AUDIT_ARCH_I386, 11, "execve" },
	{ "of arm64", AUDIT_ARCH_AARCH64, 221, "execve" },
	{ "younger than libseccomp", AUDIT_ARCH_X86_64, 452, "fchmodat2" },
	{ "unheard of", AUDIT_ARCH_X86_64, 9999, "system call 9999" },
	{ "of no architecture", 1, 59, "system call 59" },
};

static void
check_call_name(void **state)
{
	const struct call_row *row = *state;
	char *name = cage_system_call_name(row->arch, row->number);
	assert_string_equal(name, row->want);
	free(name);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("rows resolve", role_rows, check_rows_resolve),
		TABLE("comparisons can hold", role_rows, check_comparisons_can_hold),
		TABLE("rows are apart", role_rows, check_rows_are_apart),
		TABLE("what is forbidden kills", role_rows, check_forbidden_kills),
		TABLE("absent", absent_rows, check_absent),
		CASE("additions are harmless", check_additions),
		TABLE("limits, capabilities, Landlock", role_rows, check_other_tables),
		TABLE("role names", role_rows, check_role_names),
		TABLE("name of a system call", call_rows, check_call_name),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
