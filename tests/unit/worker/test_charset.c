/*
 * Names in other character sets (charset.h): every set that the configuration knows holds ASCII and
 * nothing that could be taken for it, and every stored name, valid or not, comes back from how it
 * is written.
 */
#include "tests/table.h"
#include "worker/charset.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define TEXT(literal)                                            \
	{                                                        \
		.data = (literal), .length = sizeof(literal) - 1 \
	}

static struct charset *
opened(const char *name)
{
	struct charset *charset = NULL;
	if (charset_open(name, &charset) < 0)
		fail_msg("%s: not known here", name);
	return charset;
}

static struct bytes
written(struct charset *charset, struct bytes stored, char *room)
{
	return bytes_of(room, (size_t)(charset_write(charset, stored, room) - room));
}

/* ---- each set ---- */

/* Every choice of every option; those of `charset` are wanted. */
static const struct {
	const char *option;
	const char *word;
} choices[] = {
#define CHOICE(option, CONSTANT, number, word, refusal) { #option, word },
#include "policy/rules/choices.def"
};

/* But UTF-8, which needs no conversion. */
static void
for_each_set(void (*check)(struct charset *charset, const char *name))
{
	unsigned count = 0;
	for (size_t i = 0; i < ARRAY_LENGTH(choices); i++) {
		if (strcmp(choices[i].option, "charset") != 0 ||
			strcmp(choices[i].word, "UTF-8") == 0)
			continue;
		struct charset *charset = opened(choices[i].word);
		check(charset, choices[i].word);
		charset_free(&charset);
		count++;
	}
	assert_true(count > 30);
}

static size_t
put_utf8(uint32_t code, char *at)
{
	if (code < 0x80) {
		at[0] = (char)code;
		return 1;
	}
	size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	for (size_t i = length - 1; i > 0; i--, code >>= 6)
		at[i] = (char)(0x80 | (code & 0x3f));
	at[0] = (char)((0xf00 >> length) | code);
	return length;
}

/* What stands between slashes and dots in one writing stands there in the other. */
static void
check_character(struct charset *charset, uint32_t code, const char *set)
{
	char stored[8], room[32], back[32];
	struct bytes name = bytes_of(stored, put_utf8(code, stored));
	struct bytes words = written(charset, name, room);
	int length = charset_read(charset, words, back, sizeof(back));
	if (length < 0 || !bytes_equal(bytes_of(back, (size_t)length), name))
		fail_msg("%s: U+%04X is lost", set, code);
	bool is_escaped = words.length == CHARSET_GROWTH * name.length && words.data[0] == '=';
	for (size_t i = 0; i < words.length && code >= 0x80 && !is_escaped; i++)
		if ((unsigned char)words.data[i] < 0x40)
			fail_msg("%s: U+%04X holds %02x", set, code, (unsigned)words.data[i]);
	if (code < 0x80)
		assert_true(bytes_equal(words, name));
	if (code >= 0x80 && code < 0xa0)
		assert_true(is_escaped); /* a terminal could obey it */
}

static void
check_characters_of(struct charset *charset, const char *name)
{
	for (uint32_t code = 1; code < 0x11000; code += code < 0x3000 ? 1 : 7)
		if (code < 0xd800 || code > 0xdfff)
			check_character(charset, code, name);
}

static void
check_characters(void **state)
{
	(void)state;
	for_each_set(check_characters_of);
}

/* No two bytes of which the first is no ASCII are read as a slash or anything else of ASCII. */
static void
check_pairs_of(struct charset *charset, const char *name)
{
	for (unsigned first = 0x80; first < 0x100; first++)
		for (unsigned second = 1; second < 0x100; second++) {
			char pair[] = { (char)first, (char)second }, stored[16];
			int length = charset_read(charset, bytes_of(pair, 2), stored, 16);
			for (int i = 0; i < length; i++)
				if ((stored[i] & 0x80) == 0 && stored[i] != (char)second)
					fail_msg("%s: %02x %02x", name, first, second);
		}
}

static void
check_pairs(void **state)
{
	(void)state;
	for_each_set(check_pairs_of);
}

/* ---- escapes ---- */

