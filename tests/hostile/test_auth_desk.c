/*
 * A gateway that lies on its channel to auth: auth closes that channel and says why, another
 * gateway's attempts are judged as before, and nothing is left behind (policy/auth/desk.h,
 * DECISIONS 21).
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/event.h"
#include "ipc/verdict.h"
#include "ipc/verify.h"
#include "policy/auth/desk.h"
#include "tests/hostile/assault.h"

#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

enum { LIAR = 7, OTHER = 8, TURNS = 8, TIME_LIMIT_MS = 10000 };

/* One auth for all lies: what leaks, or is left in a wrong state, shows. */
struct scene {
	struct event_base *base;
	struct channel *supervisor;
	int supervisor_fd;
	struct events events;
	int record_fd;
	struct desk *desk;
	int other_fd; /* of the honest gateway */
};

static void
on_supervisor_closed(void *owner, const char *malformed)
{
	(void)owner;
	(void)malformed;
	fail_msg("%s", "auth lost its channel to the supervisor");
}

static void
on_order(void *owner, struct message *message, const void *body)
{
	(void)owner;
	(void)message;
	(void)body;
}

#define ORDER(name)                                                                      \
	static void on_##name(                                                           \
		void *owner, struct message *message, const struct verdict_##name *body) \
	{                                                                                \
		on_order(owner, message, body);                                          \
	}
ORDER(host)
ORDER(host_users)
ORDER(configure)
ORDER(users)
ORDER(gateway)
ORDER(record)
ORDER(ping)
ORDER(ask)
ORDER(certificate)
ORDER(authority)
ORDER(use_certificates)

static const struct verdict_handlers orders = {
	.host = on_host,
	.host_users = on_host_users,
	.configure = on_configure,
	.users = on_users,
	.gateway = on_gateway,
	.record = on_record,
	.ping = on_ping,
	.ask = on_ask,
	.certificate = on_certificate,
	.authority = on_authority,
	.use_certificates = on_use_certificates,
};

static void
on_drained(void *owner)
{
	struct scene *scene = owner;
	desk_continue(scene->desk);
}

static void
open_supervisor(struct scene *scene)
{
	int ends[2];
	const struct channel_options options = {
		.base = scene->base,
		.messages = &verdict_messages,
		.our_role = ROLE_AUTH,
		.peer_role = ROLE_SUPERVISOR,
		.phase = PHASE_SERVING,
		.handlers = &orders,
		.owner = scene,
		.closed = on_supervisor_closed,
	};
	assert_int_equal(channel_pair(ends), 0);
	scene->supervisor_fd = ends[1];
	assert_int_equal(channel_new(&options, &ends[0], &scene->supervisor), 0);
}

static int
add_gateway(struct scene *scene, uint32_t incarnation)
{
	int ends[2];
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(desk_add_gateway(scene->desk, incarnation, &ends[0]), 0);
	return ends[1];
}

static void
set_accounts(struct scene *scene)
{
	const struct verdict_configure defaults = {
		.file_name = bytes_of_text("users"),
		.backend = bytes_of_text("sync"),
		.path_threads = 4,
		.sessions_max = 5,
	};
	static const char nobody[] = "# nobody may log in\n";
	struct realms *realms = NULL;
	SCOPE_FREE char *reason = NULL;
	SCOPE_FD int fd = memfd_create("users", MFD_CLOEXEC);
	assert_int_equal(write(fd, nobody, sizeof(nobody) - 1), sizeof(nobody) - 1);
	if (realms_new(fd, &defaults, &realms, &reason) < 0)
		fail_msg("%s", reason);
	desk_set_realms(scene->desk, &realms);
}

