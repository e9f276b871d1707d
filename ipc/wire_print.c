/*
 * Messages as JSON members (see wire.h): the record's lines and the trace. Runs in the record
 * process and wherever a trace is asked for, on bytes that clients chose: this is the one place
 * that escapes them.
 */
#include "ipc/wire.h"

#include "ipc/address.h"
#include "ipc/base/ends.h"

#include <inttypes.h>

/* Length of the UTF-8 sequence at `at` (RFC 3629: no overlong form, no surrogate), or 0. */
static size_t
utf8_length(const unsigned char *at, size_t left)
{
	static const struct {
		unsigned char first_low, first_high, second_low, second_high;
		size_t length;
	} forms[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(forms); i++) {
		if (at[0] < forms[i].first_low || at[0] > forms[i].first_high)
			continue;
		size_t length = forms[i].length;
		if (left < length || at[1] < forms[i].second_low || at[1] > forms[i].second_high)
			return 0;
		for (size_t k = 2; k < length; k++)
			if ((at[k] & 0xc0) != 0x80)
				return 0;
		return length;
	}
	return 0;
}

/* Bytes that stand for themselves, as nearly all do. */
static size_t
plain_length(const char *at, size_t left)
{
	size_t length = 0;
	while (length < left && at[length] >= 0x20 && at[length] < 0x7f && at[length] != '"' &&
		at[length] != '\\')
		length++;
	return length;
}

void
wire_print_json_text(struct bytes text, FILE *output)
{
	putc('"', output);
	for (size_t i = 0; i < text.length;) {
		size_t plain = plain_length(text.data + i, text.length - i);
		if (plain > 0) {
			fwrite(text.data + i, 1, plain, output);
			i += plain;
			continue;
		}
		const unsigned char *at = (const unsigned char *)text.data + i;
		size_t sequence = utf8_length(at, text.length - i);
		/* U+0080..U+009F are control characters to a terminal as well. */
		bool control =
			*at < 0x20 || *at == 0x7f || (*at == 0xc2 && sequence == 2 && at[1] < 0xa0);
		if (control)
			fprintf(output, "\\u%04x", sequence == 2 ? at[1] : at[0]);
		else if (*at >= 0x80 && sequence == 0)
			fprintf(output, "\\udc%02x", *at);
		else if (*at == '"' || *at == '\\')
			fprintf(output, "\\%c", *at);
		else
			fwrite(at, 1, sequence == 0 ? 1 : sequence, output);
		i += sequence == 0 ? 1 : sequence;
	}
	putc('"', output);
}

static void
print_number(uint64_t number, FILE *output)
{
	char digits[20]; /* of 2^64 - 1 */
	size_t at = sizeof(digits);
	do
		digits[--at] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	fwrite(digits + at, 1, sizeof(digits) - at, output);
}

static void
print_list(const struct wire_field *field, struct wire_list list, FILE *output)
{
	_Alignas(max_align_t) char element[WIRE_ELEMENT_BYTES_MAX];
	putc('[', output);
	for (bool first = true; wire_list_next(&list, field->record, element); first = false) {
		fputs(first ? "{" : ",{", output);
		wire_print_json(field->record, element, output);
		putc('}', output);
	}
	putc(']', output);
}

static void
print_bytes(const struct wire_field *field, const char *member, FILE *output)
{
	struct bytes bytes;
	memcpy(&bytes, member, sizeof(bytes));
	if (field->kind == WIRE_SECRET)
		fprintf(output, "\"(%zu bytes)\"", bytes.length);
	else
		wire_print_json_text(bytes, output);
}

static void
print_value(const struct wire_field *field, const char *member, FILE *output)
{
	struct wire_address address;
	struct wire_list list;
	char text[ADDRESS_TEXT_BYTES];
	switch (field->kind) {
	case WIRE_U8:
	case WIRE_U16:
	case WIRE_U32:
	case WIRE_U64:
		print_number(wire_member_number(field, member), output);
		return;
	case WIRE_I64:
		fprintf(output, "%" PRId64, (int64_t)wire_member_number(field, member));
		return;
	case WIRE_ID:
		fprintf(output, "\"%016" PRIx64 "\"", wire_member_number(field, member));
		return;
	case WIRE_BOOL:
		fputs(wire_member_number(field, member) != 0 ? "true" : "false", output);
		return;
	case WIRE_CHOICE:
		fprintf(output, "\"%s\"", field->choices->texts[wire_member_number(field, member)]);
		return;
	case WIRE_FLAGS:
		fprintf(output, "\"0x%" PRIx64 "\"", wire_member_number(field, member));
		return;
	case WIRE_BYTES:
	case WIRE_TEXT:
	case WIRE_PATH:
	case WIRE_NAME:
	case WIRE_SECRET:
		print_bytes(field, member, output);
		return;
	case WIRE_ADDRESS:
		memcpy(&address, member, sizeof(address));
		fprintf(output, "\"%s\"",
			address_is_none(&address) ? "" : address_text(&address, text));
		return;
	case WIRE_RECORD:
		putc('{', output);
		wire_print_json(field->record, member, output);
		putc('}', output);
		return;
	case WIRE_LIST:
		memcpy(&list, member, sizeof(list));
		print_list(field, list, output);
		return;
	case WIRE_END:
		break;
	}
	bug("a field table holds kind %d", (int)field->kind);
}

void
wire_print_json(const struct wire_record *record, const void *message, FILE *output)
{
	const char *bytes = message;
	for (const struct wire_field *field = record->fields; field->kind != WIRE_END; field++) {
		fputs(field == record->fields ? "\"" : ",\"", output);
		fputs(field->name, output);
		fputs("\":", output);
		print_value(field, bytes + field->offset, output);
	}
}
