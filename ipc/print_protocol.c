/*
 * Prints the protocol page from the rows that the programs are made of: every channel, message,
 * field, record and choice, as Markdown on standard output. Run by the build; no part of the
 * server. Trusts the tables, which tests/unit/ipc/test_tables.c checks.
 */
#include "ipc/base/ends.h"
#include "ipc/choices.h"
#include "ipc/protocol.h"

#include <inttypes.h>
#include <stdlib.h>

enum { RECORDS_MAX = 32 };

/* Records that messages embed or list, in the order in which they were met. */
struct records {
	const struct wire_record *seen[RECORDS_MAX];
	size_t count;
};

static const char form[] = "# The protocol between Sallyport's processes\n"
			   "\n"
			   "Made from the rows of `ipc/*.def`. A row is also the struct, the "
			   "encoder, the decoder, the\n"
			   "permission to send and the fuzz input of its message, so this page "
			   "says what the programs do.\n"
			   "\n"
			   "A channel is an `AF_UNIX` `SOCK_SEQPACKET` socketpair. A message is "
			   "one packet: its code and\n"
			   "its tag (both u32; an answer repeats the tag of its request), then its "
			   "fields, at most 65536\n"
			   "bytes of them, and the one descriptor that its row names. Numbers have "
			   "fixed widths and are\n"
			   "little-endian; nothing is padded.\n"
			   "\n"
			   "Before a message is handled it is checked in this order: its code is "
			   "known; this role may send\n"
			   "it; this phase permits it; its descriptor is there, alone, and of its "
			   "kind; every field is in\n"
			   "range; no byte is left over. What fails is *malformed*: the channel "
			   "ends, nothing is repaired.\n"
			   "\n"
			   "| kind | on the wire |\n"
			   "|---|---|\n"
			   "| u8, u16, u32, u64, i64 | the number |\n"
			   "| id | u64, printed as 16 hexadecimal digits |\n"
			   "| bool | u8, 0 or 1 |\n"
			   "| choice | u8, an index into the list of that name |\n"
			   "| flags | u32, no bit outside the mask |\n"
			   "| bytes, secret | u16 length, then the bytes; a secret is never "
			   "printed, and wiped after use |\n"
			   "| text | as bytes, no NUL |\n"
			   "| path | as text, absolute |\n"
			   "| name | as text, no slash |\n"
			   "| address | 16 bytes IPv6 or v4-mapped, u32 scope, u16 port |\n"
			   "| record | the fields of that record, in place |\n"
			   "| list | u16 count, then so many records, in at most 61440 bytes |\n";

/* ---- words ---- */

/* Text of a row, which may hold what Markdown would take for its own. */
static void
print_text(const char *text)
{
	for (; *text != '\0'; text++) {
		if (strchr("|*_<[\\", *text) != NULL)
			putchar('\\');
		putchar(*text);
	}
}

static void
print_roles(uint32_t roles)
{
	const char *before = "";
	for (unsigned role = 0; role < ROLE_COUNT; role++) {
		if ((roles & SENT_BY(role)) == 0)
			continue;
		printf("%s%s", before, role_name((enum role)role));
		before = ", ";
	}
}

static const char *
phase_words(uint32_t phases)
{
	switch ((enum message_phase)phases) {
	case PHASE_STARTING:
		return "before the child is ready";
	case PHASE_SERVING:
		return "once the child is ready";
	case PHASE_ANY:
		return "at any time";
	}
	bug("phases %u", phases);
}

static const char *
kind_words(enum wire_kind kind)
{
	static const char *const words[] = {
		[WIRE_END] = "",
		[WIRE_U8] = "u8",
		[WIRE_U16] = "u16",
		[WIRE_U32] = "u32",
		[WIRE_U64] = "u64",
		[WIRE_I64] = "i64",
		[WIRE_ID] = "id",
		[WIRE_BOOL] = "bool",
		[WIRE_CHOICE] = "choice",
		[WIRE_FLAGS] = "flags",
		[WIRE_BYTES] = "bytes",
		[WIRE_TEXT] = "text",
		[WIRE_PATH] = "path",
		[WIRE_NAME] = "name",
		[WIRE_SECRET] = "secret",
		[WIRE_ADDRESS] = "address",
		[WIRE_RECORD] = "record",
		[WIRE_LIST] = "list",
	};
	return words[kind];
}

