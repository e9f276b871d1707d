/*
 * The client's control connection, and those of many clients at once (see script.h).
 */
#include "tests/unit/gateway/script_private.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

/* ---- what the server says ---- */

static void
read_control(struct client *client)
{
	if (client->control_fd < 0)
		return;
	ssize_t count = recv(client->control_fd, client->input + client->length,
		sizeof(client->input) - client->length, MSG_DONTWAIT);
	if (count > 0)
		client->length += (size_t)count;
	else if (count == 0 || errno != EAGAIN)
		client->is_closed = true;
}

/* The next line, without its end; false when the connection ended before. */
static bool
next_line(struct client *client, char *line, size_t capacity)
{
	uint64_t limit = gateway_now_ms() + HOUSE_LIVENESS_MS;
	char *end;
	while ((end = memmem(client->input, client->length, "\r\n", 2)) == NULL) {
		if (client->is_closed)
			return false;
		if (gateway_now_ms() > limit)
			script_fail(client, "no line from the server");
		house_turn(client->house, SCRIPT_TURN_MS);
		read_control(client);
	}
	size_t length = (size_t)(end - client->input);
	ensure(length < capacity);
	memcpy(line, client->input, length);
	line[length] = '\0';
	client->length -= length + 2;
	memmove(client->input, end + 2, client->length);
	return true;
}

/* The port of "229 ... (|||port|)" or "227 ... (h1,h2,h3,h4,high,low)". */
static void
note_port(struct client *client, const char *line)
{
	const char *numbers = strchr(line, '(');
	unsigned long number[6] = { 0 };
	if (numbers == NULL || (strncmp(line, "227", 3) != 0 && strncmp(line, "229", 3) != 0))
		return;
	if (line[2] == '9') {
		client->port = (uint16_t)strtoul(numbers + strlen("(|||"), NULL, 10);
		return;
	}
	char *end = NULL;
	for (size_t i = 0; i < ARRAY_LENGTH(number); i++, numbers = end)
		number[i] = strtoul(numbers + 1, &end, 10);
	client->port = (uint16_t)(number[4] << 8 | number[5]);
}

static void
expect_line(struct client *client, const char *prefix, bool may_skip)
{
	char line[SCRIPT_TEXT_BYTES / 4];
	do {
		if (!next_line(client, line, sizeof(line)))
			script_fail(client, "the connection ended");
		note_port(client, line);
		if (strncmp(line, prefix, strlen(prefix)) == 0)
			return;
	} while (may_skip);
	script_fail(client, "got: %s", line);
}

static void
expect_next(struct client *client, const char *prefix)
{
	expect_line(client, prefix, false);
}

static void
expect_later(struct client *client, const char *prefix)
{
	expect_line(client, prefix, true);
}

static void
expect_closed(struct client *client)
{
	char line[SCRIPT_TEXT_BYTES / 4];
	if (next_line(client, line, sizeof(line)))
		script_fail(client, "still open, got: %s", line);
}

/* So many empty turns mean that everybody waits for the client. */
void
script_settle(struct client *client)
{
	for (int i = 0; i < 5; i++)
		house_turn(client->house, 4);
	read_control(client);
}

static void
expect_nothing(struct client *client)
{
	script_settle(client);
	if (client->length > 0 || client->is_closed)
		script_fail(client, "got: %.*s%s", (int)client->length, client->input,
			client->is_closed ? " (closed)" : "");
}

/* ---- what the client says ---- */

static void
send_text(struct client *client, const char *text, const char *end, int flags)
{
	SCOPE_FREE char *bytes = malloc(strlen(text) + 64);
	ensure(bytes != NULL);
	size_t length = script_unescape(client, text, bytes);
	memcpy(bytes + length, end, strlen(end));
	length += strlen(end);
	for (size_t sent = 0; sent < length;) {
		ssize_t count =
			send(client->control_fd, bytes + sent, length - sent, MSG_NOSIGNAL | flags);
		ensure(count > 0 || errno == EAGAIN || errno == EINPROGRESS);
		sent += count > 0 ? (size_t)count : 0;
		if (count < 0)
			house_turn(client->house, SCRIPT_TURN_MS);
	}
}

static void
send_line(struct client *client, const char *text)
{
	send_text(client, text, "\r\n", 0);
}

