/*
 * Views of bytes: comparison by length and content, copies that never stop early (bytes.h).
 */
#include "ipc/base/bytes.h"
#include "ipc/base/scope.h"
#include "tests/table.h"

#define TEXT(literal)                                            \
	{                                                        \
		.data = (literal), .length = sizeof(literal) - 1 \
	}
#define NOTHING                           \
	{                                 \
		.data = NULL, .length = 0 \
	}

struct equal_row {
	const char *name;
	struct bytes a, b;
	bool want;
};

static const struct equal_row equal_rows[] = {
	{ "same text", TEXT("abc"), TEXT("abc"), true },
	{ "other text", TEXT("abc"), TEXT("abd"), false },
	{ "other first byte", TEXT("abc"), TEXT("bbc"), false },
	{ "prefix", TEXT("abc"), TEXT("ab"), false },
	{ "longer", TEXT("ab"), TEXT("abc"), false },
	{ "both empty", TEXT(""), TEXT(""), true },
	{ "empty and nothing", TEXT(""), NOTHING, true },
	{ "nothing twice", NOTHING, NOTHING, true },
	{ "nothing and something", NOTHING, TEXT("a"), false },
	{ "differ after a NUL", TEXT("a\0b"), TEXT("a\0c"), false },
	{ "equal beyond a NUL", TEXT("a\0b"), TEXT("a\0b"), true },
	{ "case matters", TEXT("abc"), TEXT("ABC"), false },
	{ "high bytes", TEXT("\xff\x80"), TEXT("\xff\x80"), true },
};

static void
check_equal(void **state)
{
	const struct equal_row *row = *state;
	assert_int_equal(bytes_equal(row->a, row->b), row->want);
	assert_int_equal(bytes_equal(row->b, row->a), row->want);
}

struct text_row {
	const char *name;
	struct bytes bytes;
	const char *text;
	bool want;
};

static const struct text_row text_rows[] = {
	{ "same", TEXT("RETR"), "RETR", true },
	{ "view is longer", TEXT("RETR "), "RETR", false },
	{ "view is shorter", TEXT("RET"), "RETR", false },
	{ "a NUL is no end", TEXT("RETR\0"), "RETR", false },
	{ "empty", TEXT(""), "", true },
	{ "nothing", NOTHING, "", true },
};

static void
check_equal_text(void **state)
{
	const struct text_row *row = *state;
	assert_int_equal(bytes_equal_text(row->bytes, row->text), row->want);
}

struct copy_row {
	const char *name;
	struct bytes in;
	const char *want; /* NULL: refused */
};

static const struct copy_row copy_rows[] = {
	{ "text", TEXT("a name"), "a name" },
	{ "empty", TEXT(""), "" },
	{ "nothing", NOTHING, "" },
	{ "stops where the view stops", { .data = "abcdef", .length = 3 }, "abc" },
	{ "high bytes", TEXT("\xc3\xa4\xff"), "\xc3\xa4\xff" },
	{ "a NUL inside", TEXT("a\0b"), NULL },
	{ "a NUL at the end", TEXT("ab\0"), NULL },
	{ "a NUL alone", TEXT("\0"), NULL },
};

static void
check_copy(void **state)
{
	const struct copy_row *row = *state;
	SCOPE_FREE char *copy = bytes_copy_text(row->in);
	if (row->want == NULL) {
		assert_null(copy);
		return;
	}
	assert_non_null(copy);
	assert_string_equal(copy, row->want);
	assert_ptr_not_equal(copy, row->in.data);
}

static void
check_view_of_text(UNUSED void **state)
{
	const char *text = "abc";
	struct bytes view = bytes_of_text(text);
	assert_ptr_equal(view.data, text);
	assert_int_equal(view.length, 3);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("equal", equal_rows, check_equal),
		TABLE("equal to text", text_rows, check_equal_text),
		TABLE("copy", copy_rows, check_copy),
		CASE("a view of a text is the text without its NUL", check_view_of_text),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
