/*
 * The recorder (recorder.h): whatever the record's end does, each event arrives once, in order.
 */
#include "tests/table.h"
#include "worker/recorder.h"

#include <stdlib.h>

enum { EVENTS = 1000, PATH_BYTES = 3000 }; /* three times what a channel holds */

struct world {
	struct event_base *base;
	struct recorder *recorder;
	struct channel *record;
	uint32_t last_sequence;
	uint64_t received; /* the transfers carry numbers from 1 */
	int resumed;
};

static void
on_resumed(void *owner)
{
	struct world *world = owner;
	world->resumed++;
}

static void
on_transfer(void *owner, struct message *message, const struct event_transfer *event)
{
	struct world *world = owner;
	assert_int_equal(message->tag, ++world->last_sequence);
	assert_int_equal(event->bytes, ++world->received);
	assert_int_equal(event->path.length, PATH_BYTES);
}

static void
on_other(void *owner, struct message *message, const void *event)
{
	(void)owner;
	(void)message;
	(void)event;
	fail_msg("%s", "an event that nobody sent");
}

static void
on_operation(void *owner, struct message *message, const struct event_operation *event)
{
	on_other(owner, message, event);
}

static void
on_notice(void *owner, struct message *message, const struct event_notice *event)
{
	on_other(owner, message, event);
}

static void
on_malformed(void *owner, struct message *message, const struct event_malformed *event)
{
	on_other(owner, message, event);
}

static void
on_session_ended(void *owner, struct message *message, const struct event_session_ended *event)
{
	on_other(owner, message, event);
}

static void
on_closed(void *owner, const char *malformed)
{
	(void)owner;
	assert_null(malformed);
}

static const struct event_handlers handlers = {
	.notice = on_notice,
	.malformed = on_malformed,
	.operation = on_operation,
	.transfer = on_transfer,
	.session_ended = on_session_ended,
};

static void
open_record(struct world *world)
{
	int ends[2];
	assert_int_equal(channel_pair(ends), 0);
	const struct channel_options options = {
		.base = world->base,
		.messages = &event_messages,
		.our_role = ROLE_RECORD,
		.peer_role = ROLE_WORKER,
		.phase = PHASE_SERVING,
		.handlers = &handlers,
		.owner = world,
		.closed = on_closed,
	};
	assert_int_equal(channel_new(&options, &ends[1], &world->record), 0);
	world->last_sequence = 0;
	assert_int_equal(recorder_set_channel(world->recorder, &ends[0]), 0);
}

static struct world *
world_new(void)
{
	struct world *world = calloc(1, sizeof(*world));
	assert_non_null(world);
	world->base = event_base_new();
	const struct recorder_options options = {
		.base = world->base, .resumed = on_resumed, .owner = world
	};
	assert_int_equal(recorder_new(&options, &world->recorder), 0);
	assert_true(recorder_is_waiting(world->recorder));
	open_record(world);
	assert_false(recorder_is_waiting(world->recorder));
	assert_int_equal(world->resumed, 1);
	return world;
}

static void
world_free(struct world *world)
{
	recorder_free(&world->recorder);
	channel_free(&world->record);
	event_base_free(world->base);
	free(world);
}

static void
record(struct world *world, uint64_t number)
{
	static char path[PATH_BYTES];
	const struct instance_observer *observer = recorder_observer(world->recorder);
	const struct instance_identity identity = { .session = 1 };
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	observer->transfer(observer->context, &identity, "send", bytes_of(path, sizeof(path)),
		&(struct transfer_report){ .bytes = number }, 0);
}

static void
receive_until(struct world *world, uint64_t number)
{
	while (world->received < number)
		event_base_loop(world->base, EVLOOP_ONCE);
}

static void
check_nothing_lost(void **state)
{
	(void)state;
	struct world *world = world_new();
	channel_pause(world->record);
	for (uint64_t i = 1; i <= EVENTS; i++)
		record(world, i);
	event_base_loop(world->base, EVLOOP_NONBLOCK);
	assert_true(recorder_is_waiting(world->recorder));
	assert_int_equal(world->resumed, 1);
	channel_resume(world->record);
	receive_until(world, EVENTS);
	while (world->resumed < 2)
		event_base_loop(world->base, EVLOOP_ONCE);
	assert_false(recorder_is_waiting(world->recorder));
	record(world, EVENTS + 1);
	receive_until(world, EVENTS + 1);
	world_free(world);
}

/* The first channel may end then. */
static void
check_replaced(void **state)
{
	(void)state;
	struct world *world = world_new();
	struct channel *first = world->record;
	record(world, 1);
	receive_until(world, 1);
	open_record(world);
	assert_int_equal(world->resumed, 2);
	record(world, 2);
	receive_until(world, 2);
	assert_int_equal(world->last_sequence, 1); /* it counts anew */
	channel_free(&first);
	event_base_loop(world->base, EVLOOP_NONBLOCK);
	record(world, 3);
	receive_until(world, 3);
	world_free(world);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("a record that does not read loses nothing", check_nothing_lost),
		CASE("another record", check_replaced),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
