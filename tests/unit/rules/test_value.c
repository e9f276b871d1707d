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
	enum value_type type;
	const char *in;
	int want_result;
	uint64_t want;
	const char *want_text; /* in the largest unit that divides it */
};

enum { UNTOUCHED = 77 };

static const struct number_row number_rows[] = {
	{ "plain", VALUE_COUNT, "12", 0, 12, "12" },
	{ "leading zeros", VALUE_COUNT, "0012", 0, 12, "12" },
	{ "zero", VALUE_COUNT, "0", 0, 0, "0" },
	{ "largest", VALUE_COUNT, "18446744073709551615", 0, UINT64_MAX, "18446744073709551615" },
	{ "one more", VALUE_COUNT, "18446744073709551616", -EINVAL, UNTOUCHED, "77" },
	{ "a unit where there is none", VALUE_COUNT, "12s", -EINVAL, UNTOUCHED, "77" },
	{ "seconds", VALUE_SECONDS, "30", 0, 30, "30s" },
	{ "s", VALUE_SECONDS, "30s", 0, 30, "30s" },
	{ "min", VALUE_SECONDS, "90min", 0, 5400, "90min" },
	{ "h", VALUE_SECONDS, "48h", 0, 172800, "2d" },
	{ "d", VALUE_SECONDS, "7d", 0, 604800, "7d" },
	{ "no time", VALUE_SECONDS, "0", 0, 0, "0s" },
	{ "blank before the unit", VALUE_SECONDS, "30 s", -EINVAL, UNTOUCHED, "77s" },
	{ "two units", VALUE_SECONDS, "1h30min", -EINVAL, UNTOUCHED, "77s" },
	{ "unit in capitals", VALUE_SECONDS, "1H", -EINVAL, UNTOUCHED, "77s" },
	{ "unit of size", VALUE_SECONDS, "1KiB", -EINVAL, UNTOUCHED, "77s" },
	{ "bytes", VALUE_SIZE, "1023", 0, 1023, "1023B" },
	{ "B", VALUE_SIZE, "1024B", 0, 1024, "1KiB" },
	{ "KiB", VALUE_SIZE, "3KiB", 0, 3072, "3KiB" },
	{ "MiB", VALUE_SIZE, "1024MiB", 0, UINT64_C(1) << 30, "1GiB" },
	{ "TiB", VALUE_SIZE, "2TiB", 0, UINT64_C(1) << 41, "2TiB" },
	{ "size that wraps", VALUE_SIZE, "16777216TiB", -EINVAL, UNTOUCHED, "77B" },
	{ "mode that wraps", VALUE_MODE, "2000000000000000000000", -EINVAL, UNTOUCHED, "115" },
	{ "mode", VALUE_MODE, "22", 0, 022, "022" },
	{ "mode with zeros", VALUE_MODE, "0755", 0, 0755, "755" },
	{ "mode with an 8", VALUE_MODE, "0788", -EINVAL, UNTOUCHED, "115" },
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
