/*
 * A role's cage as text (see cage.h): the tables that the programs obey, in the words of their
 * rows, so that manual and filter cannot differ. Runs in `sallyportd --show-cage`, with whatever
 * privilege its user has; changes nothing.
 */
#include "ipc/base/scope.h"
#include "policy/cage/cage.h"
#include "policy/cage/tables.h"

#include <stdlib.h>

static void
root_print(FILE *out, enum cage_role role)
{
	static const char *const words[] = {
		[CAGE_ROOT_EMPTY] = "an empty folder that was removed from the file system",
		[CAGE_ROOT_HOME] = "the user's home",
		[CAGE_ROOT_FOLDER] = "the log folder",
		[CAGE_ROOT_OUTER] = "the machine's",
	};
	fprintf(out, "Root\n  %s\n", words[cage_role_data(role)->root]);
}

static void
capabilities_print(FILE *out, enum cage_role role)
{
	size_t printed = 0;
	fputs("\nCapabilities\n", out);
	for (size_t i = 0; i < cage_capability_count; i++) {
		const struct cage_capability *row = &cage_capabilities[i];
		if (row->role != role)
			continue;
		fprintf(out, "  %-20s  %s\n", row->name, row->reason);
		printed++;
	}
	if (printed == 0)
		fputs("  none\n", out);
}

static void
landlock_print(FILE *out, enum cage_role role)
{
	size_t printed = 0;
	fputs("\nLandlock, below the root\n", out);
	if ((cage_role_data(role)->walls & 1u << CAGE_WALL_LANDLOCK_FILES) == 0) {
		fputs("  not restricted\n", out);
		return;
	}
	for (size_t i = 0; i < cage_landlock_right_count; i++) {
		const struct cage_landlock_right *row = &cage_landlock_rights[i];
		if (row->role != role)
			continue;
		fprintf(out, "  %-20s  %s\n", row->name, row->reason);
		printed++;
	}
	if (printed == 0)
		fputs("  no right to any file\n", out);
	fputs("  no TCP port to bind or connect, no signal and no abstract socket outside\n", out);
}

static void
limits_print(FILE *out, enum cage_role role)
{
	fputs("\nLimits\n", out);
	for (size_t i = 0; i < cage_limit_count; i++) {
		const struct cage_limit *row = &cage_limits[i];
		if (row->role != role)
			continue;
		if (row->value == CAGE_LIMIT_HARD)
			fprintf(out, "  %-8s %-11s  %s\n", row->name, "hard limit", row->reason);
		else
			fprintf(out, "  %-8s %-11d  %s\n", row->name, row->value, row->reason);
	}
}

static void
rule_print(FILE *out, const struct cage_rule *rule)
{
	fprintf(out, "  %-20s  %s\n", rule->call, rule->reason);
	if (rule->option != CAGE_FOR_ALL)
		fprintf(out, "  %-20s    with %s\n", "", cage_option_name(rule->option));
	if (rule->comparisons[0].compare == CAGE_NO_COMPARISON)
		return;
	const char *before = "if ";
	fprintf(out, "  %-20s    ", "");
	for (const struct cage_comparison *c = rule->comparisons; c->compare; c++) {
		fprintf(out, "%s%s %s", before, c->name, c->text);
		before = ", ";
	}
	fputc('\n', out);
}

static void
rules_print(FILE *out, enum cage_role role, enum cage_verdict verdict, const char *title)
{
	const struct cage_rule *rule;
	bool titled = false;
	for (size_t i = 0; (rule = cage_role_rule(role, i)) != NULL; i++) {
		if (rule->verdict != verdict)
			continue;
		if (!titled)
			fprintf(out, "\n%s\n", title);
		titled = true;
		rule_print(out, rule);
	}
}

static void
additions_print(FILE *out, const struct cage_additions *additions)
{
	if (additions == NULL || additions->count == 0)
		return;
	fputs("\nSystem calls that a custom backend adds\n", out);
	for (size_t i = 0; i < additions->count; i++) {
		const struct cage_addition *row = cage_addition_find(additions->calls[i]);
		fprintf(out, "  %-20s  %s\n", additions->calls[i],
			row != NULL ? row->reason : "refused: no backend may have it");
	}
}

static void
here_print(FILE *out, enum cage_role role)
{
	struct cage_report report;
	int error = cage_survey(role, &report);
	SCOPE_FREE char *text = cage_report_text(&report);
	fprintf(out, "\n%s\n  %s\n", error == 0 ? "On this machine, as this user" : "Not here",
		text == NULL ? "no memory to say" : text);
}

void
cage_print(FILE *out, enum cage_role role, const struct cage_additions *additions)
{
	const struct cage_role_data *data = cage_role_data(role);
	fprintf(out, "%s: %s\n%s\n\n", data->name, data->program, data->doc);
	root_print(out, role);
	capabilities_print(out, role);
	landlock_print(out, role);
	limits_print(out, role);
	rules_print(out, role, CAGE_ALLOW, "System calls that are allowed");
	additions_print(out, additions);
	rules_print(out, role, CAGE_REFUSE, "System calls that are answered with an error");
	rules_print(out, role, CAGE_KILL, "System calls that kill the process at once");
	fputs("\nEvery other system call\n", out);
	fputs(data->others == CAGE_OTHERS_TRAP
			? "  is reported to the supervisor, and the process ends\n"
			: "  is allowed\n",
		out);
	here_print(out, role);
}
