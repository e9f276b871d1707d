/*
 * The stream of MODE Z (deflate.h): made and taken apart in pieces of every size it is one zlib
 * stream; one that is cut, damaged or followed by more is noticed, wherever that is; a bomb brings
 * no more than there is room for (HOSTILE 34).
 */
#include "tests/table.h"
#include "worker/deflate.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#define KIB ((size_t)1024)

struct text {
	char *bytes;
	size_t length;
};

/* ---- contents ---- */

enum content { CONTENT_NOTHING, CONTENT_LINES, CONTENT_NOISE, CONTENT_ZEROS };

static struct text
make_content(enum content content, size_t length)
{
	struct text text = { .bytes = calloc(1, length + 1), .length = length };
	uint32_t state = 2463534242;
	assert_non_null(text.bytes);
	for (size_t i = 0; i < length; i++) {
		state ^= state << 13;
		state ^= state >> 17;
		state ^= state << 5;
		if (content == CONTENT_NOISE)
			text.bytes[i] = (char)state;
		if (content == CONTENT_LINES)
			text.bytes[i] = "drwxr-xr-x ada 4096\r\n"[(i + i / 777) % 21];
	}
	return text;
}

/* ---- there and back ---- */

/* Deflated in pieces of so many bytes. */
static struct text
deflated(const struct text *plain, unsigned level, size_t piece)
{
	struct text made = { .bytes = malloc(DEFLATE_ROOM_BYTES(plain->length) + plain->length) };
	struct deflater *deflater;
	size_t at = 0;
	assert_non_null(made.bytes);
	assert_int_equal(deflater_new(level, &deflater), 0);
	do {
		size_t length = plain->length - at < piece ? plain->length - at : piece;
		char *output = malloc(DEFLATE_ROOM_BYTES(length)); /* it ends where it says */
		assert_non_null(output);
		bool is_last = at + length == plain->length;
		size_t got = deflater_put(
			deflater, bytes_of(plain->bytes + at, length), is_last, output);
		memcpy(made.bytes + made.length, output, got);
		made.length += got;
		at += length;
		free(output);
	} while (at < plain->length);
	deflater_free(&deflater);
	assert_null(deflater);
	return made;
}

struct inflated {
	struct text text;
	int result;
};

/* Given in pieces of so many bytes, taken into so much room at a time; at most `most` in all. */
static struct inflated
inflated(struct bytes stream, size_t piece, size_t room, size_t most)
{
	struct inflated got = { .text.bytes = malloc(most + room), .result = INFLATE_GOES_ON };
	struct inflater *inflater;
	size_t at = 0, written = 0;
	assert_non_null(got.text.bytes);
	assert_int_equal(inflater_new(&inflater), 0);
	while (got.result >= 0 && got.text.length < most &&
		(at < stream.length || written == room)) {
		size_t left = stream.length - at;
		struct bytes input = bytes_of(stream.data + at, left < piece ? left : piece);
		size_t given = input.length;
		char *output = malloc(room);
		assert_non_null(output);
		got.result = inflater_take(inflater, &input, output, room, &written);
		assert_true(written <= room);
		memcpy(got.text.bytes + got.text.length, output, written);
		got.text.length += written;
		at += given - input.length;
		free(output);
	}
	inflater_free(&inflater);
	return got;
}

static void
check_inflated(const struct text *stream, size_t piece, size_t room, const struct text *want)
{
	struct inflated got =
		inflated(bytes_of(stream->bytes, stream->length), piece, room, want->length + 1);
	assert_int_equal(got.result, INFLATE_ENDED);
	assert_int_equal(got.text.length, want->length);
	assert_memory_equal(got.text.bytes, want->bytes, want->length);
	free(got.text.bytes);
}

struct row {
	const char *name;
	enum content content;
	size_t length;
};

static const struct row rows[] = {
	{ "nothing", CONTENT_NOTHING, 0 },
	{ "one byte", CONTENT_NOISE, 1 },
	{ "lines", CONTENT_LINES, 300 * KIB },
	{ "noise", CONTENT_NOISE, 300 * KIB },
	{ "zeros", CONTENT_ZEROS, 300 * KIB },
};

/* Noise is the worst: all that was held back comes out with the last piece (DEFLATE_ROOM_BYTES). */
static void
check_levels(void **state)
{
	static const size_t pieces[] = { 1000, 64 * KIB, 128 * KIB, 300 * KIB };
	const struct row *row = *state;
	struct text plain = make_content(row->content, row->length);
	for (unsigned level = 0; level <= Z_BEST_COMPRESSION; level++) {
		for (size_t i = 0; i < ARRAY_LENGTH(pieces); i++) {
			struct text stream = deflated(&plain, level, pieces[i]);
			check_inflated(&stream, stream.length + 1, 64 * KIB, &plain);
			free(stream.bytes);
		}
	}
	free(plain.bytes);
}

/* Small enough that it can be cut at every place. */
static const struct row small_rows[] = {
	{ "nothing", CONTENT_NOTHING, 0 },
	{ "one byte", CONTENT_NOISE, 1 },
	{ "lines", CONTENT_LINES, 500 },
	{ "noise", CONTENT_NOISE, 200 },
	{ "zeros", CONTENT_ZEROS, 3000 },
};

