/*
 * Encoder and decoder for all messages (see wire.h). Runs in every process; the decoder reads
 * bytes that a hostile peer may have made. It allocates nothing and keeps nothing.
 */
#include "ipc/wire.h"

#include "ipc/base/ends.h"
#include "ipc/base/path.h"

#include <errno.h>
#include <limits.h>

_Static_assert(sizeof(enum wire_kind) == sizeof(unsigned), "choices are stored as unsigned");

enum { ADDRESS_BYTES = 16 + 4 + 2 };

/* Bytes on the wire of a number; 0 for what is no number. */
static size_t
number_width(enum wire_kind kind)
{
	static const uint8_t widths[] = {
		[WIRE_U8] = 1,
		[WIRE_U16] = 2,
		[WIRE_U32] = 4,
		[WIRE_U64] = 8,
		[WIRE_I64] = 8,
		[WIRE_ID] = 8,
		[WIRE_BOOL] = 1,
		[WIRE_CHOICE] = 1,
		[WIRE_FLAGS] = 4,
		[WIRE_LIST] = 0,
	};
	return widths[kind];
}

/* Bytes of the struct member that holds it, where that is not the width on the wire. */
static size_t
member_width(enum wire_kind kind)
{
	return kind == WIRE_CHOICE ? sizeof(unsigned) : number_width(kind);
}

static uint64_t
load_little_endian(const char *from, size_t width)
{
	uint64_t value = 0;
	for (size_t i = width; i-- > 0;)
		value = value << 8 | (unsigned char)from[i];
	return value;
}

static void
store_little_endian(char *to, size_t width, uint64_t value)
{
	for (size_t i = 0; i < width; i++, value >>= 8)
		to[i] = (char)(unsigned char)value;
}

static uint64_t
load_member(const char *member, size_t width)
{
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	switch (width) {
	case 1:
		memcpy(&u8, member, 1);
		return u8;
	case 2:
		memcpy(&u16, member, 2);
		return u16;
	case 4:
		memcpy(&u32, member, 4);
		return u32;
	default:
		memcpy(&u64, member, 8);
		return u64;
	}
}

static void
store_member(char *member, size_t width, uint64_t value)
{
	uint8_t u8 = (uint8_t)value;
	uint16_t u16 = (uint16_t)value;
	uint32_t u32 = (uint32_t)value;
	switch (width) {
	case 1:
		memcpy(member, &u8, 1);
		return;
	case 2:
		memcpy(member, &u16, 2);
		return;
	case 4:
		memcpy(member, &u32, 4);
		return;
	default:
		memcpy(member, &value, 8);
		return;
	}
}

uint64_t
wire_member_number(const struct wire_field *field, const void *member)
{
	return load_member(member, member_width(field->kind));
}

bool
wire_is_bytes(enum wire_kind kind)
{
	return kind == WIRE_BYTES || kind == WIRE_TEXT || kind == WIRE_PATH || kind == WIRE_NAME ||
	       kind == WIRE_SECRET;
}

/* Of a number its value, of bytes their length, of a list its elements. */
static bool
is_within_limits(const struct wire_field *field, uint64_t measure)
{
	return measure >= field->minimum && measure <= field->maximum;
}

static bool
number_in_range(const struct wire_field *field, uint64_t value)
{
	if (field->kind == WIRE_I64 || field->kind == WIRE_ID)
		return true;
	if (field->kind == WIRE_FLAGS)
		return (value & ~field->maximum) == 0;
	return is_within_limits(field, value);
}

static bool
bytes_in_range(const struct wire_field *field, struct bytes value)
{
	if (!is_within_limits(field, value.length))
		return false;
	if (field->kind == WIRE_BYTES || field->kind == WIRE_SECRET || value.length == 0)
		return true;
	if (memchr(value.data, '\0', value.length) != NULL)
		return false;
	if (field->kind == WIRE_PATH)
		return value.data[0] == '/';
	return field->kind != WIRE_NAME || memchr(value.data, '/', value.length) == NULL;
}

static bool fields_in_range(const struct wire_field *field, const char *message);

