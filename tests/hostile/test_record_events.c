/*
 * Processes that lie in their events: record cuts that writer off and says why, the other writers'
 * lines go on, and nothing is left behind (policy/record/writers.h, DECISIONS 21, 22).
 */
#include "ipc/base/scope.h"
#include "ipc/event.h"
#include "policy/record/writers.h"
#include "tests/hostile/assault.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

enum { INCARNATION = 5, LIAR = 2, OTHER = 3, TURNS = 8 };

struct scene {
	struct event_base *base;
	int lines;
	struct output *output;
	struct writers *writers;
	uint32_t ended; /* the writer that ended last */
	char malformed[128];
};

static void
on_ended(void *owner, uint32_t number, const char *malformed)
{
	struct scene *scene = owner;
	scene->ended = number;
	snprintf(scene->malformed, sizeof(scene->malformed), "%s",
		malformed == NULL ? "" : malformed);
}

static void
on_stuck(void *owner, int error)
{
	(void)owner;
	fail_msg("record cannot write: %s", strerror(-error));
}

static void
open_scene(struct scene *scene)
{
	int ends[2];
	*scene = (struct scene){ .base = event_base_new() };
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	scene->lines = ends[0];
	assert_int_equal(output_open_descriptor(&ends[1], &scene->output), 0);
	const struct writers_options options = {
		.base = scene->base,
		.output = scene->output,
		.owner = scene,
		.ended = on_ended,
		.stuck = on_stuck,
	};
	assert_int_equal(writers_new(&options, &scene->writers), 0);
}

static void
close_scene(struct scene *scene)
{
	writers_free(&scene->writers);
	output_free(&scene->output);
	fd_close(&scene->lines);
	event_base_free(scene->base);
}

static int
add_writer(struct scene *scene, uint32_t number, enum role role)
{
	int ends[2];
	const struct ledger_writer writer = {
		.number = number,
		.role = (enum process_role)role,
		.pid = 4711,
		.incarnation = role == ROLE_GATEWAY ? INCARNATION : 0,
		.user = bytes_of_text(""),
	};
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(writers_add(scene->writers, &writer, &ends[1]), 0);
	return ends[0];
}

static void
settle(const struct scene *scene)
{
	for (int i = 0; i < TURNS; i++)
		event_base_loop(scene->base, EVLOOP_NONBLOCK);
}

static void
check_other_writer(struct scene *scene)
{
	static char message[MALFORMED_BUFFER_BYTES];
	char lines[4096];
	SCOPE_FD int fd = add_writer(scene, OTHER, ROLE_WORKER);
	struct bytes event = malformed_sample(&event_messages.rules[EVENT_SESSION_ENDED], message);
	assert_int_equal(send(fd, event.data, event.length, MSG_DONTWAIT), event.length);
	settle(scene);
	ssize_t length = read(scene->lines, lines, sizeof(lines) - 1);
	assert_true(length > 0);
	lines[length] = '\0';
	assert_non_null(strstr(lines, "\"event\":\"session_ended\""));
	assert_null(strstr(lines, "\"writer\":2")); /* the liar's */
}

static const char *
strike(const struct malformed_list *list, size_t index)
{
	static char rule[128];
	struct scene scene;
	open_scene(&scene);
	SCOPE_FD int fd = add_writer(&scene, LIAR, list->sender);
	assert_int_equal(malformed_send(list, index, fd), 0);
	settle(&scene);
	snprintf(rule, sizeof(rule), "%s", scene.malformed);
	bool has_ended = scene.ended == LIAR;
	check_other_writer(&scene);
	close_scene(&scene);
	return has_ended && rule[0] == '\0' ? NULL : rule;
}

/* Record looks at events before it takes them, with words of its own (line.h). */
static const char *
rule(const struct malformed_list *list, enum malformed_kind kind)
{
	switch (kind) {
	case MALFORMED_HEADER:
		return "an event without a header";
	case MALFORMED_SIZE:
	case MALFORMED_MANY:
	case MALFORMED_UNWANTED:
		return "an oversized event or one with a descriptor";
	case MALFORMED_CODE:
		return "an unknown event";
	case MALFORMED_SENDER:
		return "an event that this role may not send";
	case MALFORMED_EMPTY:
		return NULL; /* it takes the message for the end */
	case MALFORMED_PHASE:
	case MALFORMED_COUNT:
	case MALFORMED_DESCRIPTOR:
	case MALFORMED_FIELD:
		break;
	}
	return malformed_rule(list, kind);
}

int
main(void)
{
	const struct assault assaults[] = {
		{ "record, from a gateway", &event_messages, ROLE_GATEWAY, PHASE_SERVING, strike,
			rule },
		{ "record, from a worker", &event_messages, ROLE_WORKER, PHASE_SERVING, strike,
			rule },
		{ "record, from auth", &event_messages, ROLE_AUTH, PHASE_SERVING, strike, rule },
		{ "record, from the supervisor", &event_messages, ROLE_SUPERVISOR, PHASE_SERVING,
			strike, rule },
	};
	return assault_run(assaults, ARRAY_LENGTH(assaults));
}
