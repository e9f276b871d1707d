/*
 * A command that lies on the admin socket (HOSTILE 32): its connection ends, the record says which
 * rule it broke, another's goes on, and nothing is left behind (policy/sessions/admins.h). No
 * descriptor is ever taken from it, of whatever kind.
 */
#include "ipc/admin.h"
#include "ipc/base/scope.h"
#include "ipc/event.h"
#include "policy/sessions/admins.h"
#include "policy/sessions/record.h"
#include "policy/sessions/session.h"
#include "policy/sessions/workers.h"
#include "policy/supervisor/listeners.h"
#include "policy/supervisor/supervisor.h"
#include "tests/descriptors.h"
#include "tests/hostile/assault.h"

#include <stdio.h>
#include <sys/socket.h>

enum { TURNS = 8 };

/* One supervisor for all lies: what leaks, or is left in a wrong state, shows. */
static struct {
	struct supervisor supervisor;
	struct settings settings;
	struct sessions sessions;
	int other_fd; /* of the honest command */
	char rule[256];
	unsigned said;
} scene;

/* ---- in the place of the other modules ---- */

uint64_t
supervisor_now_ms(void)
{
	return 1000;
}

int
supervisor_reload(UNUSED struct supervisor *supervisor)
{
	return -ENOTSUP;
}

int
workers_find(UNUSED const struct workers *workers, UNUSED struct bytes user, UNUSED pid_t pid,
	UNUSED const struct worker **result)
{
	return -ENOENT;
}

void
session_close(UNUSED struct session *session)
{
	fail_msg("%s", "there is no session");
}

unsigned
processes_count(UNUSED const struct supervisor *supervisor, UNUSED enum role role)
{
	return 0;
}

char *
listeners_text(UNUSED const struct listeners *listeners)
{
	return NULL;
}

void
record_event(UNUSED struct record *record, uint32_t code, const void *body)
{
	const struct event_malformed *event = body;
	if (code != EVENT_MALFORMED)
		return;
	assert_int_equal(event->peer, PROCESS_ADMIN);
	assert_int_equal(event->peer_pid, 77);
	snprintf(scene.rule, sizeof(scene.rule), "%.*s", (int)event->rule.length, event->rule.data);
	scene.said++;
}

/* ---- commands ---- */

static int
add_command(void)
{
	const struct admin_peer peer = { .pid = 77 };
	int ends[2];
	assert_int_equal(channel_pair(ends), 0);
	admins_admit(scene.supervisor.admins, &peer, &ends[0]);
	return ends[1];
}

static void
settle(void)
{
	for (int i = 0; i < TURNS; i++)
		event_base_loop(scene.supervisor.base, EVLOOP_NONBLOCK);
}

static void
check_other(void)
{
	static const char question[MESSAGE_HEADER_BYTES] = { ADMIN_ASK_STATUS, 0, 0, 0, 5 };
	char answer[4096];
	assert_int_equal(send(scene.other_fd, question, sizeof(question), 0), sizeof(question));
	settle();
	assert_true(
		recv(scene.other_fd, answer, sizeof(answer), MSG_DONTWAIT) > MESSAGE_HEADER_BYTES);
	assert_int_equal(answer[0], ADMIN_STATUS);
	assert_int_equal(answer[4], 5);
}

static bool
is_closed(int fd)
{
	char byte;
	return recv(fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_PEEK) == 0;
}

static void
begin(void)
{
	if (scene.supervisor.base != NULL)
		return;
	scene.supervisor.base = event_base_new();
	scene.supervisor.settings = &scene.settings;
	scene.supervisor.sessions = &scene.sessions;
	assert_int_equal(config_create(&scene.settings.config), 0);
	assert_int_equal(admins_new(&scene.supervisor, &scene.supervisor.admins), 0);
	scene.other_fd = add_command();
}

static const char *
strike(const struct malformed_list *list, size_t index)
{
	begin();
	scene.said = 0;
	int before = count_descriptors();
	int fd = add_command();
	assert_int_equal(malformed_send(list, index, fd), 0);
	settle();
	bool has_ended = is_closed(fd);
	close(fd);
	check_other();
	assert_int_equal(count_descriptors(), before);
	if (!has_ended)
		return "";
	assert_in_range(scene.said, 0, 1);
	return scene.said == 1 ? scene.rule : NULL;
}

int
main(void)
{
	const struct assault assaults[] = {
		{ "the supervisor, from a command", &admin_messages, ROLE_ADMIN, PHASE_SERVING,
			strike, NULL },
	};
	return assault_run(assaults, ARRAY_LENGTH(assaults));
}
