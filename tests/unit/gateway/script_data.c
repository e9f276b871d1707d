/*
 * The client's data connection (see script.h).
 */
#include "tests/unit/gateway/script_private.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static void
open_data(struct client *client)
{
	struct sockaddr_in6 address = *(struct sockaddr_in6 *)&client->house->address;
	address.sin6_port = htons(client->port);
	fd_close(&client->data_fd);
	client->data_fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(client->data_fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		script_fail(client, "cannot connect to port %u", client->port);
}

static void
listen_for_data(struct client *client)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	fd_close(&client->listener_fd);
	client->listener_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ensure(bind(client->listener_fd, (struct sockaddr *)&address, length) == 0);
	ensure(listen(client->listener_fd, 1) == 0);
	ensure(getsockname(client->listener_fd, (struct sockaddr *)&address, &length) == 0);
	client->our_port = ntohs(address.sin_port);
}

static void
accept_data(struct client *client)
{
	struct pollfd caller = { .fd = client->listener_fd, .events = POLLIN };
	uint64_t limit = gateway_now_ms() + HOUSE_LIVENESS_MS;
	fd_close(&client->data_fd);
	while (poll(&caller, 1, 0) == 0 && gateway_now_ms() < limit)
		house_turn(client->house, SCRIPT_TURN_MS);
	client->data_fd = accept4(client->listener_fd, NULL, NULL, SOCK_CLOEXEC);
	ensure(client->data_fd >= 0);
}

static void
reset_data(struct client *client)
{
	struct linger none = { .l_onoff = 1, .l_linger = 0 };
	setsockopt(client->data_fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	fd_close(&client->data_fd);
}

static void
expect_data(struct client *client, const char *text)
{
	char wanted[HOUSE_TEXT_BYTES];
	char got[HOUSE_TEXT_BYTES];
	size_t wanted_length = script_unescape(client, text, wanted);
	size_t length = 0;
	uint64_t limit = gateway_now_ms() + HOUSE_LIVENESS_MS;
	for (;;) {
		ssize_t count =
			recv(client->data_fd, got + length, sizeof(got) - length, MSG_DONTWAIT);
		if (count == 0 || (count < 0 && errno != EAGAIN))
			break;
		length += count > 0 ? (size_t)count : 0;
		if (gateway_now_ms() > limit)
			script_fail(client, "the data connection does not end");
		house_turn(client->house, SCRIPT_TURN_MS);
	}
	fd_close(&client->data_fd);
	if (length != wanted_length || memcmp(got, wanted, length) != 0)
		script_fail(client, "got %zu bytes: %.*s", length, (int)length, got);
}

static void
send_data(struct client *client, const char *text)
{
	char bytes[HOUSE_TEXT_BYTES];
	size_t length = script_unescape(client, text, bytes);
	ensure(send(client->data_fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length);
}

static void
end_data(struct client *client)
{
	fd_close(&client->data_fd);
}

static void
expect_no_data(struct client *client)
{
	expect_data(client, "");
}

const struct script_step script_data_steps[] = {
	{ "data open", .run = open_data },
	{ "data listen", .run = listen_for_data },
	{ "data accept", .run = accept_data },
	{ "data end", .run = end_data },
	{ "data reset", .run = reset_data },
	{ "data gone", .run = expect_no_data },
	{ "data is ", .run_rest = expect_data },
	{ "data send ", .run_rest = send_data },
	{ .word = NULL },
};
