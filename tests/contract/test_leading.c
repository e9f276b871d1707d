/*
 * A loop that is led by the pool's threads (executor.h, executor_lead.c): brief jobs are carried
 * out by who leads, and one that lasts is left behind. The backend has a gate (gate.h); what a case
 * does is done on the loop, as in a worker, and what it finds is looked at when that is over.
 */
#include "tests/contract/gate.h"
#include "tests/unit/worker/session.h"
#include "tests/unit/worker/trees.h"

#include "worker/executor_pool.h"
#include "worker/instance_private.h"

#include <errno.h>

enum { SHORT_MS = 150, ANSWERS_MAX = 8 };

struct answer {
	struct leading *leading;
	int count;
	int error;
	pthread_t thread; /* that led when it came */
};

struct leading {
	struct session *session;
	const struct leading_row *row;
	struct answer answers[ANSWERS_MAX];
	unsigned awaited; /* so many, then it is over */
	unsigned answered;
	unsigned begun;
	bool is_out_of_time;
	uint32_t next_length; /* when all were submitted */
	/* The executor's at the end. */
	uint64_t brief_from_us;
	uint64_t brief_jobs;
	struct event *timer;
};

struct leading_row {
	const char *name;
	uint32_t threads;
	uint32_t deadline_ms;
	void (*begin)(struct leading *leading);
	/* After each answer; may be NULL. */
	void (*go_on)(struct leading *leading);
	void (*check)(struct leading *leading);
};

/* ---- on the loop ---- */

static struct executor_pool *
pool_of(const struct leading *leading)
{
	return (struct executor_pool *)(void *)leading->session->nursery->executor;
}

static void
end(struct leading *leading)
{
	leading->brief_from_us = pool_of(leading)->brief_from_us;
	leading->brief_jobs = pool_of(leading)->brief_jobs;
	event_base_loopbreak(leading->session->base);
}

static void
on_answer(void *argument, const struct pathio_answer *got)
{
	struct answer *answer = argument;
	struct leading *leading = answer->leading;
	answer->count++;
	answer->error = got->error;
	answer->thread = pthread_self();
	leading->answered++;
	if (leading->row->go_on != NULL)
		leading->row->go_on(leading);
	if (leading->answered == leading->awaited)
		end(leading);
}

static void
on_limit(evutil_socket_t fd, short what, void *argument)
{
	struct leading *leading = argument;
	(void)fd;
	(void)what;
	leading->is_out_of_time = true;
	gate_set(false);
	end(leading);
}

static bool
has_deputy(const struct leading *leading)
{
	struct executor_pool *pool = pool_of(leading);
	pthread_mutex_lock(&pool->lock);
	bool result = pool->deputy != NULL;
	pthread_mutex_unlock(&pool->lock);
	return result;
}

static void
soon(struct leading *leading, event_callback_fn call)
{
	static const struct timeval wait = { .tv_usec = 1000 };
	event_base_once(leading->session->base, -1, EV_TIMEOUT, call, leading, &wait);
}

/* Once all threads are in their roles. */
static void
on_begin(evutil_socket_t fd, short what, void *argument)
{
	struct leading *leading = argument;
	(void)fd;
	(void)what;
	if (has_deputy(leading))
		leading->row->begin(leading);
	else
		soon(leading, on_begin);
}

/* Its effect goes through the gate. */
static void
submit_stat(struct leading *leading, size_t number)
{
	const struct pathio_stat stat = { .path = bytes_of_text("/f") };
	pathio_stat(leading->session->io, &stat, on_answer, &leading->answers[number]);
}

/* Its effect does not. */
static void
submit_mkdir(struct leading *leading, size_t number)
{
	static const char *const paths[ANSWERS_MAX] = { "/0", "/1", "/2", "/3" };
	const struct pathio_mkdir mkdir = { .path = bytes_of_text(paths[number]), .mode = 0777 };
	pathio_mkdir(leading->session->io, &mkdir, on_answer, &leading->answers[number]);
}

