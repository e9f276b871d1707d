/*
 * The books of the admin socket and who is around them (see admin_scene.h). Runs in tests only.
 */
#include "tests/unit/sessions/admin_scene.h"

#include "ipc/base/scope.h"
#include "ipc/event.h"
#include "policy/sessions/record.h"
#include "policy/supervisor/listeners.h"
#include "tests/table.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scene *scene;

/* ---- in the place of the other modules ---- */

uint64_t
supervisor_now_ms(void)
{
	return scene->now_ms;
}

int
supervisor_reload(struct supervisor *supervisor)
{
	supervisor->loading = scene->reload_error == 0;
	return scene->reload_error;
}

void
record_event(UNUSED struct record *record, uint32_t code, const void *body)
{
	const struct event_administered *event = body;
	if (code == EVENT_MALFORMED) {
		scene_note("{%.*s}", (int)((const struct event_malformed *)body)->rule.length,
			((const struct event_malformed *)body)->rule.data);
		return;
	}
	assert_int_equal(code, EVENT_ADMINISTERED);
	assert_int_equal(event->by_uid, scene->peer.uid);
	assert_int_equal(event->severity, event->error == EPERM ? SEVERITY_WARNING : SEVERITY_INFO);
	scene_note("{%.*s%s%.*s %u}", (int)event->request.length, event->request.data,
		event->about.length > 0 ? " " : "", (int)event->about.length, event->about.data,
		event->error);
}

int
workers_find(UNUSED const struct workers *workers, struct bytes user, pid_t pid,
	const struct worker **result)
{
	if (pid == 99)
		return -ENOTUNIQ;
	if (!bytes_equal_text(user, "ann") && !bytes_equal_text(user, "bob"))
		return -ENOENT;
	scene->worker.account = bytes_equal_text(user, "ann") ? scene->ann : scene->bob;
	*result = &scene->worker;
	return 0;
}

void
session_close(struct session *session)
{
	scene_note("close:%u", (unsigned)session->id);
}

unsigned
processes_count(UNUSED const struct supervisor *supervisor, enum role role)
{
	return role == ROLE_GATEWAY ? 2 : 5;
}

char *
listeners_text(UNUSED const struct listeners *listeners)
{
	return strdup("127.0.0.1:21");
}

/* ---- the worker ---- */

static void
on_order(UNUSED void *owner, struct message *message, UNUSED const struct attach_save *body)
{
	assert_int_equal(descriptor_check(message->descriptor, DESCRIPTOR_DATA), 0);
	scene->save_tag = message->tag;
	scene_note("order");
}

static void
on_worker_closed(UNUSED void *owner, UNUSED const char *malformed)
{
	fail_msg("%s", "the worker's channel has ended");
}

/* ---- the scene ---- */

static int
compare(const void *left, const void *right)
{
	const uint64_t *a = left;
	const uint64_t *b = right;
	return *a < *b ? -1 : *a > *b;
}

/* Not in their order; half sessions are between them. */
static void
add_sessions(void)
{
	for (uint64_t i = 0; i < 2 * SCENE_SESSIONS; i++) {
		struct session *session = calloc(1, sizeof(*session));
		session->id = 1 + (i * 97) % (2 * SCENE_SESSIONS);
		session->state = session->id % 2 == 0 ? SESSION_OPEN : SESSION_HALF;
		session->account = session->id % 2 == 0 ? scene->longest : NULL;
		session->since_ms = scene->now_ms;
		assert_non_null(tsearch(session, &scene->sessions.by_id, compare));
		LIST_INSERT_HEAD(&scene->sessions.all, session, link);
	}
	scene->sessions.count = SCENE_SESSIONS;
}

static void
add_processes(void)
{
	for (int i = 0; i < SCENE_PROCESSES; i++) {
		struct process *process = calloc(1, sizeof(*process));
		process->pid = 1 + (i * 37) % SCENE_PROCESSES;
		process->state = i == 0 ? PROCESS_STUCK : PROCESS_SERVING;
		process->role = ROLE_WORKER;
		process->user = scene->name;
		LIST_INSERT_HEAD(&scene->supervisor.processes, process, link);
	}
}

static void
set_option(unsigned option, const char *value)
{
	struct rules_error error = { 0 };
	assert_int_equal(
		config_accept(scene->settings.config, option, bytes_of_text(value), &error), 0);
}

static struct account *
make_account(const char *who, const char *backend)
{
	struct account *account = calloc(1, sizeof(*account));
	account->who = bytes_of_text(who);
	account->user.backend = bytes_of_text(backend);
	return account;
}

void
scene_open(const struct admin_peer *peer)
{
	static struct attach_handlers attach_side;
	sides_fill(&attach_side, sizeof(attach_side));
	attach_side.save = on_order;
	scene = calloc(1, sizeof(*scene));
	scene->now_ms = 1000000;
	scene->peer = *peer;
	scene->supervisor.base = event_base_new();
	scene->supervisor.settings = &scene->settings;
	scene->supervisor.own.uid = SCENE_OWN_UID;
	scene->supervisor.sessions = &scene->sessions;
	scene->supervisor.cage = (char *)(uintptr_t) "walls";
	scene->supervisor.listeners = (struct listeners *)(uintptr_t)1;
	scene->worker.process = &scene->worker_process;
	memset(scene->name, 'n', sizeof(scene->name) - 1);
	scene->longest = make_account(scene->name, "memory");
	scene->ann = make_account("ann", "memory");
	scene->bob = make_account("bob", "threaded");
	assert_int_equal(config_create(&scene->settings.config), 0);
	set_option(OPTION_admin_group, "44");
	const struct sides attach = { scene->supervisor.base, &attach_messages, ROLE_WORKER,
		&attach_side, sizeof(attach_side), on_worker_closed };
	sides_open(&attach, &scene->worker_process.channel, &scene->worker_side);
	assert_int_equal(admins_new(&scene->supervisor, &scene->supervisor.admins), 0);
	add_sessions();
	add_processes();
}

void
scene_settle(void)
{
	for (int i = 0; i < 6; i++)
		event_base_loop(scene->supervisor.base, EVLOOP_NONBLOCK);
}

void
scene_close(void)
{
	struct session *session;
	struct process *process;
	for (unsigned i = 0; i < scene->count; i++) {
		channel_free(&scene->commands[i].channel);
		fd_close(&scene->commands[i].stream);
	}
	scene_settle();
	free(scene->supervisor.admins);
	while ((session = LIST_FIRST(&scene->sessions.all)) != NULL) {
		tdelete(session, &scene->sessions.by_id, compare);
		LIST_REMOVE(session, link);
		free(session);
	}
	while ((process = LIST_FIRST(&scene->supervisor.processes)) != NULL) {
		LIST_REMOVE(process, link);
		free(process);
	}
	channel_free(&scene->worker_process.channel);
	channel_free(&scene->worker_side);
	config_free(&scene->settings.config);
	event_base_free(scene->supervisor.base);
	free(scene->ann);
	free(scene->longest);
	free(scene->bob);
	free(scene);
}
