/*
 * Lines of a control connection: the same whatever pieces they arrive in (line.h).
 */
#include "gateway/line.h"
#include "ipc/base/ends.h"
#include "tests/table.h"

#include <stdio.h>
#include <stdlib.h>

struct line_row {
	const char *name;
	struct bytes in;
	const char *want; /* each line in brackets; "!" a broken one, "+" one that is too long */
};

#define BYTES(literal)                                           \
	{                                                        \
		.data = (literal), .length = sizeof(literal) - 1 \
	}

static const struct line_row line_rows[] = {
	{ "one line", BYTES("NOOP\r\n"), "[NOOP]" },
	{ "bare line feed", BYTES("NOOP\nPWD\n"), "[NOOP][PWD]" },
	{ "empty lines", BYTES("\r\n\n\r\n"), "[][][]" },
	{ "trailing blanks stay", BYTES("DELE a  \r\n"), "[DELE a  ]" },
	{ "no end yet", BYTES("NOOP"), "" },
	{ "several in one piece", BYTES("A\r\nB\r\nC\r\nD"), "[A][B][C]" },
	{ "NUL", BYTES("DE\0LE\r\nPWD\r\n"), "![PWD]" },
	{ "CR NUL", BYTES("DELE a\r\0\r\nPWD\r\n"), "![PWD]" },
	{ "bare CR", BYTES("DELE a\rDELE b\r\nPWD\r\n"), "![PWD]" },
	{ "CR CR LF", BYTES("NOOP\r\r\nPWD\r\n"), "![PWD]" },
	{ "CR at the very end", BYTES("NOOP\r"), "" },
	{ "high bytes", BYTES("CWD \xc3\xbc\xfe\r\n"), "[CWD \xc3\xbc\xfe]" },

	/* RFC 854 */
	{ "IAC IP, IAC DM",
		BYTES("\xff\xf4\xff\xf2"
		      "ABOR\r\n"),
		"[ABOR]" },
	{ "IAC IAC is a byte", BYTES("CWD \xff\xff\r\n"), "[CWD \xff]" },
	{ "an option offered", BYTES("\xff\xfb\x01\xff\xfd\x03\xff\xfc\x18\xff\xfe\x1fNOOP\r\n"),
		"[NOOP]" },
	{ "an option that is a line feed", BYTES("NO\xff\xfb\nOP\r\n"), "[NOOP]" },
	{ "a suboption", BYTES("NO\xff\xfa\x18\x00xterm\r\n\xff\xf0OP\r\n"), "[NOOP]" },
	{ "IAC IAC in a suboption", BYTES("\xff\xfa\x18\xff\xff\xf0\xff\xf0NOOP\r\n"), "[NOOP]" },
	{ "a suboption without an end", BYTES("\xff\xfa\x18NOOP\r\nNOOP\r\n"), "" },
	{ "between CR and LF", BYTES("NOOP\r\xff\xf1\nPWD\r\n"), "[NOOP][PWD]" },
	{ "IAC before an end", BYTES("NOOP\xff\nPWD\r\n"), "[NOOPPWD]" },
	{ "IAC at the very end", BYTES("NOOP\xff"), "" },
	{ "nothing but commands", BYTES("\xff\xf1\xff\xf1\xff\xf1\r\n"), "[]" },
};

struct output {
	size_t length;
	char text[64 * 1024];
};

static void
add(struct output *output, const char *before, struct bytes line, const char *after)
{
	int added = snprintf(output->text + output->length, sizeof(output->text) - output->length,
		"%s%.*s%s", before, (int)line.length, line.data, after);
	ensure(added >= 0);
	output->length += (size_t)added;
}

static void
take_lines(struct line_reader *reader, struct line_buffer *buffer, struct output *output)
{
	struct bytes line = bytes_of("", 0);
	enum line_result result;
	while ((result = line_next(reader, buffer, &line)) != LINE_NONE) {
		if (result == LINE_COMPLETE)
			add(output, "[", line, "]");
		else
			add(output, result == LINE_BROKEN ? "!" : "+", bytes_of("", 0), "");
	}
}

/* Feeds the bytes in pieces, each in a turn of its own. */
static void
feed(struct bytes in, size_t piece, struct output *output)
{
	static struct line_buffer buffer;
	struct line_reader reader = { .kept = NULL };
	output->length = 0;
	output->text[0] = '\0';
	for (size_t at = 0; at < in.length;) {
		size_t capacity;
		line_load(&reader, &buffer);
		take_lines(&reader, &buffer, output);
		char *space = line_space(&buffer, &capacity);
		size_t count = in.length - at < piece ? in.length - at : piece;
		count = count < capacity ? count : capacity;
		memcpy(space, in.data + at, count);
		line_add(&buffer, count);
		at += count;
		take_lines(&reader, &buffer, output);
		assert_int_equal(line_store(&reader, &buffer), 0);
		assert_true(reader.length <= LINE_BYTES_MAX);
	}
	line_clear(&reader);
}

