/*
 * The link to record (record.h), over real channels to a fake record that reads nothing: what the
 * supervisor says of events that are lost, and that record is there to the end.
 */
#include "ipc/base/scope.h"
#include "ipc/ledger.h"
#include "policy/sessions/record.h"
#include "tests/table.h"
#include "tests/unit/sessions/service_scene.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* ---- in the place of the other modules ---- */

void
processes_kill_pid(UNUSED struct supervisor *supervisor, UNUSED pid_t pid, UNUSED const char *why)
{
	fail_msg("%s", "nobody breaks a rule");
}

static void
open_scene(void)
{
	static struct ledger_handlers record_side;
	sides_fill(&record_side, sizeof(record_side));
	service_scene_open(&ledger_messages, ROLE_RECORD, &record_side);
	assert_int_equal(record_new(&scene->supervisor, &scene->supervisor.record), 0);
	service_scene_ready();
}

static void
close_scene(void)
{
	record_close(scene->supervisor.record);
	free(scene->supervisor.record);
	service_scene_close();
}

/* ---- lost events ---- */

/* Standard error goes to a file meanwhile. */
static int
catch_errors(int *before)
{
	int fd = memfd_create("errors", MFD_CLOEXEC);
	*before = dup(STDERR_FILENO);
	assert_true(*before >= 0 && dup2(fd, STDERR_FILENO) >= 0);
	return fd;
}

static void
check_lost(void **state)
{
	enum { MORE = 10 };
	static const char one[] = "sallyportd: event 1 is lost: No buffer space available\n";
	char words[2000 + 1] = "", text[256] = "", want[256];
	struct stat status = { 0 };
	int before;
	(void)state;
	memset(words, 'w', sizeof(words) - 1);
	open_scene();
	SCOPE_FD int errors = catch_errors(&before);
	while (status.st_size == 0) {
		record_notice(scene->supervisor.record, SEVERITY_INFO, "%s", words);
		assert_int_equal(fstat(errors, &status), 0);
	}
	for (int i = 0; i < MORE; i++)
		record_notice(scene->supervisor.record, SEVERITY_INFO, "%s", words);
	record_tick(scene->supervisor.record);
	record_tick(scene->supervisor.record);
	for (int i = 0; i < MORE; i++)
		record_notice(scene->supervisor.record, SEVERITY_INFO, "%s", words);
	record_close(scene->supervisor.record);
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	fd_close(&before);
	assert_true(pread(errors, text, sizeof(text) - 1, 0) > 0);
	snprintf(want, sizeof(want),
		"%ssallyportd: 10 more events are lost\n%ssallyportd: 9 more events are lost\n",
		one, one);
	assert_string_equal(text, want);
	close_scene();
}

/* ---- the end ---- */

struct end_row {
	const char *name;
	enum supervisor_stage stage;
	unsigned started;
};

static const struct end_row end_rows[] = {
	{ "while it runs", STAGE_RUN, 2 },
	{ "while gateways end", STAGE_GATEWAYS, 2 },
	{ "while workers end", STAGE_WORKERS, 2 },
	{ "the last of all", STAGE_RECORD, 1 },
};

static void
check_end(void **state)
{
	const struct end_row *row = *state;
	open_scene();
	scene->supervisor.stage = row->stage;
	service_scene_end();
	assert_int_equal(scene->started, row->started);
	close_scene();
}

int
main(void)
{
	const struct table tables[] = {
		CASE("lost events are told twice a second at most", check_lost),
		TABLE("a record that dies is replaced", end_rows, check_end),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
