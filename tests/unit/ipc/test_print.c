/*
 * Messages as JSON (wire.h): the record and the trace show what clients chose, so whatever the
 * bytes are, the output is JSON, harmless to a terminal, and stands for exactly those bytes.
 */
#include "ipc/base/ends.h"
#include "ipc/protocol.h"
#include "tests/json.h"
#include "tests/samples.h"
#include "tests/table.h"

#include <stdlib.h>

#define TEXT(literal)                                            \
	{                                                        \
		.data = (literal), .length = sizeof(literal) - 1 \
	}

static struct bytes
printed_text(struct bytes text)
{
	char *printed = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&printed, &length);
	assert_non_null(stream);
	wire_print_json_text(text, stream);
	assert_int_equal(fclose(stream), 0);
	return bytes_of(printed, length);
}

static struct bytes
printed_record(const struct wire_record *record, const void *body)
{
	char *printed = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&printed, &length);
	assert_non_null(stream);
	putc('{', stream);
	wire_print_json(record, body, stream);
	putc('}', stream);
	assert_int_equal(fclose(stream), 0);
	return bytes_of(printed, length);
}

static void
free_bytes(struct bytes bytes)
{
	char *memory;
	memcpy(&memory, &bytes.data, sizeof(memory));
	free(memory);
}

static void
check_same(struct bytes printed, const char *want)
{
	if (!bytes_equal_text(printed, want))
		fail_msg("printed %.*s, not %s", (int)printed.length, printed.data, want);
}

/* ---- texts ---- */

struct text_row {
	const char *name;
	struct bytes in;
	const char *want;
};

