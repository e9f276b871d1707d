/*
 * Listings as text: the pieces that lines are made of, whole listings in pieces of any size, and
 * directories that fail in the middle.
 */
#include "tests/unit/worker/listings.h"
#include "worker/instance_private.h"
#include "worker/text.h"

#include <errno.h>
#include <string.h>

/* ---- pieces of lines ---- */

static void
check_text(void **state)
{
	(void)state;
	char line[128], *at = line;
	at = text_put_number(at, 0);
	at = text_put_padded(at, 42, 5);
	at = text_put_padded(at, UINT64_MAX, 3);
	at = text_put_column(at, bytes_of_text("ab"), 4);
	at = text_put_column(at, bytes_of_text("abcde"), 4);
	at = text_put_digits(at, 1234, 3);
	at = text_put_hex(at, 0);
	at = text_put_hex(at, 0xdeadbeef);
	at = text_put_hex(at, UINT64_MAX);
	at = text_put_name(at, bytes_of("a\nb\x1b[1m\x7f\xc3\xa4\0", 11));
	assert_memory_equal(line,
		"0   4218446744073709551615ab  abcde2340deadbeefffffffffffffffffa?b?[1m?\xc3\xa4?",
		(size_t)(at - line));
	assert_int_equal(at - line, 74);
}

struct name_row {
	const char *name;
	const char *in;
	const char *want;
};

static const struct name_row name_rows[] = {
	{ "nothing", "", "" },
	{ "plain", "a", "a" },
	{ "plain and long", "0123456789abcdef ghi", "0123456789abcdef ghi" },
	{ "a control at the beginning", "\n234567890", "?234567890" },
	{ "in the first eight", "1234567\x1f", "1234567?" },
	{ "behind them", "12345678\x01", "12345678?" },
	{ "in the middle of many", "1234567890\r1234567890123", "1234567890?1234567890123" },
	{ "delete", "12345678901\x7f", "12345678901?" },
	{ "only controls", "\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b", "?????????" },
	{ "a control in few", "a\nb", "a?b" },
	{ "delete at the end of few", "34567\x7f", "34567?" },
	{ "a control of UTF-8 in few", "a\xc2\x9b", "a??" },
	{ "letters of UTF-8 in few", "\xc3\xa4\xc2\xa0", "\xc3\xa4\xc2\xa0" },
	{ "letters of UTF-8", "Gr\xc3\xb6\xc3\x9f\x65 \xc2\xa7 \xe6\x97\xa5\xc2\xa0",
		"Gr\xc3\xb6\xc3\x9f\x65 \xc2\xa7 \xe6\x97\xa5\xc2\xa0" },
	{ "a control of UTF-8", "12345678\xc2\x9b\x33m", "12345678??3m" },
	{ "the first and the last of them", "\xc2\x80 \xc2\x9f \xc2\xa0", "?? ?? \xc2\xa0" },
	{ "half of one at the end", "1234567\xc2", "1234567\xc2" },
	{ "another alphabet", "\x80\x9b\x85\xff\xe4\xf6\xfc.txt",
		"\x80\x9b\x85\xff\xe4\xf6\xfc.txt" },
};

static void
check_name(void **state)
{
	const struct name_row *row = *state;
	char text[64] = "";
	*text_put_name(text, bytes_of_text(row->in)) = '\0';
	assert_string_equal(text, row->want);
}

/* ---- whole listings ---- */

/* Pieces of every size put together are the whole. */
static void
check_pieces(void **state)
{
	(void)state;
	struct session *session = session_new(&backend_memory, NULL, 0);
	static char buffer[2 * 1024 * 1024], whole[2 * 1024 * 1024];
	const struct path path = test_path("/many");
	size_t whole_length = 0;
	listings_plant_many(session);
	for (size_t capacity = sizeof(buffer); capacity >= LISTING_PIECE_BYTES_MIN; capacity /= 4) {
		struct rights *rights = session_rights(NULL);
		const struct rights *const judged_by = rights;
		const struct listing_owner owner = { .name = bytes_of_text("") };
		struct listing *listing;
		struct listing_text *text;
		struct pathio_attributes attributes;
		size_t length = 0;
		bool ended = false;
		assert_int_equal(listing_open(session_tree(session), &path,
					 &(struct listing_place){ .is_names_only = false },
					 &listing, &attributes),
			0);
		const struct listing_text_options options = { .style = PATHIO_STYLE_LIST,
			.owner = &owner,
			.access = &session->nursery->access,
			.rights = &judged_by };
		assert_int_equal(listing_text_new(listing, &options, &text), 0);
		while (!ended) {
			int filled = listing_text_fill(text, buffer, capacity, &ended);
			assert_true(filled >= 0 && (size_t)filled <= capacity);
			size_t piece = filled < 0 ? 0 : (size_t)filled;
			if (capacity == sizeof(buffer))
				memcpy(whole + length, buffer, piece);
			else
				assert_memory_equal(whole + length, buffer, piece);
			length += piece;
		}
		if (capacity == sizeof(buffer))
			whole_length = length;
		assert_int_equal(length, whole_length);
		listing_text_free(&text);
		listing_close(&listing);
		rights_free(&rights);
	}
	session_free(session);
}

/* ---- a directory that fails in the middle ---- */

enum { BEFORE_IT_FAILS = 3 };
static int entries_given;

static int
failing_next(struct backend_directory *directory, struct backend_entry *entry)
{
	if (entries_given++ == BEFORE_IT_FAILS)
		return -EIO;
	return backend_memory.directory_next(directory, entry);
}

/* The lines before the error are handed out, then the error, and no end. */
static void
check_failing(void **state)
{
	(void)state;
	static struct backend failing;
	struct session *session = session_new(&backend_memory, NULL, 0);
	const struct path path = test_path("/many");
	static char buffer[64 * 1024];
	struct rights *rights = session_rights(NULL);
	const struct rights *const judged_by = rights;
	const struct listing_owner owner = { .name = bytes_of_text("") };
	struct listing *listing;
	struct listing_text *text;
	struct pathio_attributes attributes;
	bool ended = false;
	listings_plant_many(session);
	failing = backend_memory;
	failing.directory_next = failing_next;
	session_tree(session)->backend = &failing;
	entries_given = 0;
	assert_int_equal(
		listing_open(session_tree(session), &path,
			&(struct listing_place){ .is_names_only = false }, &listing, &attributes),
		0);
	const struct listing_text_options options = { .style = PATHIO_STYLE_NAMES,
		.owner = &owner,
		.access = &session->nursery->access,
		.rights = &judged_by };
	assert_int_equal(listing_text_new(listing, &options, &text), 0);
	assert_in_range(listing_text_fill(text, buffer, sizeof(buffer), &ended), 1, sizeof(buffer));
	assert_false(ended);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(listing_text_fill(text, buffer, sizeof(buffer), &ended), -EIO);
		assert_false(ended);
	}
	listing_text_free(&text);
	listing_close(&listing);
	rights_free(&rights);
	session_free(session);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("pieces of lines", check_text),
		TABLE("names", name_rows, check_name),
		CASE("pieces", check_pieces),
		CASE("a directory that fails", check_failing),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
