/*
 * sallyport-record(5) has every kind of line, in the order of event.def, with its words and its
 * members. The page is the first argument.
 */
#include "ipc/base/scope.h"
#include "ipc/event.h"
#include "tests/page.h"
#include "tests/table.h"

#include <stdio.h>
#include <stdlib.h>

static char *page;

/* What the page has to say of an event. */
static char *
entry_of(const struct message_rule *rule)
{
	char *entry = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&entry, &length);
	assert_non_null(out);
	fprintf(out, ".It Ic %s\n%s:\n.Cm", rule->name, rule->doc);
	for (const struct wire_field *field = rule->record->fields; field->kind != WIRE_END;
		field++)
		fprintf(out, "%s %s", field == rule->record->fields ? "" : " ,", field->name);
	fputs(" .\n", out);
	assert_int_equal(fclose(out), 0);
	return entry;
}

/* Those of the server log, then the others, transfers at the end: as the page is divided. */
static const char *
want_entries(const char *at, bool is_transfer, size_t *count)
{
	for (uint32_t code = 0; code < event_messages.count; code++) {
		const struct message_rule *rule = &event_messages.rules[code];
		if (rule->name == NULL || is_transfer != (code == EVENT_TRANSFER))
			continue;
		SCOPE_FREE char *entry = entry_of(rule);
		const char *found = strstr(at, entry);
		if (found == NULL)
			fail_msg("missing, or out of order:\n%s", entry);
		else
			at = found + strlen(entry);
		++*count;
	}
	return at;
}

static void
check_events(UNUSED void **state)
{
	size_t known = 0, shown = 0;
	const char *events = strstr(page, ".Sh EVENTS\n");
	assert_non_null(events);
	want_entries(want_entries(events, false, &known), true, &known);
	for (const char *at = events; (at = strstr(at, "\n.It Ic ")) != NULL; at++)
		shown++;
	assert_int_equal(shown, known);
}

int
main(int count, char **arguments)
{
	const struct table tables[] = { CASE("sallyport-record(5): events", check_events) };
	page = count == 2 ? page_read(arguments[1]) : NULL;
	if (page == NULL)
		return EXIT_FAILURE;
	int failed = table_run(tables, ARRAY_LENGTH(tables));
	free(page);
	return failed;
}
