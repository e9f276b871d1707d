/*
 * Times of listings (stamp.h).
 */
#include "tests/table.h"
#include "worker/stamp.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NOW_S = 1763937300 }; /* 2025-11-23 22:35:00 UTC */

#define S INT64_C(1000000000)

struct stamp_row {
	const char *name;
	int64_t time_ns;
	const char *want;
};

static const struct stamp_row list_rows[] = {
	{ "now", NOW_S *S, "Nov 23 22:35" },
	{ "written while we list", (NOW_S + 5) * S, "Nov 23 22:35" },
	{ "to come", (NOW_S + 3600) * S, "Nov 23  2025" },
	{ "one digit of a day", (NOW_S - 20 * 86400) * S, "Nov  3 22:35" },
	{ "almost half a year", (NOW_S - 182 * 86400) * S, "May 25 22:35" },
	{ "more than half a year", (NOW_S - 183 * 86400) * S, "May 24  2025" },
	{ "the epoch", 0, "Jan  1  1970" },
	{ "before the epoch", -1, "Dec 31  1969" },
	{ "the last that fits", INT64_MAX, "Apr 11  2262" },
	{ "the first that fits", INT64_MIN, "Sep 21  1677" },
};

static const struct stamp_row fact_rows[] = {
	{ "whole seconds", NOW_S *S, "20251123223500" },
	{ "seconds", (NOW_S + 7) * S, "20251123223507" },
	{ "milliseconds", (NOW_S + 7) * S + 123456789, "20251123223507.123" },
	{ "a few milliseconds", (NOW_S + 7) * S + 5999999, "20251123223507.005" },
	{ "less than a millisecond", (NOW_S + 7) * S + 999999, "20251123223507" },
	{ "a leap day", INT64_C(1709164800) * S, "20240229000000" },
	{ "the epoch", 0, "19700101000000" },
	{ "before the epoch", -1, "19691231235959.999" },
	{ "the last that fits", INT64_MAX, "22620411234716.854" },
	{ "the first that fits", INT64_MIN, "16770921001243.145" },
};

static void
check(const struct stamp_row *row, struct stamp *stamp,
	char *put(struct stamp *stamp, char *at, int64_t time_ns))
{
	char text[STAMP_BYTES_MAX + 1] = "";
	*put(stamp, text, row->time_ns) = '\0';
	assert_string_equal(text, row->want);
}

/* The same stamp again, and after another day: what it kept must not show. */
static void
check_kept(const struct stamp_row *row, struct stamp *stamp,
	char *put(struct stamp *stamp, char *at, int64_t time_ns))
{
	char other[STAMP_BYTES_MAX + 1];
	check(row, stamp, put);
	check(row, stamp, put);
	put(stamp, other, 86400 * S);
	check(row, stamp, put);
}

static void
check_list(void **state)
{
	struct stamp stamp = { .now_s = NOW_S };
	check_kept(*state, &stamp, stamp_put_list);
}

static void
check_fact(void **state)
{
	struct stamp stamp = { .now_s = NOW_S };
	check_kept(*state, &stamp, stamp_put_fact);
}

static void
check_local(void **state)
{
	(void)state;
	const struct stamp_row row = { "local", NOW_S * S, "Nov 24 04:05" };
	const struct stamp_row later = { "a minute later", (NOW_S + 60) * S, "Nov 24 04:06" };
	struct stamp stamp = { .now_s = NOW_S + 60, .local = true };
	setenv("TZ", "IST-5:30", 1);
	tzset();
	check_kept(&row, &stamp, stamp_put_list);
	check(&later, &stamp, stamp_put_list);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("as ls prints it", list_rows, check_list),
		TABLE("as a fact", fact_rows, check_fact),
		CASE("local time", check_local),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
