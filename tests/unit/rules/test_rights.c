/*
 * Rights: the longest folder decides, nothing else does, and a hidden name is refused for all
 * (rights.h).
 */
#include "ipc/base/path.h"
#include "policy/rules/rights.h"
#include "tests/table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FOLDER(literal)                      \
	{                                    \
		literal, sizeof(literal) - 1 \
	}
enum { UNTOUCHED = 0x7777 };

/* "/=read /in=list+create", for tables. */
static struct rights *
rights_of(const char *text)
{
	struct rights_rule rules[RIGHTS_RULES_MAX];
	size_t count = 0;
	for (const char *word = text; *word != '\0'; word += strspn(word, " ")) {
		size_t length = strcspn(word, " ");
		const char *equals = memchr(word, '=', length);
		assert_non_null(equals);
		size_t before = (size_t)(equals - word);
		rules[count].folder = bytes_of(word, before);
		assert_int_equal(rights_parse_bits(bytes_of(equals + 1, length - before - 1),
					 &rules[count].bits),
			0);
		count++;
		word += length;
	}
	struct rights *rights = NULL;
	assert_int_equal(rights_create(rules, count, &rights), 0);
	return rights;
}

struct judge_row {
	const char *name;
	const char *rights;
	const char *path;
	uint32_t wanted;
	int want;
};

static const struct judge_row judge_rows[] = {
	{ "everything at the root", "/=all", "/a/b", RIGHTS_ALL, 0 },
	{ "the root itself", "/=read+list", "/", RIGHTS_LIST, 0 },
	{ "no rule, no right", "", "/a", RIGHTS_READ, -EACCES },
	{ "outside every rule", "/in=all", "/out", RIGHTS_READ, -EACCES },
	{ "the parent of a rule", "/in/deep=all", "/in", RIGHTS_LIST, -EACCES },
	{ "not granted", "/=read+list", "/a", RIGHTS_DELETE, -EACCES },
	{ "one of two not granted", "/=read", "/a", RIGHTS_READ | RIGHTS_LIST, -EACCES },
	{ "write is not read", "/=write", "/a", RIGHTS_READ, -EACCES },
	{ "all is no link", "/=all", "/a", RIGHTS_SYMLINK, -EACCES },
	{ "a link by its own name", "/=all+symlink", "/a", RIGHTS_SYMLINK, 0 },
	{ "longer folder gives", "/=list /in=create", "/in/a", RIGHTS_CREATE, 0 },
	{ "longer folder takes", "/=all /in=create", "/in/a", RIGHTS_READ, -EACCES },
	{ "whatever the order of rules", "/in=create /=all", "/in/a", RIGHTS_READ, -EACCES },
	{ "the folder itself is in it", "/=all /in=none", "/in", RIGHTS_LIST, -EACCES },
	{ "a longer name is not in it", "/=all /in=none", "/inn", RIGHTS_LIST, 0 },
	{ "a shorter name is not in it", "/=all /in=none", "/i", RIGHTS_LIST, 0 },
	{ "three deep, first", "/=all /a=none /a/b=read", "/x", RIGHTS_WRITE, 0 },
	{ "three deep, second", "/=all /a=none /a/b=read", "/a/x", RIGHTS_READ, -EACCES },
	{ "three deep, third", "/=all /a=none /a/b=read", "/a/b/x", RIGHTS_READ, 0 },
	{ "case of letters counts", "/=none /In=all", "/in/a", RIGHTS_READ, -EACCES },
	{ "nothing wanted", "", "/a", 0, 0 },
	{ "hidden name", "/=all", "/.sallyport-0123456789abcdef.part", RIGHTS_READ, -EACCES },
	{ "hidden name, nothing wanted", "/=all", "/.sallyport-0123456789abcdef.part", 0, -EACCES },
	{ "hidden name as a folder", "/=all", "/a/.sallyport-0123456789abcdef.part/b", RIGHTS_READ,
		-EACCES },
};

static void
check_judge(void **state)
{
	const struct judge_row *row = *state;
	struct rights *rights = rights_of(row->rights);
	assert_int_equal(rights_judge(rights, bytes_of_text(row->path), row->wanted), row->want);
	rights_free(&rights);
	assert_null(rights);
}

