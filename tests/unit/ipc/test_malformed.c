/*
 * What a lying peer can send (HOSTILE 36): nothing wrong reaches a handler, the channel ends with
 * the reason, nothing after it is read, and not one descriptor stays.
 */
#include "ipc/base/scope.h"
#include "ipc/gate.h"
#include "tests/unit/ipc/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* Codes have no gaps: the last is their number. */
enum {
	GATE_LAST = 0
#define MESSAGE(name, CODE, number, senders, phases, descriptor, reply, doc) +1
#include "ipc/gate.def"
};

#define TEXT(literal)                                            \
	{                                                        \
		.data = (literal), .length = sizeof(literal) - 1 \
	}
#define SESSION "\1\0\0\0\1\0\0\0"
#define NOBODY  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" /* an address */

/* ---- descriptors to send ---- */

static int
make_tcp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	return fd;
}

static int
make_listener(void)
{
	int fd = make_tcp();
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static int
make_channel(void)
{
	int ends[2];
	assert_int_equal(channel_pair(ends), 0);
	close(ends[1]);
	return ends[0];
}

static int
make_file(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* ---- one message ---- */

struct message_row {
	const char *name;
	enum message_phase phase;
	uint32_t code;
	struct bytes body;
	size_t descriptors;
	int (*make)(void);
	const char *want; /* which rule it broke; NULL: none */
};

static const struct message_row message_rows[] = {
	{ "good", PHASE_SERVING, GATE_COMPLAIN, TEXT(SESSION), 0, NULL, NULL },
	{ "good with a descriptor", PHASE_SERVING, GATE_ATTACH, TEXT(SESSION "\1\0\0\0" NOBODY), 1,
		make_tcp, NULL },
	{ "good at the start", PHASE_STARTING, GATE_READY, TEXT("\0\0"), 0, NULL, NULL },
	{ "good in any phase", PHASE_STARTING, GATE_VIOLATION, TEXT("\1\0\0\0\1\0\0\0"), 0, NULL,
		NULL },

	{ "code 0", PHASE_SERVING, 0, TEXT(""), 0, NULL, "unknown message" },
	{ "the code after the last", PHASE_SERVING, GATE_LAST + 1, TEXT(""), 0, NULL,
		"unknown message" },
	{ "the largest code", PHASE_SERVING, UINT32_MAX, TEXT(""), 0, NULL, "unknown message" },
	{ "a code of 2^31", PHASE_SERVING, 1u << 31, TEXT(""), 0, NULL, "unknown message" },
	{ "our own message", PHASE_SERVING, GATE_PING, TEXT(""), 0, NULL,
		"a message that this peer may not send" },
	{ "our own message, descriptor and all", PHASE_SERVING, GATE_AUTH, TEXT(""), 1,
		make_channel, "a message that this peer may not send" },
	{ "too early", PHASE_STARTING, GATE_COMPLAIN, TEXT(SESSION), 0, NULL,
		"a message out of phase" },
	{ "too late", PHASE_SERVING, GATE_READY, TEXT("\0\0"), 0, NULL, "a message out of phase" },
	{ "too early, with a descriptor", PHASE_STARTING, GATE_ATTACH,
		TEXT(SESSION "\1\0\0\0" NOBODY), 1, make_tcp, "a message out of phase" },

	{ "one where none belongs", PHASE_SERVING, GATE_COMPLAIN, TEXT(SESSION), 1, make_tcp,
		"a descriptor where none belongs" },
	{ "two where none belongs", PHASE_SERVING, GATE_COMPLAIN, TEXT(SESSION), 2, make_tcp,
		"a descriptor where none belongs" },
	{ "a hundred where none belongs", PHASE_SERVING, GATE_COMPLAIN, TEXT(SESSION), 100,
		make_tcp, "more descriptors than any message has" },
	{ "none where one belongs", PHASE_SERVING, GATE_ATTACH, TEXT(SESSION "\1\0\0\0" NOBODY), 0,
		NULL, "not exactly one descriptor" },
	{ "two where one belongs", PHASE_SERVING, GATE_ATTACH, TEXT(SESSION "\1\0\0\0" NOBODY), 2,
		make_tcp, "not exactly one descriptor" },
	{ "four where one belongs", PHASE_SERVING, GATE_ATTACH, TEXT(SESSION "\1\0\0\0" NOBODY), 4,
		make_tcp, "not exactly one descriptor" },
	{ "a hundred where one belongs", PHASE_SERVING, GATE_ATTACH,
		TEXT(SESSION "\1\0\0\0" NOBODY), 100, make_tcp,
		"more descriptors than any message has" },
	{ "as many as the kernel lets through", PHASE_SERVING, GATE_ATTACH,
		TEXT(SESSION "\1\0\0\0" NOBODY), 253, make_tcp,
		"more descriptors than any message has" },
	{ "a file for a socket", PHASE_SERVING, GATE_ATTACH, TEXT(SESSION "\1\0\0\0" NOBODY), 1,
		make_file, "a descriptor of another kind" },
	{ "a listener for a connection", PHASE_SERVING, GATE_ATTACH,
		TEXT(SESSION "\1\0\0\0" NOBODY), 1, make_listener, "a descriptor of another kind" },
	{ "a channel for a connection", PHASE_SERVING, GATE_ATTACH, TEXT(SESSION "\1\0\0\0" NOBODY),
		1, make_channel, "a descriptor of another kind" },

	{ "no body", PHASE_SERVING, GATE_COMPLAIN, TEXT(""), 0, NULL, "a field out of range" },
	{ "a body cut off", PHASE_SERVING, GATE_COMPLAIN, TEXT("\1\0\0\0\1\0\0"), 0, NULL,
		"a field out of range" },
	{ "a byte left over", PHASE_SERVING, GATE_COMPLAIN, TEXT(SESSION "x"), 0, NULL,
		"a field out of range" },
	{ "a body where none belongs", PHASE_SERVING, GATE_PONG, TEXT("x"), 0, NULL,
		"a field out of range" },
	{ "a field out of range", PHASE_SERVING, GATE_CONNECT_ACTIVE, TEXT(SESSION "\xff\3"), 0,
		NULL, "a field out of range" },
	{ "a field out of range, with a descriptor", PHASE_SERVING, GATE_ATTACH,
		TEXT(SESSION "\0\0\0\0" NOBODY), 1, make_tcp, "a field out of range" },
};

static void
check_end(struct fixture *fixture, const char *want)
{
	if (fixture->malformed == NULL || want == NULL || strcmp(fixture->malformed, want) != 0)
		fail_msg("ended by \"%s\", not by \"%s\"", fixture->malformed, want);
	assert_int_equal(fixture->closed, 1);
	assert_int_equal(fixture->received, 0);
}

static void
send_row(struct fixture *fixture, const struct message_row *row)
{
	SCOPE_FD int fd = row->descriptors > 0 ? row->make() : -1;
	int descriptors[253] = { 0 };
	for (size_t i = 0; i < row->descriptors; i++)
		descriptors[i] = fd;
	fixture_send(fixture, row->code, row->body, descriptors, row->descriptors);
}

static void
check_message(void **state)
{
	const struct message_row *row = *state;
	struct fixture *fixture = fixture_new_in(&fixture_gate, row->phase);
	int descriptors = count_descriptors();
	send_row(fixture, row);
	/* Were it read, it would be noted. */
	fixture_send(fixture, GATE_VIOLATION, bytes_of("\0\0\0\0\0\0\0\0", 8), NULL, 0);
	fixture_settle(fixture);
	if (row->want != NULL) {
		check_end(fixture, row->want);
	} else {
		assert_int_equal(fixture->received, 2);
		assert_int_equal(fixture->codes[0], row->code);
		assert_int_equal(fixture->tags[0], 7);
		assert_int_equal(fixture->closed, 0);
	}
	assert_int_equal(count_descriptors(), descriptors);
	fixture_end(&fixture);
}

/* ---- sizes ---- */

struct size_row {
	const char *name;
	size_t bytes;
	size_t descriptors;
	const char *want;
};

static const struct size_row size_rows[] = {
	{ "no byte at all", 0, 0, "a message without a header" },
	{ "no byte, but a descriptor", 0, 1, "a message without a header" },
	{ "one byte", 1, 0, "a message without a header" },
	{ "one byte less than a header", 7, 0, "a message without a header" },
	{ "one byte less than a header, and a descriptor", 7, 1, "a message without a header" },
	{ "the largest", MESSAGE_HEADER_BYTES + MESSAGE_BODY_BYTES_MAX, 0, "unknown message" },
	{ "one byte more", MESSAGE_HEADER_BYTES + MESSAGE_BODY_BYTES_MAX + 1, 0,
		"an oversized message" },
	{ "one byte more, and a descriptor", MESSAGE_HEADER_BYTES + MESSAGE_BODY_BYTES_MAX + 1, 1,
		"an oversized message" },
	{ "twice as many", 2 * MESSAGE_BODY_BYTES_MAX, 0, "an oversized message" },
};

static void
check_size(void **state)
{
	const struct size_row *row = *state;
	struct fixture *fixture = fixture_new(&fixture_gate);
	int descriptors = count_descriptors();
	SCOPE_FREE char *message = calloc(1, row->bytes + 1);
	int fd = make_tcp();
	fixture_send_raw(fixture, bytes_of(message, row->bytes), &fd, row->descriptors);
	close(fd);
	fixture_settle(fixture);
	check_end(fixture, row->want);
	assert_int_equal(count_descriptors(), descriptors);
	fixture_end(&fixture);
}

/* ---- the receiver has no room for the descriptor ---- */

static void
check_no_room(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	struct rlimit before;
	int fd = make_tcp();
	fixture_send(fixture, GATE_ATTACH, bytes_of(SESSION "\1\0\0\0" NOBODY, 34), &fd, 1);
	fixture_settle(fixture);
	assert_int_equal(fixture->received, 1);

	fixture_send(fixture, GATE_ATTACH, bytes_of(SESSION "\1\0\0\0" NOBODY, 34), &fd, 1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	struct rlimit none = { .rlim_cur = 0, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	fixture->received = 0;
	fixture_settle(fixture);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	close(fd);
	check_end(fixture, "a descriptor for which this process has no room");
	fixture_end(&fixture);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("message", message_rows, check_message),
		TABLE("size", size_rows, check_size),
		CASE("no room for the descriptor", check_no_room),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