static const struct text_row text_rows[] = {
	{ "nothing", TEXT(""), "\"\"" },
	{ "plain", TEXT("a b~"), "\"a b~\"" },
	{ "a quote", TEXT("a\"b"), "\"a\\\"b\"" },
	{ "a backslash", TEXT("a\\b"), "\"a\\\\b\"" },
	{ "a slash stays", TEXT("/a"), "\"/a\"" },
	{ "a line end", TEXT("a\r\nb"), "\"a\\u000d\\u000ab\"" },
	{ "a NUL", TEXT("a\0b"), "\"a\\u0000b\"" },
	{ "a terminal escape", TEXT("\x1b[2J\x07"), "\"\\u001b[2J\\u0007\"" },
	{ "delete", TEXT("\x7f"), "\"\\u007f\"" },
	{ "two bytes of UTF-8", TEXT("\xc3\xa4"), "\"\xc3\xa4\"" },
	{ "three bytes of UTF-8", TEXT("\xe2\x82\xac"), "\"\xe2\x82\xac\"" },
	{ "four bytes of UTF-8", TEXT("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"" },
	{ "the last character", TEXT("\xf4\x8f\xbf\xbf"), "\"\xf4\x8f\xbf\xbf\"" },
	{ "U+0080", TEXT("\xc2\x80"), "\"\\u0080\"" },
	{ "U+009B, which begins an escape",
		TEXT("\xc2\x9b"
		     "2J"),
		"\"\\u009b2J\"" },
	{ "U+009F", TEXT("\xc2\x9f"), "\"\\u009f\"" },
	{ "U+00A0 is none", TEXT("\xc2\xa0"), "\"\xc2\xa0\"" },
	{ "the raw byte 9B",
		TEXT("\x9b"
		     "2J"),
		"\"\\udc9b2J\"" },
	{ "bytes that are no UTF-8", TEXT("\xff\xfe"), "\"\\udcff\\udcfe\"" },
	{ "Latin-1", TEXT("caf\xe9"), "\"caf\\udce9\"" },
	{ "an overlong slash", TEXT("\xc0\xaf"), "\"\\udcc0\\udcaf\"" },
	{ "an overlong NUL", TEXT("\xc0\x80"), "\"\\udcc0\\udc80\"" },
	{ "an overlong escape in three bytes", TEXT("\xe0\x80\x9b"), "\"\\udce0\\udc80\\udc9b\"" },
	{ "an overlong escape in four bytes", TEXT("\xf0\x80\x80\x9b"),
		"\"\\udcf0\\udc80\\udc80\\udc9b\"" },
	{ "a surrogate", TEXT("\xed\xa0\x80"), "\"\\udced\\udca0\\udc80\"" },
	{ "beyond the last character", TEXT("\xf4\x90\x80\x80"),
		"\"\\udcf4\\udc90\\udc80\\udc80\"" },
	{ "a sequence cut off by the end", TEXT("\xe2\x82"), "\"\\udce2\\udc82\"" },
	{ "a sequence cut off by a letter",
		TEXT("\xe2\x82"
		     "a"),
		"\"\\udce2\\udc82a\"" },
	{ "a sequence cut off by a quote", TEXT("\xc3\""), "\"\\udcc3\\\"\"" },
	{ "a lead byte before a control byte", TEXT("\xc2\n"), "\"\\udcc2\\u000a\"" },
	{ "a lone C2 at the end", TEXT("\xc2"), "\"\\udcc2\"" },
};

static void
check_text(void **state)
{
	const struct text_row *row = *state;
	struct bytes printed = printed_text(row->in);
	check_same(printed, row->want);
	assert_true(json_is_valid(printed));
	assert_true(json_is_harmless(printed));
	free_bytes(printed);
}

static void
check_read_back(struct bytes text)
{
	char back[512];
	struct bytes printed = printed_text(text);
	assert_true(printed.length <= sizeof(back));
	assert_true(json_is_valid(printed));
	assert_true(json_is_harmless(printed));
	int length = json_unquote(printed, back);
	assert_true(length >= 0);
	assert_true(bytes_equal(bytes_of(back, (size_t)length), text));
	free_bytes(printed);
}

/* Every byte after every byte, and random ones, mostly from where UTF-8 is decided. */
static void
check_any_bytes(UNUSED void **state)
{
	for (unsigned pair = 0; pair < 0x10000; pair++)
		check_read_back(bytes_of((char[]){ (char)(pair >> 8), (char)pair }, 2));
	uint64_t random = 1;
	for (unsigned i = 0; i < 20000; i++) {
		char text[16];
		size_t length = sample_random(&random) % sizeof(text);
		for (size_t k = 0; k < length; k++) {
			uint64_t draw = sample_random(&random);
			text[k] = (char)((draw & 0x300) == 0 ? draw : draw | 0x80);
		}
		check_read_back(bytes_of(text, length));
	}
}

/* ---- one field of each kind ---- */

enum colour { RED, GREEN };
static const char *const colour_texts[] = { "red", "green" };
static const struct wire_choices colour_choices = {
	.name = "colour", .count = 2, .texts = colour_texts, .docs = colour_texts
};

struct point {
	uint16_t x;
	struct bytes label;
};
static const struct wire_field point_fields[] = {
	{ .name = "x", .kind = WIRE_U16, .offset = offsetof(struct point, x), .maximum = 999 },
	{ .name = "label",
		.kind = WIRE_TEXT,
		.offset = offsetof(struct point, label),
		.maximum = 5 },
	{ .kind = WIRE_END },
};
static const struct wire_record point_record = {
	.name = "point", .doc = "", .fields = point_fields, .size = sizeof(struct point)
};

struct value_row {
	const char *name;
	enum wire_kind kind;
	struct bytes encoded; /* as it would stand on the wire */
	const char *want;
};

static const struct value_row value_rows[] = {
	{ "u8", WIRE_U8, TEXT("\xff"), "255" },
	{ "u16", WIRE_U16, TEXT("\xff\xff"), "65535" },
	{ "u32", WIRE_U32, TEXT("\xff\xff\xff\xff"), "4294967295" },
	{ "u64", WIRE_U64, TEXT("\xff\xff\xff\xff\xff\xff\xff\xff"), "18446744073709551615" },
	{ "i64", WIRE_I64, TEXT("\xff\xff\xff\xff\xff\xff\xff\xff"), "-1" },
	{ "i64 lowest", WIRE_I64, TEXT("\0\0\0\0\0\0\0\x80"), "-9223372036854775808" },
	{ "id", WIRE_ID, TEXT("\x01\0\0\0\x02\0\0\0"), "\"0000000200000001\"" },
	{ "false", WIRE_BOOL, TEXT("\0"), "false" },
	{ "true", WIRE_BOOL, TEXT("\x01"), "true" },
	{ "choice", WIRE_CHOICE, TEXT("\x01"), "\"green\"" },
	{ "flags", WIRE_FLAGS, TEXT("\x01\0\0\x80"), "\"0x80000001\"" },
	{ "bytes", WIRE_BYTES, TEXT("\x02\0\0\xff"), "\"\\u0000\\udcff\"" },
	{ "path", WIRE_PATH, TEXT("\x02\0/\n"), "\"/\\u000a\"" },
	{ "name", WIRE_NAME, TEXT("\x01\0\""), "\"\\\"\"" },
	{ "a secret is only counted", WIRE_SECRET, TEXT("\x04\0open"), "\"(4 bytes)\"" },
	{ "IPv4", WIRE_ADDRESS, TEXT("\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x07\0\0\0\0\x15\0"),
		"\"192.0.2.7:21\"" },
	{ "IPv6", WIRE_ADDRESS, TEXT("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\0\0\0\0\x15\0"),
		"\"[2001:db8::7]:21\"" },
	{ "IPv6 of one link", WIRE_ADDRESS,
		TEXT("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x07\x03\0\0\0\x15\0"),
		"\"[fe80::7%3]:21\"" },
	{ "no address", WIRE_ADDRESS, TEXT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		"\"\"" },
	{ "record", WIRE_RECORD, TEXT("\x07\0\x02\0ab"), "{\"x\":7,\"label\":\"ab\"}" },
	{ "empty list", WIRE_LIST, TEXT("\0\0"), "[]" },
	{ "list", WIRE_LIST, TEXT("\x02\0\x07\0\0\0\x08\0\x01\0c"),
		"[{\"x\":7,\"label\":\"\"},{\"x\":8,\"label\":\"c\"}]" },
};

union member {
	uint64_t number;
	struct bytes bytes;
	struct wire_address address;
	struct wire_list list;
	struct point point;
};

static void
check_value(void **state)
{
	const struct value_row *row = *state;
	const struct wire_field fields[] = {
		{ .name = "it",
			.kind = row->kind,
			.maximum = row->kind == WIRE_BOOL ? 1 : UINT64_MAX,
			.choices = &colour_choices,
			.record = &point_record },
		{ .kind = WIRE_END },
	};
	const struct wire_record record = { .fields = fields, .size = sizeof(union member) };
	union member member;
	char want[256];
	assert_int_equal(wire_decode(&record, row->encoded, &member, NULL), 0);
	struct bytes printed = printed_record(&record, &member);
	snprintf(want, sizeof(want), "{\"it\":%s}", row->want);
	check_same(printed, want);
	free_bytes(printed);
}

/* ---- every message ---- */

struct protocol_row {
	const char *name;
	size_t index;
};

static const struct protocol_row protocol_rows[] = {
#define PROTOCOL(name, one_end, other_end, doc) { #name, PROTOCOL_INDEX_##name },
#include "ipc/protocol.def"
};

static void
check_message(const struct wire_record *record, struct sample *sample)
{
	struct bytes printed = printed_record(record, sample->body);
	if (!json_is_valid(printed) || !json_is_harmless(printed))
		fail_msg("%s: %.*s", record->name, (int)printed.length, printed.data);
	free_bytes(printed);
}

static void
check_messages(void **state)
{
	const struct protocol_row *row = *state;
	const struct message_table *messages = protocols[row->index].messages;
	struct sample *sample = sample_new();
	for (uint32_t i = 0; i < messages->count; i++)
		for (uint64_t seed = 0; messages->rules[i].name != NULL && seed < 20; seed++) {
			enum sample_style style =
				seed < SAMPLE_RANDOM ? (enum sample_style)seed : SAMPLE_RANDOM;
			sample_fill(sample, messages->rules[i].record, style, seed);
			check_message(messages->rules[i].record, sample);
		}
	sample_free(&sample);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("text", text_rows, check_text),
		CASE("any bytes are read back", check_any_bytes),
		TABLE("value", value_rows, check_value),
		TABLE("every message is JSON", protocol_rows, check_messages),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
