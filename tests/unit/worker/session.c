/*
 * Sessions to test (see session.h).
 */
#include "tests/unit/worker/session.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/event.h"
#include "ipc/remote.h"
#include "tests/unit/worker/trees.h"
#include "worker/instance_private.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { SESSION_ID = 77, OTHER_ID, TIME_LIMIT_MS = 10000 };

struct tree *
session_tree(struct session *session)
{
	return &session->nursery->tree;
}

/* ---- what was recorded ---- */

static void
keep(char *into, size_t room, struct bytes from)
{
	snprintf(into, room, "%.*s", (int)from.length, from.length == 0 ? "" : from.data);
}

static struct recorded *
next_recorded(struct session *session, struct bytes name, struct bytes path, int error)
{
	static struct recorded forgotten;
	assert_true(session->count_only || session->recorded_count < RECORDED_MAX);
	struct recorded *recorded =
		session->count_only ? &forgotten : &session->recorded[session->recorded_count];
	session->recorded_count++;
	keep(recorded->name, sizeof(recorded->name), name);
	keep(recorded->path, sizeof(recorded->path), path);
	recorded->error = error;
	return recorded;
}

static void
observe_operation(void *context, const struct instance_identity *identity, const char *name,
	struct bytes path, struct bytes destination, int error)
{
	struct recorded *recorded = next_recorded(context, bytes_of_text(name), path, error);
	assert_int_equal(identity->session, SESSION_ID);
	keep(recorded->destination, sizeof(recorded->destination), destination);
}

static void
observe_transfer(void *context, const struct instance_identity *identity, const char *name,
	struct bytes path, const struct transfer_report *report, int error)
{
	(void)identity;
	next_recorded(context, bytes_of_text(name), path, error)->bytes = report->bytes;
}

/* ---- in this process ---- */

struct rights *
session_rights(const struct session_right *rights)
{
	static const struct session_right everything[] = { { "/", RIGHTS_KNOWN }, { NULL, 0 } };
	struct rights_rule rules[RIGHTS_RULES_MAX];
	struct rights *result;
	size_t count = 0;
	for (const struct session_right *at = rights == NULL ? everything : rights;
		at->folder != NULL; at++)
		rules[count++] = (struct rights_rule){ bytes_of_text(at->folder), at->bits };
	assert_int_equal(rights_create(rules, count, &result), 0);
	return result;
}

