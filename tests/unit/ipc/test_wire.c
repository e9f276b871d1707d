/*
 * The wire form (wire.h) on tables made for the purpose: each kind byte for byte, at both its
 * limits, cut off anywhere, with bytes left over, in records and in lists. test_tables.c asks the
 * same of the real messages.
 */
#include "ipc/wire.h"
#include "tests/table.h"

#include <errno.h>
#include <stdlib.h>

enum colour { RED, GREEN, BLUE };

static const char *const colour_texts[] = { "red", "green", "blue" };
static const struct wire_choices colour_choices = {
	.name = "colour", .count = 3, .texts = colour_texts, .docs = colour_texts
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
	.name = "point", .fields = point_fields, .size = sizeof(struct point)
};

/* One member of each kind; a record uses the field that it is about. */
struct every {
	uint8_t u8;
	uint16_t u16;
	uint32_t u32, flags;
	uint64_t u64, id;
	int64_t i64;
	bool yes;
	enum colour colour;
	struct bytes bytes;
	struct wire_address address;
	struct point point;
	struct wire_list list;
};

#define FIELD(member, of_kind, low, high)                                                     \
	{                                                                                     \
		.name = #member, .kind = (of_kind), .offset = offsetof(struct every, member), \
		.minimum = (low), .maximum = (high), .choices = &colour_choices,              \
		.record = &point_record                                                       \
	}

static const struct wire_field every_fields[] = {
	FIELD(u8, WIRE_U8, 2, 250),
	FIELD(u16, WIRE_U16, 2, 60000),
	FIELD(u32, WIRE_U32, 2, 4000000000),
	FIELD(u64, WIRE_U64, 2, INT64_MAX),
	FIELD(i64, WIRE_I64, 0, 0),
	FIELD(id, WIRE_ID, 0, 0),
	FIELD(yes, WIRE_BOOL, 0, 1),
	FIELD(colour, WIRE_CHOICE, 0, BLUE),
	FIELD(flags, WIRE_FLAGS, 0, 0x80000005),
	FIELD(bytes, WIRE_BYTES, 1, 4),
	FIELD(address, WIRE_ADDRESS, 0, 0),
	FIELD(point, WIRE_RECORD, 0, 0),
	FIELD(list, WIRE_LIST, 1, 2),
	{ .kind = WIRE_END },
};
static const struct wire_record every_record = {
	.name = "every", .fields = every_fields, .size = sizeof(struct every)
};

#define TEXT(literal)                                            \
	{                                                        \
		.data = (literal), .length = sizeof(literal) - 1 \
	}

static struct every
every_sample(char *list_memory, size_t list_bytes)
{
	struct wire_list_builder list = { .buffer = list_memory, .capacity = list_bytes };
	const struct point points[] = { { 1, TEXT("") }, { 2, TEXT("two") } };
	for (size_t i = 0; i < ARRAY_LENGTH(points); i++)
		assert_int_equal(wire_list_add(&list, &point_record, &points[i]), 0);
	return (struct every){
		.u8 = 0x12,
		.u16 = 0x1234,
		.u32 = 0x12345678,
		.u64 = 0x123456789abcdef0,
		.i64 = -2,
		.id = 0xfedcba9876543210,
		.yes = true,
		.colour = GREEN,
		.flags = 0x80000001,
		.bytes = TEXT("\0\xff/"),
		.address = { .ip = { 0x20, 0x01, [15] = 7 }, .scope = 0x01020304, .port = 0x1516 },
		.point = { 999, TEXT("label") },
		.list = wire_list_built(&list),
	};
}

static const char every_encoded[] = "\x12"
				    "\x34\x12"
				    "\x78\x56\x34\x12"
				    "\xf0\xde\xbc\x9a\x78\x56\x34\x12"
				    "\xfe\xff\xff\xff\xff\xff\xff\xff"
				    "\x10\x32\x54\x76\x98\xba\xdc\xfe"
				    "\x01"
				    "\x01"
				    "\x01\x00\x00\x80"
				    "\x03\x00\x00\xff/"
				    "\x20\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x07\x04\x03\x02\x01\x16\x15"
				    "\xe7\x03\x05\x00label"
				    "\x02\x00\x01\x00\x00\x00\x02\x00\x03\x00two";