static struct scene *
the_scene(void)
{
	static const struct trust_files nothing;
	static struct scene scene;
	int ends[2];
	if (scene.base != NULL)
		return &scene;
	scene.base = event_base_new();
	open_supervisor(&scene);
	scene.events = (struct events){
		.base = scene.base,
		.owner = &scene,
		.drained = on_drained,
	};
	assert_int_equal(channel_pair(ends), 0);
	scene.record_fd = ends[1];
	assert_int_equal(events_use(&scene.events, &ends[0]), 0);
	const struct desk_options options = {
		.base = scene.base,
		.events = &scene.events,
		.supervisor = scene.supervisor,
		.processes = 1,
		.queue_per_address = 8,
		.queue_total = 16,
		.trust = &nothing,
	};
	assert_int_equal(desk_new(&options, &scene.desk), 0);
	set_accounts(&scene);
	scene.other_fd = add_gateway(&scene, OTHER);
	return &scene;
}

static void
settle(const struct scene *scene)
{
	for (int i = 0; i < TURNS; i++)
		event_base_loop(scene->base, EVLOOP_NONBLOCK);
}

/* The rule in auth's events since the last look; NULL if it reports none. */
static const char *
take_rule(const struct scene *scene)
{
	static char rule[256];
	const char *found = NULL;
	char message[4096];
	ssize_t length;
	while ((length = recv(scene->record_fd, message, sizeof(message), MSG_DONTWAIT)) > 0) {
		struct event_malformed event;
		if (message[0] != EVENT_MALFORMED)
			continue;
		struct bytes body = bytes_of(
			message + MESSAGE_HEADER_BYTES, (size_t)length - MESSAGE_HEADER_BYTES);
		assert_int_equal(wire_decode(&event_malformed_record, body, &event, NULL), 0);
		assert_int_equal(event.peer, PROCESS_GATEWAY);
		snprintf(rule, sizeof(rule), "%.*s", (int)event.rule.length, event.rule.data);
		found = rule;
	}
	return found;
}

static bool
is_readable(int fd, int wait_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	return poll(&poll_fd, 1, wait_ms) == 1;
}

static bool
is_closed(int fd)
{
	char byte;
	return recv(fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_PEEK) == 0;
}

static void
check_other_gateway(const struct scene *scene)
{
	static char message[MALFORMED_BUFFER_BYTES];
	struct bytes question = malformed_sample(&verify_messages.rules[VERIFY_PASSWORD], message);
	message[MESSAGE_HEADER_BYTES + 4] = OTHER; /* the upper half of the session */
	memset(message + MESSAGE_HEADER_BYTES + 5, 0, 3);
	assert_int_equal(send(scene->other_fd, question.data, question.length, 0), question.length);
	for (int waited = 0; !is_readable(scene->other_fd, 0); waited++) {
		assert_true(waited < TIME_LIMIT_MS);
		event_base_loop(scene->base, EVLOOP_NONBLOCK);
		(void)is_readable(scene->other_fd, 1);
	}
	char answer[64];
	assert_true(recv(scene->other_fd, answer, sizeof(answer), 0) > MESSAGE_HEADER_BYTES);
	assert_int_equal(answer[0], VERIFY_ANSWER);
	assert_int_equal(answer[MESSAGE_HEADER_BYTES], VERDICT_REFUSED);
}

static const char *
strike(const struct malformed_list *list, size_t index)
{
	struct scene *scene = the_scene();
	SCOPE_FD int fd = add_gateway(scene, LIAR);
	take_rule(scene);
	assert_int_equal(malformed_send(list, index, fd), 0);
	settle(scene);
	const char *rule = is_closed(fd) ? take_rule(scene) : "";
	check_other_gateway(scene);
	return rule;
}

int
main(void)
{
	/* As auth has it from cage_become(): without privilege, no hasher gets its filter
	 * otherwise. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		bug("PR_SET_NO_NEW_PRIVS");
	const struct assault assaults[] = {
		{ "auth, from a gateway", &verify_messages, ROLE_GATEWAY, PHASE_SERVING, strike,
			NULL },
	};
	return assault_run(assaults, ARRAY_LENGTH(assaults));
}
