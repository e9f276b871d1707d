/*
 * What a hasher holds that is born while a password is on its way to it: nothing of that password,
 * of those that wait, or of anybody's hash. Desk, pool and hasher are the real ones; the memory is
 * the hasher's own.
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/verify.h"
#include "policy/auth/desk.h"
#include "policy/auth/events.h"
#include "tests/table.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { INCARNATION = 7, PIECE_BYTES = 1 << 16, OVERLAP_BYTES = 64, MAPPING_BYTES_MAX = 64 << 20 };

/* Literals are in memory that nobody writes, which is not looked at. */
static const char in_hand[] = "the password that it is born for";
static const char waiting[] = "a password that waits for its turn";
static const char hash_of_another[] = "1111111111111111111111111111111111111111111";
static const char users_file[] =
	"alice:$6$rounds=1000$abcdefgh$"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000."
	":1001:1001::/srv/alice:\n"
	"bert:$6$rounds=1000$abcdefgh$"
	"1111111111111111111111111111111111111111111111111111111111111111111111111111111111111."
	":1002:1002::/srv/bert:\n";

static struct scene {
	struct event_base *base;
	struct events events;
	struct desk *desk;
	struct channel *to_supervisor, *supervisor, *gateway;
	int record;
	unsigned answers;
} scene;

static const struct trust_files nothing;

/* ---- the peers ---- */

static void
on_answer(UNUSED void *owner, UNUSED struct message *message, const struct verify_answer *body)
{
	assert_int_equal(body->verdict, VERDICT_REFUSED);
	scene.answers++;
}

static void
on_closed(UNUSED void *owner, const char *malformed)
{
	fail_msg("a channel ended: %s", malformed == NULL ? "" : malformed);
}

static void
on_drained(UNUSED void *owner)
{
	desk_continue(scene.desk);
}

static void
never(UNUSED void *owner, UNUSED struct message *message, UNUSED const void *body)
{
	fail_msg("%s", "a message that nobody sends here");
}

static struct channel *
open_channel(const struct message_table *messages, const void *handlers, enum role ours,
	enum role peer, int *fd)
{
	struct channel *channel = NULL;
	const struct channel_options options = {
		.base = scene.base,
		.messages = messages,
		.our_role = ours,
		.peer_role = peer,
		.phase = PHASE_SERVING,
		.handlers = handlers,
		.closed = on_closed,
	};
	assert_int_equal(channel_new(&options, fd, &channel), 0);
	return channel;
}

/* Nothing is said on it. */
static void
open_supervisor(void)
{
	static void (*handlers[64])(void *, struct message *, const void *);
	int ends[2];
	for (size_t i = 0; i < ARRAY_LENGTH(handlers); i++)
		handlers[i] = never;
	assert_int_equal(channel_pair(ends), 0);
	scene.to_supervisor =
		open_channel(&verdict_messages, handlers, ROLE_AUTH, ROLE_SUPERVISOR, &ends[0]);
	scene.supervisor =
		open_channel(&verdict_messages, handlers, ROLE_SUPERVISOR, ROLE_AUTH, &ends[1]);
}

static void
set_users(void)
{
	const struct verdict_configure configure = {
		.file_name = bytes_of_text("users"),
		.backend = bytes_of_text("sync"),
		.path_threads = 4,
		.sessions_max = 5,
	};
	struct realms *realms = NULL;
	char *reason = NULL;
	SCOPE_FD int fd = memfd_create("users", MFD_CLOEXEC);
	assert_int_equal(write(fd, users_file, strlen(users_file)), strlen(users_file));
	if (realms_new(fd, &configure, &realms, &reason) < 0)
		fail_msg("%s", reason);
	desk_set_realms(scene.desk, &realms);
}

static void
open_scene(void)
{
	static const struct verify_handlers gateway_handlers = { .answer = on_answer };
	int ends[2];
	scene = (struct scene){ .base = event_base_new() };
	open_supervisor();
	scene.events = (struct events){ .base = scene.base, .drained = on_drained };
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(events_use(&scene.events, &ends[0]), 0);
	scene.record = ends[1];
	const struct desk_options options = {
		.base = scene.base,
		.events = &scene.events,
		.supervisor = scene.to_supervisor,
		.processes = 1,
		.queue_per_address = 8,
		.queue_total = 8,
		.trust = &nothing,
	};
	assert_int_equal(desk_new(&options, &scene.desk), 0);
	set_users();
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(desk_add_gateway(scene.desk, INCARNATION, &ends[0]), 0);
	scene.gateway = open_channel(
		&verify_messages, &gateway_handlers, ROLE_GATEWAY, ROLE_AUTH, &ends[1]);
}