enum { EVERY_BYTES = sizeof(every_encoded) - 1 };

static void
check_form(UNUSED void **state)
{
	char list_memory[64];
	char buffer[256];
	struct every every = every_sample(list_memory, sizeof(list_memory));
	assert_int_equal(wire_encode(&every_record, &every, buffer, sizeof(buffer)), EVERY_BYTES);
	assert_memory_equal(buffer, every_encoded, EVERY_BYTES);
}

static void
check_point(struct wire_list *list, uint16_t x, const char *label)
{
	struct point point;
	assert_true(wire_list_next(list, &point_record, &point));
	assert_int_equal(point.x, x);
	assert_true(bytes_equal_text(point.label, label));
}

static void
check_decoded(UNUSED void **state)
{
	struct every every;
	struct bytes input = bytes_of(every_encoded, EVERY_BYTES);
	assert_int_equal(wire_decode(&every_record, input, &every, NULL), 0);
	assert_int_equal(every.u8, 0x12);
	assert_int_equal(every.u16, 0x1234);
	assert_int_equal(every.u32, 0x12345678);
	assert_true(every.u64 == 0x123456789abcdef0);
	assert_true(every.i64 == -2);
	assert_true(every.id == 0xfedcba9876543210);
	assert_true(every.yes);
	assert_int_equal(every.colour, GREEN);
	assert_int_equal(every.flags, 0x80000001);
	assert_true(bytes_equal(every.bytes, bytes_of("\0\xff/", 3)));
	assert_int_equal(every.address.ip[15], 7);
	assert_int_equal(every.address.scope, 0x01020304);
	assert_int_equal(every.address.port, 0x1516);
	assert_int_equal(every.point.x, 999);
	assert_true(bytes_equal_text(every.point.label, "label"));
	assert_int_equal(every.list.count, 2);
	check_point(&every.list, 1, "");
	check_point(&every.list, 2, "two");
	assert_false(wire_list_next(&every.list, &point_record, &(struct point){ 0 }));
}

/* A copy of exactly that length, so that a sanitizer sees a read or a write of one byte more. */
static char *
exact_copy(const char *data, size_t length)
{
	char *copy = malloc(length > 0 ? length : 1);
	assert_non_null(copy);
	if (length > 0)
		memcpy(copy, data, length);
	return copy;
}

static void
check_cut_off(UNUSED void **state)
{
	for (size_t length = 0; length < EVERY_BYTES; length++) {
		struct every every;
		char *cut = exact_copy(every_encoded, length);
		struct bytes input = bytes_of(cut, length);
		assert_int_equal(wire_decode(&every_record, input, &every, NULL), -EBADMSG);
		free(cut);
	}
}

static void
check_left_over(UNUSED void **state)
{
	struct every every;
	const char *broken = NULL;
	struct bytes input = bytes_of(every_encoded, sizeof(every_encoded)); /* with its NUL */
	assert_int_equal(wire_decode(&every_record, input, &every, &broken), -EBADMSG);
	assert_string_equal(broken, "left-over bytes");
}

static void
check_short_buffer(UNUSED void **state)
{
	char list_memory[64];
	struct every every = every_sample(list_memory, sizeof(list_memory));
	for (size_t capacity = 0; capacity < EVERY_BYTES; capacity++) {
		char *buffer = exact_copy(every_encoded, capacity);
		int result = wire_encode(&every_record, &every, buffer, capacity);
		assert_int_equal(result, -EMSGSIZE);
		free(buffer);
	}
}

/* ---- limits: one field, one value as it would stand on the wire ---- */

struct limit_row {
	const char *name;
	enum wire_kind kind;
	uint64_t minimum, maximum;
	struct bytes encoded;
	bool is_allowed;
};

