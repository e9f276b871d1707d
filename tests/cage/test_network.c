/*
 * No connection without connect (DECISIONS 3): the ways around it, with real sockets, from inside
 * the cages of gateway and worker. The victim is a listener of the test, and must not see a
 * connection; the first case shows that without a cage it does.
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "tests/cage/caged.h"
#include "tests/table.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Handed over open, as the supervisor hands over listeners and sockets. */
enum { LISTENER_FD = 20, CONNECTION_FD = 21 };

static void
expect(bool worked, const char *what)
{
	if (!worked)
		die("cannot set a network test up: %s: %s", what, strerror(errno));
}

/* The victim's port comes in the environment, in network order. */
static struct sockaddr_in
victim_address(void)
{
	const char *port = getenv("VICTIM_PORT");
	struct sockaddr_in address = { .sin_family = AF_INET };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = (in_port_t)(port != NULL ? strtoul(port, NULL, 10) : 0);
	return address;
}

static long
sendto_victim(int flags)
{
	struct sockaddr_in victim = victim_address();
	return sendto(LISTENER_FD, "x", 1, flags | MSG_NOSIGNAL, (const struct sockaddr *)&victim,
		sizeof(victim));
}

static long
sendmsg_victim(int flags)
{
	char byte = 'x';
	struct sockaddr_in victim = victim_address();
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_name = &victim,
		.msg_namelen = sizeof(victim),
		.msg_iov = &part,
		.msg_iovlen = 1 };
	return sendmsg(LISTENER_FD, &message, flags | MSG_NOSIGNAL);
}

static long
option_set(int level, int option)
{
	int value = 1;
	return setsockopt(CONNECTION_FD, level, option, &value, sizeof(value));
}

static long
option_get(int level, int option)
{
	int value;
	socklen_t size = sizeof(value);
	return getsockopt(CONNECTION_FD, level, option, &value, &size) == 0 ? value : -1;
}

static long
name_get(int (*get)(int, struct sockaddr *restrict, socklen_t *restrict))
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	return get(CONNECTION_FD, (struct sockaddr *)&address, &size);
}

#define NETWORK_CASE(symbol, role, ends, result, text, act)                           \
	static long attempt_##symbol(UNUSED const struct scenario *s, UNUSED pid_t p) \
	{                                                                             \
		return act;                                                           \
	}
#include "tests/cage/network.def"

#define NETWORK_CASE(symbol, who, ends, result, text, act) \
	{ .name = #who ": " text, .role = CAGE_##who, .attempt = attempt_##symbol },
static const struct scenario scenarios[] = {
#include "tests/cage/network.def"
};

enum {
#define NETWORK_CASE(symbol, ...) INDEX_##symbol,
#include "tests/cage/network.def"
};

struct network_row {
	const char *name;
	const struct scenario *scenario;
	enum outcome_kind kind;
	const char *call; /* OUTCOME_TRAPPED */
	long value;       /* OUTCOME_RETURNED: a negative errno, or 0 for any success */
};
#define KILLED        OUTCOME_KILLED, NULL
#define RETURNED      OUTCOME_RETURNED, NULL
#define TRAPPED(call) OUTCOME_TRAPPED, #call
#define NETWORK_CASE(symbol, who, ends, result, text, act) \
	{ #who ": " text, &scenarios[INDEX_##symbol], ends, result },
static const struct network_row rows[] = {
#include "tests/cage/network.def"
};

static int
listener_make(struct sockaddr_in *address)
{
	socklen_t size = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	*address = (struct sockaddr_in){ .sin_family = AF_INET };
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	expect(fd >= 0 && bind(fd, (struct sockaddr *)address, size) == 0 && listen(fd, 8) == 0 &&
			getsockname(fd, (struct sockaddr *)address, &size) == 0,
		"listener");
	return fd;
}

static int
connection_make(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	expect(fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0,
		"connection");
	expect(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "non-blocking connection");
	return fd;
}

/* A victim that listens, and what a caged process is given: a listener and a connection to it. */
struct scene {
	int victim_fd, listener_fd, connection_fd;
};

static void
scene_set(struct scene *scene)
{
	struct sockaddr_in victim, address;
	char port[16];
	scene->victim_fd = listener_make(&victim);
	scene->listener_fd = listener_make(&address);
	scene->connection_fd = connection_make(&address);
	snprintf(port, sizeof(port), "%u", (unsigned)victim.sin_port);
	expect(setenv("VICTIM_PORT", port, 1) == 0, "environment");
	expect(dup2(scene->listener_fd, LISTENER_FD) == LISTENER_FD &&
			dup2(scene->connection_fd, CONNECTION_FD) == CONNECTION_FD,
		"descriptors");
}

static bool
victim_was_reached(const struct scene *scene)
{
	SCOPE_FD int fd = accept4(scene->victim_fd, NULL, NULL, SOCK_CLOEXEC);
	return fd >= 0 || errno != EAGAIN;
}

static void
scene_clear(struct scene *scene)
{
	fd_close(&scene->victim_fd);
	fd_close(&scene->listener_fd);
	fd_close(&scene->connection_fd);
	close(LISTENER_FD);
	close(CONNECTION_FD);
}

static void
check_without_cage(void **state)
{
	(void)state;
	struct scene scene;
	scene_set(&scene);
	assert_int_equal(shutdown(LISTENER_FD, SHUT_RDWR), 0);
	assert_false(victim_was_reached(&scene));
	assert_int_equal(fcntl(LISTENER_FD, F_SETFL, 0), 0); /* waits for the connection */
	assert_int_equal(sendto_victim(MSG_FASTOPEN), 1);
	assert_true(victim_was_reached(&scene));
	scene_clear(&scene);
}

static void
check_network(void **state)
{
	const struct network_row *row = *state;
	struct outcome outcome;
	struct scene scene;
	const char *lacks = caged_mode_lacks(caged_mode_here());
	if (lacks != NULL)
		case_skip(lacks);
	scene_set(&scene);
	caged_run(row->scenario, caged_mode_here(), &outcome);
	assert_false(victim_was_reached(&scene));
	scene_clear(&scene);
	if (outcome.kind != row->kind)
		fail_msg("kind %d, value %ld: %s %s", outcome.kind, outcome.value, outcome.call,
			outcome.text);
	if (row->kind == OUTCOME_TRAPPED)
		assert_string_equal(outcome.call, row->call);
	if (row->kind == OUTCOME_RETURNED && row->value < 0)
		assert_int_equal(outcome.value, row->value);
	if (row->kind == OUTCOME_RETURNED && row->value >= 0)
		assert_true(outcome.value >= 0);
}

int
main(int argc, char **argv)
{
	caged_main(argc, argv, scenarios, ARRAY_LENGTH(scenarios));
	const struct table tables[] = {
		CASE("without a cage MSG_FASTOPEN on a listener connects", check_without_cage),
		TABLE("network", rows, check_network),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
