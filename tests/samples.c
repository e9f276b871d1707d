/*
 * Valid messages of any row (see samples.h). Runs in test programs; ends them when memory is short.
 */
#include "tests/samples.h"

#include "ipc/base/ends.h"

#include <stdlib.h>

enum {
	MEMORY_BYTES = 1024 * 1024,
	LIST_BYTES = 40 * 1024, /* leaves room for the other fields of a body */
	RANDOM_BYTES = 64,      /* at most, of a random text */
	RANDOM_ELEMENTS = 5,    /* at most, of a random list */
};

/* SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t
sample_random(uint64_t *state)
{
	uint64_t mixed = *state += 0x9e3779b97f4a7c15;
	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
	return mixed ^ mixed >> 31;
}

struct sample *
sample_new(void)
{
	struct sample *sample = calloc(1, sizeof(*sample));
	char *memory = malloc(MEMORY_BYTES);
	if (sample == NULL || memory == NULL)
		die("no memory for a sample");
	sample->memory = memory;
	return sample;
}

void
sample_free(struct sample **sample)
{
	free((*sample)->memory);
	free(*sample);
	*sample = NULL;
}

static char *
take_memory(struct sample *sample, size_t length)
{
	ensure(length <= MEMORY_BYTES - sample->used);
	char *memory = sample->memory + sample->used;
	sample->used += length;
	return memory;
}

static uint64_t
choose(struct sample *sample, enum sample_style style, uint64_t low, uint64_t high)
{
	switch (style) {
	case SAMPLE_SMALLEST:
		return low;
	case SAMPLE_LARGEST:
		return high;
	case SAMPLE_RANDOM:
	case SAMPLE_STYLES:
		break;
	}
	uint64_t random = sample_random(&sample->state);
	uint64_t span = high - low;
	return span == UINT64_MAX ? random : low + random % (span + 1);
}

static void
fill_number(struct sample *sample, const struct wire_field *field, enum sample_style style,
	char *member)
{
	bool is_any = field->kind == WIRE_I64 || field->kind == WIRE_ID;
	uint64_t number = choose(
		sample, style, is_any ? 0 : field->minimum, is_any ? UINT64_MAX : field->maximum);
	if (field->kind == WIRE_FLAGS)
		number &= field->maximum;
	if (field->kind == WIRE_U8 || field->kind == WIRE_BOOL)
		memcpy(member, &(uint8_t){ (uint8_t)number }, sizeof(uint8_t));
	else if (field->kind == WIRE_U16)
		memcpy(member, &(uint16_t){ (uint16_t)number }, sizeof(uint16_t));
	else if (field->kind == WIRE_U32 || field->kind == WIRE_FLAGS)
		memcpy(member, &(uint32_t){ (uint32_t)number }, sizeof(uint32_t));
	else if (field->kind == WIRE_CHOICE)
		memcpy(member, &(unsigned){ (unsigned)number }, sizeof(unsigned));
	else
		memcpy(member, &number, sizeof(number));
}

/* Any byte that the kind allows there. */
static char
random_byte(struct sample *sample, enum wire_kind kind)
{
	char byte = (char)(unsigned char)sample_random(&sample->state);
	bool has_text = kind != WIRE_BYTES && kind != WIRE_SECRET;
	bool is_forbidden = has_text && (byte == '\0' || (kind == WIRE_NAME && byte == '/'));
	return is_forbidden ? 'x' : byte;
}

static void
fill_bytes(struct sample *sample, const struct wire_field *field, enum sample_style style,
	char *member)
{
	uint64_t high = field->maximum;
	if (style == SAMPLE_RANDOM && high > field->minimum + RANDOM_BYTES)
		high = field->minimum + RANDOM_BYTES;
	struct bytes bytes = { .length = choose(sample, style, field->minimum, high) };
	char *data = take_memory(sample, bytes.length);
	for (size_t i = 0; i < bytes.length; i++)
		data[i] = random_byte(sample, field->kind);
	if (field->kind == WIRE_PATH)
		data[0] = '/';
	bytes.data = data;
	memcpy(member, &bytes, sizeof(bytes));
}

static void
fill_address(struct sample *sample, enum sample_style style, char *member)
{
	struct wire_address address = { 0 };
	for (size_t i = 0; i < sizeof(address.ip); i++)
		address.ip[i] = (uint8_t)choose(sample, style, 0, UINT8_MAX);
	address.scope = (uint32_t)choose(sample, style, 0, UINT32_MAX);
	address.port = (uint16_t)choose(sample, style, 0, UINT16_MAX);
	memcpy(member, &address, sizeof(address));
}

static void fill_fields(struct sample *sample, const struct wire_record *record,
	enum sample_style style, char *body);

static void
fill_list(struct sample *sample, const struct wire_field *field, enum sample_style style,
	char *member)
{
	_Alignas(max_align_t) char element[WIRE_ELEMENT_BYTES_MAX];
	struct wire_list_builder builder = {
		.buffer = take_memory(sample, LIST_BYTES),
		.capacity = LIST_BYTES,
	};
	uint64_t high = field->maximum;
	if (style == SAMPLE_RANDOM && high > RANDOM_ELEMENTS)
		high = RANDOM_ELEMENTS;
	uint64_t count = choose(sample, style, field->minimum, high);
	ensure(field->record->size <= sizeof(element));
	while (builder.count < count) {
		fill_fields(sample, field->record, style, element);
		if (wire_list_add(&builder, field->record, element) < 0)
			break;
	}
	struct wire_list list = wire_list_built(&builder);
	memcpy(member, &list, sizeof(list));
}

static void
fill_field(struct sample *sample, const struct wire_field *field, enum sample_style style,
	char *member)
{
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
		fill_number(sample, field, style, member);
		return;
	case WIRE_BYTES:
	case WIRE_TEXT:
	case WIRE_PATH:
	case WIRE_NAME:
	case WIRE_SECRET:
		fill_bytes(sample, field, style, member);
		return;
	case WIRE_ADDRESS:
		fill_address(sample, style, member);
		return;
	case WIRE_RECORD:
		fill_fields(sample, field->record, style, member);
		return;
	case WIRE_LIST:
		fill_list(sample, field, style, member);
		return;
	case WIRE_END:
		break;
	}
	bug("a field table holds kind %d", (int)field->kind);
}

static void
fill_fields(struct sample *sample, const struct wire_record *record, enum sample_style style,
	char *body)
{
	for (const struct wire_field *field = record->fields; field->kind != WIRE_END; field++)
		fill_field(sample, field, style, body + field->offset);
}

void
sample_fill(struct sample *sample, const struct wire_record *record, enum sample_style style,
	uint64_t seed)
{
	ensure(record->size <= sizeof(sample->body));
	sample->used = 0;
	sample->state = seed;
	memset(sample->body, 0, sizeof(sample->body));
	fill_fields(sample, record, style, sample->body);
}
