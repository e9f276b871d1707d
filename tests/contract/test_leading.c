/*
 * Who leads the loop and what is done by whom (leading.h): brief jobs are carried out by who leads,
 * and one that lasts is left behind.
 */
#include "tests/contract/leading.h"
#include "tests/unit/worker/trees.h"

#include <errno.h>

enum { SHORT_MS = 150 };

/* ---- who does what ---- */

static void
begin_brief(struct leading *leading)
{
	leading->awaited = 1;
	leading_ask_stat(leading, 0);
}

static void
check_brief(struct leading *leading)
{
	assert_int_equal(leading->answers[0].error, 0);
	assert_int_equal(leading->brief_jobs, 1);
}

static void
begin_lengthy(struct leading *leading)
{
	leading->awaited = 1;
	leading_ask_size(leading, 0);
}

static void
check_lengthy(struct leading *leading)
{
	assert_int_equal(leading->answers[0].error, 0);
	assert_int_equal(leading->brief_jobs, 0);
	assert_false(pthread_equal(gate_last(), leading->answers[0].thread));
}

/* What is next is bounded as the queue is; what is too much goes there. */
static void
begin_crowd(struct leading *leading)
{
	leading->awaited = NURSERY_QUEUE_MAX + 4;
	leading->session->count_only = true;
	for (unsigned i = 0; i < leading->awaited; i++)
		leading_ask_stat(leading, 0);
	leading->next_length = leading_pool(leading)->next_length;
}

static void
check_crowd(struct leading *leading)
{
	assert_int_equal(leading->answers[0].error, 0);
	assert_int_equal(leading->answers[0].count, NURSERY_QUEUE_MAX + 4);
	assert_int_equal(leading->next_length, NURSERY_QUEUE_MAX);
}

/* ---- what lasts ---- */

static void
begin_lasting(struct leading *leading)
{
	leading->awaited = 2;
	gate_set(true);
	leading_ask_stat(leading, 0);
	leading_ask_mkdir(leading, 1);
}

/* The second is answered while the first is held. */
static void
go_on_lasting(struct leading *leading)
{
	if (leading->answers[1].count == 1 && leading->answered == 1)
		gate_set(false);
}

static void
check_lasting(struct leading *leading)
{
	assert_int_equal(leading->answers[0].error, 0);
	assert_int_equal(leading->answers[1].error, 0);
	assert_false(pthread_equal(gate_last(), leading->answers[1].thread));
}

/*
 * What was answered before it in the same round of the loop is told while it lasts: by whoever has
 * taken the loop over.
 */
static void
begin_told(struct leading *leading)
{
	leading->awaited = 2;
	gate_set(true);
	leading_ask_mkdir(leading, 0);
	leading_ask_stat(leading, 1);
}

static void
go_on_told(struct leading *leading)
{
	if (leading->told == 1)
		gate_set(false);
}

static void
check_told(struct leading *leading)
{
	assert_int_equal(leading->answers[0].error, 0);
	assert_int_equal(leading->answers[1].error, 0);
	assert_int_equal(leading->told, 1);
}

static void
begin_late(struct leading *leading)
{
	leading->awaited = 1;
	gate_set(true);
	leading_ask_stat(leading, 0);
}

static void
check_late(struct leading *leading)
{
	assert_int_equal(leading->answers[0].error, -ETIMEDOUT);
	leading_release(leading);
	assert_int_equal(leading->answers[0].count, 1); /* the late answer was dropped */
}

/*
 * Both threads are held, and a third leads: what comes then waits for one of them until its time is
 * up, and what comes later is refused at once.
 */
static void
begin_exhausted(struct leading *leading)
{
	leading->awaited = 4;
	gate_set(true);
	for (size_t i = 0; i < 3; i++)
		leading_ask_stat(leading, i);
}

static void
go_on_exhausted(struct leading *leading)
{
	if (leading->answered == 3)
		leading_ask_stat(leading, 3);
}

static void
check_exhausted(struct leading *leading)
{
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(leading->answers[i].error, -ETIMEDOUT);
	leading_release(leading);
	assert_int_equal(gate_passed(), 2);
}

/* The only thread beside the one that leads is called away: then nobody begins a brief job. */
static void
begin_without_deputy(struct leading *leading)
{
	gate_set(true);
	leading->awaited = 2;
	leading_ask_size(leading, 0);
	leading_ask_stat(leading, 1);
}

static void
check_without_deputy(struct leading *leading)
{
	assert_int_equal(leading->answers[0].error, -ETIMEDOUT);
	assert_int_equal(leading->answers[1].error, -ETIMEDOUT);
	assert_int_equal(leading->brief_jobs, 0);
	leading_release(leading);
}

/* ---- slow file systems ---- */

/* Each of three is left behind, for the loop goes on: then brief jobs go to threads for a while. */
static void
on_next_slow(evutil_socket_t fd, short what, void *argument)
{
	struct leading *leading = argument;
	(void)fd;
	(void)what;
	if (leading->begun == 3)
		leading_end(leading);
	else if (leading_has_deputy(leading))
		leading_ask_stat(leading, leading->begun++);
	leading_do_soon(leading, on_next_slow);
}

static void
begin_slow(struct leading *leading)
{
	gate_set(true);
	leading_do_soon(leading, on_next_slow);
}

static void
check_slow(struct leading *leading)
{
	assert_int_equal(leading->brief_jobs, 3);
	assert_true(leading->brief_from_us != 0);
}

static void
begin_paused(struct leading *leading)
{
	leading_pool(leading)->brief_from_us = UINT64_MAX;
	begin_brief(leading);
}

static void
check_paused(struct leading *leading)
{
	assert_int_equal(leading->answers[0].error, 0);
	assert_int_equal(leading->brief_jobs, 0);
	assert_false(pthread_equal(gate_last(), leading->answers[0].thread));
}

static void
begin_tried_again(struct leading *leading)
{
	leading_pool(leading)->brief_from_us = 1; /* long ago */
	begin_brief(leading);
}

/* ---- */

static const struct leading_row rows[] = {
	{ "a brief job is done by who leads", 1, 0, begin_brief, NULL, check_brief },
	{ "a lengthy one is not", 1, 0, begin_lengthy, NULL, check_lengthy },
	{ "what is next is bounded", 1, 0, begin_crowd, NULL, check_crowd },
	{ "one that lasts is left behind", 2, 0, begin_lasting, go_on_lasting, check_lasting },
	{ "what was answered before it is told", 2, 0, begin_told, go_on_told, check_told },
	{ "one that lasts is late", 1, SHORT_MS, begin_late, NULL, check_late },
	{ "no thread is left but who leads", 2, SHORT_MS, begin_exhausted, go_on_exhausted,
		check_exhausted },
	{ "no deputy, nothing brief", 1, SHORT_MS, begin_without_deputy, NULL,
		check_without_deputy },
	{ "slow ones are found out", 4, 0, begin_slow, NULL, check_slow },
	{ "slow ones go to threads", 1, 0, begin_paused, NULL, check_paused },
	{ "after a while one is tried again", 1, 0, begin_tried_again, NULL, check_brief },
};

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = { TABLE("leading", rows, leading_run) };
	return table_run(tables, ARRAY_LENGTH(tables));
}