static void
close_scene(void)
{
	desk_free(&scene.desk);
	events_stop(&scene.events);
	channel_free(&scene.to_supervisor);
	channel_free(&scene.supervisor);
	channel_free(&scene.gateway);
	fd_close(&scene.record);
	event_base_free(scene.base);
	while (wait(NULL) > 0)
		;
}

static void
type_password(uint32_t tag, const char *secret)
{
	const struct verify_password password = {
		.session = (uint64_t)INCARNATION << 32 | tag,
		.attempt = tag,
		.user = bytes_of_text("alice"),
		.secret = bytes_of_text(secret),
	};
	assert_int_equal(verify_post_password(scene.gateway, tag, &password), 0);
}

/* ---- the hasher ---- */

static FILE *
open_of(pid_t pid, const char *name)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	return file;
}

/* The only child of this process. */
static pid_t
hasher_pid(void)
{
	char name[32];
	int pid = 0;
	snprintf(name, sizeof(name), "task/%d/children", getpid());
	FILE *children = open_of(getpid(), name);
	assert_int_equal(fscanf(children, "%d", &pid), 1);
	fclose(children);
	return pid;
}

/* It answers before it wipes; then it waits for the next. */
static void
await_sleep(pid_t pid)
{
	char state = 'R';
	while (state != 'S') {
		FILE *status = open_of(pid, "stat");
		assert_int_equal(fscanf(status, "%*d (%*[^)]) %c", &state), 1);
		fclose(status);
	}
}

static bool
mapping_holds(int memory, uint64_t from, uint64_t to, const char *text)
{
	static char piece[PIECE_BYTES + OVERLAP_BYTES];
	for (; from < to; from += PIECE_BYTES) {
		uint64_t left = to - from;
		size_t wanted = left < sizeof(piece) ? (size_t)left : sizeof(piece);
		ssize_t got = pread(memory, piece, wanted, (off_t)from);
		bool found = got > 0 && memmem(piece, (size_t)got, text, strlen(text)) != NULL;
		memset(piece, 0, sizeof(piece)); /* or the next hasher would inherit it */
		if (found)
			return true;
	}
	return false;
}

/* In memory that it could write; what the sanitizers reserve is left out. */
static bool
memory_holds(pid_t pid, const char *text)
{
	char path[64], line[512], rights[8];
	unsigned long long from, to;
	bool found = false;
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	SCOPE_FD int memory = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(memory >= 0);
	FILE *maps = open_of(pid, "maps");
	while (!found && fgets(line, sizeof(line), maps) != NULL) {
		assert_int_equal(sscanf(line, "%llx-%llx %7s", &from, &to, rights), 3);
		if (rights[0] == 'r' && rights[1] == 'w' && to - from <= MAPPING_BYTES_MAX)
			found = mapping_holds(memory, from, to, text);
	}
	fclose(maps);
	return found;
}

static void
check_born(void **state)
{
	(void)state;
	open_scene();
	pid_t first = hasher_pid();
	assert_int_equal(kill(first, SIGKILL), 0);
	assert_int_equal(waitpid(first, NULL, 0), first);
	/* One wakes the desk, which finds no hasher; the other is behind it. */
	type_password(1, in_hand);
	type_password(2, waiting);
	while (scene.answers < 1)
		assert_int_equal(event_base_loop(scene.base, EVLOOP_ONCE), 0);
	pid_t second = hasher_pid();
	assert_int_not_equal(second, first);
	while (scene.answers < 2)
		assert_int_equal(event_base_loop(scene.base, EVLOOP_ONCE), 0);
	await_sleep(second);
	assert_false(memory_holds(second, in_hand));
	assert_false(memory_holds(second, waiting));
	assert_false(memory_holds(second, hash_of_another));
	close_scene();
}

/* What the other case looks for is found where it is. */
static void
check_search(void **state)
{
	char *copy = strdup(in_hand);
	(void)state;
	assert_non_null(copy);
	pid_t child = fork();
	if (child == 0) {
		pause();
		_exit(EXIT_SUCCESS);
	}
	bool found = memory_holds(child, in_hand);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	explicit_bzero(copy, strlen(in_hand));
	free(copy);
	assert_true(found);
}

int
main(void)
{
	/* As auth has it from cage_become(): without privilege, no filter is loaded otherwise. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		bug("PR_SET_NO_NEW_PRIVS");
	const struct table tables[] = {
		CASE("the search finds what is there", check_search),
		CASE("a new hasher holds no password and no hash", check_born),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