static void
print_limits(const struct wire_field *field)
{
	switch (field->kind) {
	case WIRE_U8:
	case WIRE_U16:
	case WIRE_U32:
	case WIRE_U64:
		printf("%" PRIu64 " to %" PRIu64, field->minimum, field->maximum);
		return;
	case WIRE_BYTES:
	case WIRE_TEXT:
	case WIRE_PATH:
	case WIRE_NAME:
	case WIRE_SECRET:
		printf("%" PRIu64 " to %" PRIu64 " bytes", field->minimum, field->maximum);
		return;
	case WIRE_FLAGS:
		printf("0x%" PRIx64, field->maximum);
		return;
	case WIRE_CHOICE:
		printf("[%s](#choice-%s)", field->choices->name, field->choices->name);
		return;
	case WIRE_RECORD:
		printf("[%s](#record-%s)", field->record->name, field->record->name);
		return;
	case WIRE_LIST:
		printf("%" PRIu64 " to %" PRIu64 " of [%s](#record-%s)", field->minimum,
			field->maximum, field->record->name, field->record->name);
		return;
	case WIRE_I64:
	case WIRE_ID:
	case WIRE_BOOL:
	case WIRE_ADDRESS:
	case WIRE_END:
		return;
	}
	bug("a field table holds kind %d", (int)field->kind);
}

/* ---- tables ---- */

static void
print_fields(const struct wire_record *record)
{
	if (record->fields->kind == WIRE_END)
		return;
	puts("\n| field | kind | limits | |\n|---|---|---|---|");
	for (const struct wire_field *field = record->fields; field->kind != WIRE_END; field++) {
		printf("| `%s` | %s | ", field->name, kind_words(field->kind));
		print_limits(field);
		fputs(" | ", stdout);
		print_text(field->doc);
		puts(" |");
	}
}

static void
note_records(struct records *records, const struct wire_record *record)
{
	for (const struct wire_field *field = record->fields; field->kind != WIRE_END; field++) {
		size_t i = 0;
		if (field->record == NULL)
			continue;
		while (i < records->count && records->seen[i] != field->record)
			i++;
		if (i < records->count)
			continue;
		ensure(records->count < RECORDS_MAX);
		records->seen[records->count++] = field->record;
		note_records(records, field->record);
	}
}

static void
print_message(const struct protocol *protocol, const struct message_rule *rule)
{
	printf("\n### %s.%s\n\n", protocol->name, rule->name);
	print_text(rule->doc);
	printf("\n\nCode %u, from ", rule->code);
	print_roles(rule->senders);
	printf(", %s", phase_words(rule->phases));
	if (rule->descriptor != DESCRIPTOR_NONE)
		printf(", with a descriptor (%s)", descriptor_kind_name(rule->descriptor));
	if (strcmp(rule->reply, "-") != 0)
		printf("; answered by `%s`", rule->reply);
	puts(".");
	print_fields(rule->record);
}

static void
print_channels(void)
{
	puts("\n## Channels\n\n| channel | one end | other end | for |\n|---|---|---|---|");
	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		printf("| [%s](#%s) | ", protocols[i].name, protocols[i].name);
		print_roles(protocols[i].ends[0]);
		fputs(" | ", stdout);
		print_roles(protocols[i].ends[1]);
		fputs(" | ", stdout);
		print_text(protocols[i].doc);
		puts(" |");
	}
}

static void
print_protocol(const struct protocol *protocol, struct records *records)
{
	printf("\n## %s\n", protocol->name);
	for (uint32_t i = 0; i < protocol->messages->count; i++) {
		const struct message_rule *rule = &protocol->messages->rules[i];
		if (rule->name == NULL)
			continue;
		print_message(protocol, rule);
		note_records(records, rule->record);
	}
}

static void
print_records(const struct records *records)
{
	puts("\n## Records");
	for (size_t i = 0; i < records->count; i++) {
		const struct wire_record *record = records->seen[i];
		printf("\n<a id=\"record-%s\"></a>\n### %s\n\n", record->name, record->name);
		print_text(record->doc);
		putchar('\n');
		print_fields(record);
	}
}

static void
print_choice(const struct wire_choices *choices)
{
	printf("\n<a id=\"choice-%s\"></a>\n### %s\n\n| number | text | |\n|---|---|---|\n",
		choices->name, choices->name);
	for (uint32_t i = 0; i < choices->count; i++) {
		printf("| %u | %s | ", i, choices->texts[i]);
		print_text(choices->docs[i]);
		puts(" |");
	}
}

int
main(void)
{
	struct records records = { 0 };
	fputs(form, stdout);
	print_channels();
	for (size_t i = 0; i < PROTOCOL_COUNT; i++)
		print_protocol(&protocols[i], &records);
	print_records(&records);
	puts("\n## Choices");
#define CHOICES(type) print_choice(&type##_choices);
#define CHOICE_VALUE(enumerator, text, doc)
#define CHOICES_END(type, last)
#include "ipc/choices.def"
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
