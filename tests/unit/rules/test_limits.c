/*
 * Counts by name, three times in a minute, and pauses before a next start (limits.h).
 */
#include "policy/rules/limits.h"
#include "tests/table.h"

#include <stdio.h>
#include <string.h>

/* ---- tally ---- */

static void
check_tally(void **state)
{
	struct tally tally = { 0 };
	struct bytes ann = bytes_of_text("ann"), bob = bytes_of_text("bob");
	(void)state;
	assert_int_equal(tally_count(&tally, ann), 0);
	for (uint64_t i = 1; i <= 3; i++) {
		assert_int_equal(tally_add(&tally, ann), 0);
		assert_int_equal(tally_count(&tally, ann), i);
	}
	assert_int_equal(tally_add(&tally, bob), 0);
	assert_int_equal(tally_count(&tally, bob), 1);
	tally_remove(&tally, bob);
	assert_int_equal(tally_count(&tally, bob), 0);
	assert_int_equal(tally_count(&tally, ann), 3);
	for (int i = 0; i < 3; i++)
		tally_remove(&tally, ann);
	assert_null(tally.tree);
}

struct name_row {
	const char *name;
	struct bytes one, other;
};

static const struct name_row name_rows[] = {
	{ "of other lengths", { "ab", 2 }, { "abc", 3 } },
	{ "of one length", { "abc", 3 }, { "abd", 3 } },
	{ "with a NUL inside", { "a\0b", 3 }, { "a\0c", 3 } },
	{ "nothing and a NUL", { "", 0 }, { "\0", 1 } },
};

static void
check_names(void **state)
{
	const struct name_row *row = *state;
	struct tally tally = { 0 };
	assert_int_equal(tally_add(&tally, row->one), 0);
	assert_int_equal(tally_count(&tally, row->other), 0);
	assert_int_equal(tally_count(&tally, row->one), 1);
	tally_remove(&tally, row->one);
}

static void
check_tally_copies(void **state)
{
	struct tally tally = { 0 };
	char name[] = "ann";
	(void)state;
	assert_int_equal(tally_add(&tally, bytes_of_text(name)), 0);
	memset(name, 'x', 3);
	assert_int_equal(tally_count(&tally, bytes_of_text("ann")), 1);
	tally_remove(&tally, bytes_of_text("ann"));
}

static void
check_many(void **state)
{
	enum { NAMES = 20000 };
	struct tally tally = { 0 };
	(void)state;
	for (uint32_t i = 0; i < NAMES; i++)
		assert_int_equal(tally_add(&tally, bytes_of(&i, sizeof(i))), 0);
	for (uint32_t i = 0; i < NAMES; i++)
		tally_remove(&tally, bytes_of(&i, sizeof(i)));
	assert_null(tally.tree);
}

/* ---- often ---- */

struct often_row {
	const char *name;
	uint64_t at_s[6]; /* noted at; ends with 0 */
	uint64_t now_s;
	bool want;
};

static const struct often_row often_rows[] = {
	{ "never", { 0 }, 100, false },
	{ "twice", { 100, 101 }, 101, false },
	{ "three times", { 100, 101, 102 }, 102, true },
	{ "three times at once", { 100, 100, 100 }, 100, true },
	{ "still within the minute", { 100, 101, 102 }, 159, true },
	{ "the first is a minute old", { 100, 101, 102 }, 160, false },
	{ "slowly", { 100, 130, 160 }, 160, false },
	{ "slowly, then fast", { 100, 170, 171, 172 }, 173, true },
	{ "a fourth time, later", { 100, 101, 102, 150 }, 160, true },
	{ "five times, long ago", { 100, 101, 102, 103, 104 }, 200, false },
};

static void
check_often(void **state)
{
	const struct often_row *row = *state;
	struct often often = { 0 };
	for (const uint64_t *at = row->at_s; *at != 0; at++)
		often_note(&often, *at * 1000);
	assert_int_equal(often_is_reached(&often, row->now_s * 1000), row->want);
}

/* ---- respawn ---- */

struct respawn_row {
	const char *name;
	uint64_t lives_ms[12]; /* from start to death, one after the other; ends with 0 */
	uint64_t want_pause_ms;
};

static const struct respawn_row respawn_rows[] = {
	{ "a good run", { 3600000 }, 0 },
	{ "dies at once, the first time", { 1 }, 0 },
	{ "dies at once, twice", { 1, 1 }, 1000 },
	{ "three times", { 1, 1, 1 }, 2000 },
	{ "four times", { 1, 1, 1, 1 }, 4000 },
	{ "six times", { 1, 1, 1, 1, 1, 1 }, 16000 },
	{ "seven times", { 1, 1, 1, 1, 1, 1, 1 }, 30000 },
	{ "eleven times", { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 }, 30000 },
	{ "a good run clears it", { 1, 1, 1, 10000 }, 0 },
	{ "a run that is not quite good", { 1, 1, 1, 9999 }, 4000 },
};

static void
check_respawn(void **state)
{
	const struct respawn_row *row = *state;
	struct respawn respawn = { 0 };
	uint64_t now_ms = 1000000;
	for (const uint64_t *life = row->lives_ms; *life != 0; life++) {
		respawn_started(&respawn, now_ms);
		now_ms += *life;
		respawn_died(&respawn, now_ms);
	}
	assert_int_equal(respawn.next_ms - now_ms, row->want_pause_ms);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("a tally counts up and down", check_tally),
		TABLE("names that differ", name_rows, check_names),
		CASE("a tally keeps its own names", check_tally_copies),
		CASE("a tally of many names holds nothing in the end", check_many),
		TABLE("often", often_rows, check_often),
		TABLE("respawn", respawn_rows, check_respawn),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
