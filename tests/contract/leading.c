/*
 * Cases on a loop that is led (see leading.h).
 */
#include "tests/contract/leading.h"

#include "tests/unit/worker/trees.h"
#include "worker/instance_private.h"

/* ---- requests ---- */

static void
on_answer(void *argument, const struct pathio_answer *got)
{
	struct leading_answer *answer = argument;
	struct leading *leading = answer->leading;
	answer->count++;
	answer->error = got->error;
	answer->thread = pthread_self();
	leading->answered++;
	if (leading->row->go_on != NULL)
		leading->row->go_on(leading);
	if (leading->answered == leading->awaited)
		leading_end(leading);
}

uint32_t
leading_ask_stat(struct leading *leading, size_t number)
{
	const struct pathio_stat stat = { .path = bytes_of_text("/f") };
	return pathio_stat(leading->session->io, &stat, on_answer, &leading->answers[number]);
}

void
leading_ask_mkdir(struct leading *leading, size_t number)
{
	static const char *const paths[LEADING_ANSWERS_MAX] = { "/0", "/1", "/2", "/3" };
	const struct pathio_mkdir mkdir = { .path = bytes_of_text(paths[number]), .mode = 0777 };
	pathio_mkdir(leading->session->io, &mkdir, on_answer, &leading->answers[number]);
}

void
leading_ask_size(struct leading *leading, size_t number)
{
	const struct pathio_size_as size = { .path = bytes_of_text("/f"),
		.form = PATHIO_FORM_ASCII };
	pathio_size_as(leading->session->io, &size, on_answer, &leading->answers[number]);
}

/* ---- the loop ---- */

struct executor_pool *
leading_pool(const struct leading *leading)
{
	return (struct executor_pool *)(void *)leading->session->nursery->executor;
}

void
leading_end(struct leading *leading)
{
	leading->brief_from_us = leading_pool(leading)->brief_from_us;
	leading->brief_jobs = leading_pool(leading)->brief_jobs;
	event_base_loopbreak(leading->session->base);
}

static void
on_limit(evutil_socket_t fd, short what, void *argument)
{
	struct leading *leading = argument;
	(void)fd;
	(void)what;
	leading->is_out_of_time = true;
	gate_set(false);
	leading_end(leading);
}

bool
leading_has_deputy(const struct leading *leading)
{
	struct executor_pool *pool = leading_pool(leading);
	pthread_mutex_lock(&pool->lock);
	bool result = pool->deputy != NULL;
	pthread_mutex_unlock(&pool->lock);
	return result;
}

void
leading_do_soon(struct leading *leading, event_callback_fn call)
{
	static const struct timeval wait = { .tv_usec = 1000 };
	event_base_once(leading->session->base, -1, EV_TIMEOUT, call, leading, &wait);
}

static void
on_begin(evutil_socket_t fd, short what, void *argument)
{
	struct leading *leading = argument;
	(void)fd;
	(void)what;
	if (leading_has_deputy(leading))
		leading->row->begin(leading);
	else
		leading_do_soon(leading, on_begin);
}

static void
after_round(void *owner)
{
	struct leading *leading = owner;
	if (leading->told == leading->answered)
		return;
	leading->told = leading->answered;
	if (leading->row->go_on != NULL)
		leading->row->go_on(leading);
}

static void
lead(struct leading *leading)
{
	struct event_base *base = leading->session->base;
	static const struct timeval limit = { .tv_sec = GATE_LIMIT_S };
	for (size_t i = 0; i < LEADING_ANSWERS_MAX; i++)
		leading->answers[i].leading = leading;
	leading->timer = evtimer_new(base, on_limit, leading);
	assert_int_equal(evtimer_add(leading->timer, &limit), 0);
	leading_do_soon(leading, on_begin);
	nursery_dispatch(leading->session->nursery, after_round, leading);
	event_free(leading->timer);
	assert_false(leading->is_out_of_time);
}

void
leading_release(struct leading *leading)
{
	gate_set(false);
	assert_true(nursery_rest(leading->session->nursery, GATE_LIMIT_S * 1000));
}

void
leading_run(void **state)
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
