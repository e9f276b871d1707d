/*
 * Numbers from text: the whole text or nothing, and the result untouched on failure (number.h).
 */
#include "ipc/base/number.h"
#include "tests/table.h"

#include <errno.h>

enum { UNTOUCHED = 77 };

struct number_row {
	const char *name;
	struct bytes in;
	uint64_t maximum;
	int want_result;
	uint64_t want;
};

#define TEXT(literal)                                            \
	{                                                        \
		.data = (literal), .length = sizeof(literal) - 1 \
	}

static const struct number_row decimal_rows[] = {
	{ "zero", TEXT("0"), UINT64_MAX, 0, 0 },
	{ "one digit", TEXT("7"), UINT64_MAX, 0, 7 },
	{ "leading zeros", TEXT("00042"), UINT64_MAX, 0, 42 },
	{ "many leading zeros", TEXT("0000000000000000000000000000001"), UINT64_MAX, 0, 1 },
	{ "at the maximum", TEXT("65535"), 65535, 0, 65535 },
	{ "one beyond the maximum", TEXT("65536"), 65535, -ERANGE, UNTOUCHED },
	{ "maximum of zero", TEXT("0"), 0, 0, 0 },
	{ "beyond a maximum of zero", TEXT("1"), 0, -ERANGE, UNTOUCHED },
	{ "largest 63 bit number", TEXT("9223372036854775807"), INT64_MAX, 0, INT64_MAX },
	{ "beyond 63 bits", TEXT("9223372036854775808"), INT64_MAX, -ERANGE, UNTOUCHED },
	{ "largest 64 bit number", TEXT("18446744073709551615"), UINT64_MAX, 0, UINT64_MAX },
	{ "addition wraps", TEXT("18446744073709551616"), UINT64_MAX, -ERANGE, UNTOUCHED },
	{ "multiplication wraps", TEXT("99999999999999999999"), UINT64_MAX, -ERANGE, UNTOUCHED },
	{ "wraps to a small number", TEXT("18446744073709551621"), 100, -ERANGE, UNTOUCHED },
	{ "wraps many times over", TEXT("340282366920938463463374607431768211456"), UINT64_MAX,
		-ERANGE, UNTOUCHED },
	{ "too large, then no digit", TEXT("99999999999999999999x"), UINT64_MAX, -EINVAL,
		UNTOUCHED },
	{ "empty", TEXT(""), UINT64_MAX, -EINVAL, UNTOUCHED },
	{ "no bytes at all", { .data = NULL, .length = 0 }, UINT64_MAX, -EINVAL, UNTOUCHED },
	{ "plus", TEXT("+1"), UINT64_MAX, -EINVAL, UNTOUCHED },
	{ "minus", TEXT("-1"), UINT64_MAX, -EINVAL, UNTOUCHED },
	{ "blank before", TEXT(" 1"), UINT64_MAX, -EINVAL, UNTOUCHED },
	{ "blank after", TEXT("1 "), UINT64_MAX, -EINVAL, UNTOUCHED },
	{ "tab", TEXT("\t1"), UINT64_MAX, -EINVAL, UNTOUCHED },
	{ "line end", TEXT("1\n"), UINT64_MAX, -EINVAL, UNTOUCHED },
	{ "hexadecimal", TEXT("0x10"), UINT64_MAX, -EINVAL, UNTOUCHED },
	{ "exponent", TEXT("1e3"), UINT64_MAX, -EINVAL, UNTOUCHED },
	{ "decimal point", TEXT("1.0"), UINT64_MAX, -EINVAL, UNTOUCHED },
	{ "a NUL inside", TEXT("1\0002"), UINT64_MAX, -EINVAL, UNTOUCHED },
	{ "the byte before 0", TEXT("1/"), UINT64_MAX, -EINVAL, UNTOUCHED },
	{ "the byte after 9", TEXT("1:"), UINT64_MAX, -EINVAL, UNTOUCHED },
	{ "a byte over 127", TEXT("1\xb2"), UINT64_MAX, -EINVAL, UNTOUCHED },
	{ "Arabic digits", TEXT("\xd9\xa1"), UINT64_MAX, -EINVAL, UNTOUCHED },
	{ "ends where the view ends", { .data = "12345", .length = 3 }, UINT64_MAX, 0, 123 },
};

static const struct number_row octal_rows[] = {
	{ "a file mode", TEXT("644"), 07777, 0, 0644 },
	{ "leading zero", TEXT("0755"), 07777, 0, 0755 },
	{ "at the maximum", TEXT("7777"), 07777, 0, 07777 },
	{ "beyond the maximum", TEXT("10000"), 07777, -ERANGE, UNTOUCHED },
	{ "an 8", TEXT("0758"), 07777, -EINVAL, UNTOUCHED },
	{ "a 9", TEXT("9"), 07777, -EINVAL, UNTOUCHED },
	{ "a letter", TEXT("7o"), 07777, -EINVAL, UNTOUCHED },
	{ "empty", TEXT(""), 07777, -EINVAL, UNTOUCHED },
	{ "largest", TEXT("1777777777777777777777"), UINT64_MAX, 0, UINT64_MAX },
	{ "wraps", TEXT("2000000000000000000000"), UINT64_MAX, -ERANGE, UNTOUCHED },
};

static void
check_decimal(void **state)
{
	const struct number_row *row = *state;
	uint64_t result = UNTOUCHED;
	assert_int_equal(number_parse(row->in, row->maximum, &result), row->want_result);
	assert_true(result == row->want);
}

static void
check_octal(void **state)
{
	const struct number_row *row = *state;
	uint64_t result = UNTOUCHED;
	assert_int_equal(number_parse_octal(row->in, row->maximum, &result), row->want_result);
	assert_true(result == row->want);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("decimal", decimal_rows, check_decimal),
		TABLE("octal", octal_rows, check_octal),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
