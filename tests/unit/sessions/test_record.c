/*
 * The link to record (record.h), over real channels to a fake record that reads nothing: what the
 * supervisor says of events that are lost, and that record is there to the end.
 */
#include "ipc/base/scope.h"
#include "ipc/ledger.h"
#include "policy/sessions/record.h"
#include "policy/supervisor/supervisor.h"
#include "tests/table.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static struct scene {
	struct supervisor supervisor;
	struct settings settings;
	struct process process;
	const struct process_duty *duty;
	unsigned started;
	int side; /* record's */
} * scene;

/* ---- in the place of the other modules ---- */

uint64_t
supervisor_now_ms(void)
{
	return 1000000;
}

struct cage_identity
supervisor_identity(UNUSED const struct supervisor *supervisor, UNUSED enum role role)
{
	return (struct cage_identity){ .uid = 1 };
}

void
supervisor_service_ready(UNUSED struct supervisor *supervisor)
{
}

void
supervisor_give_up(UNUSED struct supervisor *supervisor, UNUSED const char *who, const char *reason)
{
	fail_msg("%s", reason);
}

void
process_posted(UNUSED struct process *process, int post_result)
{
	assert_int_equal(post_result, 0);
}

int
process_start(UNUSED struct supervisor *supervisor, const struct process_plan *plan,
	struct process **result)
{
	int ends[2];
	assert_int_equal(channel_pair(ends), 0);
	scene->side = ends[1];
	scene->process = (struct process){ .supervisor = &scene->supervisor,
		.role = ROLE_RECORD,
		.owner = plan->owner,
		.expected = true };
	const struct channel_options options = {
		.base = scene->supervisor.base,
		.messages = &ledger_messages,
		.our_role = ROLE_SUPERVISOR,
		.peer_role = ROLE_RECORD,
		.phase = PHASE_SERVING,
		.handlers = plan->duty->handlers,
		.owner = &scene->process,
	};
	assert_int_equal(channel_new(&options, &ends[0], &scene->process.channel), 0);
	scene->duty = plan->duty;
	scene->started++;
	*result = &scene->process;
	return 0;
}

void
process_violated(
	UNUSED struct process *process, UNUSED uint32_t system_call, UNUSED uint32_t architecture)
{
	fail_msg("%s", "a violation");
}

void
process_ready(UNUSED struct process *process, UNUSED struct bytes cage)
{
	fail_msg("%s", "ready is called by the test");
}

void
process_answered(UNUSED struct process *process)
{
	fail_msg("%s", "nobody has asked");
}

void
process_failed(UNUSED struct process *process, UNUSED int error, UNUSED struct bytes reason)
{
	fail_msg("%s", "nothing fails");
}

void
processes_kill_pid(UNUSED struct supervisor *supervisor, UNUSED pid_t pid, UNUSED const char *why)
{
	fail_msg("%s", "nobody breaks a rule");
}

static void
end_process(void)
{
	channel_free(&scene->process.channel);
	fd_close(&scene->side);
	scene->duty->ended(&scene->process);
}

static void
open_scene(void)
{
	scene = calloc(1, sizeof(*scene));
	scene->side = -1;
	scene->supervisor.base = event_base_new();
	scene->supervisor.settings = &scene->settings;
	assert_int_equal(config_create(&scene->settings.config), 0);
	assert_int_equal(record_new(&scene->supervisor, &scene->supervisor.record), 0);
	scene->duty->ready(&scene->process);
}

static void
close_scene(void)
{
	record_close(scene->supervisor.record);
	channel_free(&scene->process.channel);
	fd_close(&scene->side);
	config_free(&scene->settings.config);
	event_base_free(scene->supervisor.base);
	free(scene->supervisor.record);
	free(scene);
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
	end_process();
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