static void
send_bare(struct client *client, const char *text)
{
	send_text(client, text, "", 0);
}

static void
send_urgent(struct client *client, const char *text)
{
	send_text(client, text, "", MSG_OOB);
}

void
script_open_control(struct client *client)
{
	if (client->control_fd >= 0) {
		fd_close(&client->control_fd);
		script_settle(client);
	}
	client->control_fd = house_connect(client->house);
	client->length = 0;
	client->is_closed = false;
}

static void
log_in(struct client *client)
{
	expect_next(client, "220");
	send_line(client, "USER u");
	expect_next(client, "331");
	send_line(client, "PASS secret");
	expect_next(client, "230");
}

static void
half_close(struct client *client)
{
	shutdown(client->control_fd, SHUT_WR);
}

static void
hang_up(struct client *client)
{
	fd_close(&client->control_fd);
}

static void
run_flood(struct client *client, const char *step)
{
	char *text;
	unsigned long count = strtoul(step, &text, 10);
	SCOPE_FREE char *line = NULL;
	int length = asprintf(&line, "%s\r\n", text + 1);
	ensure(length > 0);
	/* As much as fits: the server stops reading when nobody reads its replies. */
	for (unsigned long i = 0; i < count; i++)
		if (send(client->control_fd, line, (size_t)length, MSG_NOSIGNAL) != length)
			house_turn(client->house, 1);
}

/* ---- many clients ---- */

/* The first one stays, and is not heard any more. */
static void
open_another(struct client *client)
{
	ensure(client->crowd_count < SCRIPT_CROWD_MAX);
	client->crowd[client->crowd_count++] = fd_take(&client->control_fd);
	script_open_control(client);
}

static void
run_crowd(struct client *client, const char *number)
{
	size_t count = strtoul(number, NULL, 10);
	while (count == 0 && client->crowd_count > 0)
		fd_close(&client->crowd[--client->crowd_count]);
	ensure(client->crowd_count + count <= SCRIPT_CROWD_MAX);
	for (size_t i = 0; i < count; i++)
		client->crowd[client->crowd_count++] = house_connect(client->house);
	script_settle(client);
}

static void
run_logins(struct client *client, const char *number)
{
	static const char lines[] = "USER u\r\nPASS secret\r\n";
	size_t first = client->crowd_count;
	run_crowd(client, number);
	for (size_t i = first; i < client->crowd_count; i++)
		ensure(send(client->crowd[i], lines, strlen(lines), MSG_NOSIGNAL) > 0);
	script_settle(client);
}

static void
run_hangups(struct client *client, const char *number)
{
	for (unsigned long i = strtoul(number, NULL, 10); i > 0; i--)
		fd_close(&client->crowd[--client->crowd_count]);
	script_settle(client);
}

static void
run_rush(struct client *client, const char *number)
{
	unsigned long count = strtoul(number, NULL, 10);
	for (unsigned long i = 0; i < count; i++) {
		int fd = house_connect(client->house);
		house_turn(client->house, 1);
		fd_close(&fd);
	}
}

void
script_close(struct client *client)
{
	while (client->crowd_count > 0)
		fd_close(&client->crowd[--client->crowd_count]);
	fd_close(&client->control_fd);
	fd_close(&client->data_fd);
	fd_close(&client->listener_fd);
}

const struct script_step script_control_steps[] = {
	{ "= closed", .run = expect_closed },
	{ "= nothing", .run = expect_nothing },
	{ "settle", .run = script_settle },
	{ "connect", .run = script_open_control },
	{ "another", .run = open_another },
	{ "half", .run = half_close },
	{ "hang", .run = hang_up },
	{ "> @LOGIN", .run = log_in },
	{ ">> ", .run_rest = send_bare },
	{ "> ", .run_rest = send_line },
	{ "urgent ", .run_rest = send_urgent },
	{ "<< ", .run_rest = expect_later },
	{ "< ", .run_rest = expect_next },
	{ "flood ", .run_rest = run_flood },
	{ "crowd ", .run_rest = run_crowd },
	{ "logins ", .run_rest = run_logins },
	{ "hangups ", .run_rest = run_hangups },
	{ "rush ", .run_rest = run_rush },
	{ .word = NULL },
};
