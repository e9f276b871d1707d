/*
 * What happens around the client, and what the house has seen of it (see script.h).
 */
#include "tests/unit/gateway/script_private.h"

#include "gateway/record.h"
#include "ipc/address.h"
#include "ipc/base/ends.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- orders ---- */

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
delay_request(struct client *client, const char *name)
{
	client->house->worker.is_late[find_request(name)] = true;
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

static void
leave_parts(struct client *client, const char *number)
{
	client->house->worker.parts_left = (uint32_t)strtoul(number, NULL, 10);
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

/* As when the process ends: nothing of it may be in its own memory afterwards. */
static void
end_record(struct client *client)
{
	struct house *house = client->house;
	uint32_t last = house->gateway->record.sequence;
	uint64_t limit = gateway_now_ms() + HOUSE_LIVENESS_MS;
	channel_resume(house->record);
	channel_drain(&house->gateway->record.channel);
	record_free(&house->gateway->record);
	while (house->last_sequence < last && gateway_now_ms() < limit)
		house_turn(house, SCRIPT_TURN_MS);
	if (house->last_sequence < last)
		script_fail(client, "record had %u events of %u", house->last_sequence, last);
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

static void
run_wait(struct client *client, const char *number)
{
	uint64_t end = gateway_now_ms() + strtoul(number, NULL, 10);
	while (gateway_now_ms() < end)
		house_turn(client->house, SCRIPT_TURN_MS);
}

/* ---- what is to come true ---- */

/* Waits until it is so; false when it does not come true. */
static bool
comes_true(struct client *client, bool (*is_so)(const struct house *house, const char *wanted),
	const char *wanted)
{
	uint64_t limit = gateway_now_ms() + HOUSE_LIVENESS_MS;
	do
		script_settle(client);
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
		script_fail(client, "the worker had: %s", client->house->worker.log);
	client->house->worker.log[0] = '\0';
}

static void
expect_received(struct client *client, const char *wanted)
{
	if (strcmp(client->house->worker.received, wanted) != 0)
		script_fail(client, "received: %s", client->house->worker.received);
}

/* Houses count; tests wait for a number. */
#define COUNT(name, number)                                                           \
	static bool name##_are(const struct house *house, const char *wanted)         \
	{                                                                             \
		return (number) == strtoul(wanted, NULL, 10);                         \
	}                                                                             \
	static void expect_##name(struct client *client, const char *wanted)          \
	{                                                                             \
		const struct house *house = client->house;                            \
		if (!comes_true(client, name##_are, wanted))                          \
			script_fail(client, "so many: %lu", (unsigned long)(number)); \
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
		script_fail(client, "it was not %s", wanted);
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
		script_fail(client, "at host: %s", client->house->asked_at);
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
		script_fail(client, "record had: %s", client->house->events);
}

const struct script_step script_around_steps[] = {
	{ "record sleeps", .run = pause_record },
	{ "record wakes", .run = resume_record },
	{ "record has all", .run = end_record },
	{ "late verdict", .run = delay_verdicts },
	{ "intruders", .run = intrude },
	{ "no mode z", .run = refuse_mode_z },
	{ "verdicts", .run_house = house_release_verdicts },
	{ "release", .run_house = house_release },
	{ "worker dies", .run_house = house_close_worker },
	{ "worker raves", .run_house = house_break_worker },
	{ "auth dies", .run_house = house_close_auth },
	{ "auth returns", .run_house = house_open_auth },
	{ "supervisor dies", .run_house = house_close_supervisor },
	{ "supervisor drains", .run_house = house_drain },
	{ "supervisor closes", .run_house = house_close_session },
	{ "fail ", .run_rest = run_fail },
	{ "late ", .run_rest = delay_request },
	{ "refuse ", .run_rest = run_refuse },
	{ "parts left ", .run_rest = leave_parts },
	{ "wait ", .run_rest = run_wait },
	{ "worker ", .run_rest = expect_worker },
	{ "received ", .run_rest = expect_received },
	{ "asked ", .run_rest = expect_asked },
	{ "host ", .run_rest = expect_host },
	{ "attached ", .run_rest = expect_attached },
	{ "sessions ", .run_rest = expect_sessions },
	{ "complaints ", .run_rest = expect_complaints },
	{ "ports left ", .run_rest = expect_left },
	{ "claimed ", .run_rest = expect_claim },
	{ "events ", .run_rest = expect_events },
	{ .word = NULL },
};
