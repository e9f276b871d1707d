/*
 * Names that uploads make up: that the hidden ones are hidden, that endings fit and that no UTF-8
 * character is cut in two.
 */
#include "policy/rules/rights.h"
#include "tests/table.h"
#include "tests/unit/worker/trees.h"
#include "worker/upload_name.h"

#include <errno.h>

static void
check_hidden(UNUSED void **state)
{
	char first[UPLOAD_NAME_BYTES + 1];
	char second[UPLOAD_NAME_BYTES + 1];
	assert_int_equal(upload_name_make(first), 0);
	assert_int_equal(upload_name_make(second), 0);
	assert_int_equal(strlen(first), UPLOAD_NAME_BYTES);
	assert_true(rights_name_is_hidden(bytes_of_text(first)));
	assert_true(rights_name_is_hidden(bytes_of_text(second)));
	assert_string_not_equal(first, second);
}

/* The name is `unit` repeated, then `tail`. */
struct ending_row {
	const char *name;
	const char *folder;
	const char *unit;
	size_t times;
	const char *tail;
	size_t want_name_bytes; /* with ".7"; 0: too long */
	const char *want_end;
};

static const struct ending_row ending_rows[] = {
	{ "at the root", "/", "a", 1, "", 3, "a.7" },
	{ "in a folder", "/b/c", "a", 3, "", 5, "aaa.7" },
	{ "an ending there", "/", "a", 1, ".txt", 7, "a.txt.7" },
	{ "253 bytes fit", "/", "a", 253, "", 255, "aaa.7" },
	{ "254 bytes are cut", "/", "a", 253, "x", 255, "aaa.7" },
	{ "255 bytes are cut", "/", "a", 253, "xy", 255, "aaa.7" },
	{ "two bytes a character, cut between", "/", "\xc3\xa4", 126, "az", 255,
		"\xc3\xa4"
		"a.7" },
	{ "two bytes a character, none cut in two", "/", "\xc3\xa4", 127, "", 254, "\xc3\xa4.7" },
	{ "four bytes a character, none cut in two", "/", "\xf0\x9f\x99\x82", 63, "abc", 255,
		"\x82"
		"a.7" },
	{ "no UTF-8 at all", "/", "\x80", 255, "", 3, "\x80.7" },
};

static void
check_number(void **state)
{
	const struct ending_row *row = *state;
	struct path path = test_path(row->folder);
	struct path result;
	char name[NAME_BYTES_MAX + 1];
	size_t at = 0;
	for (size_t i = 0; i < row->times; i++, at += strlen(row->unit))
		memcpy(name + at, row->unit, strlen(row->unit));
	memcpy(name + at, row->tail, strlen(row->tail) + 1);
	assert_int_equal(path_append(&path, bytes_of_text(name)), 0);
	assert_int_equal(upload_name_number(&path, 7, &result), 0);
	struct path parent, want_parent;
	path_parent(&result, &parent);
	path_parent(&path, &want_parent);
	assert_string_equal(parent.text, want_parent.text);
	assert_int_equal(strlen(path_name(&result)), row->want_name_bytes);
	size_t end_bytes = strlen(row->want_end);
	assert_string_equal(result.text + result.length - end_bytes, row->want_end);
}

static void
check_too_long(UNUSED void **state)
{
	struct path path = test_path("/");
	while (path.length < PATH_BYTES_MAX - 5)
		assert_int_equal(path_append(&path, bytes_of_text("abc")), 0);
	struct path result = test_path("/untouched");
	assert_int_equal(upload_name_partial(&path, &result), -ENAMETOOLONG);
	assert_string_equal(result.text, "/untouched");
}

static void
check_partial(UNUSED void **state)
{
	struct path path = test_path("/a/b.iso");
	struct path result;
	assert_int_equal(upload_name_partial(&path, &result), 0);
	assert_string_equal(result.text, "/a/b.iso.partial");
}

int
main(void)
{
	const struct table tables[] = {
		CASE("temporary names are hidden and differ", check_hidden),
		TABLE("numbered", ending_rows, check_number),
		CASE("no room for the ending in the path", check_too_long),
		CASE("partial", check_partial),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
