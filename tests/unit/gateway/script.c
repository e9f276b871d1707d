/*
 * Runs dialogues (see script.h).
 */
#include "tests/unit/gateway/script.h"

#include "ipc/address.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "tests/table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	TEXT_BYTES = 64 * 1024,
	TURN_MS = 20,
	CROWD_MAX = 64,
};

struct client {
	struct house *house;
	const char *step; /* for messages */
	int control_fd;
	int data_fd;
	int listener_fd;
	uint16_t port;     /* of the last 227 or 229 */
	uint16_t our_port; /* of the listener */
	bool is_closed;
	int crowd[CROWD_MAX];
	size_t crowd_count;
	size_t length; /* of input */
	char input[TEXT_BYTES];
};

NORETURN PRINTF_LIKE(2, 3) static void fail_step(
	const struct client *client, const char *format, ...)
{
	va_list arguments;
	print_error("step: %s\n", client->step);
	va_start(arguments, format);
	vprint_error(format, arguments);
	va_end(arguments);
	fail();
	abort(); /* fail() does not return */
}

/* ---- texts ---- */

/* Resolves \xNN, \r, \n, \0 and @PORT; the result is binary. */
static size_t
unescape(const struct client *client, const char *text, char *result)
{
	size_t length = 0;
	while (*text != '\0') {
		if (strncmp(text, "@PORT", 5) == 0) {
			length += (size_t)sprintf(result + length, "%u,%u",
				(unsigned)client->our_port >> 8, client->our_port & 0xffu);
			text += 5;
		} else if (strncmp(text, "@EPORT", 6) == 0) {
			length += (size_t)sprintf(result + length, "%u", client->our_port);
			text += 6;
		} else if (strncmp(text, "\\x", 2) == 0) {
			char digits[3] = { text[2], text[3], '\0' };
			result[length++] = (char)strtoul(digits, NULL, 16);
			text += 4;
		} else if (*text == '\\') {
			static const char names[] = "rn0";
			static const char bytes[] = "\r\n\0";
			result[length++] = bytes[strchr(names, text[1]) - names];
			text += 2;
		} else {
			result[length++] = *text++;
		}
	}
	return length;
}

/* ---- the control connection ---- */

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
			fail_step(client, "no line from the server");
		house_turn(client->house, TURN_MS);
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
	char line[TEXT_BYTES / 4];
	do {
		if (!next_line(client, line, sizeof(line)))
			fail_step(client, "the connection ended");
		note_port(client, line);
		if (strncmp(line, prefix, strlen(prefix)) == 0)
			return;
	} while (may_skip);
	fail_step(client, "got: %s", line);
}

static void
expect_closed(struct client *client)
{
	char line[TEXT_BYTES / 4];
	if (next_line(client, line, sizeof(line)))
		fail_step(client, "still open, got: %s", line);
}

/* So many empty turns mean that everybody waits for the client. */
static void
settle(struct client *client)
{
	for (int i = 0; i < 5; i++)
		house_turn(client->house, 4);
	read_control(client);
}

static void
send_control(struct client *client, const char *text, const char *end, int flags)
{
	SCOPE_FREE char *bytes = malloc(strlen(text) + 64);
	ensure(bytes != NULL);
	size_t length = unescape(client, text, bytes);
	memcpy(bytes + length, end, strlen(end));
	length += strlen(end);
	for (size_t sent = 0; sent < length;) {
		ssize_t count =
			send(client->control_fd, bytes + sent, length - sent, MSG_NOSIGNAL | flags);
		ensure(count > 0 || errno == EAGAIN || errno == EINPROGRESS);
		sent += count > 0 ? (size_t)count : 0;
		if (count < 0)
			house_turn(client->house, TURN_MS);
	}
}

static void
open_control(struct client *client)
{
	if (client->control_fd >= 0) {
		fd_close(&client->control_fd);
		settle(client);
	}
	client->control_fd = house_connect(client->house);
	client->length = 0;
	client->is_closed = false;
}

static void
log_in(struct client *client)
{
	expect_line(client, "220", false);
	send_control(client, "USER u", "\r\n", 0);
	expect_line(client, "331", false);
	send_control(client, "PASS secret", "\r\n", 0);
	expect_line(client, "230", false);
}

/* ---- the data connection ---- */

