/*
 * Events on their way to lines: what a writer may say, what is stamped, and that nothing is lost
 * when record dies or cannot write (writers.h, line.h, DECISIONS 21, 22).
 */
#include "ipc/base/scope.h"
#include "ipc/event.h"
#include "policy/record/writers.h"
#include "tests/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { INCARNATION = 5, LINES_BYTES = 65536 };

static const struct wire_address nowhere;

/* ---- a record without a supervisor: lines go into a pipe ---- */

struct scene {
	struct event_base *base;
	int lines; /* read end of the pipe; -1: lines go elsewhere */
	struct output *output;
	struct writers *writers;
	char ended[128]; /* number and reason of each writer that ended */
	int stuck;       /* the last error told */
};

static void
on_ended(void *owner, uint32_t number, const char *malformed)
{
	struct scene *scene = owner;
	snprintf(scene->ended, sizeof(scene->ended), "%u:%s", number,
		malformed == NULL ? "" : malformed);
}

static void
on_stuck(void *owner, int error)
{
	struct scene *scene = owner;
	scene->stuck = error;
}

static void
open_writers(struct scene *scene)
{
	struct writers_options options = {
		.base = scene->base,
		.output = scene->output,
		.owner = scene,
		.ended = on_ended,
		.stuck = on_stuck,
	};
	assert_int_equal(writers_new(&options, &scene->writers), 0);
}

static void
open_scene(struct scene *scene, int output_fd)
{
	*scene = (struct scene){ .base = event_base_new(), .lines = -1 };
	if (output_fd < 0) {
		int ends[2];
		assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
		scene->lines = ends[0];
		output_fd = ends[1];
	}
	assert_int_equal(output_open_descriptor(&output_fd, &scene->output), 0);
	open_writers(scene);
}

static void
close_scene(struct scene *scene)
{
	writers_free(&scene->writers);
	output_free(&scene->output);
	fd_close(&scene->lines);
	event_base_free(scene->base);
}

static void
settle(struct scene *scene)
{
	for (int i = 0; i < 8; i++)
		event_base_loop(scene->base, EVLOOP_NONBLOCK);
}

static void
read_lines(struct scene *scene, char text[LINES_BYTES])
{
	settle(scene);
	ssize_t length = read(scene->lines, text, LINES_BYTES - 1);
	text[length < 0 ? 0 : length] = '\0';
}

/* Gives record one end of a channel and returns the writer's. */
static int
add_writer(struct scene *scene, uint32_t number, enum process_role role, const char *user)
{
	int ends[2];
	struct ledger_writer writer = {
		.number = number,
		.role = role,
		.pid = 4711,
		.incarnation = role == PROCESS_GATEWAY ? INCARNATION : 0,
		.user = bytes_of_text(user),
	};
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(writers_add(scene->writers, &writer, &ends[1]), 0);
	return ends[0];
}

static size_t
encode(uint32_t code, uint32_t sequence, const void *body, char *message, size_t capacity)
{
	memset(message, 0, MESSAGE_HEADER_BYTES);
	message[0] = (char)code;
	message[4] = (char)sequence;
	int length = wire_encode(event_messages.rules[code].record, body,
		message + MESSAGE_HEADER_BYTES, capacity - MESSAGE_HEADER_BYTES);
	assert_true(length >= 0);
	return MESSAGE_HEADER_BYTES + (size_t)length;
}

static void
send_event(int fd, uint32_t code, uint32_t sequence, const void *body)
{
	char message[4096];
	size_t length = encode(code, sequence, body, message, sizeof(message));
	assert_int_equal(send(fd, message, length, MSG_DONTWAIT), length);
}

static struct event_operation
operation_of(uint64_t session, const char *path)
{
	return (struct event_operation){
		.session = session,
		.peer = nowhere,
		.name = bytes_of_text("stat"),
		.path = bytes_of_text(path),
	};
}

/* ---- what a line holds ---- */

static void
check_stamp(void **state)
{
	static char text[LINES_BYTES];
	struct scene scene;
	(void)state;
	open_scene(&scene, -1);
	SCOPE_FD int fd = add_writer(&scene, 9, PROCESS_WORKER, "alice");
	struct event_operation operation = operation_of(0x500000001, "/a\n\x1b\"b\xff");
	send_event(fd, EVENT_OPERATION, 1, &operation);
	read_lines(&scene, text);
	assert_non_null(strstr(text, "{\"time\":\"20"));
	assert_non_null(strstr(text,
		",\"event\":\"operation\",\"role\":\"worker\",\"pid\":4711,\"user\":\"alice\","
		"\"writer\":9,\"sequence\":1,\"session\":\"0000000500000001\","));
	assert_non_null(strstr(text, "\"path\":\"/a\\u000a\\u001b\\\"b\\udcff\""));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	close_scene(&scene);
}

