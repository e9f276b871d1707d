/*
 * The cage's tables (see tables.h): every .def file of this folder as constant data. Runs in every
 * program and makes no system call. What a row means is said in its .def file; what it does, in
 * enter.c and filter.c.
 */
#include "policy/cage/tables.h"
#include "policy/cage/landlock_abi.h"
#include "policy/cage/sanitizers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/falloc.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* clang-format off */
static const struct cage_rule libc_rules[] = {
#include "policy/cage/rules_view.h"
#include "policy/cage/libc.def"
};
static const struct cage_rule loop_rules[] = {
#include "policy/cage/rules_view.h"
#include "policy/cage/loop.def"
};
static const struct cage_rule gateway_rules[] = {
#include "policy/cage/rules_view.h"
#include "policy/cage/gateway.def"
};
static const struct cage_rule worker_rules[] = {
#include "policy/cage/rules_view.h"
#include "policy/cage/worker.def"
};
static const struct cage_rule auth_rules[] = {
#include "policy/cage/rules_view.h"
#include "policy/cage/auth.def"
};
static const struct cage_rule hasher_rules[] = {
#include "policy/cage/rules_view.h"
#include "policy/cage/hasher.def"
};
static const struct cage_rule keys_rules[] = {
#include "policy/cage/rules_view.h"
#include "policy/cage/keys.def"
};
static const struct cage_rule record_rules[] = {
#include "policy/cage/rules_view.h"
#include "policy/cage/record.def"
};
static const struct cage_rule loader_rules[] = {
#include "policy/cage/rules_view.h"
#include "policy/cage/loader.def"
};
static const struct cage_rule resolver_rules[] = {
#include "policy/cage/rules_view.h"
#include "policy/cage/resolver.def"
};
static const struct cage_rule sanitizer_rules[] = {
#include "policy/cage/rules_view.h"
#include "policy/cage/sanitizers.def"
};

/* Two views of one file: what no process may do, and what no caged process may do. */
#define EVERYWHERE(call_name, why) { .call = #call_name, .verdict = CAGE_KILL, .reason = (why) },
#define CAGED(call_name, why)
#define FORBID(call_name, where, why) where(call_name, why)
static const struct cage_rule never_rules[] = {
#include "policy/cage/forbidden.def"
};
#undef EVERYWHERE
#undef CAGED
#define EVERYWHERE(call_name, why)
#define CAGED(call_name, why) { .call = #call_name, .verdict = CAGE_KILL, .reason = (why) },
#define FORBID(call_name, where, why) where(call_name, why)
static const struct cage_rule caged_rules[] = {
#include "policy/cage/forbidden.def"
};
#undef EVERYWHERE
#undef CAGED

#define TABLE(table) { #table, table##_rules, ARRAY_LENGTH(table##_rules) }
#define ALL	((1u << CAGE_WALL_COUNT) - 1)
#define NO_ROOT (ALL & ~(1u << CAGE_WALL_UID | 1u << CAGE_WALL_ROOT))
#define FILTER	(1u << CAGE_WALL_SECCOMP)
#define ROLE(symbol, text, program_name, where, rest, which, words, ...) \
	[CAGE_##symbol] = { .name = #text, .program = (program_name), .doc = (words), \
		.root = CAGE_ROOT_##where, .others = CAGE_OTHERS_##rest, .walls = (which), \
		.tables = { __VA_ARGS__ } },
static const struct cage_role_data roles[CAGE_ROLE_COUNT] = {
#include "policy/cage/roles.def"
};
#undef TABLE
#undef ALL
#undef NO_ROOT
#undef FILTER

