/*
 * The command's end of the admin channel (see admin_scene.h). Runs in tests only.
 */
#include "tests/unit/sessions/admin_scene.h"

#include "ipc/base/scope.h"
#include "tests/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- answers ---- */

static struct command *
answered(void *owner, const struct message *message)
{
	struct command *command = owner;
	assert_int_equal(message->tag, command->tag);
	return command;
}

static void
on_status(void *owner, struct message *message, const struct admin_status *body)
{
	(void)answered(owner, message);
	assert_int_equal(body->uptime_s, (scene->now_ms - 1000000) / 1000);
	assert_int_equal(body->gateways, 2);
	assert_int_equal(body->workers, 5);
	assert_int_equal(body->stuck, 1);
	assert_int_equal(body->sessions, SCENE_SESSIONS);
	assert_true(bytes_equal_text(body->cage, "walls"));
	assert_true(body->version.length > 0);
	scene_note("status%s:%.*s", body->is_ending ? "(ending)" : "", (int)body->addresses.length,
		body->addresses.data);
}

/* In their order, each once. */
static void
take_key(struct command *command, uint64_t key)
{
	assert_true(key > command->last);
	command->last = key;
	command->rows++;
}

static void
on_processes(void *owner, struct message *message, const struct admin_processes *body)
{
	struct command *command = answered(owner, message);
	struct wire_list list = body->list;
	struct admin_process row;
	while (wire_list_next(&list, &admin_process_record, &row)) {
		take_key(command, row.process_pid);
		assert_true(bytes_equal_text(row.for_user, scene->name));
	}
	command->is_last = body->is_last;
}

static void
on_sessions(void *owner, struct message *message, const struct admin_sessions *body)
{
	struct command *command = answered(owner, message);
	struct wire_list list = body->list;
	struct admin_session row;
	while (wire_list_next(&list, &admin_session_record, &row)) {
		take_key(command, row.session);
		assert_true(bytes_equal_text(row.account, scene->name));
		assert_int_equal(row.age_s, (scene->now_ms - 1000000) / 1000);
	}
	command->is_last = body->is_last;
}

static void
on_saving(void *owner, struct message *message, UNUSED const struct admin_saving *body)
{
	struct command *command = answered(owner, message);
	assert_int_equal(descriptor_check(message->descriptor, DESCRIPTOR_DATA), 0);
	command->stream = fd_take(&message->descriptor);
	scene_note("saving");
}

static void
on_saved(void *owner, struct message *message, const struct admin_saved *body)
{
	(void)answered(owner, message);
	scene_note("saved:%u", (unsigned)body->tree.bytes);
}

static void
on_done(void *owner, struct message *message, UNUSED const struct admin_done *body)
{
	(void)answered(owner, message);
	scene_note("done");
}

static void
on_refused(void *owner, struct message *message, const struct admin_refused *body)
{
	const struct command *command = owner;
	assert_true(message->tag == 0 || message->tag == command->tag);
	assert_true(body->reason.length > 10);
	scene_note("refused%s:%s", message->tag == 0 ? "-connection" : "",
		strerrorname_np(body->error));
}

static const struct admin_handlers handlers = {
	.status = on_status,
	.processes = on_processes,
	.sessions = on_sessions,
	.saving = on_saving,
	.saved = on_saved,
	.done = on_done,
	.refused = on_refused,
};

static void
on_closed(void *owner, const char *malformed)
{
	struct command *command = owner;
	assert_null(malformed);
	scene_note("end");
	channel_free(&command->channel);
}

struct command *
command_connect(void)
{
	int ends[2];
	struct command *command = &scene->commands[scene->count++];
	assert_true(scene->count < SCENE_COMMANDS_MAX);
	*command = (struct command){ .stream = -1 };
	assert_int_equal(channel_pair(ends), 0);
	const struct channel_options options = {
		.base = scene->supervisor.base,
		.messages = &admin_messages,
		.our_role = ROLE_ADMIN,
		.peer_role = ROLE_SUPERVISOR,
		.phase = PHASE_SERVING,
		.handlers = &handlers,
		.owner = command,
		.closed = on_closed,
	};
	assert_int_equal(channel_new(&options, &ends[0], &command->channel), 0);
	admins_admit(scene->supervisor.admins, &scene->peer, &ends[1]);
	assert_int_equal(ends[1], -1);
	return command;
}

/* ---- requests ---- */

/* Page after page, as the command does it. */
static void
ask_list(struct command *command, bool sessions, uint64_t after)
{
	command->last = after;
	command->rows = 0;
	command->is_last = false;
	while (!command->is_last) {
		const struct admin_ask_sessions next = { .after = command->last };
		const struct admin_ask_processes next_process = { .after_pid =
									  (uint32_t)command->last };
		command->tag++;
		int error = sessions
				    ? admin_post_ask_sessions(command->channel, command->tag, &next)
				    : admin_post_ask_processes(
					      command->channel, command->tag, &next_process);
		assert_int_equal(error, 0);
		scene_settle();
	}
	scene_note("%s:%u", sessions ? "sessions" : "processes", command->rows);
}

void
command_ask(struct command *command, char what, const char *rest)
{
	if (what == 'l' || what == 'p') {
		ask_list(command, what == 'l', strtoull(rest, NULL, 10));
		return;
	}
	static const struct admin_ask_status status;
	static const struct admin_reload reload;
	const struct admin_close_session closing = { .session = strtoull(rest, NULL, 10) };
	const struct admin_save save = {
		.account = bytes_of_text(*rest == 'b'   ? "bob"
					 : *rest == 'n' ? "nobody"
							: "ann"),
		.worker_pid = *rest == '9' ? 99 : 0,
	};
	command->tag++;
	int error = what == 's' ? admin_post_ask_status(command->channel, command->tag, &status)
		    : what == 'c'
			    ? admin_post_close_session(command->channel, command->tag, &closing)
		    : what == 'v' ? admin_post_save(command->channel, command->tag, &save)
				  : admin_post_reload(command->channel, command->tag, &reload);
	assert_int_equal(error, 0);
}