static const struct judge_row tree_rows[] = {
	{ "nothing below", "/=all", "/a", RIGHTS_RENAME, 0 },
	{ "denied at the top", "/=read", "/a", RIGHTS_RENAME, -EACCES },
	{ "a closed folder below", "/=all /a/b=none", "/a", RIGHTS_RENAME, -EACCES },
	{ "a closed folder deep below", "/=all /a/b/c/d=read", "/a", RIGHTS_DELETE, -EACCES },
	{ "an open folder below", "/=all /a/b=write", "/a", RIGHTS_RENAME, 0 },
	{ "a closed folder beside", "/=all /ab=none", "/a", RIGHTS_RENAME, 0 },
	{ "the closed folder itself", "/=all /a=none", "/a", RIGHTS_RENAME, -EACCES },
	{ "a hidden name", "/=all", "/.sallyport-0123456789abcdef.part", RIGHTS_RENAME, -EACCES },
};

static void
check_tree(void **state)
{
	const struct judge_row *row = *state;
	struct rights *rights = rights_of(row->rights);
	assert_int_equal(
		rights_judge_tree(rights, bytes_of_text(row->path), row->wanted), row->want);
	rights_free(&rights);
}

struct create_row {
	const char *name;
	struct rights_rule rules[2];
	size_t count;
	int want;
};

static const struct create_row create_rows[] = {
	{ "none at all", { { FOLDER(""), 0 } }, 0, 0 },
	{ "two", { { FOLDER("/"), RIGHTS_ALL }, { FOLDER("/a"), 0 } }, 2, 0 },
	{ "every bit", { { FOLDER("/"), RIGHTS_KNOWN } }, 1, 0 },
	{ "unknown bit", { { FOLDER("/"), RIGHTS_KNOWN + 1 } }, 1, -EINVAL },
	{ "highest bit", { { FOLDER("/"), UINT32_C(1) << 31 } }, 1, -EINVAL },
	{ "same folder twice", { { FOLDER("/a"), 1 }, { FOLDER("/a"), 2 } }, 2, -EINVAL },
	{ "empty folder", { { FOLDER(""), 1 } }, 1, -EINVAL },
	{ "relative folder", { { FOLDER("a"), 1 } }, 1, -EINVAL },
	{ "final slash", { { FOLDER("/a/"), 1 } }, 1, -EINVAL },
	{ "double slash", { { FOLDER("//a"), 1 } }, 1, -EINVAL },
	{ "dot", { { FOLDER("/./a"), 1 } }, 1, -EINVAL },
	{ "dots", { { FOLDER("/a/../b"), 1 } }, 1, -EINVAL },
	{ "a NUL", { { FOLDER("/a\0b"), 1 } }, 1, -EINVAL },
};

static void
check_create(void **state)
{
	const struct create_row *row = *state;
	struct rights *rights = NULL;
	assert_int_equal(rights_create(row->rules, row->count, &rights), row->want);
	assert_int_equal(rights != NULL, row->want == 0);
	rights_free(&rights);
}

static void
check_count_limit(void **state)
{
	(void)state;
	char folders[RIGHTS_RULES_MAX + 1][8];
	struct rights_rule rules[RIGHTS_RULES_MAX + 1];
	for (size_t i = 0; i < ARRAY_LENGTH(rules); i++) {
		snprintf(folders[i], sizeof(folders[i]), "/%zu", i);
		rules[i] = (struct rights_rule){ bytes_of_text(folders[i]), RIGHTS_READ };
	}
	struct rights *rights = NULL;
	assert_int_equal(rights_create(rules, RIGHTS_RULES_MAX + 1, &rights), -E2BIG);
	assert_null(rights);
	assert_int_equal(rights_create(rules, RIGHTS_RULES_MAX, &rights), 0);
	assert_int_equal(rights_judge(rights, bytes_of_text("/63/a"), RIGHTS_READ), 0);
	rights_free(&rights);
}

/* What rights_rule_at() gives builds the same set, longest folder first. */
static void
check_round_trip(void **state)
{
	(void)state;
	struct rights *rights = rights_of("/=read /incoming=create+list /in=delete");
	struct rights_rule rows[3];
	assert_int_equal(rights_count(rights), 3);
	for (size_t i = 0; i < 3; i++)
		rows[i] = rights_rule_at(rights, i);
	assert_true(bytes_equal_text(rows[0].folder, "/incoming"));
	assert_int_equal(rows[0].bits, RIGHTS_CREATE | RIGHTS_LIST);
	assert_true(bytes_equal_text(rows[1].folder, "/in"));
	assert_true(bytes_equal_text(rows[2].folder, "/"));

	struct rights *again = NULL;
	assert_int_equal(rights_create(rows, 3, &again), 0);
	assert_int_equal(rights_at(again, bytes_of_text("/in/a")), RIGHTS_DELETE);
	assert_int_equal(rights_at(again, bytes_of_text("/else")), RIGHTS_READ);
	rights_free(&rights);
	rights_free(&again);
}

