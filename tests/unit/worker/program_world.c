/*
 * The program in its cage, as the supervisor starts it (see program_world.h).
 */
#include "tests/unit/worker/program_world.h"

#include "ipc/base/scope.h"
#include "ipc/event.h"
#include "ipc/remote.h"
#include "policy/cage/cage.h"
#include "policy/rules/rights.h"
#include "tests/table.h"
#include "tests/unit/worker/trees.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int program_world_file = -1;

/* ---- the supervisor's side ---- */

static void
on_violation(void *owner, struct message *message, const struct attach_violation *told)
{
	(void)owner;
	(void)message;
	SCOPE_FREE char *name = cage_system_call_name(told->architecture, told->system_call);
	fail_msg("the worker left its cage: %s", name);
}

static void
on_ready(void *owner, struct message *message, const struct attach_ready *told)
{
	struct program_world *world = owner;
	(void)message;
	world->ready = told->cage.length > 0;
	channel_set_phase(world->worker, PHASE_SERVING);
	event_base_loopbreak(world->base);
}

static void
on_failed(void *owner, struct message *message, const struct attach_failed *told)
{
	struct program_world *world = owner;
	(void)message;
	snprintf(world->failed, sizeof(world->failed), "%.*s", (int)told->reason.length,
		told->reason.data);
	event_base_loopbreak(world->base);
}

static void
on_session_ended(void *owner, struct message *message, const struct attach_session_ended *told)
{
	struct program_world *world = owner;
	(void)message;
	world->ended = told->session;
	event_base_loopbreak(world->base);
}

static void
on_pong(void *owner, struct message *message, const struct attach_pong *told)
{
	struct program_world *world = owner;
	(void)told;
	world->pong = message->tag == 5;
	event_base_loopbreak(world->base);
}

static void
on_saved(void *owner, struct message *message, const struct attach_saved *told)
{
	struct program_world *world = owner;
	assert_int_equal(message->tag, PROGRAM_SAVE_TAG);
	world->saved = *told;
	world->is_saved = true;
	event_base_loopbreak(world->base);
}

static const struct attach_handlers handlers = {
	.violation = on_violation,
	.saved = on_saved,
	.ready = on_ready,
	.failed = on_failed,
	.session_ended = on_session_ended,
	.pong = on_pong,
};

static void
on_closed(void *owner, const char *malformed)
{
	struct program_world *world = owner;
	assert_null(malformed);
	world->gone = true;
	event_base_loopbreak(world->base);
}

static void
on_record_closed(void *owner, const char *malformed)
{
	struct program_world *world = owner;
	world->record_gone = true;
	on_closed(owner, malformed);
}

static void
child(int fd, int empty_fd)
{
	uid_t uid = geteuid() == 0 ? 65534 : geteuid();
	gid_t gid = geteuid() == 0 ? 65534 : getegid();
	const struct cage_identity identity = { .uid = uid, .gid = gid };
	char *const arguments[] = { strdup("sallyport-worker"), NULL };
	char *const environment[] = { NULL };
	if (fchdir(empty_fd) == 0 && dup2(fd, CAGE_CHANNEL_FD) == CAGE_CHANNEL_FD &&
		cage_become(&identity) == 0)
		fexecve(program_world_file, arguments, environment);
	_exit(99);
}

static void
start_process(struct program_world *world)
{
	int ends[2], empty_fd;
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(cage_open_empty_folder(&empty_fd), 0);
	world->pid = fork();
	assert_true(world->pid >= 0);
	if (world->pid == 0)
		child(ends[1], empty_fd);
	fd_close(&ends[1]);
	fd_close(&empty_fd);
	const struct channel_options options = {
		.base = world->base,
		.messages = &attach_messages,
		.our_role = ROLE_SUPERVISOR,
		.peer_role = ROLE_WORKER,
		.phase = PHASE_STARTING,
		.handlers = &handlers,
		.owner = world,
		.closed = on_closed,
	};
	assert_int_equal(channel_new(&options, &ends[0], &world->worker), 0);
}