static void
make_nursery(struct session *session, const struct session_world *world,
	const struct instance_observer *observer)
{
	session->root_fd = -1;
	if (world->backend->tree_open == backend_kernel.tree_open) {
		test_new_folder(session->folder, sizeof(session->folder));
		session->root_fd = open(session->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(session->root_fd >= 0);
	}
	const struct nursery_options options = {
		.base = session->worker_base,
		.backend = world->backend,
		.threads = world->threads,
		.tree = { .root_fd = session->root_fd,
			.memory_limit_bytes = TEST_MEMORY_LIMIT,
			.umask = 022,
			.uid = geteuid(),
			.gid = getegid(),
			.symlinks = world->symlinks },
		.mode_z = !world->without_mode_z,
		.observer = observer,
	};
	assert_int_equal(nursery_new(&options, &session->nursery), 0);
}

static struct session *
session_start(bool is_led)
{
	struct session *session = calloc(1, sizeof(*session));
	assert_non_null(session);
	signal(SIGPIPE, SIG_IGN);
	session->base = event_base_new();
	session->worker_base = is_led ? event_base_new() : session->base;
	assert_non_null(session->base);
	assert_non_null(session->worker_base);
	session->wait.base = session->base;
	return session;
}

static struct session *
open_here(const struct session_world *world, const struct session_right *rights,
	uint32_t stall_timeout_ms)
{
	struct session *session = session_start(false);
	static struct instance_observer observer;
	observer = (struct instance_observer){
		.operation = observe_operation, .transfer = observe_transfer, .context = session
	};
	make_nursery(session, world, &observer);
	struct rights *made = session_rights(rights);
	const struct instance_options options = {
		.identity = { .session = SESSION_ID },
		.deadline_ms = world->deadline_ms,
		.slow_deadline_ms = world->deadline_ms,
		.stall_timeout_ms = stall_timeout_ms,
		.totals = &session->totals,
	};
	assert_int_equal(nursery_make(session->nursery, &options, &made, &session->io), 0);
	return session;
}

struct session *
session_new(const struct backend *backend, const struct session_right *rights,
	uint32_t stall_timeout_ms)
{
	return open_here(&(struct session_world){ .backend = backend }, rights, stall_timeout_ms);
}

/* ---- across a channel ---- */

static void
on_resumed(void *owner)
{
	struct session *session = owner;
	if (session->serve != NULL)
		serve_resume(session->serve);
}

static void
on_ended(void *owner, uint64_t id)
{
	struct session *session = owner;
	session->ended = id;
}

static void
on_closed(void *owner, const char *malformed)
{
	struct session *session = owner;
	(void)malformed;
	session->closed = true;
}

static void
on_progress(void *owner, uint32_t tag, uint64_t bytes)
{
	struct session *session = owner;
	(void)tag;
	session->progress_bytes = bytes;
	session->progress_count++;
}

static void
check_sequence(struct session *session, const struct message *message)
{
	assert_int_equal(message->tag, session->last_sequence + 1);
	session->last_sequence = message->tag;
}

static void
on_operation(void *owner, struct message *message, const struct event_operation *event)
{
	check_sequence(owner, message);
	struct recorded *recorded = next_recorded(owner, event->name, event->path, event->error);
	keep(recorded->destination, sizeof(recorded->destination), event->destination);
}

static void
on_transfer(void *owner, struct message *message, const struct event_transfer *event)
{
	check_sequence(owner, message);
	next_recorded(owner, event->name, event->path, event->error)->bytes = event->bytes;
}

static void
on_session_ended(void *owner, struct message *message, const struct event_session_ended *event)
{
	check_sequence(owner, message);
	next_recorded(owner, bytes_of_text("session_ended"), bytes_of_text(""), 0)->bytes =
		event->uploads_dropped;
}

static void
on_malformed(void *owner, struct message *message, const struct event_malformed *event)
{
	check_sequence(owner, message);
	next_recorded(owner, bytes_of_text("malformed"), event->rule, 0);
}

static void
on_notice(void *owner, struct message *message, const struct event_notice *event)
{
	(void)message;
	(void)event;
	(void)owner;
	fail_msg("%s", "a notice that nobody expects");
}

static const struct event_handlers record_handlers = {
	.notice = on_notice,
	.malformed = on_malformed,
	.operation = on_operation,
	.transfer = on_transfer,
	.session_ended = on_session_ended,
};

void
session_open_record(struct session *session)
{
	int ends[2];
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(recorder_set_channel(session->recorder, &ends[0]), 0);
	const struct channel_options options = {
		.base = session->base,
		.messages = &event_messages,
		.our_role = ROLE_RECORD,
		.peer_role = ROLE_WORKER,
		.phase = PHASE_SERVING,
		.handlers = &record_handlers,
		.owner = session,
		.closed = on_closed,
	};
	assert_int_equal(channel_new(&options, &ends[1], &session->record), 0);
}

void
session_attach(struct session *session, uint64_t id, int *gateway_fd)
{
	const struct serve_client client = { .session = id, .peer = { .port = 2121 } };
	int ends[2];
	struct rights *rights = session_rights(NULL);
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(serve_attach(session->serve, &client, &rights, &ends[0]), 0);
	assert_int_equal(ends[0], -1);
	*gateway_fd = ends[1];
}

static struct session *
open_across(const struct session_world *world)
{
	struct session *session = session_start(world->is_led);
	const struct recorder_options recorder_options = {
		.base = session->worker_base, .resumed = on_resumed, .owner = session
	};
	assert_int_equal(recorder_new(&recorder_options, &session->recorder), 0);
	make_nursery(session, world, recorder_observer(session->recorder));
	const struct serve_options serve_options = {
		.base = session->worker_base,
		.nursery = session->nursery,
		.recorder = session->recorder,
		.deadline_ms = world->deadline_ms,
		.slow_deadline_ms = world->deadline_ms,
		.user = bytes_of_text("anna"),
		.holds = world->holds || world->is_led,
		.ended = on_ended,
		.owner = session,
	};
	assert_int_equal(serve_new(&serve_options, &session->serve), 0);
	int gateway_fd;
	session_attach(session, SESSION_ID, &gateway_fd);
	const struct remote_options remote_options = {
		.base = session->base,
		.deadline_ms = TIME_LIMIT_MS,
		.slow_deadline_ms = TIME_LIMIT_MS,
		.owner = session,
		.closed = on_closed,
		.progress = on_progress,
	};
	assert_int_equal(remote_new(&remote_options, &gateway_fd, &session->io), 0);
	return session;
}

struct session *
session_new_across(const struct backend *backend)
{
	return open_across(&(struct session_world){ .backend = backend });
}

/* ---- led: the worker's side is what a worker is, with its own loop ---- */

static void *
dispatch(void *argument)
{
	const struct session *session = argument;
	nursery_dispatch(session->nursery, serve_flush, session->serve);
	return NULL;
}

static void
on_stop(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(argument);
}

static void
lead(struct session *session)
{
	session_pair(session->stop_fds);
	session->stop = event_new(
		session->worker_base, session->stop_fds[0], EV_READ, on_stop, session->worker_base);
	assert_int_equal(event_add(session->stop, NULL), 0);
	assert_int_equal(pthread_create(&session->dispatcher, NULL, dispatch, session), 0);
}

static void
stop_leading(struct session *session)
{
	fd_close(&session->stop_fds[1]);
	assert_int_equal(pthread_join(session->dispatcher, NULL), 0);
	event_free(session->stop);
	fd_close(&session->stop_fds[0]);
}

/* ---- both ---- */

void
session_make_other(struct session *session)
{
	if (session->other != NULL)
		return;
	if (session->serve != NULL) {
		int fd;
		session_attach(session, OTHER_ID, &fd);
		const struct remote_options options = { .base = session->base };
		assert_int_equal(remote_new(&options, &fd, &session->other), 0);
	} else {
		struct rights *rights = session_rights(NULL);
		const struct instance_options options = { .identity = { .session = SESSION_ID } };
		assert_int_equal(
			nursery_make(session->nursery, &options, &rights, &session->other), 0);
	}
}

struct session *
session_new_in(const struct session_world *world)
{
	if (!world->remote)
		return open_here(world, NULL, 0);
	struct session *session = open_across(world);
	session_open_record(session);
	if (world->is_led) {
		session_make_other(session); /* while its loop is still this one's */
		lead(session);
	}
	return session;
}

void
session_free(struct session *session)
{
	pathio_wait_free(&session->wait);
	pathio_free(&session->io);
	pathio_free(&session->other);
	if (session->stop != NULL)
		stop_leading(session);
	serve_free(&session->serve);
	nursery_free(&session->nursery);
	recorder_free(&session->recorder);
	channel_free(&session->record);
	fd_close(&session->root_fd);
	if (session->worker_base != session->base)
		event_base_free(session->worker_base);
	event_base_free(session->base);
	if (session->folder[0] != '\0')
		test_remove_folder(session->folder);
	free(session);
}

int
session_finish(struct session *session, uint32_t tag)
{
	assert_true(tag != 0);
	return pathio_wait_finish(&session->wait);
}

void
session_plant(struct session *session, const char *path, const void *content, size_t length)
{
	const struct tree *tree = session_tree(session);
	struct path folded = test_path(path);
	struct backend_file *file;
	assert_int_equal(
		tree->backend->open(tree->state, &folded,
			BACKEND_WRITE | BACKEND_CREATE | BACKEND_TRUNCATE, 0666, &file, NULL),
		0);
	for (size_t at = 0; at < length;) {
		ssize_t written =
			tree->backend->write(file, at, (const char *)content + at, length - at);
		assert_true(written > 0);
		at += (size_t)written;
	}
	tree->backend->close(&file);
}

void
session_plant_folder(struct session *session, const char *path)
{
	const struct tree *tree = session_tree(session);
	struct path folded = test_path(path);
	assert_int_equal(tree->backend->mkdir(tree->state, &folded, 0777), 0);
}

void
session_pair(int ends[2])
{
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
}