static void
data_open(struct client *client)
{
	struct sockaddr_in6 address = *(struct sockaddr_in6 *)&client->house->address;
	address.sin6_port = htons(client->port);
	fd_close(&client->data_fd);
	client->data_fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(client->data_fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		fail_step(client, "cannot connect to port %u", client->port);
}

static void
data_listen(struct client *client)
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
data_accept(struct client *client)
{
	struct pollfd caller = { .fd = client->listener_fd, .events = POLLIN };
	uint64_t limit = gateway_now_ms() + HOUSE_LIVENESS_MS;
	fd_close(&client->data_fd);
	while (poll(&caller, 1, 0) == 0 && gateway_now_ms() < limit)
		house_turn(client->house, TURN_MS);
	client->data_fd = accept4(client->listener_fd, NULL, NULL, SOCK_CLOEXEC);
	ensure(client->data_fd >= 0);
}

static void
data_reset(struct client *client)
{
	struct linger none = { .l_onoff = 1, .l_linger = 0 };
	setsockopt(client->data_fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	fd_close(&client->data_fd);
}

static void
data_is(struct client *client, const char *text)
{
	char wanted[HOUSE_TEXT_BYTES];
	char got[HOUSE_TEXT_BYTES];
	size_t wanted_length = unescape(client, text, wanted);
	size_t length = 0;
	uint64_t limit = gateway_now_ms() + HOUSE_LIVENESS_MS;
	for (;;) {
		ssize_t count =
			recv(client->data_fd, got + length, sizeof(got) - length, MSG_DONTWAIT);
		if (count == 0 || (count < 0 && errno != EAGAIN))
			break;
		length += count > 0 ? (size_t)count : 0;
		if (gateway_now_ms() > limit)
			fail_step(client, "the data connection does not end");
		house_turn(client->house, TURN_MS);
	}
	fd_close(&client->data_fd);
	if (length != wanted_length || memcmp(got, wanted, length) != 0)
		fail_step(client, "got %zu bytes: %.*s", length, (int)length, got);
}

static void
data_send(struct client *client, const char *text)
{
	char bytes[HOUSE_TEXT_BYTES];
	size_t length = unescape(client, text, bytes);
	ensure(send(client->data_fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length);
}

static void
run_data(struct client *client, const char *step)
{
	if (strcmp(step, "open") == 0)
		data_open(client);
	else if (strcmp(step, "listen") == 0)
		data_listen(client);
	else if (strcmp(step, "accept") == 0)
		data_accept(client);
	else if (strcmp(step, "end") == 0)
		fd_close(&client->data_fd);
	else if (strcmp(step, "reset") == 0)
		data_reset(client);
	else if (strcmp(step, "gone") == 0)
		data_is(client, "");
	else if (strncmp(step, "is ", 3) == 0)
		data_is(client, step + 3);
	else if (strncmp(step, "send ", 5) == 0)
		data_send(client, step + 5);
	else
		bug("no such step: data %s", step);
}

/* ---- what happens around ---- */

static uint32_t
find_request(const char *name)
{
	for (uint32_t i = 1; i < HOUSE_CODES; i++)
		if (pathio_messages.rules[i].name != NULL &&
			strcmp(pathio_messages.rules[i].name, name) == 0)
			return i;
	bug("no such request: %s", name);
}

static void
run_fail(struct client *client, const char *step)
{
	static const struct {
		const char *name;
		uint16_t error;
	} errors[] = { { "ENOENT", ENOENT }, { "EACCES", EACCES }, { "ENOTDIR", ENOTDIR },
		{ "EINVAL", EINVAL }, { "ENOSPC", ENOSPC }, { "EDQUOT", EDQUOT },
		{ "ECONNRESET", ECONNRESET }, { "EISDIR", EISDIR }, { "EFBIG", EFBIG },
		{ "ENOTSUP", ENOTSUP }, { "EEXIST", EEXIST }, { "ETIMEDOUT", ETIMEDOUT },
		{ "EBUSY", EBUSY }, { "EBADMSG", EBADMSG }, { "E2BIG", E2BIG }, { "EIO", EIO },
		{ "ENODATA", ENODATA }, { "ENAMETOOLONG", ENAMETOOLONG } };
	char request[32];
	char error[32];
	ensure(sscanf(step, "%31s %31s", request, error) == 2);
	for (size_t i = 0; i < ARRAY_LENGTH(errors); i++)
		if (strcmp(errors[i].name, error) == 0) {
			client->house->worker.errors[find_request(request)] = errors[i].error;
			return;
		}
	bug("no such error: %s", error);
}

static void
run_refuse(struct client *client, const char *reason)
{
	for (uint32_t i = 0; i < refusal_choices.count; i++)
		if (strcmp(refusal_choices.texts[i], reason) == 0) {
			client->house->refusal = (enum refusal)i;
			return;
		}
	bug("no such refusal: %s", reason);
}

/* Waits until it is so; false when it does not come true. */
static bool
comes_true(struct client *client, bool (*is_so)(const struct house *house, const char *wanted),
	const char *wanted)
{
	uint64_t limit = gateway_now_ms() + HOUSE_LIVENESS_MS;
	do
		settle(client);
	while (!is_so(client->house, wanted) && gateway_now_ms() < limit);
	return is_so(client->house, wanted);
}

static bool
worker_had(const struct house *house, const char *wanted)
{
	return strcmp(house->worker.log, wanted) == 0;
}

static void
expect_worker(struct client *client, const char *wanted)
{
	if (!comes_true(client, worker_had, wanted))
		fail_step(client, "the worker had: %s", client->house->worker.log);
	client->house->worker.log[0] = '\0';
}

static void
expect_received(struct client *client, const char *wanted)
{
	if (strcmp(client->house->worker.received, wanted) != 0)
		fail_step(client, "received: %s", client->house->worker.received);
}

static void
expect_nothing(struct client *client)
{
	settle(client);
	if (client->length > 0 || client->is_closed)
		fail_step(client, "got: %.*s%s", (int)client->length, client->input,
			client->is_closed ? " (closed)" : "");
}

static void
leave_parts(struct client *client, const char *number)
{
	client->house->worker.parts_left = (uint32_t)strtoul(number, NULL, 10);
}

/* ---- many clients ---- */

static void
run_crowd(struct client *client, const char *number)
{
	size_t count = strtoul(number, NULL, 10);
	while (count == 0 && client->crowd_count > 0)
		fd_close(&client->crowd[--client->crowd_count]);
	ensure(client->crowd_count + count <= CROWD_MAX);
	for (size_t i = 0; i < count; i++)
		client->crowd[client->crowd_count++] = house_connect(client->house);
	settle(client);
}

static void
run_logins(struct client *client, const char *number)
{
	static const char lines[] = "USER u\r\nPASS secret\r\n";
	size_t first = client->crowd_count;
	run_crowd(client, number);
	for (size_t i = first; i < client->crowd_count; i++)
		ensure(send(client->crowd[i], lines, strlen(lines), MSG_NOSIGNAL) > 0);
	settle(client);
}

static void
run_hangups(struct client *client, const char *number)
{
	for (unsigned long i = strtoul(number, NULL, 10); i > 0; i--)
		fd_close(&client->crowd[--client->crowd_count]);
	settle(client);
}

/* Houses count; tests wait for a number. */
#define COUNT(name, number)                                                         \
	static bool name##_are(const struct house *house, const char *wanted)       \
	{                                                                           \
		return (number) == strtoul(wanted, NULL, 10);                       \
	}                                                                           \
	static void expect_##name(struct client *client, const char *wanted)        \
	{                                                                           \
		const struct house *house = client->house;                          \
		if (!comes_true(client, name##_are, wanted))                        \
			fail_step(client, "so many: %lu", (unsigned long)(number)); \
	}

COUNT(asked, house->asked)
COUNT(attached, house->attached)
COUNT(sessions, house->gateway->sessions.count)
COUNT(complaints, house->complaints)
COUNT(left, house->ports_left)

static bool
claim_was(const struct house *house, const char *wanted)
{
	char text[ADDRESS_TEXT_BYTES];
	bool is_none = address_is_none(&house->claimed);
	return strcmp(is_none ? "nobody" : address_text(&house->claimed, text), wanted) == 0;
}

static void
expect_claim(struct client *client, const char *wanted)
{
	if (!comes_true(client, claim_was, wanted))
		fail_step(client, "it was not %s", wanted);
}

static bool
is_host(const struct house *house, const char *wanted)
{
	return strcmp(house->asked_at, wanted) == 0;
}

static void
expect_host(struct client *client, const char *wanted)
{
	if (!comes_true(client, is_host, wanted))
		fail_step(client, "at host: %s", client->house->asked_at);
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

static void
run_wait(struct client *client, const char *number)
{
	uint64_t end = gateway_now_ms() + strtoul(number, NULL, 10);
	while (gateway_now_ms() < end)
		house_turn(client->house, TURN_MS);
}

static bool
record_had(const struct house *house, const char *text)
{
	return strstr(house->events, text) != NULL;
}

static void
expect_events(struct client *client, const char *text)
{
	if (!comes_true(client, record_had, text))
		fail_step(client, "record had: %s", client->house->events);
}

/* ---- steps ---- */

static void
half_close(struct client *client)
{
	shutdown(client->control_fd, SHUT_WR);
}

/* The first one stays, and is not heard any more. */
static void
open_another(struct client *client)
{
	ensure(client->crowd_count < CROWD_MAX);
	client->crowd[client->crowd_count++] = fd_take(&client->control_fd);
	open_control(client);
}

static void
hang_up(struct client *client)
{
	fd_close(&client->control_fd);
}

static void
pause_record(struct client *client)
{
	channel_pause(client->house->record);
}

static void
resume_record(struct client *client)
{
	channel_resume(client->house->record);
}

static void
intrude(struct client *client)
{
	house_intrude(client->house, true);
	house_intrude(client->house, false);
}

static void
delay_verdicts(struct client *client)
{
	client->house->is_verdict_late = true;
}

static void
refuse_mode_z(struct client *client)
{
	client->house->has_mode_z = false;
}

/* Words that are done by the client, or by the house. */
static const struct {
	const char *word;
	void (*run)(struct client *client);
	void (*run_house)(struct house *house);
} words[] = {
	{ "= closed", expect_closed, NULL },
	{ "= nothing", expect_nothing, NULL },
	{ "settle", settle, NULL },
	{ "connect", open_control, NULL },
	{ "another", open_another, NULL },
	{ "half", half_close, NULL },
	{ "hang", hang_up, NULL },
	{ "> @LOGIN", log_in, NULL },
	{ "record sleeps", pause_record, NULL },
	{ "record wakes", resume_record, NULL },
	{ "late verdict", delay_verdicts, NULL },
	{ "intruders", intrude, NULL },
	{ "no mode z", refuse_mode_z, NULL },
	{ "verdicts", NULL, house_release_verdicts },
	{ "release", NULL, house_release },
	{ "worker dies", NULL, house_close_worker },
	{ "worker raves", NULL, house_break_worker },
	{ "auth dies", NULL, house_close_auth },
	{ "auth returns", NULL, house_open_auth },
	{ "supervisor dies", NULL, house_close_supervisor },
	{ "supervisor drains", NULL, house_drain },
	{ "supervisor closes", NULL, house_close_session },
};

/* Steps without an argument. */
static bool
run_word(struct client *client, const char *step)
{
	for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
		if (strcmp(words[i].word, step) != 0)
			continue;
		if (words[i].run != NULL)
			words[i].run(client);
		else
			words[i].run_house(client->house);
		return true;
	}
	return false;
}

static const char *
after(const char *step, const char *word)
{
	size_t length = strlen(word);
	return strncmp(step, word, length) == 0 ? step + length : NULL;
}

/* Steps that are a word and what it is about. */
static const struct {
	const char *word;
	void (*run)(struct client *client, const char *rest);
} steps[] = {
	{ "data ", run_data },
	{ "fail ", run_fail },
	{ "refuse ", run_refuse },
	{ "worker ", expect_worker },
	{ "received ", expect_received },
	{ "crowd ", run_crowd },
	{ "logins ", run_logins },
	{ "hangups ", run_hangups },
	{ "asked ", expect_asked },
	{ "host ", expect_host },
	{ "attached ", expect_attached },
	{ "rush ", run_rush },
	{ "flood ", run_flood },
	{ "sessions ", expect_sessions },
	{ "wait ", run_wait },
	{ "complaints ", expect_complaints },
	{ "ports left ", expect_left },
	{ "claimed ", expect_claim },
	{ "events ", expect_events },
	{ "parts left ", leave_parts },
};

static bool
run_words(struct client *client, const char *step)
{
	for (size_t i = 0; i < ARRAY_LENGTH(steps); i++) {
		const char *rest = after(step, steps[i].word);
		if (rest == NULL)
			continue;
		steps[i].run(client, rest);
		return true;
	}
	return false;
}

static void
run_step(struct client *client, const char *step)
{
	const char *rest;
	if (run_word(client, step) || run_words(client, step))
		return;
	if ((rest = after(step, ">> ")) != NULL)
		send_control(client, rest, "", 0);
	else if ((rest = after(step, "> ")) != NULL)
		send_control(client, rest, "\r\n", 0);
	else if ((rest = after(step, "urgent ")) != NULL)
		send_control(client, rest, "", MSG_OOB);
	else if ((rest = after(step, "<< ")) != NULL)
		expect_line(client, rest, true);
	else if ((rest = after(step, "< ")) != NULL)
		expect_line(client, rest, false);
	else if ((rest = after(step, "late ")) != NULL)
		client->house->worker.is_late[find_request(rest)] = true;
	else
		bug("no such step: %s", step);
}

void
script_run(struct house *house, const char *script)
{
	struct client *client = calloc(1, sizeof(*client));
	SCOPE_FREE char *copy = strdup(script);
	char *position;
	ensure(client != NULL && copy != NULL);
	client->house = house;
	client->control_fd = -1;
	client->data_fd = -1;
	client->listener_fd = -1;
	open_control(client);
	for (char *step = strtok_r(copy, "\n", &position); step != NULL;
		step = strtok_r(NULL, "\n", &position)) {
		client->step = step;
		run_step(client, step);
	}
	while (client->crowd_count > 0)
		fd_close(&client->crowd[--client->crowd_count]);
	fd_close(&client->control_fd);
	fd_close(&client->data_fd);
	fd_close(&client->listener_fd);
	free(client);
}
