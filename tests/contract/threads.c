/*
 * A pool of threads under test (see threads.h).
 */
#include "tests/contract/threads.h"

#include "tests/unit/worker/trees.h"

void
threads_on_answer(void *argument, const struct pathio_answer *answer)
{
	struct threads_answer *told = argument;
	told->count++;
	told->error = answer->error;
	if (answer->code == PATHIO_CONTENT && answer->body->content.bytes.length > 0)
		told->first = answer->body->content.bytes.data[0];
}

static void
on_limit(UNUSED evutil_socket_t fd, UNUSED short what, UNUSED void *argument)
{
	fail_msg("%s", "no answer");
}

void
threads_await(struct session *session, const struct threads_answer *awaited, int error)
{
	struct event *limit = evtimer_new(session->base, on_limit, NULL);
	evtimer_add(limit, &(struct timeval){ .tv_sec = GATE_LIMIT_S });
	while (awaited->count == 0)
		event_base_loop(session->base, EVLOOP_ONCE);
	event_free(limit);
	assert_int_equal(awaited->error, error);
}

uint32_t
threads_stat(struct pathio *io, struct threads_answer *answer)
{
	const struct pathio_stat stat = { .path = bytes_of_text("/f") };
	return pathio_stat(io, &stat, threads_on_answer, answer);
}

uint32_t
threads_open(struct session *session, uint32_t file, struct threads_answer *answer)
{
	const struct pathio_open open = {
		.file = file, .path = bytes_of_text("/f"), .mode = PATHIO_MODE_RB
	};
	return pathio_open(session->io, &open, threads_on_answer, answer);
}

uint32_t
threads_read(struct session *session, uint32_t file, struct threads_answer *answer)
{
	const struct pathio_read read = { .file = file, .count = 1 };
	return pathio_read(session->io, &read, threads_on_answer, answer);
}

uint32_t
threads_send(struct session *session, uint32_t file, int descriptor, struct threads_answer *answer)
{
	const struct pathio_send send = { .file = file, .count = UINT64_MAX };
	return pathio_send(session->io, &send, descriptor, threads_on_answer, answer);
}

void
threads_open_file(struct session *session, uint32_t file)
{
	struct threads_answer opened = { .count = 0 };
	threads_open(session, file, &opened);
	threads_await(session, &opened, 0);
}

void
threads_release(struct session *session)
{
	gate_set(false);
	assert_true(nursery_rest(session->nursery, GATE_LIMIT_S * 1000));
}

void
threads_run(void **state)
{
	const struct threads_row *row = *state;
	const struct backend gated = row->make == NULL ? gate_backend() : row->make();
	int descriptors = count_descriptors();
	gate_set(false);
	const struct session_world world = {
		.backend = &gated, .threads = row->threads, .deadline_ms = row->deadline_ms
	};
	struct session *session = session_new_in(&world);
	session_plant(session, "/f", "abc", 3);
	row->check(session);
	gate_set(false);
	session_free(session);
	assert_int_equal(count_descriptors(), descriptors);
}
