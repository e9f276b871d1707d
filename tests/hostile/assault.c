/*
 * Assaults as cases (see assault.h). Runs in test programs.
 */
#include "tests/hostile/assault.h"

#include "ipc/base/ends.h"

#include <stdlib.h>

enum { ASSAULTS_MAX = 64, ROWS_MAX = 64 };

/* All that was made from one message. */
struct row {
	const char *name;
	const struct assault *assault;
	const struct malformed_list *list;
};

static bool
is_same(const char *got, const char *want)
{
	return got == NULL || want == NULL ? got == want : strcmp(got, want) == 0;
}

static void
check_row(void **state)
{
	const struct row *row = *state;
	const struct assault *assault = row->assault;
	for (size_t i = 0; i < row->list->count; i++) {
		const struct malformed *item = &row->list->items[i];
		if (strcmp(item->message, row->name) != 0)
			continue;
		const char *want = assault->rule == NULL ? malformed_rule(row->list, item->kind)
							 : assault->rule(row->list, item->kind);
		const char *got = assault->strike(row->list, i);
		if (!is_same(got, want))
			fail_msg("%s: the receiver says \"%s\", not \"%s\"", item->name,
				got == NULL ? "the end" : got, want == NULL ? "the end" : want);
	}
}

static void
add_row(struct row *rows, size_t *count, const struct row *row)
{
	for (size_t i = 0; i < *count; i++)
		if (strcmp(rows[i].name, row->name) == 0)
			return;
	ensure(*count < ROWS_MAX);
	rows[(*count)++] = *row;
}

int
assault_run(const struct assault *assaults, size_t count)
{
	static struct row rows[ASSAULTS_MAX][ROWS_MAX];
	struct malformed_list *lists[ASSAULTS_MAX];
	struct table tables[ASSAULTS_MAX] = { 0 };
	ensure(count <= ASSAULTS_MAX);
	for (size_t i = 0; i < count; i++) {
		lists[i] =
			malformed_new(assaults[i].messages, assaults[i].sender, assaults[i].phase);
		tables[i] = (struct table){
			.name = assaults[i].name,
			.check = check_row,
			.rows = rows[i],
			.row_bytes = sizeof(rows[i][0]),
		};
		for (size_t item = 0; item < lists[i]->count; item++)
			add_row(rows[i], &tables[i].count,
				&(struct row){
					.name = lists[i]->items[item].message,
					.assault = &assaults[i],
					.list = lists[i],
				});
	}
	int failed = table_run(tables, count);
	for (size_t i = 0; i < count; i++)
		malformed_free(&lists[i]);
	return failed;
}
