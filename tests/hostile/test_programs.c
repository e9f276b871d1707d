/*
 * A supervisor that lies to the programs that it starts: each ends at once, says who broke which
 * rule, and is none the worse for it; a program that nobody started says so (DECISIONS 21).
 *
 * Takes the programs' paths as arguments: gateway, worker, auth, record, resolver.
 */
#include "ipc/attach.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/channel.h"
#include "ipc/gate.h"
#include "ipc/ledger.h"
#include "ipc/resolve.h"
#include "ipc/verdict.h"
#include "policy/cage/cage.h"
#include "tests/hostile/assault.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

enum { PROGRAMS = 5, TIME_LIMIT_MS = 10000, WORDS_BYTES = 4096 };

static const struct message_table *const channels[PROGRAMS] = {
	&gate_messages,
	&attach_messages,
	&verdict_messages,
	&ledger_messages,
	&resolve_messages,
};
static const char *paths[PROGRAMS];

/* A program that runs, with what it says on standard error. */
struct child {
	pid_t pid;
	int channel_fd;
	int words_fd;
	char words[WORDS_BYTES];
};

NORETURN static void
become(const char *path, int channel_fd, int words_fd)
{
	if (dup2(words_fd, STDERR_FILENO) < 0 || dup2(channel_fd, CAGE_CHANNEL_FD) < 0)
		die("dup2: %s", strerror(errno));
	execl(path, path, (char *)NULL);
	die("%s: %s", path, strerror(errno));
}

static struct child
start(const char *path)
{
	struct child child;
	int channel[2], words[2];
	assert_int_equal(channel_pair(channel), 0);
	assert_int_equal(pipe(words), 0);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (child.pid == 0)
		become(path, channel[1], words[1]);
	fd_close(&channel[1]);
	fd_close(&words[1]);
	child.channel_fd = channel[0];
	child.words_fd = words[0];
	return child;
}

/* Everything that it says until it ends; its status. */
static int
finish(struct child *child)
{
	size_t length = 0;
	ssize_t more = 1;
	int status;
	while (more > 0) {
		struct pollfd ready = { .fd = child->words_fd, .events = POLLIN };
		if (poll(&ready, 1, TIME_LIMIT_MS) != 1) {
			kill(child->pid, SIGKILL);
			break;
		}
		more = read(child->words_fd, child->words + length, WORDS_BYTES - 1 - length);
		length += more > 0 ? (size_t)more : 0;
	}
	child->words[length] = '\0';
	fd_close(&child->words_fd);
	fd_close(&child->channel_fd);
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	return status;
}

/* One of each kind for each message: a program costs more than a channel (test_channels.c). */
static bool
is_first_of_its_kind(const struct malformed_list *list, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (list->items[i].kind == list->items[index].kind &&
			strcmp(list->items[i].message, list->items[index].message) == 0)
			return false;
	return true;
}

static const char *
strike(const struct malformed_list *list, size_t index)
{
	static struct child child;
	const char *rule = malformed_rule(list, list->items[index].kind);
	size_t program = 0;
	if (!is_first_of_its_kind(list, index))
		return rule;
	while (channels[program] != list->messages)
		program++;
	child = start(paths[program]);
	assert_int_equal(malformed_send(list, index, child.channel_fd), 0);
	int status = finish(&child);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_DIED)
		fail_msg("%s: status %x: %s", list->items[index].name, (unsigned)status,
			child.words);
	assert_non_null(strstr(child.words, "supervisor"));
	return strstr(child.words, rule) != NULL ? rule : child.words;
}

int
main(int count, char **arguments)
{
	const struct assault assaults[] = {
		{ "a gateway", &gate_messages, ROLE_SUPERVISOR, PHASE_STARTING, strike, NULL },
		{ "a worker", &attach_messages, ROLE_SUPERVISOR, PHASE_STARTING, strike, NULL },
		{ "auth", &verdict_messages, ROLE_SUPERVISOR, PHASE_STARTING, strike, NULL },
		{ "record", &ledger_messages, ROLE_SUPERVISOR, PHASE_STARTING, strike, NULL },
		{ "a resolver", &resolve_messages, ROLE_SUPERVISOR, PHASE_SERVING, strike, NULL },
	};
	ensure(count == PROGRAMS + 1);
	for (int i = 0; i < PROGRAMS; i++)
		paths[i] = arguments[i + 1];
	return assault_run(assaults, ARRAY_LENGTH(assaults));
}