static const struct write_row {
	const char *name;
	const char *set;
	struct bytes stored;
	struct bytes want;
} write_rows[] = {
	{ "ASCII", "ISO-8859-1", TEXT("a b.txt"), TEXT("a b.txt") },
	{ "Latin", "ISO-8859-1", TEXT("\xc3\xa4/\xc3\xbf"), TEXT("\xe4/\xff") },
	{ "what Latin 1 lacks", "ISO-8859-1", TEXT("\xe2\x82\xac 5"), TEXT("=E2=82=AC 5") },
	{ "what Latin 9 has", "ISO-8859-15", TEXT("\xe2\x82\xac 5"), TEXT("\xa4 5") },
	{ "beyond the first plane", "CP932", TEXT("\xf0\x9f\x98\x80"), TEXT("=F0=9F=98=80") },
	{ "Japanese", "SHIFT_JIS", TEXT("\xe6\x97\xa5\xe6\x9c\xac"), TEXT("\x93\xfa\x96\x7b") },
	{ "Cyrillic", "KOI8-R", TEXT("\xd0\x9c\xd0\xb8\xd1\x80"), TEXT("\xed\xc9\xd2") },
	{ "stored in Latin 1 itself", "ISO-8859-1", TEXT("na\xefve"), TEXT("na=EFve") },
	{ "a sequence cut short", "ISO-8859-1", TEXT("\xe2\x82"), TEXT("=E2=82") },
	{ "an overlong slash", "ISO-8859-1", TEXT("\xc0\xaf"), TEXT("=C0=AF") },
	{ "a control character of 8 bits", "ISO-8859-1", TEXT("\xc2\x9b"), TEXT("=C2=9B") },
	{ "decomposed", "ISO-8859-1", TEXT("a\xcc\x88"), TEXT("a=CC=88") },
	{ "an equals sign", "ISO-8859-1", TEXT("a=b"), TEXT("a=b") },
	{ "what looks like an escape", "ISO-8859-1", TEXT("=C3=A4"), TEXT("=3DC3=3DA4") },
	{ "what looks like one of an equals sign", "ISO-8859-1", TEXT("=3D"), TEXT("=3D3D") },
	{ "small digits are no escape", "ISO-8859-1", TEXT("=c3"), TEXT("=c3") },
	{ "escapes of ASCII are none", "ISO-8859-1", TEXT("=2E=2F=00=7F"), TEXT("=2E=2F=00=7F") },
	{ "an equals sign before an escape", "ISO-8859-1", TEXT("=\xe2\x82\xac"),
		TEXT("==E2=82=AC") },
	{ "a digit between", "ISO-8859-1", TEXT("=C\xe2\x82\xac"), TEXT("=C=E2=82=AC") },
	{ "nothing", "ISO-8859-1", TEXT(""), TEXT("") },
};

static void
check_write(void **state)
{
	const struct write_row *row = *state;
	struct charset *charset = opened(row->set);
	char room[64], back[64];
	struct bytes words = written(charset, row->stored, room);
	assert_true(words.length <= CHARSET_GROWTH * row->stored.length);
	if (!bytes_equal(words, row->want))
		fail_msg("written as %.*s", (int)words.length, words.data);
	int length = charset_read(charset, words, back, sizeof(back));
	assert_true(length >= 0 && bytes_equal(bytes_of(back, (size_t)length), row->stored));
	charset_free(&charset);
}

static const struct read_row {
	const char *name;
	const char *set;
	struct bytes words;
	int want_result; /* 0: what follows */
	struct bytes want;
} read_rows[] = {
	{ "an escape of what could be said plainly", "ISO-8859-1", TEXT("=C3=A4"), 0,
		TEXT("\xc3\xa4") },
	{ "no traversal by escapes", "ISO-8859-1", TEXT("/=2E=2E/=2F"), 0, TEXT("/=2E=2E/=2F") },
	{ "an escape cut short", "ISO-8859-1", TEXT("=C"), 0, TEXT("=C") },
	{ "a byte that is none", "WINDOWS-1252", TEXT("a\x81"), -EILSEQ, TEXT("") },
	{ "half a character", "EUC-JP", TEXT("a\xc6"), -EILSEQ, TEXT("") },
	{ "half a character before a slash", "SHIFT_JIS", TEXT("\x93/\x93\xfa"), -EILSEQ,
		TEXT("") },
	{ "the second byte is no first one", "SHIFT_JIS", TEXT("/\x83\x5c"), 0,
		TEXT("/\xe3\x82\xbd") },
};