/* ---- what a writer may say ---- */

struct rule_row {
	const char *name;
	enum process_role role;
	uint32_t code;
	uint32_t first_sequence;
	uint32_t sequence;
	uint64_t session;
	const char *want; /* "": the writer goes on */
};

static const struct rule_row rule_rows[] = {
	{ "a worker's operation", PROCESS_WORKER, EVENT_OPERATION, 1, 2, 1, "" },
	{ "a worker may name any session", PROCESS_WORKER, EVENT_OPERATION, 1, 2, UINT64_MAX, "" },
	{ "sequence after a restart of record", PROCESS_WORKER, EVENT_OPERATION, 70, 71, 1, "" },
	{ "an operation of a gateway", PROCESS_GATEWAY, EVENT_OPERATION, 0, 1, 1,
		"3:an event that this role may not send" },
	{ "an operation of auth", PROCESS_AUTH, EVENT_OPERATION, 0, 1, 1,
		"3:an event that this role may not send" },
	{ "a sequence number twice", PROCESS_WORKER, EVENT_OPERATION, 1, 1, 1,
		"3:an event out of sequence" },
	{ "a gap in the sequence", PROCESS_WORKER, EVENT_OPERATION, 1, 3, 1,
		"3:an event out of sequence" },
	{ "no sequence number", PROCESS_WORKER, EVENT_OPERATION, 0, 0, 1,
		"3:an event out of sequence" },
	{ "an event without a row", PROCESS_WORKER, 15, 1, 2, 1, "3:an unknown event" },
};

static void
check_rule(void **state)
{
	const struct rule_row *row = *state;
	struct scene scene;
	char message[4096];
	open_scene(&scene, -1);
	SCOPE_FD int fd = add_writer(&scene, 3, row->role, "");
	struct event_operation operation = operation_of(row->session, "/x");
	if (row->first_sequence != 0)
		send_event(fd, EVENT_OPERATION, row->first_sequence, &operation);
	size_t length =
		encode(EVENT_OPERATION, row->sequence, &operation, message, sizeof(message));
	message[0] = (char)row->code;
	assert_int_equal(send(fd, message, length, MSG_DONTWAIT), length);
	settle(&scene);
	assert_string_equal(scene.ended, row->want);
	close_scene(&scene);
}

struct session_row {
	const char *name;
	uint64_t session;
	const char *want;
};

static const struct session_row session_rows[] = {
	{ "of its own incarnation", (uint64_t)INCARNATION << 32 | 1, "" },
	{ "of another incarnation", (uint64_t)(INCARNATION + 1) << 32 | 1,
		"3:a session of another gateway" },
};

static void
check_gateway_session(void **state)
{
	const struct session_row *row = *state;
	struct scene scene;
	open_scene(&scene, -1);
	SCOPE_FD int fd = add_writer(&scene, 3, PROCESS_GATEWAY, "");
	struct event_disconnected gone = {
		.session = row->session,
		.reason = bytes_of_text("quit"),
	};
	send_event(fd, EVENT_DISCONNECTED, 1, &gone);
	settle(&scene);
	assert_string_equal(scene.ended, row->want);
	close_scene(&scene);
}

static void
check_descriptor_refused(void **state)
{
	struct scene scene;
	char message[4096];
	(void)state;
	open_scene(&scene, -1);
	SCOPE_FD int fd = add_writer(&scene, 3, PROCESS_WORKER, "alice");
	struct event_operation operation = operation_of(1, "/x");
	size_t length = encode(EVENT_OPERATION, 1, &operation, message, sizeof(message));
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .header = {
			      .cmsg_len = CMSG_LEN(sizeof(int)),
			      .cmsg_level = SOL_SOCKET,
			      .cmsg_type = SCM_RIGHTS,
		      } };
	struct iovec part = { .iov_base = message, .iov_len = length };
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	assert_int_equal(sendmsg(fd, &header, MSG_DONTWAIT), length);
	settle(&scene);
	assert_string_equal(scene.ended, "3:an oversized event or one with a descriptor");
	close_scene(&scene);
}

static void
check_end(void **state)
{
	static char text[LINES_BYTES];
	struct scene scene;
	(void)state;
	open_scene(&scene, -1);
	int fd = add_writer(&scene, 3, PROCESS_WORKER, "alice");
	struct event_operation operation = operation_of(1, "/last");
	send_event(fd, EVENT_OPERATION, 1, &operation);
	fd_close(&fd);
	read_lines(&scene, text);
	assert_non_null(strstr(text, "/last"));
	assert_string_equal(scene.ended, "3:");
	close_scene(&scene);
}

