/*
 * Fields out of their range (see malformed.h). Runs in test programs. Walks an encoded message
 * beside its table, so that each field's bytes can be exchanged for others that break its row.
 */
#include "tests/hostile/malformed_private.h"

#include "ipc/base/ends.h"

#include <stdio.h>

enum { PLACES_MAX = 128, TEXT_ROOM_BYTES = 2 * MESSAGE_BODY_BYTES_MAX };

/* One field in an encoded body. */
struct place {
	char name[64]; /* "user.uid" */
	const struct wire_field *field;
	size_t offset;
	size_t length;      /* with the length or count that stands before it */
	size_t first_bytes; /* of the first element of a list; 0: it has none */
};

struct places {
	struct place items[PLACES_MAX];
	size_t count;
	struct bytes body;
	size_t at;
};

/* ---- where the fields are ---- */

static uint64_t
number_at(struct bytes body, size_t at, size_t width)
{
	uint64_t value = 0;
	ensure(at + width <= body.length);
	for (size_t i = width; i-- > 0;)
		value = value << 8 | (unsigned char)body.data[at + i];
	return value;
}

static void find_places(
	struct places *places, const struct wire_record *record, const char *prefix, bool is_noted);

/* Its elements, of which the first is noted; returns how long that is. */
static size_t
find_in_list(struct places *places, const struct wire_field *field, const char *name, bool is_noted)
{
	uint64_t count = number_at(places->body, places->at, 2);
	size_t first_bytes = 0;
	char prefix[80];
	snprintf(prefix, sizeof(prefix), "%s.", name);
	places->at += 2;
	for (uint64_t i = 0; i < count; i++) {
		size_t start = places->at;
		find_places(places, field->record, prefix, is_noted && i == 0);
		if (i == 0)
			first_bytes = places->at - start;
	}
	return first_bytes;
}

static size_t
fixed_length(enum wire_kind kind)
{
	static const uint8_t lengths[] = {
		[WIRE_U8] = 1,
		[WIRE_U16] = 2,
		[WIRE_U32] = 4,
		[WIRE_U64] = 8,
		[WIRE_I64] = 8,
		[WIRE_ID] = 8,
		[WIRE_BOOL] = 1,
		[WIRE_CHOICE] = 1,
		[WIRE_FLAGS] = 4,
		[WIRE_ADDRESS] = 22,
		[WIRE_LIST] = 0,
	};
	return lengths[kind];
}

static void
find_place(struct places *places, const struct wire_field *field, const char *prefix, bool is_noted)
{
	struct place place = { .field = field, .offset = places->at };
	snprintf(place.name, sizeof(place.name), "%s%s", prefix, field->name);
	if (field->kind == WIRE_RECORD) {
		char inner[80];
		snprintf(inner, sizeof(inner), "%s.", place.name);
		find_places(places, field->record, inner, is_noted);
		return;
	}
	if (field->kind == WIRE_LIST)
		place.first_bytes = find_in_list(places, field, place.name, is_noted);
	else if (fixed_length(field->kind) != 0)
		places->at += fixed_length(field->kind);
	else
		places->at += 2 + number_at(places->body, places->at, 2);
	place.length = places->at - place.offset;
	if (!is_noted)
		return;
	ensure(places->count < PLACES_MAX);
	places->items[places->count++] = place;
}

static void
find_places(
	struct places *places, const struct wire_record *record, const char *prefix, bool is_noted)
{
	for (const struct wire_field *field = record->fields; field->kind != WIRE_END; field++)
		find_place(places, field, prefix, is_noted);
}

/* ---- what may be wrong with one ---- */

/* What stands in the place of a field. */
struct change {
	size_t length;
	char bytes[TEXT_ROOM_BYTES];
};

static void
put(struct change *change, size_t width, uint64_t value)
{
	for (size_t i = 0; i < width; i++, value >>= 8)
		change->bytes[change->length++] = (char)(unsigned char)value;
}

/* A text of one byte again and again, that begins as it must. */
static void
put_text(struct change *change, enum wire_kind kind, size_t length, char byte)
{
	put(change, 2, length);
	memset(change->bytes + change->length, byte, length);
	if (kind == WIRE_PATH && length > 1)
		change->bytes[change->length] = '/';
	change->length += length;
}

static bool
is_ranged_number(enum wire_kind kind)
{
	return kind == WIRE_U8 || kind == WIRE_U16 || kind == WIRE_U32 || kind == WIRE_U64 ||
	       kind == WIRE_BOOL || kind == WIRE_CHOICE;
}

static bool
is_text(enum wire_kind kind)
{
	return kind == WIRE_TEXT || kind == WIRE_PATH || kind == WIRE_NAME;
}

static bool
is_bytes(enum wire_kind kind)
{
	return is_text(kind) || kind == WIRE_BYTES || kind == WIRE_SECRET;
}

static bool
below_the_least(const struct place *place, struct bytes body, struct change *change)
{
	(void)body;
	if (!is_ranged_number(place->field->kind) || place->field->minimum == 0)
		return false;
	put(change, place->length, place->field->minimum - 1);
	return true;
}

static uint64_t
largest_number(const struct place *place)
{
	return place->length == 8 ? UINT64_MAX : ((uint64_t)1 << 8 * place->length) - 1;
}

