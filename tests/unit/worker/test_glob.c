/*
 * Patterns of names (glob.h), and that none of them costs more than its length times the name's.
 */
#include "tests/table.h"
#include "worker/glob.h"

#include <string.h>
#include <time.h>

struct glob_row {
	const char *name;
	const char *pattern;
	const char *in;
	bool want;
};

static const struct glob_row glob_rows[] = {
	{ "itself", "abc", "abc", true },
	{ "shorter name", "abc", "ab", false },
	{ "longer name", "abc", "abcd", false },
	{ "nothing and nothing", "", "", true },
	{ "nothing and a name", "", "a", false },
	{ "a star and nothing", "*", "", true },
	{ "a star and anything", "*", "anything at all", true },
	{ "a star and one", "*b", "ab", true },
	{ "a suffix", "*.txt", "readme.txt", true },
	{ "another suffix", "*.txt", "readme.text", false },
	{ "the suffix twice", "*.txt", "a.txt.txt", true },
	{ "a prefix", "read*", "readme", true },
	{ "a prefix that is the name", "read*", "read", true },
	{ "both ends", "a*z", "abcz", true },
	{ "both ends overlap", "aba*aba", "aba", false },
	{ "stars side by side", "a**b", "ab", true },
	{ "the last star tries again", "*ab*abc", "xabyababc", true },
	{ "any one", "a?c", "abc", true },
	{ "any one, and none there", "a?c", "ac", false },
	{ "any one at the end", "ab?", "ab", false },
	{ "a dot is like others", "*", ".hidden", true },
	{ "a class", "[abc]x", "bx", true },
	{ "a class without it", "[abc]x", "dx", false },
	{ "a range", "[a-f]", "d", true },
	{ "beyond a range", "[a-f]", "g", false },
	{ "two ranges", "[a-fx-z]", "y", true },
	{ "a backward range", "[f-a]", "c", false },
	{ "not in a class", "[!a-f]", "g", true },
	{ "not in a class, but is", "[!a-f]", "a", false },
	{ "a caret negates as well", "[^a]", "b", true },
	{ "a bracket first in a class", "[]a]", "]", true },
	{ "a bracket first in a negated class", "[!]]", "]", false },
	{ "a dash first", "[-a]", "-", true },
	{ "a dash last", "[a-]", "-", true },
	{ "a class that does not end", "[ab", "[ab", true },
	{ "a class that does not end, another name", "[ab", "a", false },
	{ "an empty class is no class", "[]", "[]", true },
	{ "a quoted star", "\\*", "*", true },
	{ "a quoted star, another name", "\\*", "a", false },
	{ "a quoted bracket", "\\[a]", "[a]", true },
	{ "a backslash at the end", "a\\", "a\\", true },
	{ "no braces", "{a,b}", "a", false },
	{ "braces stand for themselves", "{a,b}", "{a,b}", true },
	{ "no tilde", "~root", "~root", true },
	{ "bytes over 127", "\xc3?", "\xc3\xa4", true },
	{ "a range over 127", "[\xa0-\xaf]", "\xa4", true },
};

static void
check_glob(void **state)
{
	const struct glob_row *row = *state;
	assert_int_equal(
		glob_matches(bytes_of_text(row->pattern), bytes_of_text(row->in)), row->want);
}

/* ---- patterns that other servers died of (HOSTILE 8) ---- */

struct blow_up_row {
	const char *name;
	const char *repeated;
	const char *last;
};

static const struct blow_up_row blow_up_rows[] = {
	{ "many stars", "*a", "b" },
	{ "stars alone", "*", "b" },
	{ "stars and any", "*?", "b" },
	{ "stars and classes", "*[a-z]", "B" },
	{ "stars and long classes", "*[!0123456789]", "0" },
	{ "classes that do not end", "*[a", "b" },
	{ "braces", "{a,b}", "c" },
};

static void
check_blow_up(void **state)
{
	const struct blow_up_row *row = *state;
	char pattern[4096], name[255];
	size_t length = 0, repeated = strlen(row->repeated), last = strlen(row->last);
	clock_t start = clock();
	memset(name, 'a', sizeof(name));
	for (; length + repeated + last <= sizeof(pattern); length += repeated)
		memcpy(pattern + length, row->repeated, repeated);
	memcpy(pattern + length, row->last, last);
	assert_false(glob_matches(bytes_of(pattern, length + last), bytes_of(name, sizeof(name))));
	assert_true(clock() - start < 5 * CLOCKS_PER_SEC); /* exponential ones take years */
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("glob", glob_rows, check_glob),
		TABLE("blow-up", blow_up_rows, check_blow_up),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