/* Each right has a bit of its own: a message or a stored set cannot mean two. */
static void
check_bits_differ(void **state)
{
	(void)state;
	static const uint32_t bits[] = {
#define RIGHT(name, BIT, number, doc) RIGHTS_##BIT,
#include "policy/rules/rights.def"
	};
	uint32_t seen = 0;
	for (size_t i = 0; i < ARRAY_LENGTH(bits); i++) {
		assert_int_equal(seen & bits[i], 0);
		seen |= bits[i];
	}
	assert_int_equal(seen, RIGHTS_KNOWN);
}

static void
check_hidden_has_none(void **state)
{
	(void)state;
	struct rights *rights = rights_of("/=all");
	struct bytes hidden = bytes_of_text("/a/.sallyport-0123456789abcdef.part");
	assert_int_equal(rights_at(rights, hidden), 0);
	assert_int_equal(rights_at(rights, bytes_of_text("/a")), RIGHTS_ALL);
	rights_free(&rights);
}

struct hidden_row {
	const char *name;
	const char *in;
	bool want;
};

static const struct hidden_row hidden_rows[] = {
	{ "an upload on its way", ".sallyport-0123456789abcdef.part", true },
	{ "capital digits", ".sallyport-0123456789ABCDEF.part", true },
	{ "capital letters", ".SallyPort-0123456789abcdef.PART", true },
	{ "fifteen digits", ".sallyport-0123456789abcde.part", false },
	{ "seventeen digits", ".sallyport-0123456789abcdef0.part", false },
	{ "no digit", ".sallyport-0123456789abcdeg.part", false },
	{ "another ending", ".sallyport-0123456789abcdef.park", false },
	{ "another beginning", "_sallyport-0123456789abcdef.part", false },
	{ "something behind", ".sallyport-0123456789abcdef.part~", false },
	{ "empty", "", false },
	{ "an ordinary dot file", ".profile", false },
};

static void
check_hidden(void **state)
{
	const struct hidden_row *row = *state;
	assert_int_equal(rights_name_is_hidden(bytes_of_text(row->in)), row->want);
}

struct bits_row {
	const char *name;
	const char *in;
	int want_result;
	uint32_t want;
};

static const struct bits_row bits_rows[] = {
	{ "one", "read", 0, RIGHTS_READ },
	{ "two", "list+create", 0, RIGHTS_LIST | RIGHTS_CREATE },
	{ "one twice", "read+read", 0, RIGHTS_READ },
	{ "a group", "write", 0,
		RIGHTS_CREATE | RIGHTS_OVERWRITE | RIGHTS_APPEND | RIGHTS_DELETE | RIGHTS_RENAME |
			RIGHTS_MKDIR | RIGHTS_RMDIR | RIGHTS_CHMOD | RIGHTS_TIMES },
	{ "all", "all", 0, RIGHTS_READ | RIGHTS_LIST | RIGHTS_WRITE },
	{ "none", "none", 0, 0 },
	{ "empty", "", -EINVAL, UNTOUCHED },
	{ "unknown", "reed", -EINVAL, UNTOUCHED },
	{ "unknown after a known one", "read+", -EINVAL, UNTOUCHED },
	{ "plus in front", "+read", -EINVAL, UNTOUCHED },
	{ "two plus", "read++list", -EINVAL, UNTOUCHED },
	{ "a blank", "read list", -EINVAL, UNTOUCHED },
	{ "a comma", "read,list", -EINVAL, UNTOUCHED },
	{ "capital letters", "Read", -EINVAL, UNTOUCHED },
	{ "the beginning of a word", "rea", -EINVAL, UNTOUCHED },
};

static void
check_bits(void **state)
{
	const struct bits_row *row = *state;
	uint32_t bits = UNTOUCHED;
	assert_int_equal(rights_parse_bits(bytes_of_text(row->in), &bits), row->want_result);
	assert_int_equal(bits, row->want);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("judge", judge_rows, check_judge),
		TABLE("judge a tree", tree_rows, check_tree),
		TABLE("create", create_rows, check_create),
		CASE("at most 64 rules", check_count_limit),
		CASE("rows build the same set", check_round_trip),
		CASE("each right has its own bit", check_bits_differ),
		CASE("no right to a hidden name", check_hidden_has_none),
		TABLE("hidden", hidden_rows, check_hidden),
		TABLE("words", bits_rows, check_bits),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
