/*
 * The protocol page: every row of every channel stands on it, under its message, with what the
 * table says. The page is the first argument.
 */
#include "ipc/choices.h"
#include "ipc/protocol.h"
#include "tests/page.h"
#include "tests/table.h"

#include <stdio.h>
#include <stdlib.h>

static char *page;

/* From the heading to the next one; the caller frees it. */
static char *
section(const char *heading)
{
	char line[128];
	snprintf(line, sizeof(line), "\n%s\n", heading);
	const char *start = strstr(page, line);
	if (start == NULL) {
		fail_msg("no heading \"%s\"", heading);
		return NULL;
	}
	start += strlen(line);
	if (strstr(start, line) != NULL)
		fail_msg("two headings \"%s\"", heading);
	const char *end = strstr(start, "\n##");
	char *text = end == NULL ? strdup(start) : strndup(start, (size_t)(end - start));
	assert_non_null(text);
	return text;
}

static void
want(const char *text, const char *line, const char *where)
{
	if (strstr(text, line) == NULL)
		fail_msg("no \"%s\" under %s", line, where);
}

static void
check_fields(const struct wire_record *record, const char *text, const char *heading)
{
	char line[128];
	for (const struct wire_field *field = record->fields; field->kind != WIRE_END; field++) {
		snprintf(line, sizeof(line), "\n| `%s` | ", field->name);
		want(text, line, heading);
	}
}

static void
check_record(const struct wire_record *record)
{
	char heading[128];
	snprintf(heading, sizeof(heading), "### %s", record->name);
	char *text = section(heading);
	check_fields(record, text, heading);
	free(text);
}

static void
check_message(const struct protocol *protocol, const struct message_rule *rule)
{
	char heading[128], line[128];
	snprintf(heading, sizeof(heading), "### %s.%s", protocol->name, rule->name);
	char *text = section(heading);
	snprintf(line, sizeof(line), "\nCode %u, from ", rule->code);
	want(text, line, heading);
	if (strcmp(rule->reply, "-") != 0) {
		snprintf(line, sizeof(line), "answered by `%s`", rule->reply);
		want(text, line, heading);
	}
	if (rule->descriptor != DESCRIPTOR_NONE)
		want(text, descriptor_kind_name(rule->descriptor), heading);
	for (unsigned role = 0; role < ROLE_COUNT; role++)
		if ((rule->senders & SENT_BY(role)) != 0)
			want(text, role_name((enum role)role), heading);
	check_fields(rule->record, text, heading);
	for (const struct wire_field *field = rule->record->fields; field->kind != WIRE_END;
		field++)
		if (field->record != NULL)
			check_record(field->record);
	free(text);
}

struct protocol_row {
	const char *name;
	size_t index;
};

static const struct protocol_row protocol_rows[] = {
#define PROTOCOL(name, one_end, other_end, doc) { #name, PROTOCOL_INDEX_##name },
#include "ipc/protocol.def"
};

static void
check_protocol(void **state)
{
	const struct protocol_row *row = *state;
	const struct protocol *protocol = &protocols[row->index];
	char heading[128];
	snprintf(heading, sizeof(heading), "## %s", row->name);
	free(section(heading));
	for (uint32_t i = 0; i < protocol->messages->count; i++)
		if (protocol->messages->rules[i].name != NULL)
			check_message(protocol, &protocol->messages->rules[i]);
}

static void
check_choices(const struct wire_choices *choices)
{
	char heading[128], line[128];
	snprintf(heading, sizeof(heading), "### %s", choices->name);
	char *text = section(heading);
	for (uint32_t i = 0; i < choices->count; i++) {
		snprintf(line, sizeof(line), "\n| %u | %s | ", i, choices->texts[i]);
		want(text, line, heading);
	}
	free(text);
}

static void
check_all_choices(UNUSED void **state)
{
#define CHOICES(type) check_choices(&type##_choices);
#define CHOICE_VALUE(enumerator, text, doc)
#define CHOICES_END(type, last)
#include "ipc/choices.def"
}

int
main(int argc, char **argv)
{
	const struct table tables[] = {
		TABLE("channel", protocol_rows, check_protocol),
		CASE("choices", check_all_choices),
	};
	page = argc == 2 ? page_read(argv[1]) : NULL;
	if (page == NULL)
		return EXIT_FAILURE;
	int failed = table_run(tables, ARRAY_LENGTH(tables));
	free(page);
	return failed;
}