static bool
field_in_range(const struct wire_field *field, const char *member)
{
	struct bytes bytes;
	struct wire_list list;

	switch (field->kind) {
	case WIRE_U8:
	case WIRE_U16:
	case WIRE_U32:
	case WIRE_U64:
	case WIRE_I64:
	case WIRE_ID:
	case WIRE_BOOL:
	case WIRE_CHOICE:
	case WIRE_FLAGS:
		return number_in_range(field, wire_member_number(field, member));
	case WIRE_BYTES:
	case WIRE_TEXT:
	case WIRE_PATH:
	case WIRE_NAME:
	case WIRE_SECRET:
		memcpy(&bytes, member, sizeof(bytes));
		return bytes_in_range(field, bytes);
	case WIRE_ADDRESS:
		return true;
	case WIRE_RECORD:
		return fields_in_range(field->record->fields, member);
	case WIRE_LIST:
		memcpy(&list, member, sizeof(list));
		return is_within_limits(field, list.count) &&
		       list.encoded.length <= WIRE_LIST_BYTES_MAX;
	case WIRE_END:
		break;
	}
	bug("a field table holds kind %d", (int)field->kind);
}

static bool
fields_in_range(const struct wire_field *field, const char *message)
{
	for (; field->kind != WIRE_END; field++)
		if (!field_in_range(field, message + field->offset))
			return false;
	return true;
}

bool
wire_is_in_range(const struct wire_record *record, const void *message)
{
	return fields_in_range(record->fields, message);
}

/* ---- encoding, of what is in range ---- */

struct sink {
	char *at;
	size_t left;
};

static int
put(struct sink *sink, const void *data, size_t length)
{
	if (length > sink->left)
		return -EMSGSIZE;
	if (length > 0)
		memcpy(sink->at, data, length);
	sink->at += length;
	sink->left -= length;
	return 0;
}

static int
put_number(struct sink *sink, size_t width, uint64_t value)
{
	char encoded[8];
	store_little_endian(encoded, width, value);
	return put(sink, encoded, width);
}

static int
put_bytes(struct sink *sink, struct bytes value)
{
	int error = put_number(sink, 2, value.length);
	return error < 0 ? error : put(sink, value.data, value.length);
}

static int
put_address(struct sink *sink, const struct wire_address *address)
{
	int error = put(sink, address->ip, sizeof(address->ip));
	if (error == 0)
		error = put_number(sink, 4, address->scope);
	return error < 0 ? error : put_number(sink, 2, address->port);
}

static int
put_list(struct sink *sink, const struct wire_list *list)
{
	int error = put_number(sink, 2, list->count);
	return error < 0 ? error : put(sink, list->encoded.data, list->encoded.length);
}

static int put_fields(struct sink *sink, const struct wire_field *field, const char *message);

static int
put_field(struct sink *sink, const struct wire_field *field, const char *member)
{
	struct bytes bytes;
	struct wire_address address;
	struct wire_list list;

	switch (field->kind) {
	case WIRE_U8:
	case WIRE_U16:
	case WIRE_U32:
	case WIRE_U64:
	case WIRE_I64:
	case WIRE_ID:
	case WIRE_BOOL:
	case WIRE_CHOICE:
	case WIRE_FLAGS:
		return put_number(
			sink, number_width(field->kind), wire_member_number(field, member));
	case WIRE_BYTES:
	case WIRE_TEXT:
	case WIRE_PATH:
	case WIRE_NAME:
	case WIRE_SECRET:
		memcpy(&bytes, member, sizeof(bytes));
		return put_bytes(sink, bytes);
	case WIRE_ADDRESS:
		memcpy(&address, member, sizeof(address));
		return put_address(sink, &address);
	case WIRE_RECORD:
		return put_fields(sink, field->record->fields, member);
	case WIRE_LIST:
		memcpy(&list, member, sizeof(list));
		return put_list(sink, &list);
	case WIRE_END:
		break;
	}
	bug("a field table holds kind %d", (int)field->kind);
}

static int
put_fields(struct sink *sink, const struct wire_field *field, const char *message)
{
	for (; field->kind != WIRE_END; field++) {
		int error = put_field(sink, field, message + field->offset);
		if (error < 0)
			return error;
	}
	return 0;
}

int
wire_encode(const struct wire_record *record, const void *message, char *buffer, size_t capacity)
{
	struct sink sink = { .at = buffer, .left = capacity };
	if (!wire_is_in_range(record, message))
		return -EINVAL;
	int error = put_fields(&sink, record->fields, message);
	return error < 0 ? error : (int)(capacity - sink.left);
}

/* ---- decoding ---- */

static int
take(struct bytes *input, size_t length, const char **data)
{
	if (length > input->length)
		return -EBADMSG;
	*data = input->data;
	input->data += length;
	input->length -= length;
	return 0;
}

static int
take_number(struct bytes *input, size_t width, uint64_t *value)
{
	const char *data;
	if (take(input, width, &data) < 0)
		return -EBADMSG;
	*value = load_little_endian(data, width);
	return 0;
}