static void
check_pieces(void **state)
{
	const struct row *row = *state;
	struct text plain = make_content(row->content, row->length);
	for (size_t piece = 1; piece <= plain.length; piece += piece < 40 ? 1 : 37) {
		struct text stream = deflated(&plain, 6, piece);
		check_inflated(&stream, stream.length, plain.length + 1, &plain);
		free(stream.bytes);
	}
	struct text stream = deflated(&plain, 6, plain.length + 1);
	for (size_t piece = 1; piece <= stream.length; piece++)
		check_inflated(&stream, piece, plain.length + 1, &plain);
	for (size_t room = 1; room < 300; room++)
		check_inflated(&stream, stream.length, room, &plain);
	check_inflated(&stream, 1, 1, &plain);
	free(stream.bytes);
	free(plain.bytes);
}

/* ---- what is no whole stream ---- */

static void
check_cut(void **state)
{
	const struct row *row = *state;
	struct text plain = make_content(row->content, row->length);
	struct text stream = deflated(&plain, 6, plain.length + 1);
	for (size_t length = 0; length < stream.length; length++) {
		struct inflated got =
			inflated(bytes_of(stream.bytes, length), 7, 64, plain.length + 1);
		assert_int_equal(got.result, INFLATE_GOES_ON);
		free(got.text.bytes);
	}
	free(stream.bytes);
	free(plain.bytes);
}

static void
check_followed(void **state)
{
	const struct row *row = *state;
	struct text plain = make_content(row->content, row->length);
	struct text stream = deflated(&plain, 6, plain.length + 1);
	stream.bytes[stream.length] = '\0';
	/* In the same piece as the end, and in one of its own. */
	for (size_t piece = 1; piece <= stream.length + 1; piece++) {
		struct inflated got = inflated(
			bytes_of(stream.bytes, stream.length + 1), piece, 64, plain.length + 64);
		assert_int_equal(got.result, -EBADMSG);
		free(got.text.bytes);
	}
	free(stream.bytes);
	free(plain.bytes);
}

/* A sum guards the bytes, so that no damage passes for whole. */
static void
check_damaged(void **state)
{
	const struct row *row = *state;
	struct text plain = make_content(row->content, row->length);
	struct text stream = deflated(&plain, 6, plain.length + 1);
	for (size_t bit = 0; bit < stream.length * 8; bit++) {
		stream.bytes[bit / 8] ^= (char)(1 << bit % 8);
		struct inflated got = inflated(
			bytes_of(stream.bytes, stream.length), 7, 64, 4 * plain.length + 64);
		bool is_same = got.result == INFLATE_ENDED && got.text.length == plain.length &&
			       memcmp(got.text.bytes, plain.bytes, plain.length) == 0;
		assert_true(got.result != INFLATE_ENDED || is_same);
		free(got.text.bytes);
		stream.bytes[bit / 8] ^= (char)(1 << bit % 8);
	}
	free(stream.bytes);
	free(plain.bytes);
}

struct foreign_row {
	const char *name;
	struct bytes bytes;
};

#define FOREIGN(literal)                                         \
	{                                                        \
		.data = (literal), .length = sizeof(literal) - 1 \
	}

static const struct foreign_row foreign_rows[] = {
	{ "text", FOREIGN("hello, world") },
	{ "gzip", FOREIGN("\x1f\x8b\x08\0\0\0\0\0\0\3\3\0\0\0\0\0\0\0\0\0") },
	{ "raw deflate", FOREIGN("\x4b\x04\x00") },
	{ "a dictionary that nobody has", FOREIGN("\x78\xbb\x01\x02\x03\x04") },
	{ "a window that is too large", FOREIGN("\x88\x1c\x03\x00\x00\x00\x00\x01") },
};

static void
check_foreign(void **state)
{
	const struct foreign_row *row = *state;
	struct inflated got = inflated(row->bytes, row->bytes.length, 64, 64);
	assert_int_equal(got.result, -EBADMSG);
	free(got.text.bytes);
}

/* ---- bounds ---- */

/* A thousand times what came in, and never more than was asked for. */
static void
check_bomb(void **state)
{
	(void)state;
	struct text plain = make_content(CONTENT_ZEROS, 32 * KIB * KIB);
	struct text stream = deflated(&plain, 9, plain.length);
	struct bytes input = bytes_of(stream.bytes, stream.length);
	struct inflater *inflater;
	char output[4096];
	size_t written;
	assert_true(stream.length < 64 * KIB);
	assert_int_equal(inflater_new(&inflater), 0);
	for (size_t left = plain.length; left > 0; left -= written) {
		size_t before = input.length;
		assert_true(inflater_take(inflater, &input, output, sizeof(output), &written) >= 0);
		assert_int_equal(written, sizeof(output));
		assert_true(before - input.length <= 64); /* as much as it needed */
	}
	assert_int_equal(
		inflater_take(inflater, &input, output, sizeof(output), &written), INFLATE_ENDED);
	inflater_free(&inflater);
	free(stream.bytes);
	free(plain.bytes);
}

static void
check_levels_there_are(void **state)
{
	struct deflater *deflater = NULL;
	(void)state;
	assert_int_equal(deflater_new(10, &deflater), -EINVAL);
	assert_null(deflater);
	deflater_free(&deflater);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("every level", rows, check_levels),
		TABLE("pieces of every size", small_rows, check_pieces),
		TABLE("cut anywhere", small_rows, check_cut),
		TABLE("followed by more", small_rows, check_followed),
		TABLE("every bit damaged", small_rows, check_damaged),
		TABLE("no such stream", foreign_rows, check_foreign),
		CASE("34: a bomb fills the room and no more", check_bomb),
		CASE("levels end at 9", check_levels_there_are),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