static void
check_read(void **state)
{
	const struct read_row *row = *state;
	struct charset *charset = opened(row->set);
	char stored[64];
	int length = charset_read(charset, row->words, stored, sizeof(stored));
	if (row->want_result < 0)
		assert_int_equal(length, row->want_result);
	else
		assert_true(
			length >= 0 && bytes_equal(bytes_of(stored, (size_t)length), row->want));
	charset_free(&charset);
}

static const struct guard_row {
	const char *name;
	const char *set;
	struct bytes pattern;
	struct bytes want;
} guard_rows[] = {
	{ "ASCII", "SHIFT_JIS", TEXT("a*[b-d]\\?"), TEXT("a*[b-d]\\?") },
	{ "one byte a character", "ISO-8859-1", TEXT("[\xe9]*\xff"), TEXT("[\xe9]*\xff") },
	{ "a backslash within", "SHIFT_JIS", TEXT("\x83\x5c*"), TEXT("\x83\\\x5c*") },
	{ "a bracket within", "SHIFT_JIS", TEXT("\x81\x5b[\x83\x5d]"),
		TEXT("\x81\\\x5b[\x83\\\x5d]") },
	{ "nothing special within", "SHIFT_JIS", TEXT("\x83\x66?"), TEXT("\x83\x66?") },
	{ "half a character", "SHIFT_JIS", TEXT("*\x83"), TEXT("*\x83") },
	{ "an escape", "BIG5", TEXT("=C3=A4*"), TEXT("=C3=A4*") },
	{ "nothing", "BIG5", TEXT(""), TEXT("") },
};

static void
check_guard(void **state)
{
	const struct guard_row *row = *state;
	struct charset *charset = opened(row->set);
	char room[64];
	const char *end = charset_guard_pattern(charset, row->pattern, room);
	struct bytes guarded = bytes_of(room, (size_t)(end - room));
	if (!bytes_equal(guarded, row->want))
		fail_msg("guarded as %.*s", (int)guarded.length, guarded.data);
	charset_free(&charset);
}

static void
check_room(void **state)
{
	(void)state;
	struct charset *charset = opened("ISO-8859-1");
	char stored[4];
	assert_int_equal(charset_read(charset, bytes_of("\xe4\xe4", 2), stored, 4), 4);
	assert_int_equal(charset_read(charset, bytes_of("\xe4\xe4", 2), stored, 3), -ENAMETOOLONG);
	charset_free(&charset);
}

static void
check_unknown(void **state)
{
	(void)state;
	struct charset *charset = NULL;
	assert_int_equal(charset_open("KLINGON", &charset), -EINVAL);
	assert_null(charset);
	charset_free(&charset);
}

/* Any bytes: what is written is read as the same (xorshift, so that a failure can be repeated). */
static void
check_any_bytes(void **state)
{
	(void)state;
	static const char *const sets[] = { "ISO-8859-1", "SHIFT_JIS", "EUC-JP", "GBK", "BIG5" };
	uint32_t seed = 2640;
	for (size_t set = 0; set < ARRAY_LENGTH(sets); set++) {
		struct charset *charset = opened(sets[set]);
		for (int turn = 0; turn < 2000; turn++) {
			char stored[24], room[sizeof(stored) * CHARSET_GROWTH],
				back[sizeof(stored)];
			for (size_t i = 0; i < sizeof(stored); i++) {
				seed ^= seed << 13;
				seed ^= seed >> 17;
				seed ^= seed << 5;
				stored[i] = "=0AC3D\xe6\x97\xa5\xc3\xa4\xff"[seed % 12];
			}
			struct bytes words =
				written(charset, bytes_of(stored, sizeof(stored)), room);
			int length = charset_read(charset, words, back, sizeof(back));
			assert_int_equal(length, sizeof(stored));
			assert_memory_equal(back, stored, sizeof(stored));
		}
		charset_free(&charset);
	}
}

int
main(void)
{
	const struct table tables[] = {
		CASE("every character of every set", check_characters),
		CASE("every two bytes of every set", check_pairs),
		TABLE("written", write_rows, check_write),
		TABLE("read", read_rows, check_read),
		TABLE("guarded", guard_rows, check_guard),
		CASE("room", check_room),
		CASE("unknown", check_unknown),
		CASE("any bytes", check_any_bytes),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