/* ---- who does what ---- */

static void
begin_brief(struct leading *leading)
{
	leading->awaited = 1;
	submit_stat(leading, 0);
}

static void
check_brief(struct leading *leading)
{
	assert_int_equal(leading->answers[0].error, 0);
	assert_int_equal(leading->brief_jobs, 1);
}

/* It reads a whole file. */
static void
begin_lengthy(struct leading *leading)
{
	const struct pathio_size_as size = { .path = bytes_of_text("/f"),
		.form = PATHIO_FORM_ASCII };
	leading->awaited = 1;
	pathio_size_as(leading->session->io, &size, on_answer, &leading->answers[0]);
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
		submit_stat(leading, 0);
	leading->next_length = pool_of(leading)->next_length;
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
	submit_stat(leading, 0);
	submit_mkdir(leading, 1);
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

static void
begin_late(struct leading *leading)
{
	leading->awaited = 1;
	gate_set(true);
	submit_stat(leading, 0);
}

static void
check_late(struct leading *leading)
{
	assert_int_equal(leading->answers[0].error, -ETIMEDOUT);
	gate_set(false);
	assert_true(nursery_rest(leading->session->nursery, GATE_LIMIT_S * 1000));
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
		submit_stat(leading, i);
}

static void
go_on_exhausted(struct leading *leading)
{
	if (leading->answered == 3)
		submit_stat(leading, 3);
}

static void
check_exhausted(struct leading *leading)
{
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(leading->answers[i].error, -ETIMEDOUT);
	gate_set(false);
	assert_true(nursery_rest(leading->session->nursery, GATE_LIMIT_S * 1000));
	assert_int_equal(gate_passed(), 2);
}

/* The only thread beside the one that leads is called away: then nobody begins a brief job. */
static void
begin_without_deputy(struct leading *leading)
{
	gate_set(true);
	begin_lengthy(leading);
	submit_stat(leading, 1);
	leading->awaited = 2;
}

static void
check_without_deputy(struct leading *leading)
{
	assert_int_equal(leading->answers[0].error, -ETIMEDOUT);
	assert_int_equal(leading->answers[1].error, -ETIMEDOUT);
	assert_int_equal(leading->brief_jobs, 0);
	gate_set(false);
	assert_true(nursery_rest(leading->session->nursery, GATE_LIMIT_S * 1000));
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
		end(leading);
	else if (has_deputy(leading))
		submit_stat(leading, leading->begun++);
	soon(leading, on_next_slow);
}

static void
begin_slow(struct leading *leading)
{
	gate_set(true);
	soon(leading, on_next_slow);
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
	pool_of(leading)->brief_from_us = UINT64_MAX;
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
	pool_of(leading)->brief_from_us = 1; /* long ago */
	begin_brief(leading);
}

/* ---- the end ---- */

/* It is over while a thread is held, which led. */
static void
begin_over(struct leading *leading)
{
	leading->awaited = 1;
	gate_set(true);
	submit_stat(leading, 0);
	submit_mkdir(leading, 1);
}

static void
check_over(struct leading *leading)
{
	assert_int_equal(leading->answers[0].count, 0);
	assert_false(nursery_rest(leading->session->nursery, 1));
	gate_set(false);
	assert_true(nursery_rest(leading->session->nursery, GATE_LIMIT_S * 1000));
	assert_int_equal(leading->answers[0].count, 1);
}

/* What was to be next when it is over is done all the same. */
static void
begin_left_over(struct leading *leading)
{
	leading->awaited = 1;
	submit_mkdir(leading, 0);
	submit_stat(leading, 1);
	end(leading);
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
	submit_mkdir(leading, 0);
	submit_stat(leading, 1);
}

static void
check_asked(struct leading *leading)
{
	assert_int_equal(leading->answers[0].count, 1);
	assert_int_equal(leading->answers[1].count, 0);
	gate_set(false);
	assert_true(nursery_rest(leading->session->nursery, GATE_LIMIT_S * 1000));
	assert_int_equal(leading->answers[1].count, 1);
}

/* The session leaves with one thread held and more to be done. */
static void
begin_leaving(struct leading *leading)
{
	leading->awaited = 3;
	gate_set(true);
	submit_stat(leading, 0);
	submit_mkdir(leading, 1);
}

static void
go_on_leaving(struct leading *leading)
{
	if (leading->answers[1].count == 0 || leading->answered != 1)
		return;
	submit_mkdir(leading, 2);
	pathio_free(&leading->session->io);
}

static void
check_leaving(struct leading *leading)
{
	assert_int_equal(leading->answers[0].error, -ECANCELED);
	assert_int_equal(leading->answers[2].error, -ECANCELED);
	gate_set(false);
	assert_true(nursery_rest(leading->session->nursery, GATE_LIMIT_S * 1000));
	assert_int_equal(leading->answers[0].count, 1);
}

/* ---- */

static const struct leading_row leading_rows[] = {
	{ "a brief job is done by who leads", 1, 0, begin_brief, NULL, check_brief },
	{ "a lengthy one is not", 1, 0, begin_lengthy, NULL, check_lengthy },
	{ "what is next is bounded", 1, 0, begin_crowd, NULL, check_crowd },
	{ "one that lasts is left behind", 2, 0, begin_lasting, go_on_lasting, check_lasting },
	{ "one that lasts is late", 1, SHORT_MS, begin_late, NULL, check_late },
	{ "no thread is left but who leads", 2, SHORT_MS, begin_exhausted, go_on_exhausted,
		check_exhausted },
	{ "no deputy, nothing brief", 1, SHORT_MS, begin_without_deputy, NULL,
		check_without_deputy },
	{ "slow ones are found out", 4, 0, begin_slow, NULL, check_slow },
	{ "slow ones go to threads", 1, 0, begin_paused, NULL, check_paused },
	{ "after a while one is tried again", 1, 0, begin_tried_again, NULL, check_brief },
	{ "it is over while a thread is held", 2, 0, begin_over, NULL, check_over },
	{ "what was next when it is over is done", 2, 0, begin_left_over, NULL, check_left_over },
	{ "the end is asked for with more to be done", 2, 0, begin_asked, NULL, check_asked },
	{ "a session that leaves", 2, 0, begin_leaving, go_on_leaving, check_leaving },
};

static void
after_round(void *owner)
{
	(void)owner;
}

static void
lead(struct leading *leading)
{
	struct event_base *base = leading->session->base;
	static const struct timeval limit = { .tv_sec = GATE_LIMIT_S };
	for (size_t i = 0; i < ANSWERS_MAX; i++)
		leading->answers[i].leading = leading;
	leading->timer = evtimer_new(base, on_limit, leading);
	assert_int_equal(evtimer_add(leading->timer, &limit), 0);
	soon(leading, on_begin);
	nursery_dispatch(leading->session->nursery, after_round, NULL);
	event_free(leading->timer);
	assert_false(leading->is_out_of_time);
}

static void
run(void **state)
{
	const struct leading_row *row = *state;
	const struct backend gated = gate_backend();
	int descriptors = count_descriptors();
	gate_set(false);
	const struct session_world world = {
		.backend = &gated, .threads = row->threads, .deadline_ms = row->deadline_ms
	};
	struct leading leading = { .session = session_new_in(&world), .row = row };
	session_plant(leading.session, "/f", "abc", 3);
	lead(&leading);
	row->check(&leading);
	gate_set(false);
	session_free(leading.session);
	assert_int_equal(count_descriptors(), descriptors);
}

int
main(void)
{
	tree_tests_begin();
	const struct table tables[] = { TABLE("leading", leading_rows, run) };
	return table_run(tables, ARRAY_LENGTH(tables));
}
