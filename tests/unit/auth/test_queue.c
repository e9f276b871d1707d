/*
 * Waiting login attempts: one line per address, served in turn; the limits; withdrawal (queue.h,
 * DECISIONS 11).
 */
#include "policy/auth/queue.h"
#include "tests/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PER_ADDRESS = 3, TOTAL = 8 };

static char first_asker;
static char second_asker;

static struct attempt *
make_attempt(void *asker, char address, uint32_t number)
{
	struct attempt *attempt = calloc(1, sizeof(*attempt));
	assert_non_null(attempt);
	attempt->asker = asker;
	attempt->session = (unsigned char)address;
	attempt->number = number;
	attempt->peer.ip[0] = (uint8_t)address;
	attempt->secret = strdup("secret");
	attempt->secret_length = 6;
	return attempt;
}

static int
add_among(struct queue *queue, void *asker, unsigned askers, char address, uint32_t number)
{
	struct attempt *attempt = make_attempt(asker, address, number);
	int error = queue_add(queue, &attempt, askers);
	assert_true((attempt == NULL) == (error == 0));
	attempt_free(&attempt);
	return error;
}

static int
add(struct queue *queue, void *asker, char address, uint32_t number)
{
	return add_among(queue, asker, 1, address, number);
}

/* What the row adds: letters are addresses, numbered as they come. */
struct order_row {
	const char *name;
	const char *added;
	const char *withdrawn; /* letters whose first attempt the client takes back */
	const char *want;      /* address and number of each attempt, as they are taken */
};

static const struct order_row order_rows[] = {
	{ "nothing", "", "", "" },
	{ "one", "a", "", "a1" },
	{ "one address keeps its order", "aaa", "", "a1a2a3" },
	{ "two addresses take turns", "aab", "", "a1b3a2" },
	{ "a late address waits one turn at most", "aaabc", "", "a1b4c5a2a3" },
	{ "three lines", "abcabc", "", "a1b2c3a4b5c6" },
	{ "the only one withdrawn", "a", "a", "" },
	{ "the first of a line withdrawn", "aab", "a", "a2b3" },
	{ "a whole line withdrawn in the middle", "abc", "b", "a1c3" },
	{ "the last line withdrawn", "abc", "c", "a1b2" },
	{ "every line withdrawn", "abc", "abc", "" },
	{ "withdrawn twice", "ab", "aa", "b2" },
};

static void
check_order(void **state)
{
	const struct order_row *row = *state;
	struct queue *queue = NULL;
	char taken[64] = "";
	assert_int_equal(queue_new(PER_ADDRESS, TOTAL, &queue), 0);
	for (uint32_t i = 0; row->added[i] != '\0'; i++)
		assert_int_equal(add(queue, &first_asker, row->added[i], i + 1), 0);
	for (const char *letter = row->withdrawn; *letter != '\0'; letter++) {
		uint32_t number = (uint32_t)(strchr(row->added, *letter) - row->added) + 1;
		queue_withdraw(queue, &first_asker, (unsigned char)*letter, number);
	}
	for (struct attempt *attempt; (attempt = queue_take(queue)) != NULL;) {
		size_t length = strlen(taken);
		snprintf(taken + length, sizeof(taken) - length, "%c%u", attempt->peer.ip[0],
			attempt->number);
		attempt_free(&attempt);
	}
	assert_string_equal(taken, row->want);
	queue_free(&queue);
	assert_null(queue);
}

struct limit_row {
	const char *name;
	const char *added;
	char last;
	int want;
};

static const struct limit_row limit_rows[] = {
	{ "as many as one address may have", "aa", 'a', 0 },
	{ "one more of one address", "aaa", 'a', -EAGAIN },
	{ "another address beside a full one", "aaa", 'b', 0 },
	{ "as many as there may be", "aaabbbc", 'c', 0 },
	{ "one more in all", "aaabbbcc", 'd', -EAGAIN },
};

static void
check_limit(void **state)
{
	const struct limit_row *row = *state;
	struct queue *queue = NULL;
	assert_int_equal(queue_new(PER_ADDRESS, TOTAL, &queue), 0);
	for (uint32_t i = 0; row->added[i] != '\0'; i++)
		assert_int_equal(add(queue, &first_asker, row->added[i], i + 1), 0);
	assert_int_equal(add(queue, &first_asker, row->last, 99), row->want);
	queue_free(&queue);
}

static void
check_room_after_taking(void **state)
{
	struct queue *queue = NULL;
	(void)state;
	assert_int_equal(queue_new(1, TOTAL, &queue), 0);
	assert_int_equal(add(queue, &first_asker, 'a', 1), 0);
	assert_int_equal(add(queue, &first_asker, 'a', 2), -EAGAIN);
	struct attempt *attempt = queue_take(queue);
	assert_non_null(attempt);
	attempt_free(&attempt);
	assert_int_equal(add(queue, &first_asker, 'a', 3), 0);
	queue_free(&queue);
}

/* A gateway that makes addresses up leaves room for another's clients. */
static void
check_part(void **state)
{
	enum { PART = TOTAL / 2 };
	struct queue *queue = NULL;
	(void)state;
	assert_int_equal(queue_new(PER_ADDRESS, TOTAL, &queue), 0);
	for (uint32_t i = 0; i < PART; i++)
		assert_int_equal(add_among(queue, &first_asker, 2, (char)('a' + i), i + 1), 0);
	assert_int_equal(add_among(queue, &first_asker, 2, 'x', 99), -EAGAIN);
	for (uint32_t i = 0; i < PART; i++)
		assert_int_equal(add_among(queue, &second_asker, 2, (char)('a' + i), i + 1), 0);
	queue_withdraw(queue, &second_asker, 0, 0);
	assert_int_equal(add_among(queue, &first_asker, 2, 'x', 99), -EAGAIN);
	assert_int_equal(add_among(queue, &first_asker, 1, 'x', 99), 0); /* it is alone now */
	queue_free(&queue);
}

/* A gateway that dies takes its own attempts along and nobody else's. */
static void
check_asker_leaves(void **state)
{
	struct queue *queue = NULL;
	(void)state;
	assert_int_equal(queue_new(PER_ADDRESS, TOTAL, &queue), 0);
	assert_int_equal(add(queue, &first_asker, 'a', 1), 0);
	assert_int_equal(add(queue, &second_asker, 'a', 2), 0);
	assert_int_equal(add(queue, &first_asker, 'b', 3), 0);
	queue_withdraw(queue, &first_asker, 0, 0);
	struct attempt *attempt = queue_take(queue);
	assert_non_null(attempt);
	assert_ptr_equal(attempt->asker, &second_asker);
	attempt_free(&attempt);
	assert_null(queue_take(queue));
	queue_free(&queue);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("order", order_rows, check_order),
		TABLE("limit", limit_rows, check_limit),
		CASE("a taken attempt makes room", check_room_after_taking),
		CASE("an asker has its part", check_part),
		CASE("an asker leaves", check_asker_leaves),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
