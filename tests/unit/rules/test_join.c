/*
 * Verdict and attach meet in either order, once, and not too late (join.h). A row is a history:
 * V or A, the attempt, @ and the second at which it comes; G gives up what waits, B takes the
 * verdict back.
 */
#include "policy/rules/join.h"
#include "tests/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct join_row {
	const char *name;
	const char *steps;
	const char *want; /* for each V and A: w(ait), m(atch) or r(efused) */
};

static const struct join_row join_rows[] = {
	{ "verdict first", "V1@0 A1@1", "wm" },
	{ "attach first", "A1@0 V1@1", "wm" },
	{ "both in the last moment", "V1@0 A1@10", "wm" },
	{ "attach too late", "V1@0 A1@11", "ww" },
	{ "verdict too late", "A1@0 V1@11", "ww" },
	{ "too late, then a new verdict", "V1@0 A1@11 V1@12", "wwm" },
	{ "a verdict is used once", "V1@0 A1@1 A1@2", "wmr" },
	{ "an attach is used once", "A1@0 V1@1 V1@2", "wmr" },
	{ "other attempts do not match", "V1@0 A2@1", "ww" },
	{ "another attempt, then its verdict", "V1@0 A2@1 V2@2", "wwm" },
	{ "an older verdict comes late", "V2@0 V1@1 A2@2", "wrm" },
	{ "an older attach comes late", "A2@0 A1@1 V2@2", "wrm" },
	{ "an attempt before the used one", "V3@0 A3@1 V2@2 A2@3", "wmrr" },
	{ "the next login of the same connection", "V1@0 A1@1 V2@2 A2@3", "wmwm" },
	{ "its verdict comes while the first is open", "V1@0 A1@1 V2@2 A2@12", "wmwm" },
	{ "the same verdict twice", "V1@0 V1@5 A1@12", "wwm" },
	{ "given up, then its verdict", "A1@0 G V1@1", "wr" },
	{ "given up, then the next attempt", "A1@0 G V2@1 A2@2", "wwm" },
	{ "given up with nothing waiting", "G V1@1 A1@2", "wm" },
	{ "taken back, then its attach", "V1@0 B A1@1", "wr" },
	{ "taken back, then the next attempt", "V1@0 B A2@1 V2@2", "wwm" },
	{ "taken back after its use", "V1@0 A1@1 B V2@2 A2@3", "wmwm" },
	{ "the largest attempt", "V4294967295@0 A4294967295@1 A4294967295@2", "wmr" },
};

static void
check_join(void **state)
{
	const struct join_row *row = *state;
	static const char results[] = {
		[JOIN_WAIT] = 'w', [JOIN_MATCH] = 'm', [JOIN_REFUSED] = 'r'
	};
	struct join join = { 0 };
	char got[16] = "";
	size_t count = 0;
	for (const char *step = row->steps; *step != '\0'; step += strspn(step, " ")) {
		char kind = *step++;
		char *end = NULL;
		if (kind == 'G') {
			join_give_up(&join);
			continue;
		}
		if (kind == 'B') {
			join_take_back(&join);
			continue;
		}
		uint32_t attempt = (uint32_t)strtoul(step, &end, 10);
		uint64_t now_ms = strtoul(end + 1, &end, 10) * 1000 + 5000000;
		step = end;
		got[count++] = results[kind == 'V' ? join_verdict(&join, attempt, now_ms)
						   : join_attach(&join, attempt, now_ms)];
	}
	assert_string_equal(got, row->want);
}

int
main(void)
{
	const struct table tables[] = { TABLE("join", join_rows, check_join) };
	return table_run(tables, ARRAY_LENGTH(tables));
}
