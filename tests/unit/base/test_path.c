/*
 * Folding of paths (PATHIO 5): one function decides what rights, effect and record call a path, so
 * everything it promises in path.h is asked of it here.
 */
#include "ipc/base/path.h"
#include "tests/table.h"

#include <errno.h>

#define TEXT(literal)                                            \
	{                                                        \
		.data = (literal), .length = sizeof(literal) - 1 \
	}

struct fold_row {
	const char *name;
	const char *base; /* folded, or NULL */
	struct bytes in;
	int want_result;
	const char *want;
};

static const struct fold_row fold_rows[] = {
	{ "the root", NULL, TEXT("/"), 0, "/" },
	{ "an absolute path", NULL, TEXT("/a/b/c"), 0, "/a/b/c" },
	{ "relative without a base", NULL, TEXT("a/b"), 0, "/a/b" },
	{ "relative to the root", "/", TEXT("a"), 0, "/a" },
	{ "relative to a folder", "/home/x", TEXT("a/b"), 0, "/home/x/a/b" },
	{ "absolute ignores the base", "/home/x", TEXT("/a"), 0, "/a" },
	{ "slash at the end", NULL, TEXT("/a/b/"), 0, "/a/b" },
	{ "slashes at the end", NULL, TEXT("/a/b///"), 0, "/a/b" },
	{ "double slash", NULL, TEXT("/a//b"), 0, "/a/b" },
	{ "double slash at the start", NULL, TEXT("//a"), 0, "/a" },
	{ "nothing but slashes", NULL, TEXT("////"), 0, "/" },
	{ "dot", NULL, TEXT("/a/./b"), 0, "/a/b" },
	{ "dot alone is the base", "/home/x", TEXT("."), 0, "/home/x" },
	{ "dot alone without a base", NULL, TEXT("."), 0, "/" },
	{ "dot at the end", NULL, TEXT("/a/."), 0, "/a" },
	{ "dots and slashes", "/b", TEXT("././/./"), 0, "/b" },
	{ "up one", NULL, TEXT("/a/../b"), 0, "/b" },
	{ "up from the base", "/home/x", TEXT(".."), 0, "/home" },
	{ "up from the base and down", "/home/x", TEXT("../y"), 0, "/home/y" },
	{ "up to the root", "/home/x", TEXT("../.."), 0, "/" },
	{ "up stops at the root", NULL, TEXT("/../../../etc/passwd"), 0, "/etc/passwd" },
	{ "up stops at the root, relative", "/a", TEXT("../../../../b"), 0, "/b" },
	{ "up of the root", NULL, TEXT(".."), 0, "/" },
	{ "up and down and up", NULL, TEXT("/a/b/../c/../../d"), 0, "/d" },
	{ "up through a double slash", NULL, TEXT("/a//.."), 0, "/" },
	{ "up with a slash at the end", NULL, TEXT("/a/b/../"), 0, "/a" },
	{ "three dots are a name", NULL, TEXT("/.../a"), 0, "/.../a" },
	{ "two dots and more are a name", NULL, TEXT("/..a/b"), 0, "/..a/b" },
	{ "a name that ends in dots", NULL, TEXT("/a../b"), 0, "/a../b" },
	{ "a hidden name", NULL, TEXT("/.a"), 0, "/.a" },
	{ "dot and blank are a name", NULL, TEXT("/. /b"), 0, "/. /b" },
	{ "two dots and blank are a name", NULL, TEXT("/a/.. "), 0, "/a/.. " },
	{ "a blank is a name", NULL, TEXT(" "), 0, "/ " },
	{ "blanks belong to the name", NULL, TEXT("/ a "), 0, "/ a " },
	{ "a line end is a byte", NULL, TEXT("/a\nb\r\n"), 0, "/a\nb\r\n" },
	{ "a backslash is no slash", NULL, TEXT("/a\\..\\b"), 0, "/a\\..\\b" },
	{ "a leading dash", NULL, TEXT("-rf"), 0, "/-rf" },
	{ "a tilde means nothing", "/a", TEXT("~root"), 0, "/a/~root" },
	{ "percent means nothing", NULL, TEXT("/%2e%2e/a"), 0, "/%2e%2e/a" },
	{ "UTF-8", NULL, TEXT("/\xc3\xa4/\xe2\x82\xac"), 0, "/\xc3\xa4/\xe2\x82\xac" },
	{ "overlong UTF-8 of a slash", NULL, TEXT("/a\xc0\xaf.."), 0, "/a\xc0\xaf.." },
	{ "overlong UTF-8 of a dot", NULL, TEXT("/a/\xc0\xae\xc0\xae"), 0, "/a/\xc0\xae\xc0\xae" },
	{ "no UTF-8 at all", NULL, TEXT("/\xff\xfe"), 0, "/\xff\xfe" },
	{ "ends where the view ends", NULL, { .data = "/ab/../..", .length = 3 }, 0, "/ab" },
	{ "empty", NULL, TEXT(""), -ENOENT, NULL },
	{ "empty with a base", "/a", TEXT(""), -ENOENT, NULL },
	{ "nothing", "/a", { .data = NULL, .length = 0 }, -ENOENT, NULL },
	{ "a NUL inside", NULL, TEXT("/a\0b"), -EINVAL, NULL },
	{ "a NUL first", NULL, TEXT("\0/a"), -EINVAL, NULL },
	{ "a NUL last", NULL, TEXT("/a\0"), -EINVAL, NULL },
	{ "a NUL in a name that is left again", NULL, TEXT("/a\0b/../c"), -EINVAL, NULL },
};