static const struct limit_row limit_rows[] = {
	{ "u8 below", WIRE_U8, 3, 250, TEXT("\x02"), false },
	{ "u8 lowest", WIRE_U8, 3, 250, TEXT("\x03"), true },
	{ "u8 highest", WIRE_U8, 3, 250, TEXT("\xfa"), true },
	{ "u8 above", WIRE_U8, 3, 250, TEXT("\xfb"), false },
	{ "u16 below", WIRE_U16, 1024, 65000, TEXT("\xff\x03"), false },
	{ "u16 lowest", WIRE_U16, 1024, 65000, TEXT("\x00\x04"), true },
	{ "u16 highest", WIRE_U16, 1024, 65000, TEXT("\xe8\xfd"), true },
	{ "u16 above", WIRE_U16, 1024, 65000, TEXT("\xe9\xfd"), false },
	{ "u32 below", WIRE_U32, 1, 0777, TEXT("\x00\x00\x00\x00"), false },
	{ "u32 lowest", WIRE_U32, 1, 0777, TEXT("\x01\x00\x00\x00"), true },
	{ "u32 highest", WIRE_U32, 1, 0777, TEXT("\xff\x01\x00\x00"), true },
	{ "u32 above", WIRE_U32, 1, 0777, TEXT("\x00\x02\x00\x00"), false },
	{ "u64 highest", WIRE_U64, 0, INT64_MAX, TEXT("\xff\xff\xff\xff\xff\xff\xff\x7f"), true },
	{ "u64 above", WIRE_U64, 0, INT64_MAX, TEXT("\x00\x00\x00\x00\x00\x00\x00\x80"), false },
	{ "u64 of all bits", WIRE_U64, 0, UINT64_MAX, TEXT("\xff\xff\xff\xff\xff\xff\xff\xff"),
		true },
	{ "i64 lowest", WIRE_I64, 0, 0, TEXT("\x00\x00\x00\x00\x00\x00\x00\x80"), true },
	{ "id of all bits", WIRE_ID, 0, 0, TEXT("\xff\xff\xff\xff\xff\xff\xff\xff"), true },
	{ "false", WIRE_BOOL, 0, 1, TEXT("\x00"), true },
	{ "true", WIRE_BOOL, 0, 1, TEXT("\x01"), true },
	{ "neither false nor true", WIRE_BOOL, 0, 1, TEXT("\x02"), false },
	{ "true as C programs have it", WIRE_BOOL, 0, 1, TEXT("\xff"), false },
	{ "last choice", WIRE_CHOICE, 0, BLUE, TEXT("\x02"), true },
	{ "beyond the last choice", WIRE_CHOICE, 0, BLUE, TEXT("\x03"), false },
	{ "no flag", WIRE_FLAGS, 0, 0x80000005, TEXT("\x00\x00\x00\x00"), true },
	{ "every flag", WIRE_FLAGS, 0, 0x80000005, TEXT("\x05\x00\x00\x80"), true },
	{ "a flag outside the mask", WIRE_FLAGS, 0, 0x80000005, TEXT("\x02\x00\x00\x00"), false },
	{ "bytes: too few", WIRE_BYTES, 2, 3, TEXT("\x01\x00x"), false },
	{ "bytes: just enough", WIRE_BYTES, 2, 3, TEXT("\x02\x00\x00\xff"), true },
	{ "bytes: the most", WIRE_BYTES, 2, 3, TEXT("\x03\x00xyz"), true },
	{ "bytes: too many", WIRE_BYTES, 2, 3, TEXT("\x04\x00wxyz"), false },
	{ "bytes: none where none may be", WIRE_BYTES, 0, 3, TEXT("\x00\x00"), true },
	{ "bytes: more than there are", WIRE_BYTES, 0, 65535, TEXT("\xff\xffx"), false },
	{ "secret of any bytes", WIRE_SECRET, 1, 3, TEXT("\x03\x00\x00/\xff"), true },
	{ "secret too long", WIRE_SECRET, 1, 3, TEXT("\x04\x00xxxx"), false },
	{ "secret too short", WIRE_SECRET, 1, 3, TEXT("\x00\x00"), false },
	{ "text", WIRE_TEXT, 0, 3, TEXT("\x03\x00\xff/\n"), true },
	{ "text with a NUL first", WIRE_TEXT, 0, 3, TEXT("\x02\x00\x00x"), false },
	{ "text with a NUL last", WIRE_TEXT, 0, 3, TEXT("\x02\x00x\x00"), false },
	{ "text too long", WIRE_TEXT, 0, 3, TEXT("\x04\x00xxxx"), false },
	{ "path", WIRE_PATH, 1, 4, TEXT("\x04\x00/../"), true },
	{ "path of one slash", WIRE_PATH, 1, 4, TEXT("\x01\x00/"), true },
	{ "path without a slash first", WIRE_PATH, 1, 4, TEXT("\x02\x00x/"), false },
	{ "path with a NUL", WIRE_PATH, 1, 4, TEXT("\x02\x00/\x00"), false },
	{ "path of nothing", WIRE_PATH, 1, 4, TEXT("\x00\x00"), false },
	{ "path too long", WIRE_PATH, 1, 4, TEXT("\x05\x00/aaaa"), false },
	{ "name", WIRE_NAME, 0, 4, TEXT("\x04\x00..\n\xff"), true },
	{ "name with a slash", WIRE_NAME, 0, 4, TEXT("\x02\x00x/"), false },
	{ "name with a NUL", WIRE_NAME, 0, 4, TEXT("\x02\x00x\x00"), false },
	{ "name too long", WIRE_NAME, 0, 4, TEXT("\x05\x00xxxxx"), false },
	{ "list: too few", WIRE_LIST, 1, 2, TEXT("\x00\x00"), false },
	{ "list: just enough", WIRE_LIST, 1, 2, TEXT("\x01\x00\x07\x00\x00\x00"), true },
	{ "list: too many", WIRE_LIST, 0, 1, TEXT("\x02\x00\x07\x00\x00\x00\x07\x00\x00\x00"),
		false },
	{ "list: fewer than it says", WIRE_LIST, 0, 2, TEXT("\x02\x00\x07\x00\x00\x00"), false },
	{ "list: an element out of range", WIRE_LIST, 0, 2, TEXT("\x01\x00\xff\xff\x00\x00"),
		false },
	{ "record", WIRE_RECORD, 0, 0, TEXT("\xe7\x03\x05\x00label"), true },
	{ "record with a field out of range", WIRE_RECORD, 0, 0, TEXT("\xe8\x03\x00\x00"), false },
	{ "record cut off", WIRE_RECORD, 0, 0, TEXT("\xe7\x03\x05\x00labe"), false },
};

