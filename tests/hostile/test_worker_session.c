/*
 * A gateway that lies on a session's channel to a worker: that session ends and says why, the
 * worker's other session goes on, and nothing is left behind (worker/serve.h, DECISIONS 21).
 */
#include "ipc/base/scope.h"
#include "ipc/pathio.h"
#include "tests/descriptors.h"
#include "tests/hostile/assault.h"
#include "tests/unit/worker/session.h"
#include "worker/backend.h"

#include <stdio.h>

enum { LIAR = 78, TURNS = 8 };

static void
settle(struct session *worker)
{
	for (int i = 0; i < TURNS; i++)
		event_base_loop(worker->base, EVLOOP_NONBLOCK);
}

/* One worker for all: what leaks, or is left in a wrong state, shows. */
static struct session *
the_worker(void)
{
	static struct session *worker;
	if (worker == NULL) {
		worker = session_new_across(&backend_memory);
		session_open_record(worker);
	}
	worker->recorded_count = 0;
	return worker;
}

static const char *
rule_that_was_recorded(const struct session *worker)
{
	static char rule[256];
	for (size_t i = 0; i < worker->recorded_count; i++)
		if (strcmp(worker->recorded[i].name, "malformed") == 0) {
			snprintf(rule, sizeof(rule), "%s", worker->recorded[i].path);
			return rule;
		}
	return NULL;
}

static void
check_other_session(struct session *worker)
{
	const struct pathio_stat request = { .path = bytes_of_text("/"), .follow = true };
	int error = session_finish(
		worker, pathio_stat(worker->io, &request, pathio_wait_done, &worker->wait));
	assert_int_equal(error, 0);
}

static const char *
strike(const struct malformed_list *list, size_t index)
{
	struct session *worker = the_worker();
	int descriptors = count_descriptors();
	int fd;
	session_attach(worker, LIAR, &fd);
	worker->ended = 0;
	assert_int_equal(malformed_send(list, index, fd), 0);
	settle(worker);
	const char *rule = rule_that_was_recorded(worker);
	if (worker->ended != LIAR)
		rule = "";
	check_other_session(worker);
	fd_close(&fd);
	settle(worker);
	assert_int_equal(worker->ended, LIAR);
	assert_int_equal(serve_count(worker->serve), 1);
	assert_int_equal(count_descriptors(), descriptors);
	return rule;
}

int
main(void)
{
	const struct assault assaults[] = {
		{ "a worker's session, from its gateway", &pathio_messages, ROLE_GATEWAY,
			PHASE_SERVING, strike, NULL },
	};
	return assault_run(assaults, ARRAY_LENGTH(assaults));
}