#define ENTER		CAGE_GATE_ENTER
#define CLOSE		CAGE_GATE_CLOSE
#define HARD		CAGE_LIMIT_HARD
#define LIMIT(who, when, what, limit, why) \
	{ .role = CAGE_##who, .gate = (when), .resource = (int)RLIMIT_##what, .value = (limit), \
	  .name = #what, .reason = (why) },
const struct cage_limit cage_limits[] = {
#include "policy/cage/limits.def"
};
const size_t cage_limit_count = ARRAY_LENGTH(cage_limits);
#undef ENTER
#undef CLOSE
#undef HARD

#define LANDLOCK(who, what, why) \
	{ .role = CAGE_##who, .right = LANDLOCK_##what, .name = #what, .reason = (why) },
const struct cage_landlock_right cage_landlock_rights[] = {
#include "policy/cage/landlock.def"
};
const size_t cage_landlock_right_count = ARRAY_LENGTH(cage_landlock_rights);

#define CAPABILITY(who, what, why) \
	{ .role = CAGE_##who, .capability = CAP_##what, .name = #what, .reason = (why) },
const struct cage_capability cage_capabilities[] = {
#include "policy/cage/capabilities.def"
};
const size_t cage_capability_count = ARRAY_LENGTH(cage_capabilities);

#define ADDITION(name, why) { .call = #name, .reason = (why) },
const struct cage_addition cage_permitted_additions[] = {
#include "policy/cage/additions.def"
};
const size_t cage_permitted_addition_count = ARRAY_LENGTH(cage_permitted_additions);

#define WALL(symbol, how_much, text, without, remedy) \
	[CAGE_WALL_##symbol] = { .name = (text), .need = CAGE_##how_much, .weaker = (without), \
		.advice = (remedy) },
const struct cage_wall_data cage_walls[CAGE_WALL_COUNT] = {
#include "policy/cage/walls.def"
};
/* clang-format on */

const struct cage_role_data *
cage_role_data(enum cage_role role)
{
	return &roles[role];
}

static const struct cage_rule *
rule_among(const struct cage_table *tables, size_t count, size_t index)
{
	for (size_t i = 0; i < count; i++) {
		if (index < tables[i].count)
			return &tables[i].rules[index];
		index -= tables[i].count;
	}
	return NULL;
}

const struct cage_rule *
cage_role_rule(enum cage_role role, size_t index)
{
	return rule_among(roles[role].tables, CAGE_TABLES_MAX, index);
}

const struct cage_rule *
cage_sanitizer_rule(size_t index)
{
	bool is_there = CAGE_IS_FOR_SANITIZERS && index < ARRAY_LENGTH(sanitizer_rules);
	return is_there ? &sanitizer_rules[index] : NULL;
}

const char *
cage_option_name(enum cage_option option)
{
	static const char *const names[CAGE_OPTION_COUNT] = {
		[CAGE_FOR_ALL] = "",
		[CAGE_FOR_KERNEL_TLS] = "kernel_tls",
	};
	return names[option];
}

const char *
cage_role_name(enum cage_role role)
{
	return roles[role].name;
}

int
cage_role_find(const char *name, enum cage_role *role)
{
	for (unsigned i = 0; i < CAGE_ROLE_COUNT; i++) {
		if (strcmp(roles[i].name, name) == 0) {
			*role = (enum cage_role)i;
			return 0;
		}
	}
	return -ENOENT;
}

const struct cage_addition *
cage_addition_find(const char *call)
{
	for (size_t i = 0; i < cage_permitted_addition_count; i++)
		if (strcmp(cage_permitted_additions[i].call, call) == 0)
			return &cage_permitted_additions[i];
	return NULL;
}

bool
cage_addition_is_permitted(const char *call)
{
	return cage_addition_find(call) != NULL;
}

/* Younger than the oldest libseccomp that we build with; the number is the same everywhere. */
static const struct {
	const char *call;
	int number;
} young_calls[] = {
	{ "fchmodat2", 452 },
};

int
cage_system_call_number(const char *call)
{
	int number = seccomp_syscall_resolve_name(call);
	if (number >= 0)
		return number;
	for (size_t i = 0; i < ARRAY_LENGTH(young_calls); i++)
		if (strcmp(young_calls[i].call, call) == 0)
			return young_calls[i].number;
	return -ENOENT;
}

char *
cage_system_call_name(uint32_t audit_arch, uint32_t number)
{
	char *name = seccomp_syscall_resolve_num_arch(audit_arch, (int)number);
	if (name != NULL)
		return name;
	for (size_t i = 0; i < ARRAY_LENGTH(young_calls); i++)
		if ((uint32_t)young_calls[i].number == number)
			return strdup(young_calls[i].call);
	return asprintf(&name, "system call %u", number) < 0 ? NULL : name;
}