static bool
above_the_most(const struct place *place, struct bytes body, struct change *change)
{
	(void)body;
	if (!is_ranged_number(place->field->kind) || place->field->maximum >= largest_number(place))
		return false;
	put(change, place->length, place->field->maximum + 1);
	return true;
}

static bool
largest(const struct place *place, struct bytes body, struct change *change)
{
	(void)body;
	if (!is_ranged_number(place->field->kind) || place->field->maximum >= largest_number(place))
		return false;
	put(change, place->length, UINT64_MAX);
	return true;
}

static bool
outside_the_mask(const struct place *place, struct bytes body, struct change *change)
{
	(void)body;
	if (place->field->kind != WIRE_FLAGS || place->field->maximum == UINT32_MAX)
		return false;
	put(change, place->length, place->field->maximum + 1);
	return true;
}

static bool
too_short(const struct place *place, struct bytes body, struct change *change)
{
	(void)body;
	if (!is_bytes(place->field->kind) || place->field->minimum == 0)
		return false;
	put_text(change, place->field->kind, place->field->minimum - 1, 'x');
	return true;
}

static bool
too_long(const struct place *place, struct bytes body, struct change *change)
{
	(void)body;
	if (!is_bytes(place->field->kind))
		return false;
	put_text(change, place->field->kind, place->field->maximum + 1, 'x');
	return true;
}

static bool
longer_than_the_message(const struct place *place, struct bytes body, struct change *change)
{
	(void)body;
	if (!is_bytes(place->field->kind))
		return false;
	put(change, 2, UINT16_MAX);
	return true;
}

static bool
with_a_nul(const struct place *place, struct bytes body, struct change *change)
{
	(void)body;
	if (!is_text(place->field->kind))
		return false;
	put_text(change, place->field->kind, 3, '\0');
	return true;
}

static bool
relative(const struct place *place, struct bytes body, struct change *change)
{
	(void)body;
	if (place->field->kind != WIRE_PATH)
		return false;
	put_text(change, WIRE_TEXT, 3, '.');
	return true;
}

static bool
with_a_slash(const struct place *place, struct bytes body, struct change *change)
{
	(void)body;
	if (place->field->kind != WIRE_NAME)
		return false;
	put_text(change, WIRE_TEXT, 3, '/');
	return true;
}

/* One element more than are allowed, each of them good. */
static bool
with_too_many_elements(const struct place *place, struct bytes body, struct change *change)
{
	size_t wanted = place->field->maximum + 1;
	if (place->field->kind != WIRE_LIST || place->first_bytes == 0 ||
		wanted * place->first_bytes > MESSAGE_BODY_BYTES_MAX / 2)
		return false;
	put(change, 2, wanted);
	for (size_t i = 0; i < wanted; i++, change->length += place->first_bytes)
		memcpy(change->bytes + change->length, body.data + place->offset + 2,
			place->first_bytes);
	return true;
}

static bool
with_fewer_elements_than_it_says(
	const struct place *place, struct bytes body, struct change *change)
{
	if (place->field->kind != WIRE_LIST)
		return false;
	put(change, 2, place->field->maximum);
	memcpy(change->bytes + 2, body.data + place->offset + 2, place->length - 2);
	change->length += place->length - 2;
	return true;
}

static const struct {
	const char *what;
	bool (*make)(const struct place *place, struct bytes body, struct change *change);
} lies[] = {
	{ "below the least", below_the_least },
	{ "above the most", above_the_most },
	{ "largest", largest },
	{ "outside the mask", outside_the_mask },
	{ "too short", too_short },
	{ "too long", too_long },
	{ "longer than the message", longer_than_the_message },
	{ "with a NUL", with_a_nul },
	{ "relative", relative },
	{ "with a slash", with_a_slash },
	{ "with too many elements", with_too_many_elements },
	{ "with fewer elements than it says", with_fewer_elements_than_it_says },
};

/* ---- all of one message ---- */

static void
exchange(struct malformed_list *list, const struct message_rule *rule, struct bytes message,
	const struct place *place, const struct change *change, const char *what)
{
	static char bytes[MALFORMED_BUFFER_BYTES + TEXT_ROOM_BYTES];
	size_t before = MESSAGE_HEADER_BYTES + place->offset;
	size_t after = before + place->length;
	size_t length = before;
	memcpy(bytes, message.data, before);
	memcpy(bytes + length, change->bytes, change->length);
	length += change->length;
	memcpy(bytes + length, message.data + after, message.length - after);
	length += message.length - after;
	if (length <= MESSAGE_HEADER_BYTES + MESSAGE_BODY_BYTES_MAX)
		malformed_add(list, rule, MALFORMED_FIELD, bytes_of(bytes, length), "%s %s",
			place->name, what);
}

void
malformed_add_fields(
	struct malformed_list *list, const struct message_rule *rule, struct bytes message)
{
	static struct places places;
	static struct change change;
	places = (struct places){
		.body = bytes_of(
			message.data + MESSAGE_HEADER_BYTES, message.length - MESSAGE_HEADER_BYTES),
	};
	find_places(&places, rule->record, "", true);
	ensure(places.at == places.body.length);
	for (size_t i = 0; i < places.count; i++)
		for (size_t lie = 0; lie < ARRAY_LENGTH(lies); lie++) {
			change.length = 0;
			if (lies[lie].make(&places.items[i], places.body, &change))
				exchange(list, rule, message, &places.items[i], &change,
					lies[lie].what);
		}
}