static struct path
folded(const char *text)
{
	struct path path;
	assert_int_equal(path_fold(NULL, bytes_of_text(text), &path), 0);
	assert_string_equal(path.text, text);
	return path;
}

static void
check_path(const struct path *path, const char *want)
{
	assert_string_equal(path->text, want);
	assert_int_equal(path->length, strlen(want));
}

static void
check_fold(void **state)
{
	const struct fold_row *row = *state;
	struct path base = folded(row->base == NULL ? "/" : row->base);
	struct path result = folded("/untouched");
	int error = path_fold(row->base == NULL ? NULL : &base, row->in, &result);
	assert_int_equal(error, row->want_result);
	check_path(&result, row->want == NULL ? "/untouched" : row->want);
}

/* What is folded stays as it is, so that judging and using may both fold. */
static void
check_fold_again(void **state)
{
	const struct fold_row *row = *state;
	if (row->want == NULL)
		return;
	struct path again;
	assert_int_equal(path_fold(NULL, bytes_of_text(row->want), &again), 0);
	check_path(&again, row->want);
}

/* The input is `unit` repeated, then `tail`; the base, if any, is "/a/a/a..." of that length. */
struct long_row {
	const char *name;
	size_t base_bytes;
	const char *unit;
	size_t times;
	const char *tail;
	int want_result;
	size_t want_length;
};

static const struct long_row long_rows[] = {
	{ "a name of 255 bytes", 0, "n", 255, "", 0, 256 },
	{ "a name of 256 bytes", 0, "n", 256, "", -ENAMETOOLONG, 0 },
	{ "a name of 255 bytes and a slash", 0, "n", 255, "/", 0, 256 },
	{ "a name of 256 bytes that is left again", 0, "n", 256, "/..", -ENAMETOOLONG, 0 },
	{ "255 dots are a name", 0, ".", 255, "", 0, 256 },
	{ "256 dots are too long a name", 0, ".", 256, "", -ENAMETOOLONG, 0 },
	{ "4,094 bytes", 0, "/a", 2047, "", 0, 4094 },
	{ "4,095 bytes", 0, "/a", 2047, "b", 0, 4095 },
	{ "4,096 bytes", 0, "/a", 2048, "", -ENAMETOOLONG, 0 },
	{ "4,095 bytes, relative, make 4,096", 0, "a/", 2047, "b", -ENAMETOOLONG, 0 },
	{ "4,095 slashes", 0, "/", 4095, "", 0, 1 },
	{ "4,096 slashes", 0, "/", 4096, "", -ENAMETOOLONG, 0 },
	{ "4,095 bytes that go up at every step", 0, "a/../", 819, "", 0, 1 },
	{ "4,096 bytes that fold to few", 0, "/.", 2048, "", -ENAMETOOLONG, 0 },
	{ "a base of 4,093 bytes and one more letter", 4093, "x", 1, "", 0, 4095 },
	{ "a base of 4,094 bytes and one more letter", 4094, "x", 1, "", -ENAMETOOLONG, 0 },
	{ "a base of 4,095 bytes and one more letter", 4095, "x", 1, "", -ENAMETOOLONG, 0 },
	{ "a base of 4,095 bytes and a dot", 4095, ".", 1, "", 0, 4095 },
	{ "a base of 4,095 bytes, up and down", 4095, "../x", 1, "", 0, 4094 },
};

static size_t
repeat(char *text, const char *unit, size_t times)
{
	size_t unit_bytes = strlen(unit);
	for (size_t i = 0; i < times; i++)
		memcpy(text + i * unit_bytes, unit, unit_bytes);
	return unit_bytes * times;
}

static struct path
base_of_length(size_t length)
{
	char text[PATH_BYTES_MAX + 1];
	size_t at = repeat(text, "/a", length / 2);
	if (at < length)
		text[at++] = 'b';
	text[at] = '\0';
	return folded(text);
}

