/*
 * Messages that are held until whoever runs the loop lets them go: in order, or not at all where
 * the channel has ended. What is held for a peer that does not read is test_backpressure.c's.
 */
#include "ipc/gate.h"
#include "tests/unit/ipc/fixture.h"

static int
hold_ping(struct fixture *fixture, uint32_t tag)
{
	return channel_hold(fixture->channel, GATE_PING, tag, &(struct gate_ping){ 0 });
}

static void
on_message_hold(struct fixture *fixture, UNUSED struct message *message)
{
	assert_int_equal(hold_ping(fixture, (uint32_t)fixture->received), 0);
}

/* What handlers hold goes out when whoever runs the loop says so, in order. */
static void
check_hold_in_handler(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	fixture->on_message = on_message_hold;
	fixture_complain(fixture, 3);
	fixture_settle(fixture);
	assert_int_equal(fixture->received, 3);
	assert_int_equal(fixture_read_tag(fixture), -1);
	channel_flush(fixture->channel);
	for (uint32_t tag = 1; tag <= 3; tag++)
		assert_int_equal(fixture_read_tag(fixture), tag);
	assert_int_equal(fixture_read_tag(fixture), -1);
	fixture_end(&fixture);
}

/* What was held before a message that breaks a rule is not said any more. */
static void
check_hold_and_reject(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	assert_int_equal(hold_ping(fixture, 1), 0);
	channel_reject(fixture->channel, "a rule");
	channel_flush(fixture->channel);
	assert_int_equal(fixture_read_tag(fixture), -1);
	fixture_settle(fixture);
	assert_int_equal(fixture->closed, 1);
	assert_string_equal(fixture->malformed, "a rule");
	fixture_end(&fixture);
}

static void
check_hold_and_free(UNUSED void **state)
{
	struct fixture *fixture = fixture_new(&fixture_gate);
	assert_int_equal(hold_ping(fixture, 1), 0);
	channel_free(&fixture->channel);
	assert_int_equal(fixture_read_tag(fixture), -1);
	fixture_end(&fixture);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("by a handler", check_hold_in_handler),
		CASE("and rejected", check_hold_and_reject),
		CASE("and freed", check_hold_and_free),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