/* ---- nothing is lost ---- */

enum { MANY = 200 };

/* Every event of a writer that sends more than one turn takes, in order, each once. */
static void
check_many(void **state)
{
	static char text[LINES_BYTES];
	struct scene scene;
	char want[64];
	(void)state;
	open_scene(&scene, -1);
	SCOPE_FD int fd = add_writer(&scene, 3, PROCESS_WORKER, "alice");
	const char *at = text;
	for (uint32_t sent = 0, seen = 0; seen < MANY;) {
		for (uint32_t i = 0; i < 100 && sent < MANY; i++) {
			struct event_operation operation = operation_of(1, "/x");
			send_event(fd, EVENT_OPERATION, ++sent, &operation);
		}
		read_lines(&scene, text);
		for (at = text; *at != '\0'; at = strchr(at, '\n') + 1) {
			snprintf(want, sizeof(want), "\"sequence\":%u,", ++seen);
			char *line_end = strchr(at, '\n');
			char *place = strstr(at, want);
			assert_non_null(place);
			assert_true(place < line_end);
		}
		if (text[0] == '\0')
			fail_msg("%u lines of %u", seen, sent);
	}
	close_scene(&scene);
}

/*
 * A full disk: nothing is consumed; the next record process, which gets a duplicate of the same
 * end, finds every event.
 */
static void
check_full_disk(void **state)
{
	static char text[LINES_BYTES];
	struct scene scene;
	int ends[2];
	(void)state;
	open_scene(&scene, open("/dev/full", O_WRONLY | O_CLOEXEC));
	assert_int_equal(channel_pair(ends), 0);
	SCOPE_FD int writer_end = ends[0];
	SCOPE_FD int kept = fcntl(ends[1], F_DUPFD_CLOEXEC, 0);
	struct ledger_writer writer = {
		.number = 3,
		.role = PROCESS_WORKER,
		.pid = 4711,
		.user = bytes_of_text("alice"),
	};
	assert_int_equal(writers_add(scene.writers, &writer, &ends[1]), 0);
	struct event_operation operation = operation_of(1, "/kept");
	send_event(writer_end, EVENT_OPERATION, 1, &operation);
	send_event(writer_end, EVENT_OPERATION, 2, &operation);
	settle(&scene);
	assert_int_equal(scene.stuck, -ENOSPC);
	close_scene(&scene);

	open_scene(&scene, -1);
	assert_int_equal(writers_add(scene.writers, &writer, &kept), 0);
	read_lines(&scene, text);
	assert_non_null(strstr(text, "\"sequence\":1,"));
	assert_non_null(strstr(text, "\"sequence\":2,"));
	close_scene(&scene);
}

/* A reader that comes back: what was held up is written, once, and reading goes on. */
static void
check_unstuck(void **state)
{
	static char text[LINES_BYTES];
	static char filler[LINES_BYTES];
	struct scene scene;
	(void)state;
	open_scene(&scene, -1);
	int ends[2];
	/* The pipe is full before the first line. */
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	output_free(&scene.output);
	writers_free(&scene.writers);
	fd_close(&scene.lines);
	scene.lines = ends[0];
	while (write(ends[1], filler, sizeof(filler)) > 0)
		;
	assert_int_equal(output_open_descriptor(&ends[1], &scene.output), 0);
	open_writers(&scene);

	SCOPE_FD int fd = add_writer(&scene, 3, PROCESS_WORKER, "alice");
	struct event_operation operation = operation_of(1, "/late");
	send_event(fd, EVENT_OPERATION, 1, &operation);
	settle(&scene);
	assert_int_equal(scene.stuck, -EAGAIN);
	while (read(scene.lines, filler, sizeof(filler)) > 0)
		;
	while (scene.stuck != 0) /* until the retry */
		assert_int_equal(event_base_loop(scene.base, EVLOOP_ONCE), 0);
	send_event(fd, EVENT_OPERATION, 2, &operation);
	read_lines(&scene, text);
	const char *first = strstr(text, "\"sequence\":1,");
	assert_non_null(first);
	assert_null(strstr(first + 1, "\"sequence\":1,"));
	assert_non_null(strstr(text, "\"sequence\":2,"));
	close_scene(&scene);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("what is stamped and escaped", check_stamp),
		TABLE("rule", rule_rows, check_rule),
		TABLE("session of a gateway", session_rows, check_gateway_session),
		CASE("a descriptor", check_descriptor_refused),
		CASE("a writer ends", check_end),
		CASE("many events", check_many),
		CASE("full disk, then another record", check_full_disk),
		CASE("full output, then room", check_unstuck),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
