/*
 * Fields by name (see field.h). Runs in the liar, which dies of a name or value that makes no
 * sense.
 */
#include "tests/hostile/field.h"

#include "ipc/base/ends.h"
#include "ipc/base/number.h"

#include <stdio.h>
#include <stdlib.h>

enum { NOTES_MAX = 64 };

/* The last value of a field of that name. */
static struct {
	const char *name;
	uint64_t value;
} notes[NOTES_MAX];

const struct wire_field *
field_find(const struct wire_record *record, const char *name, size_t *offset)
{
	size_t length = strcspn(name, ".");
	for (const struct wire_field *field = record->fields; field->kind != WIRE_END; field++) {
		if (strlen(field->name) != length || strncmp(field->name, name, length) != 0)
			continue;
		*offset += field->offset;
		if (name[length] == '\0')
			return field;
		if (field->kind == WIRE_RECORD)
			return field_find(field->record, name + length + 1, offset);
	}
	die("%s has no field %s", record->name, name);
}

static bool
is_bytes(enum wire_kind kind)
{
	return kind == WIRE_BYTES || kind == WIRE_TEXT || kind == WIRE_PATH || kind == WIRE_NAME ||
	       kind == WIRE_SECRET;
}

/* ---- notes ---- */

static void
note(const char *name, uint64_t value)
{
	for (size_t i = 0; i < NOTES_MAX; i++)
		if (notes[i].name == NULL || strcmp(notes[i].name, name) == 0) {
			notes[i].name = name;
			notes[i].value = value;
			return;
		}
}

void
field_note(const struct wire_record *record, const void *body)
{
	for (const struct wire_field *field = record->fields; field->kind != WIRE_END; field++)
		if (field->kind == WIRE_ID || field->kind == WIRE_U32)
			note(field->name,
				wire_member_number(field, (const char *)body + field->offset));
}

static uint64_t
find_note(const char *name)
{
	for (size_t i = 0; i < NOTES_MAX && notes[i].name != NULL; i++)
		if (strcmp(notes[i].name, name) == 0)
			return notes[i].value;
	die("no %s was seen yet", name);
}

uint64_t
field_number(const char *name, const char *value)
{
	char *end;
	if (value[0] != '@')
		return strtoull(value, &end, 0);
	if (value[1] == '\0')
		return find_note(name);
	if (value[1] != '+')
		die("%s=%s: not @ or @+N", name, value);
	return find_note(name) + strtoull(value + 2, &end, 0);
}

/* ---- members ---- */

static void
set_number(const struct wire_field *field, char *member, uint64_t number)
{
	static const uint8_t widths[] = {
		[WIRE_U8] = 1,
		[WIRE_U16] = 2,
		[WIRE_U32] = 4,
		[WIRE_U64] = 8,
		[WIRE_I64] = 8,
		[WIRE_ID] = 8,
		[WIRE_BOOL] = 1,
		[WIRE_CHOICE] = sizeof(unsigned),
		[WIRE_FLAGS] = 4,
		[WIRE_LIST] = 0,
	};
	if (widths[field->kind] == 0)
		die("%s cannot be set to a number", field->name);
	memcpy(member, &number, widths[field->kind]); /* tests run on little-endian machines */
}

/* One element, all zero but its first field. */
static struct wire_list
one_element(const struct wire_record *record, uint64_t number)
{
	_Alignas(max_align_t) char element[WIRE_ELEMENT_BYTES_MAX] = { 0 };
	struct wire_list_builder builder = { .capacity = WIRE_ELEMENT_BYTES_MAX };
	builder.buffer = malloc(builder.capacity);
	if (builder.buffer == NULL)
		die("no memory for an element");
	set_number(record->fields, element + record->fields->offset, number);
	if (wire_list_add(&builder, record, element) < 0)
		die("no element of %s can be made of a number", record->name);
	return wire_list_built(&builder);
}

void
field_set(const struct wire_record *record, void *body, const char *name, const char *value)
{
	size_t offset = 0;
	const struct wire_field *field = field_find(record, name, &offset);
	char *member = (char *)body + offset;
	bool is_empty = strcmp(value, "-") == 0;
	if (is_bytes(field->kind)) {
		struct bytes text = bytes_of_text(is_empty ? "" : value);
		memcpy(member, &text, sizeof(text));
	} else if (field->kind == WIRE_LIST) {
		struct wire_list list = { 0 };
		if (!is_empty)
			list = one_element(field->record, field_number(name, value));
		memcpy(member, &list, sizeof(list));
	} else if (field->kind == WIRE_ADDRESS) {
		if (!is_empty)
			die("%s=%s: an address is - or as it was made up", name, value);
		memset(member, 0, sizeof(struct wire_address));
	} else {
		set_number(field, member, field_number(field->name, value));
	}
}

bool
field_equals(
	const struct wire_record *record, const void *body, const char *name, const char *value)
{
	size_t offset = 0;
	const struct wire_field *field = field_find(record, name, &offset);
	const char *member = (const char *)body + offset;
	if (is_bytes(field->kind)) {
		struct bytes text;
		memcpy(&text, member, sizeof(text));
		return bytes_equal_text(text, value);
	}
	return wire_member_number(field, member) == field_number(field->name, value);
}
