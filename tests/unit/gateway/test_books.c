/*
 * What the gateway keeps count of: tickets, connections by address, time limits, replies that wait.
 */
#include "gateway/census.h"
#include "gateway/limit.h"
#include "gateway/outbox.h"
#include "gateway/ticket.h"
#include "ipc/base/scope.h"
#include "tests/table.h"

#include <errno.h>
#include <event2/event.h>
#include <sys/socket.h>

/* ---- tickets ---- */

static void
check_tickets(void **state)
{
	enum { COUNT = 1000 };
	static uint32_t tags[COUNT];
	struct ticket_table table = { .slots = NULL };
	struct ticket ticket;
	(void)state;
	for (uint32_t i = 0; i < COUNT; i++) {
		struct ticket wanted = { .session = i, .purpose = i % 3 };
		assert_int_equal(ticket_open(&table, wanted, &tags[i]), 0);
		assert_int_not_equal(tags[i], 0);
	}
	for (uint32_t i = 0; i < COUNT; i++) {
		assert_true(ticket_close(&table, tags[i], &ticket));
		assert_int_equal(ticket.session, i);
		assert_int_equal(ticket.purpose, i % 3);
		assert_false(ticket_close(&table, tags[i], &ticket));
	}
	ticket_table_free(&table);
}

/* An answer to a ticket that was closed finds nothing, though its slot is in use again. */
static void
check_stale_ticket(void **state)
{
	struct ticket_table table = { .slots = NULL };
	struct ticket ticket = { .session = 1 };
	uint32_t first;
	uint32_t tag = 0;
	(void)state;
	assert_int_equal(ticket_open(&table, ticket, &first), 0);
	assert_true(ticket_close(&table, first, &ticket));
	for (int i = 0; i < 100; i++) {
		assert_int_equal(ticket_open(&table, ticket, &tag), 0);
		assert_int_not_equal(tag, first);
		assert_false(ticket_close(&table, first, &ticket));
		assert_true(ticket_close(&table, tag, &ticket));
	}
	assert_false(ticket_close(&table, 0, &ticket));
	assert_false(ticket_close(&table, UINT32_MAX, &ticket));
	ticket_table_free(&table);
}

/* ---- connections by address ---- */

static const struct wire_address v4_one = { .ip = { [10] = 255, [11] = 255, 192, 0, 2, 1 } };
static const struct wire_address v4_two = { .ip = { [10] = 255, [11] = 255, 192, 0, 2, 2 } };
static const struct wire_address v6_one = { .ip = { 0x20, 1, [7] = 1, [15] = 1 } };
static const struct wire_address v6_near = { .ip = { 0x20, 1, [7] = 1, [8] = 9, [15] = 2 } };
static const struct wire_address v6_far = { .ip = { 0x20, 1, [7] = 2, [15] = 1 } };

static void
check_census(void **state)
{
	struct census *census = census_new();
	(void)state;
	assert_int_equal(census_enter(census, &v4_one, 2), 0);
	assert_int_equal(census_enter(census, &v4_one, 2), 0);
	assert_int_equal(census_enter(census, &v4_one, 2), -EUSERS);
	assert_int_equal(census_enter(census, &v4_two, 2), 0);
	census_leave(census, &v4_one);
	assert_int_equal(census_enter(census, &v4_one, 2), 0);
	assert_int_equal(census_enter(census, &v4_one, 2), -EUSERS);
	census_leave(census, &v4_one);
	census_leave(census, &v4_one);
	census_leave(census, &v4_two);
	census_free(&census);
}

static void
check_census_of_networks(void **state)
{
	struct census *census = census_new();
	(void)state;
	assert_int_equal(census_enter(census, &v6_one, 1), 0);
	assert_int_equal(census_enter(census, &v6_near, 1), -EUSERS);
	assert_int_equal(census_enter(census, &v6_far, 1), 0);
	census_leave(census, &v6_near);
	census_leave(census, &v6_far);
	census_free(&census);
}

/* ---- time limits ---- */

struct reached {
	struct event_base *base;
	enum limit_kind kind;
};

static void
note(void *owner, enum limit_kind kind)
{
	struct reached *reached = owner;
	reached->kind = kind;
	event_base_loopbreak(reached->base);
}

static void
check_limit(void **state)
{
	struct reached reached = { .base = event_base_new() };
	struct limit limit;
	(void)state;
	limit_init(&limit, reached.base, note, &reached);
	limit_set(&limit, LIMIT_IDLE, 3600);
	limit_set(&limit, LIMIT_DATA, 0); /* earlier than what the event was armed for */
	event_base_dispatch(reached.base);
	assert_int_equal(reached.kind, LIMIT_DATA);
	assert_int_equal(limit.kind, LIMIT_NONE);

	limit_set(&limit, LIMIT_DATA, 0);
	limit_clear(&limit, LIMIT_IDLE); /* it is another one */
	assert_int_equal(limit.kind, LIMIT_DATA);
	limit_clear(&limit, LIMIT_DATA);
	event_base_dispatch(reached.base); /* ends: nothing is armed any more */
	assert_int_equal(limit.kind, LIMIT_NONE);

	limit_set(&limit, LIMIT_DATA, 0);
	limit_set(&limit, LIMIT_IDLE, 3600); /* later: the event fires too early and goes on */
	event_base_loop(reached.base, EVLOOP_ONCE);
	assert_int_equal(limit.kind, LIMIT_IDLE);
	limit_stop(&limit);
	event_base_free(reached.base);
}

/* ---- replies that wait ---- */

PRINTF_LIKE(2, 3)
static int
add_line(struct outbox *outbox, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int error = outbox_add_line(outbox, format, arguments);
	va_end(arguments);
	return error;
}

static void
check_outbox(void **state)
{
	enum { LINES = 20000 };
	int ends[2];
	struct outbox outbox = { .data = NULL };
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	struct stream stream = { .fd = ends[0] };
	for (int i = 0; i < LINES; i++)
		assert_int_equal(
			add_line(&outbox, "%d %s", 200 + i % 10, "a line of some length"), 0);
	size_t total = outbox_length(&outbox);
	size_t received = 0;
	int error;
	while ((error = outbox_flush(&outbox, &stream)) == -EAGAIN) {
		static char bytes[65536];
		ssize_t count = read(ends[1], bytes, sizeof(bytes));
		assert_true(count > 0);
		assert_memory_equal(received == 0 ? bytes : "200", "200", 3);
		received += (size_t)count;
	}
	assert_int_equal(error, 0);
	assert_null(outbox.data);
	assert_true(received < total);
	fd_close(&ends[1]);
	assert_int_equal(add_line(&outbox, "x"), 0);
	assert_int_equal(outbox_flush(&outbox, &stream), -EPIPE);
	outbox_clear(&outbox);
	fd_close(&ends[0]);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("tickets are found once", check_tickets),
		CASE("a stale ticket finds nothing", check_stale_ticket),
		CASE("connections by address", check_census),
		CASE("IPv6 clients by their network", check_census_of_networks),
		CASE("one time limit at a time", check_limit),
		CASE("replies wait for a slow client", check_outbox),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