static int
take_bytes(struct bytes *input, const struct wire_field *field, char *member)
{
	uint64_t length;
	struct bytes value;
	if (take_number(input, 2, &length) < 0 || take(input, length, &value.data) < 0)
		return -EBADMSG;
	value.length = length;
	if (!bytes_in_range(field, value))
		return -EBADMSG;
	memcpy(member, &value, sizeof(value));
	return 0;
}

static int
take_address(struct bytes *input, char *member)
{
	struct wire_address address;
	const char *ip;
	uint64_t scope;
	uint64_t port;
	if (take(input, sizeof(address.ip), &ip) < 0 || take_number(input, 4, &scope) < 0 ||
		take_number(input, 2, &port) < 0)
		return -EBADMSG;
	memcpy(address.ip, ip, sizeof(address.ip));
	address.scope = (uint32_t)scope;
	address.port = (uint16_t)port;
	memcpy(member, &address, sizeof(address));
	return 0;
}

static int take_fields(
	struct bytes *input, const struct wire_field *field, char *message, const char **broken);

/* Walks the elements once, so that a list that was accepted can be read without errors later. */
static int
take_list(struct bytes *input, const struct wire_field *field, char *member)
{
	struct wire_list list = { 0 };
	uint64_t count;
	const char *broken;
	_Alignas(max_align_t) char element[WIRE_ELEMENT_BYTES_MAX];
	ensure(field->record->size <= sizeof(element));

	if (take_number(input, 2, &count) < 0 || !is_within_limits(field, count))
		return -EBADMSG;
	list.count = (uint32_t)count;
	list.encoded.data = input->data;
	for (uint32_t i = 0; i < list.count; i++)
		if (take_fields(input, field->record->fields, element, &broken) < 0)
			return -EBADMSG;
	list.encoded.length = (size_t)(input->data - list.encoded.data);
	if (list.encoded.length > WIRE_LIST_BYTES_MAX)
		return -EBADMSG;
	memcpy(member, &list, sizeof(list));
	return 0;
}

static int
take_field(struct bytes *input, const struct wire_field *field, char *member, const char **broken)
{
	uint64_t number;
	switch (field->kind) {
	case WIRE_U8:
	case WIRE_U16:
	case WIRE_U32:
	case WIRE_U64:
	case WIRE_I64:
	case WIRE_ID:
	case WIRE_BOOL:
	case WIRE_CHOICE:
	case WIRE_FLAGS:
		if (take_number(input, number_width(field->kind), &number) < 0 ||
			!number_in_range(field, number))
			return -EBADMSG;
		store_member(member, member_width(field->kind), number);
		return 0;
	case WIRE_BYTES:
	case WIRE_TEXT:
	case WIRE_PATH:
	case WIRE_NAME:
	case WIRE_SECRET:
		return take_bytes(input, field, member);
	case WIRE_ADDRESS:
		return take_address(input, member);
	case WIRE_RECORD:
		return take_fields(input, field->record->fields, member, broken);
	case WIRE_LIST:
		return take_list(input, field, member);
	case WIRE_END:
		break;
	}
	bug("a field table holds kind %d", (int)field->kind);
}

static int
take_fields(struct bytes *input, const struct wire_field *field, char *message, const char **broken)
{
	for (; field->kind != WIRE_END; field++) {
		*broken = field->name;
		if (take_field(input, field, message + field->offset, broken) < 0)
			return -EBADMSG;
	}
	return 0;
}

int
wire_decode(
	const struct wire_record *record, struct bytes input, void *message, const char **broken)
{
	const char *field = NULL;
	int error = take_fields(&input, record->fields, message, &field);
	if (error == 0 && input.length > 0) {
		field = "left-over bytes";
		error = -EBADMSG;
	}
	if (error < 0 && broken != NULL)
		*broken = field;
	return error;
}

/* ---- lists ---- */

bool
wire_list_next(struct wire_list *list, const struct wire_record *record, void *element)
{
	const char *broken;
	if (list->count == 0)
		return false;
	int error = take_fields(&list->encoded, record->fields, element, &broken);
	ensure(error == 0);
	list->count--;
	return true;
}

int
wire_list_add(
	struct wire_list_builder *builder, const struct wire_record *record, const void *element)
{
	int length = wire_encode(record, element, builder->buffer + builder->length,
		builder->capacity - builder->length);
	if (length < 0)
		return length;
	builder->length += (size_t)length;
	builder->count++;
	return 0;
}

struct wire_list
wire_list_built(const struct wire_list_builder *builder)
{
	return (struct wire_list){
		.encoded = bytes_of(builder->buffer, builder->length),
		.count = builder->count,
	};
}
