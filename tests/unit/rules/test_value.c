/*
 * Values by themselves: bounds, units, UTF-8, and that a refusal leaves the slot alone (value.h).
 */
#include "ipc/base/scope.h"
#include "policy/rules/value.h"
#include "tests/table.h"

#include <errno.h>

#define IN(literal)                          \
	{                                    \
		literal, sizeof(literal) - 1 \
	}

struct number_row {
	const char *name;
	const char *in;
	uint64_t want;
	const char *want_text; /* in the largest unit that divides it */
	enum value_type type;
	int want_result;
};

enum { UNTOUCHED = 77 };

static const struct number_row number_rows[] = {
	{ "plain", "12", 12, "12", VALUE_COUNT, 0 },
	{ "leading zeros", "0012", 12, "12", VALUE_COUNT, 0 },
	{ "zero", "0", 0, "0", VALUE_COUNT, 0 },
	{ "largest", "18446744073709551615", UINT64_MAX, "18446744073709551615", VALUE_COUNT, 0 },
	{ "one more", "18446744073709551616", UNTOUCHED, "77", VALUE_COUNT, -EINVAL },
	{ "a unit where there is none", "12s", UNTOUCHED, "77", VALUE_COUNT, -EINVAL },
	{ "seconds", "30", 30, "30s", VALUE_SECONDS, 0 },
	{ "s", "30s", 30, "30s", VALUE_SECONDS, 0 },
	{ "min", "90min", 5400, "90min", VALUE_SECONDS, 0 },
	{ "h", "48h", 172800, "2d", VALUE_SECONDS, 0 },
	{ "d", "7d", 604800, "7d", VALUE_SECONDS, 0 },
	{ "no time", "0", 0, "0s", VALUE_SECONDS, 0 },
	{ "blank before the unit", "30 s", UNTOUCHED, "77s", VALUE_SECONDS, -EINVAL },
	{ "two units", "1h30min", UNTOUCHED, "77s", VALUE_SECONDS, -EINVAL },
	{ "unit in capitals", "1H", UNTOUCHED, "77s", VALUE_SECONDS, -EINVAL },
	{ "unit of size", "1KiB", UNTOUCHED, "77s", VALUE_SECONDS, -EINVAL },
	{ "bytes", "1023", 1023, "1023B", VALUE_SIZE, 0 },
	{ "B", "1024B", 1024, "1KiB", VALUE_SIZE, 0 },
	{ "KiB", "3KiB", 3072, "3KiB", VALUE_SIZE, 0 },
	{ "MiB", "1024MiB", UINT64_C(1) << 30, "1GiB", VALUE_SIZE, 0 },
	{ "TiB", "2TiB", UINT64_C(1) << 41, "2TiB", VALUE_SIZE, 0 },
	{ "size that wraps", "16777216TiB", UNTOUCHED, "77B", VALUE_SIZE, -EINVAL },
	{ "mode that wraps", "2000000000000000000000", UNTOUCHED, "115", VALUE_MODE, -EINVAL },
	{ "mode", "22", 022, "022", VALUE_MODE, 0 },
	{ "mode with zeros", "0755", 0755, "755", VALUE_MODE, 0 },
	{ "mode with an 8", "0788", UNTOUCHED, "115", VALUE_MODE, -EINVAL },
};

static void
check_number(void **state)
{
	const struct number_row *row = *state;
	struct value_rule rule = { "x", row->type, 0, UINT64_MAX };
	struct rules_error error = { 0 };
	uint64_t slot = UNTOUCHED;
	assert_int_equal(
		value_accept(&rule, bytes_of_text(row->in), &slot, &error), row->want_result);
	assert_true(slot == row->want);
	SCOPE_FREE char *text = value_text(&rule, &slot, 0);
	assert_string_equal(text, row->want_text);
	rules_error_free(&error);
}

struct bound_row {
	const char *name;
	enum value_type type;
	uint64_t least, most;
	const char *in;
	const char *reason; /* NULL: accepted */
};

