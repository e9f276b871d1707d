/*
 * Words of LIST, NLST and STAT (listing_words.h): options, a path, patterns in it.
 */
#include "gateway/listing_words.h"
#include "tests/table.h"

#include <errno.h>

struct listing_row {
	const char *name;
	const char *in;
	uint32_t show;
	enum pathio_order order;
	enum pathio_style style;
	bool is_itself;
	const char *folder;
	const char *pattern;
	const char *below;
};

#define DOTS  PATHIO_SHOW_DOTS
#define ALL   (PATHIO_SHOW_DOTS | PATHIO_SHOW_FOLDERS)
#define BELOW PATHIO_SHOW_BELOW
#define NAME  PATHIO_ORDER_NAME
#define TIME  PATHIO_ORDER_TIME
#define SIZE  PATHIO_ORDER_SIZE
#define LIST  PATHIO_STYLE_LIST
#define NAMES PATHIO_STYLE_NAMES

static const struct listing_row listing_rows[] = {
	{ "nothing", "", 0, NAME, LIST, false, "", "", "" },
	{ "a folder", "a", 0, NAME, LIST, false, "a", "", "" },
	{ "blanks in a name", "a b", 0, NAME, LIST, false, "a b", "", "" },
	{ "blanks around a name", " a ", 0, NAME, LIST, false, " a ", "", "" },
	{ "a folder with a slash at its end", "a/", 0, NAME, LIST, false, "a/", "", "" },
	{ "options", "-la", ALL, NAME, LIST, false, "", "", "" },
	{ "all but two dots", "-A x", DOTS, NAME, LIST, false, "x", "", "" },
	{ "the last of two that differ", "-a -A", DOTS, NAME, LIST, false, "", "", "" },
	{ "and the other way round", "-Aa", ALL, NAME, LIST, false, "", "", "" },
	{ "several options", "-lRt1", BELOW, TIME, NAMES, false, "", "", "" },
	{ "in several words", "-l -a -S", ALL, SIZE, LIST, false, "", "", "" },
	{ "by time, then by size", "-t -S", 0, SIZE, LIST, false, "", "", "" },
	{ "names, then lines", "-1l", 0, NAME, LIST, false, "", "", "" },
	{ "lines, then names", "-l1", 0, NAME, NAMES, false, "", "", "" },
	{ "the other way round", "-r", PATHIO_SHOW_REVERSED, NAME, LIST, false, "", "", "" },
	{ "as they lie", "-U", 0, PATHIO_ORDER_NONE, LIST, false, "", "", "" },
	{ "links and marks", "-FL", PATHIO_SHOW_MARKS | PATHIO_SHOW_TARGETS, NAME, LIST, false, "",
		"", "" },
	{ "a folder itself", "-d a", 0, NAME, LIST, true, "a", "", "" },
	{ "options that are none", "-CGh a", 0, NAME, LIST, false, "a", "", "" },
	{ "options and a folder", "-al a/b", ALL, NAME, LIST, false, "a/b", "", "" },
	{ "options and a name with blanks", "-l a b ", 0, NAME, LIST, false, "a b ", "", "" },
	{ "blanks before options", "  -a   -l a", ALL, NAME, LIST, false, "a", "", "" },
	{ "a name with a dash", "-- -x", 0, NAME, LIST, false, "-x", "", "" },
	{ "and with an option", "-a -- -x", ALL, NAME, LIST, false, "-x", "", "" },
	{ "a name with a dash, another way", "./-x", 0, NAME, LIST, false, "./-x", "", "" },
	{ "only a dash is a name", "-", 0, NAME, LIST, false, "-", "", "" },
	{ "a name with two dashes", "--a", 0, NAME, LIST, false, "--a", "", "" },
	{ "nothing after --", "--", 0, NAME, LIST, false, "", "", "" },
	{ "nothing but blanks after options", "-l  ", 0, NAME, LIST, false, " ", "", "" },
	{ "a pattern", "*.c", 0, NAME, LIST, false, "", "*.c", "" },
	{ "a pattern in a folder", "a/b/*.c", 0, NAME, LIST, false, "a/b/", "*.c", "" },
	{ "a pattern in the root", "/*", 0, NAME, LIST, false, "/", "*", "" },
	{ "a question mark", "a?", 0, NAME, LIST, false, "", "a?", "" },
	{ "a set", "[ab]", 0, NAME, LIST, false, "", "[ab]", "" },
	{ "no set", "a[b", 0, NAME, LIST, false, "a[b", "", "" },
	{ "no set, and a pattern behind it", "a[b/]*", 0, NAME, LIST, false, "a[b/", "]*", "" },
	{ "a pattern before the last name", "x/a*/b", 0, NAME, LIST, false, "x/", "a*", "b" },
	{ "several patterns", "*/?//[x]/", 0, NAME, LIST, false, "", "*", "?//[x]/" },
	{ "a pattern with a slash at its end", "a*/", 0, NAME, LIST, false, "", "a*", "" },
	{ "braces and tildes are names", "~{a,b}", 0, NAME, LIST, false, "~{a,b}", "", "" },
	{ "an option and a pattern", "-a *", ALL, NAME, LIST, false, "", "*", "" },
};

static void
check_listing(void **state)
{
	const struct listing_row *row = *state;
	struct listing_words words = listing_parse(bytes_of_text(row->in), PATHIO_STYLE_LIST);
	assert_int_equal(words.show, row->show);
	assert_int_equal(words.order, row->order);
	assert_int_equal(words.style, row->style);
	assert_int_equal(words.is_itself, row->is_itself);
	assert_true(bytes_equal_text(words.folder, row->folder));
	assert_true(bytes_equal_text(words.pattern, row->pattern));
	assert_true(bytes_equal_text(words.below, row->below));
}

static void
check_listing_style(void **state)
{
	(void)state;
	assert_int_equal(listing_parse(bytes_of_text("-a"), NAMES).style, NAMES);
	assert_int_equal(listing_parse(bytes_of_text("-l"), NAMES).style, LIST);
}

struct pattern_row {
	const char *name;
	const char *in;
	int want;
};

#define LONG_64 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define LONG_62 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define LONG    LONG_64 LONG_64 LONG_64 LONG_62 /* 254 bytes */

static const struct pattern_row pattern_rows[] = {
	{ "none", "../a/.", 0 },
	{ "dots before one", "../*", 0 },
	{ "a dot behind one", "*/./a", -EINVAL },
	{ "two dots behind one", "*/../*/..", -EINVAL },
	{ "two dots at the end", "a*/..", -EINVAL },
	{ "names with dots", "*/.../.a", 0 },
	{ "eight levels below", "*/1/2/3/4/5/6/7/8", 0 },
	{ "nine", "*/1/2/3/4/5/6/7/8/9", -E2BIG },
	{ "slashes are no levels", "*//1//2//3//4//5//6//7//8//", 0 },
	{ "a long one", LONG "*", 0 },
	{ "a longer one", LONG "n*", -ENAMETOOLONG },
	{ "a longer one below", "*/" LONG "nn", -ENAMETOOLONG },
};

static void
check_pattern(void **state)
{
	const struct pattern_row *row = *state;
	struct listing_words words = listing_parse(bytes_of_text(row->in), PATHIO_STYLE_LIST);
	assert_int_equal(listing_check(&words), row->want);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("words", listing_rows, check_listing),
		CASE("the verb's style", check_listing_style),
		TABLE("patterns", pattern_rows, check_pattern),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