static void
check_lines(void **state)
{
	const struct line_row *row = *state;
	static struct output output;
	for (size_t piece = 1; piece <= row->in.length; piece++) {
		feed(row->in, piece, &output);
		assert_string_equal(output.text, row->want);
	}
}

/* ---- lengths ---- */

struct length_row {
	const char *name;
	size_t bytes;
	bool is_good;
};

static const struct length_row length_rows[] = {
	{ "512 bytes", 512, true },
	{ "one less than the longest", LINE_BYTES_MAX - 1, true },
	{ "the longest", LINE_BYTES_MAX, true },
	{ "one more", LINE_BYTES_MAX + 1, false },
	{ "a buffer", LINE_BUFFER_BYTES, false },
	{ "a buffer and one", LINE_BUFFER_BYTES + 1, false },
	{ "ten buffers", (size_t)10 * LINE_BUFFER_BYTES, false },
};

/* An overlong line is one answer, and nothing in it is a command (CVE-2008-4242). */
static void
check_length(void **state)
{
	static const size_t pieces[] = { 1, 511, 512, 4608, 5120, 65536 };
	const struct length_row *row = *state;
	static struct output output;
	static char want[LINE_BYTES_MAX + 64];
	size_t length = row->bytes;
	char *text = malloc(length + 16);
	assert_non_null(text);
	memset(text, 'A', length);
	memcpy(text + length - strlen("DELE x"), "DELE x", strlen("DELE x"));
	memcpy(text + length, "\r\nPWD\r\n", strlen("\r\nPWD\r\n"));
	if (row->is_good)
		snprintf(want, sizeof(want), "[%.*s][PWD]", (int)length, text);
	else
		strcpy(want, "+[PWD]");
	for (size_t i = 0; i < ARRAY_LENGTH(pieces); i++) {
		feed(bytes_of(text, length + strlen("\r\nPWD\r\n")), pieces[i], &output);
		assert_string_equal(output.text, want);
	}
	free(text);
}

/* Removed bytes do not count. */
static void
check_telnet_length(void **state)
{
	enum { SEQUENCES = 20000 };
	static char text[SEQUENCES * 2 + 16];
	static struct output output;
	(void)state;
	for (size_t i = 0; i < SEQUENCES; i++)
		memcpy(text + 2 * i, "\xff\xf1", 2);
	memcpy(text + sizeof(text) - 16, "NOOP\r\n", strlen("NOOP\r\n"));
	feed(bytes_of(text, sizeof(text) - 16 + strlen("NOOP\r\n")), 1000, &output);
	assert_string_equal(output.text, "[NOOP]");
}

/* What waits is kept and handed out in later turns, one line in each. */
static void
check_pipelined(void **state)
{
	static struct line_buffer buffer;
	struct line_reader reader = { .kept = NULL };
	size_t capacity;
	struct bytes line;
	(void)state;
	line_load(&reader, &buffer);
	char *space = line_space(&buffer, &capacity);
	memcpy(space, "A\r\nB\xff", 5);
	line_add(&buffer, 5);
	assert_int_equal(line_next(&reader, &buffer, &line), LINE_COMPLETE);
	assert_true(bytes_equal_text(line, "A"));
	assert_int_equal(line_store(&reader, &buffer), 0);
	assert_true(line_has_more(&reader));
	memset(&buffer, 'x', sizeof(buffer));

	line_load(&reader, &buffer);
	assert_int_equal(line_next(&reader, &buffer, &line), LINE_NONE);
	assert_int_equal(line_store(&reader, &buffer), 0);
	assert_false(line_has_more(&reader));

	line_load(&reader, &buffer);
	assert_int_equal(line_next(&reader, &buffer, &line), LINE_NONE);
	space = line_space(&buffer, &capacity);
	memcpy(space, "\xffX\n", 3);
	line_add(&buffer, 3);
	assert_int_equal(line_next(&reader, &buffer, &line), LINE_COMPLETE);
	assert_true(bytes_equal_text(line, "B\xffX"));
	line_wipe(&buffer);
	assert_memory_equal(line.data, "\0\0\0", 3);
	assert_int_equal(line_store(&reader, &buffer), 0);
	assert_null(reader.kept);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("in pieces", line_rows, check_lines),
		TABLE("length", length_rows, check_length),
		CASE("Telnet commands have no length", check_telnet_length),
		CASE("what waits is kept between turns", check_pipelined),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