struct program_world *
program_world_new(const char *backend, const char *home, const char *load)
{
	struct program_world *world = calloc(1, sizeof(*world));
	assert_non_null(world);
	world->base = event_base_new();
	world->wait.base = world->base;
	test_new_folder(world->home, sizeof(world->home));
	assert_int_equal(chmod(world->home, 0777), 0);
	start_process(world);
	const struct attach_configure configure = {
		.user = { .name = bytes_of_text("anna"),
			.uid = geteuid() == 0 ? 65534 : geteuid(),
			.gid = geteuid() == 0 ? 65534 : getegid(),
			.home = bytes_of_text(home == NULL ? world->home : home),
			.backend = bytes_of_text(backend),
			.path_threads = 2,
			.memory_limit_bytes = TEST_MEMORY_LIMIT,
			.memory_load = bytes_of_text(load),
			.umask = 022,
			.sessions_max = 10 },
		.path_timeout_s = 10,
		.commit_timeout_s = 10,
		.stall_timeout_s = 60,
	};
	assert_int_equal(attach_post_configure(world->worker, 1, &configure), 0);
	return world;
}

static void
on_operation(void *owner, struct message *message, const struct event_operation *event)
{
	struct program_world *world = owner;
	(void)event;
	assert_int_equal(message->tag, ++world->events);
}

static void
on_transfer(void *owner, struct message *message, const struct event_transfer *event)
{
	struct program_world *world = owner;
	(void)event;
	assert_int_equal(message->tag, ++world->events);
}

static void
on_event_session_ended(
	void *owner, struct message *message, const struct event_session_ended *event)
{
	struct program_world *world = owner;
	(void)event;
	assert_int_equal(message->tag, ++world->events);
}

static void
on_notice(void *owner, struct message *message, const struct event_notice *event)
{
	struct program_world *world = owner;
	if (memcmp(event->text.data, "memory_load ", strlen("memory_load ")) != 0)
		fail_msg("a notice: %.*s", (int)event->text.length, event->text.data);
	assert_int_equal(message->tag, ++world->events);
	snprintf(world->loaded, sizeof(world->loaded), "%.*s", (int)event->text.length,
		event->text.data);
}

static void
on_malformed(void *owner, struct message *message, const struct event_malformed *event)
{
	(void)owner;
	(void)message;
	fail_msg("malformed: %.*s", (int)event->rule.length, event->rule.data);
}

static const struct event_handlers record_handlers = {
	.notice = on_notice,
	.malformed = on_malformed,
	.operation = on_operation,
	.transfer = on_transfer,
	.session_ended = on_event_session_ended,
};

void
program_world_attach(struct program_world *world)
{
	int record[2], session[2];
	char encoded[128];
	struct wire_list_builder rights = { .buffer = encoded, .capacity = sizeof(encoded) };
	const struct account_right right = { .folder = bytes_of_text("/"), .bits = RIGHTS_KNOWN };
	assert_int_equal(channel_pair(record), 0);
	assert_int_equal(channel_pair(session), 0);
	assert_int_equal(wire_list_add(&rights, &account_right_record, &right), 0);
	assert_int_equal(attach_post_record_with(world->worker, 2,
				 &(struct attach_record){ .nothing = 0 }, record[1]),
		0);
	const struct attach_attach attached = { .session = 42, .rights = wire_list_built(&rights) };
	assert_int_equal(attach_post_attach_with(world->worker, 3, &attached, session[1]), 0);
	fd_close(&record[1]);
	fd_close(&session[1]);
	const struct channel_options record_options = {
		.base = world->base,
		.messages = &event_messages,
		.our_role = ROLE_RECORD,
		.peer_role = ROLE_WORKER,
		.phase = PHASE_SERVING,
		.handlers = &record_handlers,
		.owner = world,
		.closed = on_record_closed,
	};
	assert_int_equal(channel_new(&record_options, &record[0], &world->record), 0);
	const struct remote_options options = { .base = world->base,
		.deadline_ms = 10000,
		.slow_deadline_ms = 10000,
		.owner = world,
		.closed = on_closed };
	assert_int_equal(remote_new(&options, &session[0], &world->io), 0);
}

void
program_world_run(struct program_world *world)
{
	struct timeval limit = { .tv_sec = 10 };
	event_base_loopexit(world->base, &limit);
	event_base_dispatch(world->base);
}

void
program_world_wait(struct program_world *world, const bool *what)
{
	for (int i = 0; i < 100 && !*what && !world->gone; i++)
		program_world_run(world);
	assert_true(*what);
}

void
program_world_free(struct program_world *world, int want_status)
{
	int status;
	pathio_wait_free(&world->wait);
	pathio_free(&world->io);
	channel_free(&world->worker);
	assert_int_equal(waitpid(world->pid, &status, 0), world->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), want_status);
	channel_free(&world->record);
	event_base_free(world->base);
	test_remove_folder(world->home);
	free(world);
}
