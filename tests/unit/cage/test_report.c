/*
 * What an operator reads about a cage (report.h, cage_report_text): what stands, what is weaker and
 * what mends it; and which walls `cage = required` demands.
 */
#include "policy/cage/report.h"
#include "policy/cage/tables.h"
#include "tests/table.h"

#include <errno.h>
#include <stdlib.h>

enum {
	UID = 1u << CAGE_WALL_UID,
	ROOT = 1u << CAGE_WALL_ROOT,
	FILES = 1u << CAGE_WALL_LANDLOCK_FILES,
	TCP = 1u << CAGE_WALL_LANDLOCK_TCP,
	SCOPE = 1u << CAGE_WALL_LANDLOCK_SCOPE,
	CAPABILITIES = 1u << CAGE_WALL_CAPABILITIES,
	SECCOMP = 1u << CAGE_WALL_SECCOMP,
	ALL = UID | ROOT | CAPABILITIES | FILES | TCP | SCOPE | SECCOMP,
};

struct text_row {
	const char *name;
	struct cage_report report;
	const char *want;
};

static const struct text_row text_rows[] = {
	{ "all stands", { .walls = ALL, .expected = ALL, .landlock_abi = 7 },
		"own uid, own root, no capabilities, files by Landlock, TCP by Landlock, "
		"signals by Landlock, system-call filter (Landlock 7)" },
	{ "an ordinary user", { .walls = ALL & ~UID, .expected = ALL, .landlock_abi = 7 },
		"own root, no capabilities, files by Landlock, TCP by Landlock, "
		"signals by Landlock, system-call filter (Landlock 7); weaker: all processes run "
		"as "
		"one uid (start sallyportd as root)" },
	{ "an older kernel", { .walls = ALL & ~(TCP | SCOPE), .expected = ALL, .landlock_abi = 2 },
		"own uid, own root, no capabilities, files by Landlock, system-call filter "
		"(Landlock 2); weaker: bind and connect are stopped by the system-call filter "
		"alone "
		"(boot Linux 6.7 or later); signals and abstract sockets are stopped by the "
		"system-call filter alone (boot Linux 6.12 or later)" },
	{ "what a role never has is not missed", { .walls = SECCOMP, .expected = SECCOMP },
		"system-call filter" },
	{ "a failure",
		{ .error = -ENOENT, .problem = "cannot enter the home", .detail = "/home/x" },
		"cannot enter the home: /home/x: No such file or directory" },
	{ "a failure without a name", { .error = -EPERM, .problem = "cannot drop capabilities" },
		"cannot drop capabilities: Operation not permitted" },
};

static void
check_text(void **state)
{
	const struct text_row *row = *state;
	char *text = cage_report_text(&row->report);
	assert_string_equal(text, row->want);
	free(text);
}

struct required_row {
	const char *name;
	uint32_t walls, expected;
	int want;
	const char *want_detail;
};

static const struct required_row required_rows[] = {
	{ "all stands", ALL, ALL, 0, NULL },
	{ "one uid for all is no refusal", ALL & ~UID, ALL, 0, NULL },
	{ "TCP and signals have a second wall", ALL & ~(TCP | SCOPE), ALL, 0, NULL },
	{ "no own root", ALL & ~ROOT, ALL, -EOPNOTSUPP, "own root" },
	{ "no Landlock", ALL & ~(FILES | TCP | SCOPE), ALL, -EOPNOTSUPP, "files by Landlock" },
	{ "no own root by design", FILES, FILES | TCP, 0, NULL },
};

static void
check_required(void **state)
{
	const struct required_row *row = *state;
	struct cage_report report = { .walls = row->walls, .expected = row->expected };
	assert_int_equal(report_check_required(&report), row->want);
	assert_int_equal(report.error, row->want);
	if (row->want_detail == NULL)
		assert_null(report.detail);
	else
		assert_string_equal(report.detail, row->want_detail);
}

static void
check_required_says_what_helps(void **state)
{
	(void)state;
	struct cage_report report = { .walls = ALL & ~ROOT, .expected = ALL };
	assert_int_equal(report_check_required(&report), -EOPNOTSUPP);
	char *text = cage_report_text(&report);
	assert_string_equal(text,
		"\"cage = required\", and this is missing: own root: Operation not "
		"supported; "
		"start sallyportd as root, or let ordinary users make user namespaces");
	free(text);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("text", text_rows, check_text),
		TABLE("required", required_rows, check_required),
		CASE("required says what helps", check_required_says_what_helps),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
