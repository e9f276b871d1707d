/*
 * The caged side of caged.h: runs in a process of its own, executed as a program of its role would
 * be. What it says after its cage is closed goes through the system calls that every role has.
 */
#include "ipc/base/bytes.h"
#include "ipc/base/ends.h"
#include "ipc/base/number.h"
#include "ipc/base/scope.h"
#include "tests/cage/said.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

struct life {
	const struct scenario *scenario;
	struct cage_report report;
	pid_t parent;
	sem_t closed;
};

NORETURN static void
say_and_end(enum outcome_kind kind, long value, const struct cage_report *report)
{
	struct said said = { .kind = kind, .value = value, .report = *report };
	if (kind == OUTCOME_NO_ENTRY || kind == OUTCOME_NO_CLOSE) {
		SCOPE_FREE char *text = cage_report_text(report);
		snprintf(said.text, sizeof(said.text), "%s", text);
	}
	ssize_t sent = send(CAGE_CHANNEL_FD, &said, sizeof(said), MSG_NOSIGNAL);
	_exit(sent == (ssize_t)sizeof(said) ? 0 : EXIT_DIED);
}

long
caged_wait_for_test(const struct scenario *scenario, pid_t parent)
{
	(void)scenario;
	(void)parent;
	struct said said = { .is_waiting = true };
	char nothing;
	if (send(CAGE_CHANNEL_FD, &said, sizeof(said), MSG_NOSIGNAL) < 0)
		return -1;
	return read(CAGE_CHANNEL_FD, &nothing, 1); /* until the test shuts its side down */
}

NORETURN static void
attempt(struct life *life)
{
	const struct scenario *scenario = life->scenario;
	long result = scenario->attempt != NULL ? scenario->attempt(scenario, life->parent) : 0;
	say_and_end(OUTCOME_RETURNED, result == -1 ? -errno : result, &life->report);
}

static void *
pool_thread(void *argument)
{
	struct life *life = argument;
	while (sem_wait(&life->closed) != 0)
		;
	attempt(life);
}

static void
pool_make(struct life *life)
{
	pthread_t thread;
	if (sem_init(&life->closed, 0, 0) != 0 ||
		pthread_create(&thread, NULL, pool_thread, life) != 0)
		die("cannot make a pool thread");
}

/*
 * A hasher is forked by an auth that has closed its own cage. That auth ends here, so that the
 * test, which adopts its orphans, learns how the hasher itself ends.
 */
static void
hasher_fork(struct life *life)
{
	if (cage_close(CAGE_AUTH, NULL, &life->report) < 0)
		say_and_end(OUTCOME_NO_CLOSE, life->report.error, &life->report);
	pid_t child = fork();
	if (child < 0)
		die("auth cannot fork: %s", strerror(errno));
	if (child > 0)
		_exit(0);
	if (dup3(dup2(CAGE_CHANNEL_FD, CAGE_CHANNEL_FD + 1), CAGE_CHANNEL_FD, 0) < 0 ||
		syscall(SYS_close_range, CAGE_CHANNEL_FD + 1, UINT_MAX, 0) != 0)
		die("a hasher cannot take its channel");
}

static void
enter(struct life *life, const char *home)
{
	bool is_hasher = life->scenario->role == CAGE_HASHER;
	enum cage_role role = is_hasher ? CAGE_AUTH : life->scenario->role;
	struct cage_options options = { .home = role == CAGE_WORKER && home[0] != '\0' ? home
										       : NULL,
		.required = life->scenario->required };
	int error = cage_enter(role, &options, &life->report);
	if (error < 0)
		say_and_end(OUTCOME_NO_ENTRY, error, &life->report);
	error = life->scenario->prepare != NULL ? life->scenario->prepare() : 0;
	if (error < 0)
		die("cannot prepare: %s", strerror(-error));
	if (life->scenario->in_pool_thread)
		pool_make(life);
	if (is_hasher)
		hasher_fork(life);
}

void
caged_live(const char *number, const char *home, const struct scenario *scenarios, size_t count)
{
	static struct life life; /* outlives this function's frame in the pool thread */
	uint64_t index;
	if (number_parse(bytes_of_text(number), count - 1, &index) < 0)
		die("no such scenario: %s", number);
	life.scenario = &scenarios[index];
	life.parent = getppid();
	enter(&life, home);
	int error = cage_close(life.scenario->role, life.scenario->additions, &life.report);
	if (error < 0)
		say_and_end(OUTCOME_NO_CLOSE, error, &life.report);
	if (!life.scenario->in_pool_thread)
		attempt(&life);
	sem_post(&life.closed);
	char nothing;
	while (read(CAGE_CHANNEL_FD, &nothing, 1) > 0)
		; /* the pool thread ends the process */
	for (;;)
		sem_wait(&life.closed);
}
