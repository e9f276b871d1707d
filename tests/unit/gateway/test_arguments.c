/*
 * Arguments of several words, in quotes or not, and moments.
 */
#include "gateway/hash.h"
#include "gateway/timestamp.h"
#include "gateway/words.h"
#include "tests/table.h"

#include <errno.h>
#include <stdio.h>

/* ---- words ---- */

struct words_row {
	const char *name;
	const char *in;
	const char *want; /* each word in [ ]; ! for a word that is broken */
};

static const struct words_row words_rows[] = {
	{ "none", "", "" },
	{ "blanks", "   ", "" },
	{ "one", "a", "[a]" },
	{ "several", "a b  c ", "[a][b][c]" },
	{ "blanks first", "  a", "[a]" },
	{ "quoted", "\"a b\"", "[a b]" },
	{ "quoted and others", "\"a b\" c  \"d\" ", "[a b][c][d]" },
	{ "two quotes are one", "\"a\"\"b\" \"\"\"\"", "[a\"b][\"]" },
	{ "nothing in quotes", "\"\" a", "[][a]" },
	{ "quotes inside a word", "a\"b c\"", "[a\"b][c\"]" },
	{ "no end", "\"a", "!" },
	{ "no end, only a quote", "\"", "!" },
	{ "no end, the last two are one", "\"a\"\"", "!" },
	{ "something behind the end", "\"a\"b", "!" },
	{ "broken later", "a \"b", "[a]!" },
	{ "a backslash is a byte", "\"a\\\" b", "[a\\][b]" },
};

static void
check_words(void **state)
{
	const struct words_row *row = *state;
	char got[256] = "";
	struct words words;
	struct bytes word;
	int result;
	words_begin(&words, bytes_of_text(row->in));
	while ((result = words_next(&words, &word)) == 1)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "[%.*s]", (int)word.length,
			word.data);
	assert_in_range(result + EINVAL, 0, EINVAL);
	if (result < 0)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "!");
	assert_string_equal(got, row->want);
}

/* A line full of quotes has room. */
static void
check_longest_words(void **state)
{
	static char line[LINE_BYTES_MAX];
	static struct words words;
	struct bytes word;
	size_t bytes = 0;
	(void)state;
	memset(line, '"', sizeof(line));
	for (size_t i = 4; i < sizeof(line); i += 5)
		line[i] = ' ';
	words_begin(&words, bytes_of(line, sizeof(line)));
	while (words_next(&words, &word) == 1)
		bytes += word.length;
	assert_int_equal(bytes, sizeof(line) / 5);
}

struct last_row {
	const char *name;
	const char *in;
	const char *text; /* NULL: there is no other word */
	const char *word;
};

static const struct last_row last_rows[] = {
	{ "two", "a b", "a", "b" },
	{ "three", "a b c", "a b", "c" },
	{ "blanks between", "a   b", "a", "b" },
	{ "one", "a", NULL, NULL },
	{ "none", "", NULL, NULL },
	{ "a blank at the end", "a ", NULL, NULL },
	{ "a blank first", " a", NULL, NULL },
};

static void
check_last(void **state)
{
	const struct last_row *row = *state;
	struct bytes text = bytes_of_text(row->in);
	struct bytes word;
	assert_int_equal(words_take_last(&text, &word), row->text != NULL);
	if (row->text == NULL)
		return;
	assert_true(bytes_equal_text(text, row->text));
	assert_true(bytes_equal_text(word, row->word));
}

/* ---- moments ---- */

struct moment_row {
	const char *name;
	const char *in;
	int want_result;
	int64_t want_ns;
	const char *want; /* as it is printed */
};

