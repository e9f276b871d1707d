/*
 * A loop that is led, or a session on it, ends while there is more to be done (leading.h).
 */
#include "tests/contract/leading.h"
#include "tests/unit/worker/trees.h"

#include <errno.h>

/* ---- the end ---- */

/* It is over while a thread is held, which led. */
static void
begin_over(struct leading *leading)
{
	leading->awaited = 1;
	gate_set(true);
	leading_ask_stat(leading, 0);
	leading_ask_mkdir(leading, 1);
}

static void
check_over(struct leading *leading)
{
	assert_int_equal(leading->answers[0].count, 0);
	assert_false(nursery_rest(leading->session->nursery, 1));
	leading_release(leading);
	assert_int_equal(leading->answers[0].count, 1);
}

/* What was to be next when it is over is done all the same. */
static void
begin_left_over(struct leading *leading)
{
	leading->awaited = 1;
	leading_ask_mkdir(leading, 0);
	leading_ask_stat(leading, 1);
	leading_end(leading);
}

static void
check_left_over(struct leading *leading)
{
	assert_true(nursery_rest(leading->session->nursery, GATE_LIMIT_S * 1000));
	assert_int_equal(leading->answers[0].count, 1);
	assert_int_equal(leading->answers[1].count, 1);
}

/* The end is asked for with more to be next, which would last. */
static void
begin_asked(struct leading *leading)
{
	leading->awaited = 1;
	gate_set(true);
	leading_ask_mkdir(leading, 0);
	leading_ask_stat(leading, 1);
}

static void
check_asked(struct leading *leading)
{
	assert_int_equal(leading->answers[0].count, 1);
	assert_int_equal(leading->answers[1].count, 0);
	leading_release(leading);
	assert_int_equal(leading->answers[1].count, 1);
}

/* Cancelled before it is its turn: it is never begun. */
static void
begin_cancelled(struct leading *leading)
{
	leading->awaited = 1;
	gate_set(false); /* counts from now on */
	pathio_cancel(leading->session->io, leading_ask_stat(leading, 0));
}

static void
check_cancelled(struct leading *leading)
{
	assert_int_equal(leading->answers[0].error, -ECANCELED);
	assert_true(nursery_rest(leading->session->nursery, GATE_LIMIT_S * 1000));
	assert_int_equal(gate_passed(), 0);
}

/* The session leaves with one thread held and more to be done. */
static void
begin_leaving(struct leading *leading)
{
	leading->awaited = 3;
	gate_set(true);
	leading_ask_stat(leading, 0);
	leading_ask_mkdir(leading, 1);
}

static void
go_on_leaving(struct leading *leading)
{
	if (leading->answers[1].count == 0 || leading->answered != 1)
		return;
	leading_ask_mkdir(leading, 2);
	pathio_free(&leading->session->io);
}

static void
check_leaving(struct leading *leading)
{
	assert_int_equal(leading->answers[0].error, -ECANCELED);
	assert_int_equal(leading->answers[2].error, -ECANCELED);
	leading_release(leading);
	assert_int_equal(leading->answers[0].count, 1);
}

/* ---- */

static const struct leading_row rows[] = {
	{ "it is over while a thread is held", 2, 0, begin_over, NULL, check_over },
	{ "what was next when it is over is done", 2, 0, begin_left_over, NULL, check_left_over },
	{ "the end is asked for with more to be done", 2, 0, begin_asked, NULL, check_asked },
	{ "a session that leaves", 2, 0, begin_leaving, go_on_leaving, check_leaving },
	{ "one is cancelled before its turn", 2, 0, begin_cancelled, NULL, check_cancelled },
};

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = { TABLE("the end", rows, leading_run) };
	return table_run(tables, ARRAY_LENGTH(tables));
}