static void
check_long(void **state)
{
	const struct long_row *row = *state;
	struct path result = folded("/untouched");
	struct path base = row->base_bytes == 0 ? folded("/") : base_of_length(row->base_bytes);
	char text[2 * PATH_BYTES_MAX];
	size_t length = repeat(text, row->unit, row->times);
	length += repeat(text + length, row->tail, 1);
	int error = path_fold(&base, bytes_of(text, length), &result);
	assert_int_equal(error, row->want_result);
	if (error < 0) {
		check_path(&result, "/untouched");
		return;
	}
	assert_int_equal(result.length, row->want_length);
	assert_int_equal(strlen(result.text), row->want_length);
}

/* The result may be the base: CWD folds its own folder onward. */
static void
check_fold_onto_base(UNUSED void **state)
{
	struct path here = folded("/home/x");
	assert_int_equal(path_fold(&here, bytes_of_text("../y/z"), &here), 0);
	check_path(&here, "/home/y/z");
}

struct parts_row {
	const char *name; /* the folded path */
	const char *want_parent;
	const char *want_name;
};

static const struct parts_row parts_rows[] = {
	{ "/", "/", "" },
	{ "/a", "/", "a" },
	{ "/a/b", "/a", "b" },
	{ "/a/b/c", "/a/b", "c" },
	{ "/ / ", "/ ", " " },
	{ "/.../..a", "/...", "..a" },
};

static void
check_parts(void **state)
{
	const struct parts_row *row = *state;
	struct path path = folded(row->name);
	assert_string_equal(path_name(&path), row->want_name);
	struct path parent;
	path_parent(&path, &parent);
	check_path(&parent, row->want_parent);
	path_parent(&path, &path);
	check_path(&path, row->want_parent);
}

struct within_row {
	const char *name;
	const char *path, *folder;
	bool want;
};

static const struct within_row within_rows[] = {
	{ "the folder itself", "/a/b", "/a/b", true },
	{ "a child", "/a/b/c", "/a/b", true },
	{ "a grandchild", "/a/b/c/d", "/a/b", true },
	{ "the parent", "/a", "/a/b", false },
	{ "a sibling that begins alike", "/a/bc", "/a/b", false },
	{ "a sibling of the same length", "/a/c", "/a/b", false },
	{ "the same name elsewhere", "/c/a/b", "/a/b", false },
	{ "everything is within the root", "/a/b", "/", true },
	{ "the root is within the root", "/", "/", true },
	{ "the root is within nothing else", "/", "/a", false },
	{ "case matters", "/A/b", "/a", false },
};

static void
check_within(void **state)
{
	const struct within_row *row = *state;
	struct path path = folded(row->path);
	struct path folder = folded(row->folder);
	assert_int_equal(path_is_within(path_bytes(&path), path_bytes(&folder)), row->want);
}

struct append_row {
	const char *name;
	const char *to;
	size_t to_bytes; /* instead of `to`: a folder of that length */
	size_t name_bytes;
	int want_result;
	size_t want_length;
};

static const struct append_row append_rows[] = {
	{ "to the root", "/", 0, 1, 0, 2 },
	{ "to a folder", "/ab", 0, 2, 0, 6 },
	{ "255 bytes", "/", 0, 255, 0, 256 },
	{ "256 bytes", "/", 0, 256, -ENAMETOOLONG, 1 },
	{ "up to 4,095 bytes", NULL, 4000, 94, 0, 4095 },
	{ "beyond 4,095 bytes", NULL, 4000, 95, -ENAMETOOLONG, 4000 },
	{ "to a path with no room", NULL, 4095, 1, -ENAMETOOLONG, 4095 },
};

static void
check_append(void **state)
{
	const struct append_row *row = *state;
	struct path path = row->to == NULL ? base_of_length(row->to_bytes) : folded(row->to);
	struct path before = path;
	char name[512];
	memset(name, 'n', sizeof(name));
	int error = path_append(&path, bytes_of(name, row->name_bytes));
	assert_int_equal(error, row->want_result);
	assert_int_equal(path.length, row->want_length);
	assert_int_equal(strlen(path.text), row->want_length);
	assert_memory_equal(path.text, before.text, before.length);
	if (error < 0)
		return;
	assert_int_equal(strlen(path_name(&path)), row->name_bytes);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("fold", fold_rows, check_fold),
		TABLE("fold again", fold_rows, check_fold_again),
		TABLE("long", long_rows, check_long),
		CASE("the result may be the base", check_fold_onto_base),
		TABLE("parent and name of", parts_rows, check_parts),
		TABLE("within", within_rows, check_within),
		TABLE("append", append_rows, check_append),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
