/*
 * A cage's report in words (see cage.h, report.h). Runs in every program; writes memory only. Its
 * readers are operators: each line about a lack ends with what they can do.
 */
#include "policy/cage/report.h"
#include "policy/cage/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool
wall_stands(const struct cage_report *report, unsigned wall)
{
	return (report->walls & 1u << wall) != 0;
}

static bool
wall_lacks(const struct cage_report *report, unsigned wall)
{
	return (report->expected & ~report->walls & 1u << wall) != 0;
}

int
report_fail(struct cage_report *report, int error, const char *problem, const char *detail)
{
	report->error = error;
	report->problem = problem;
	report->detail = detail;
	return error;
}

int
report_check_required(struct cage_report *report)
{
	for (unsigned i = 0; i < CAGE_WALL_COUNT; i++)
		if (cage_walls[i].need == CAGE_REQUIRED && wall_lacks(report, i))
			return report_fail(report, -EOPNOTSUPP,
				"\"cage = required\", and this is missing", cage_walls[i].name);
	return 0;
}

/* The advice of the wall that a failure names; NULL when it names none. */
static const char *
advice_of(const struct cage_report *report)
{
	for (unsigned i = 0; i < CAGE_WALL_COUNT && report->detail != NULL; i++)
		if (strcmp(cage_walls[i].name, report->detail) == 0)
			return cage_walls[i].advice;
	return NULL;
}

static void
failure_print(FILE *out, const struct cage_report *report)
{
	fputs(report->problem, out);
	if (report->detail != NULL)
		fprintf(out, ": %s", report->detail);
	fprintf(out, ": %s", strerror(-report->error));
	const char *advice = advice_of(report);
	if (advice != NULL)
		fprintf(out, "; %s", advice);
}

static void
walls_print(FILE *out, const struct cage_report *report)
{
	const char *before = "";
	for (unsigned i = 0; i < CAGE_WALL_COUNT; i++) {
		if (!wall_stands(report, i))
			continue;
		fprintf(out, "%s%s", before, cage_walls[i].name);
		before = ", ";
	}
	if (report->landlock_abi > 0)
		fprintf(out, " (Landlock %d)", report->landlock_abi);
	before = "; weaker: ";
	for (unsigned i = 0; i < CAGE_WALL_COUNT; i++) {
		if (!wall_lacks(report, i))
			continue;
		fprintf(out, "%s%s (%s)", before, cage_walls[i].weaker, cage_walls[i].advice);
		before = "; ";
	}
}

char *
cage_report_text(const struct cage_report *report)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	if (out == NULL)
		return NULL;
	if (report->error < 0)
		failure_print(out, report);
	else
		walls_print(out, report);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