/* Room for a member of any kind. */
union member {
	uint64_t number;
	struct bytes bytes;
	struct wire_list list;
	struct point point;
};

static struct wire_record
record_of_one(const struct limit_row *row, struct wire_field fields[2])
{
	fields[0] = (struct wire_field){
		.name = "the field",
		.kind = row->kind,
		.minimum = row->minimum,
		.maximum = row->maximum,
		.choices = &colour_choices,
		.record = &point_record,
	};
	fields[1] = (struct wire_field){ .kind = WIRE_END };
	return (struct wire_record){ .fields = fields, .size = sizeof(union member) };
}

static void
check_limit(void **state)
{
	const struct limit_row *row = *state;
	struct wire_field fields[2];
	struct wire_record record = record_of_one(row, fields);
	union member member;
	char again[32];
	const char *broken = "none";
	int error = wire_decode(&record, row->encoded, &member, &broken);
	assert_int_equal(error, row->is_allowed ? 0 : -EBADMSG);
	if (row->is_allowed) {
		int length = wire_encode(&record, &member, again, sizeof(again));
		assert_true(bytes_equal(bytes_of(again, (size_t)length), row->encoded));
	} else if (row->kind != WIRE_RECORD) {
		assert_string_equal(broken, "the field");
	}
}

/* The sender's side of the same rows: what may not arrive is not sent. */
static void
check_sender_limit(void **state)
{
	const struct limit_row *row = *state;
	struct wire_field fields[2];
	struct wire_record record = record_of_one(row, fields);
	union member member;
	char buffer[32];
	/* Decoded with the limits off, encoded with them on. */
	fields[0].minimum = 0;
	fields[0].maximum = UINT64_MAX;
	if (row->kind == WIRE_PATH || row->kind == WIRE_NAME || row->kind == WIRE_TEXT)
		fields[0].kind = WIRE_BYTES;
	if (wire_decode(&record, row->encoded, &member, NULL) < 0)
		return; /* no value: cut off */
	fields[0].kind = row->kind;
	fields[0].minimum = row->minimum;
	fields[0].maximum = row->maximum;
	int length = wire_encode(&record, &member, buffer, sizeof(buffer));
	assert_int_equal(length, row->is_allowed ? (int)row->encoded.length : -EINVAL);
}