static const struct bound_row bound_rows[] = {
	{ "number at the least", VALUE_COUNT, 5, 9, "5", NULL },
	{ "number at the most", VALUE_COUNT, 5, 9, "9", NULL },
	{ "number below", VALUE_COUNT, 5, 9, "4", "x: less than 5" },
	{ "number above", VALUE_COUNT, 5, 9, "10", "x: more than 9" },
	{ "duration above, by its unit", VALUE_SECONDS, 0, 3600, "61min", "x: more than 1h" },
	{ "text of the most bytes", VALUE_TEXT, 1, 3, "abc", NULL },
	{ "text too long", VALUE_TEXT, 1, 3, "abcd", "x: longer than 3 bytes" },
	{ "text too short", VALUE_TEXT, 1, 3, "", "x: may not be empty" },
	{ "empty text", VALUE_TEXT, 0, 3, "", NULL },
	{ "empty path where one may be", VALUE_PATH, 0, 4095, "", NULL },
	{ "empty path where one must be", VALUE_PATH, 1, 4095, "",
		"x: '' is no path (as in /srv/ftp, absolute)" },
};

static void
check_bounds(void **state)
{
	const struct bound_row *row = *state;
	struct value_rule rule = { "x", row->type, row->least, row->most };
	struct rules_error error = { 0 };
	union value_slots slot;
	memset(&slot, 0, sizeof(slot));
	int result = value_accept(&rule, bytes_of_text(row->in), &slot, &error);
	assert_int_equal(result, row->reason == NULL ? 0 : -EINVAL);
	if (row->reason != NULL)
		assert_string_equal(error.reason, row->reason);
	value_clear(&rule, &slot);
	rules_error_free(&error);
}

/* What is refused leaves the old value; what is accepted takes its place. */
static void
check_replace(void **state)
{
	(void)state;
	struct value_rule rule = { "x", VALUE_TEXT, 1, 10 };
	struct rules_error error = { 0 };
	char *slot = NULL;
	assert_int_equal(value_accept(&rule, bytes_of_text("old"), &slot, &error), 0);
	assert_int_equal(value_accept(&rule, bytes_of_text("a\nb"), &slot, &error), -EINVAL);
	assert_string_equal(slot, "old");
	rules_error_free(&error);
	assert_int_equal(value_accept(&rule, bytes_of_text("new"), &slot, &error), 0);
	assert_string_equal(slot, "new");
	value_clear(&rule, &slot);
	assert_null(slot);
}

struct clean_row {
	const char *name;
	struct bytes in;
	bool want;
};

static const struct clean_row clean_rows[] = {
	{ "empty", IN(""), true },
	{ "ASCII", IN("aZ09 ~!"), true },
	{ "two bytes", IN("\xc3\xbc"), true },
	{ "three bytes", IN("\xe2\x82\xac"), true },
	{ "four bytes", IN("\xf0\x9f\x9a\xaa"), true },
	{ "the largest code point", IN("\xf4\x8f\xbf\xbf"), true },
	{ "beyond the largest", IN("\xf4\x90\x80\x80"), false },
	{ "five bytes", IN("\xf8\x88\x80\x80\x80"), false },
	{ "the least of two bytes", IN("\xc2\xa0"), true },
	{ "overlong, two bytes", IN("\xc1\xbf"), false },
	{ "overlong, three bytes", IN("\xe0\x9f\xbf"), false },
	{ "overlong, four bytes", IN("\xf0\x8f\xbf\xbf"), false },
	{ "before the surrogates", IN("\xed\x9f\xbf"), true },
	{ "first surrogate", IN("\xed\xa0\x80"), false },
	{ "last surrogate", IN("\xed\xbf\xbf"), false },
	{ "after the surrogates", IN("\xee\x80\x80"), true },
	{ "a lone continuation", IN("a\x80"), false },
	{ "no continuation",
		IN("\xc3"
		   "a"),
		false },
	{ "ends within a character", { "\xc3\xbc", 1 }, false },
	{ "ends within the third byte", { "\xe2\x82\xac", 2 }, false },
	{ "NUL", IN("a\0b"), false },
	{ "tab", IN("a\tb"), false },
	{ "line end", IN("a\n"), false },
	{ "DEL", IN("\x7f"), false },
	{ "first of C1", IN("\xc2\x80"), false },
	{ "last of C1", IN("\xc2\x9f"), false },
};

static void
check_clean(void **state)
{
	const struct clean_row *row = *state;
	assert_int_equal(value_is_clean_text(row->in), row->want);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("number", number_rows, check_number),
		TABLE("bounds", bound_rows, check_bounds),
		CASE("replaced or left alone", check_replace),
		TABLE("clean text", clean_rows, check_clean),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
