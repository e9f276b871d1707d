/*
 * Line ends of TYPE A (ascii.h): each text, cut in two and in three at every place, one byte at a
 * time, comes out as in one piece.
 */
#include "tests/table.h"
#include "worker/ascii.h"

enum { TEXT_BYTES_MAX = 64 };

struct text {
	const char *bytes;
	size_t length;
};

#define TEXT(literal)                                             \
	{                                                         \
		.bytes = (literal), .length = sizeof(literal) - 1 \
	}

struct ascii_row {
	const char *name;
	struct text in;
	struct text want;
};

static const struct ascii_row encode_rows[] = {
	{ "nothing", TEXT(""), TEXT("") },
	{ "no line end", TEXT("abc"), TEXT("abc") },
	{ "one line end", TEXT("\n"), TEXT("\r\n") },
	{ "lines", TEXT("a\nbc\n"), TEXT("a\r\nbc\r\n") },
	{ "a line without end", TEXT("a\nb"), TEXT("a\r\nb") },
	{ "empty lines", TEXT("\n\n\n"), TEXT("\r\n\r\n\r\n") },
	{ "a pair is not doubled", TEXT("a\r\nb"), TEXT("a\r\nb") },
	{ "pairs and single ones", TEXT("a\r\n\nb\r\n"), TEXT("a\r\n\r\nb\r\n") },
	{ "a return alone stays", TEXT("a\rb"), TEXT("a\rb") },
	{ "a return at the end stays", TEXT("a\r"), TEXT("a\r") },
	{ "two returns and a line end", TEXT("a\r\r\nb"), TEXT("a\r\r\nb") },
	{ "the wrong way round", TEXT("a\n\rb"), TEXT("a\r\n\rb") },
	{ "a NUL and bytes over 127", TEXT("\0\n\xff"), TEXT("\0\r\n\xff") },
};

static const struct ascii_row decode_rows[] = {
	{ "nothing", TEXT(""), TEXT("") },
	{ "no line end", TEXT("abc"), TEXT("abc") },
	{ "one line end", TEXT("\r\n"), TEXT("\n") },
	{ "lines", TEXT("a\r\nbc\r\n"), TEXT("a\nbc\n") },
	{ "a bare line end stays", TEXT("a\nb"), TEXT("a\nb") },
	{ "a return alone stays", TEXT("a\rb"), TEXT("a\rb") },
	{ "a return at the end stays", TEXT("a\r"), TEXT("a\r") },
	{ "only returns", TEXT("\r\r\r"), TEXT("\r\r\r") },
	{ "two returns and a line end", TEXT("a\r\r\nb"), TEXT("a\r\nb") },
	{ "the wrong way round", TEXT("a\n\rb"), TEXT("a\n\rb") },
	{ "pairs side by side", TEXT("\r\n\r\n"), TEXT("\n\n") },
	{ "a NUL and bytes over 127", TEXT("\0\r\n\xff\r"), TEXT("\0\n\xff\r") },
};

/* A stream that arrives in pieces. */
struct stream {
	struct ascii ascii;
	bool encodes;
	size_t length;
	char output[2 * TEXT_BYTES_MAX + 1];
};

static void
feed(struct stream *stream, const char *bytes, size_t length)
{
	char *at = stream->output + stream->length;
	struct bytes piece = bytes_of(bytes, length);
	stream->length += stream->encodes ? ascii_encode(&stream->ascii, piece, at)
					  : ascii_decode(&stream->ascii, piece, at);
}

static void
check_stream(struct stream *stream, const struct text *want)
{
	if (!stream->encodes)
		stream->length += ascii_decode_end(&stream->ascii, stream->output + stream->length);
	assert_int_equal(stream->length, want->length);
	assert_memory_equal(stream->output, want->bytes, want->length);
}

static void
check_splits(const struct ascii_row *row, bool encodes)
{
	for (size_t first = 0; first <= row->in.length; first++) {
		for (size_t second = first; second <= row->in.length; second++) {
			struct stream stream = { .encodes = encodes };
			feed(&stream, row->in.bytes, first);
			feed(&stream, row->in.bytes + first, second - first);
			feed(&stream, row->in.bytes + second, row->in.length - second);
			check_stream(&stream, &row->want);
		}
	}
	struct stream stream = { .encodes = encodes };
	for (size_t i = 0; i < row->in.length; i++)
		feed(&stream, row->in.bytes + i, 1);
	check_stream(&stream, &row->want);
}

static void
check_encode(void **state)
{
	check_splits(*state, true);
}

static void
check_decode(void **state)
{
	check_splits(*state, false);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("file to wire", encode_rows, check_encode),
		TABLE("wire to file", decode_rows, check_decode),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