/* ---- lists ---- */

static void
check_list_full(UNUSED void **state)
{
	char memory[8];
	struct wire_list_builder list = { .buffer = memory, .capacity = sizeof(memory) };
	const struct point good = { 1, TEXT("") };
	const struct point too_long = { 1, TEXT("sixsix") };
	assert_int_equal(wire_list_add(&list, &point_record, &good), 0);
	assert_int_equal(wire_list_add(&list, &point_record, &too_long), -EINVAL);
	assert_int_equal(
		wire_list_add(&list, &point_record, &(struct point){ 1, TEXT("x") }), -EMSGSIZE);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.length, 4);
	assert_int_equal(wire_list_add(&list, &point_record, &good), 0);
	struct wire_list built = wire_list_built(&list);
	check_point(&built, 1, "");
	check_point(&built, 1, "");
	assert_int_equal(built.count, 0);
}

/* A list is bounded in bytes as well, so that a message that holds it has room for the rest. */
static void
check_list_bytes(UNUSED void **state)
{
	static char memory[WIRE_LIST_BYTES_MAX + 16];
	struct wire_field fields[2];
	struct limit_row row = { .kind = WIRE_LIST, .maximum = UINT16_MAX };
	struct wire_record record = record_of_one(&row, fields);
	struct wire_list_builder list = { .buffer = memory, .capacity = sizeof(memory) };
	const struct point point = { 1, TEXT("") };
	while (list.length < WIRE_LIST_BYTES_MAX)
		assert_int_equal(wire_list_add(&list, &point_record, &point), 0);
	static char buffer[WIRE_LIST_BYTES_MAX + 16];
	struct wire_list built = wire_list_built(&list);
	int length = wire_encode(&record, &built, buffer, sizeof(buffer));
	assert_int_equal(length, WIRE_LIST_BYTES_MAX + 2);
	union member member;
	assert_int_equal(wire_decode(&record, bytes_of(buffer, (size_t)length), &member, NULL), 0);

	assert_int_equal(wire_list_add(&list, &point_record, &point), 0);
	built = wire_list_built(&list);
	assert_int_equal(wire_encode(&record, &built, buffer, sizeof(buffer)), -EINVAL);
	buffer[0] = (char)(unsigned char)(list.count & 0xff);
	buffer[1] = (char)(unsigned char)(list.count >> 8);
	memcpy(buffer + 2, memory, list.length);
	struct bytes input = bytes_of(buffer, list.length + 2);
	assert_int_equal(wire_decode(&record, input, &member, NULL), -EBADMSG);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("each kind has its form", check_form),
		CASE("each kind is read back", check_decoded),
		CASE("cut off at every byte", check_cut_off),
		CASE("a byte left over", check_left_over),
		CASE("every buffer that is too short", check_short_buffer),
		TABLE("received", limit_rows, check_limit),
		TABLE("sent", limit_rows, check_sender_limit),
		CASE("a list that is full", check_list_full),
		CASE("a list at its limit of bytes", check_list_bytes),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