static const struct moment_row moment_rows[] = {
	{ "the first", "19700101000000", 0, 0, "19700101000000" },
	{ "a billion", "20010909014640", 0, 1000000000000000000, "20010909014640" },
	{ "a fraction", "20010909014640.5", 0, 1000000000500000000, "20010909014640" },
	{ "nanoseconds", "20010909014640.123456789", 0, 1000000000123456789, "20010909014640" },
	{ "and more, which is cut", "20010909014640.1234567899", 0, 1000000000123456789,
		"20010909014640" },
	{ "before 1970", "19691231235959.75", 0, -250000000, "19691231235959" },
	{ "a leap day", "20240229120000", 0, 1709208000000000000, "20240229120000" },
	{ "a leap second", "20161231235960", 0, 1483228800000000000, "20170101000000" },
	{ "the earliest", "16780101000000", 0, -9214560000000000000, "16780101000000" },
	{ "the latest", "22620411234716", 0, 9223372036000000000, "22620411234716" },
	{ "too late", "22620411234717", -ERANGE, 0, "" },
	{ "too early", "16770101000000", -ERANGE, 0, "" },
	{ "the year 0", "00000101000000", -ERANGE, 0, "" },
	{ "no leap day", "20230229120000", -EINVAL, 0, "" },
	{ "month 0", "20230001000000", -EINVAL, 0, "" },
	{ "month 13", "20231301000000", -EINVAL, 0, "" },
	{ "day 0", "20230100000000", -EINVAL, 0, "" },
	{ "day 32", "20230132000000", -EINVAL, 0, "" },
	{ "hour 24", "20230101240000", -EINVAL, 0, "" },
	{ "minute 60", "20230101006000", -EINVAL, 0, "" },
	{ "second 61", "20230101000061", -EINVAL, 0, "" },
	{ "too short", "2023010100000", -EINVAL, 0, "" },
	{ "too long", "202301010000000", -EINVAL, 0, "" },
	{ "a point and nothing", "20230101000000.", -EINVAL, 0, "" },
	{ "a fraction that is none", "20230101000000.5x", -EINVAL, 0, "" },
	{ "a comma", "20230101000000,5", -EINVAL, 0, "" },
	{ "a sign", "+2023010100000", -EINVAL, 0, "" },
	{ "a blank", " 2023010100000", -EINVAL, 0, "" },
	{ "letters", "2023010100000x", -EINVAL, 0, "" },
	{ "nothing", "", -EINVAL, 0, "" },
};

static void
check_moment(void **state)
{
	const struct moment_row *row = *state;
	char text[TIMESTAMP_BYTES];
	int64_t time_ns = 7;
	assert_int_equal(timestamp_parse(bytes_of_text(row->in), &time_ns), row->want_result);
	assert_true(time_ns == (row->want_result == 0 ? row->want_ns : 7));
	if (row->want_result == 0)
		assert_string_equal(timestamp_text(time_ns, text), row->want);
}

static void
check_extreme_moments(void **state)
{
	char text[TIMESTAMP_BYTES];
	(void)state;
	assert_string_equal(timestamp_text(INT64_MIN, text), "16770921001243");
	assert_string_equal(timestamp_text(INT64_MAX, text), "22620411234716");
}

/* ---- names of algorithms ---- */

static void
check_hashes(void **state)
{
	char text[HASH_TEXT_BYTES];
	enum pathio_algorithm found = PATHIO_CRC32;
	(void)state;
	for (uint32_t i = 0; i < pathio_algorithm_choices.count; i++) {
		const char *name = hash_name((enum pathio_algorithm)i);
		assert_true(hash_find(bytes_of_text(name), &found));
		assert_int_equal(found, i);
	}
	assert_false(hash_find(bytes_of_text("SHA-25"), &found));
	assert_false(hash_find(bytes_of_text(""), &found));
	assert_true(hash_find(bytes_of_text("sha-1"), &found));
	assert_string_equal(hash_feature(found, text), "SHA-256;SHA-512;SHA-1*;MD5;CRC32");
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("words", words_rows, check_words),
		CASE("words: the longest line", check_longest_words),
		TABLE("last word", last_rows, check_last),
		TABLE("moment", moment_rows, check_moment),
		CASE("moment: the first and the last", check_extreme_moments),
		CASE("algorithms have names", check_hashes),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
