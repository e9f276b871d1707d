/*
 * The program itself, in its cage, started as the supervisor starts it: this process plays the
 * supervisor, record and a gateway.
 */
#include "ipc/attach.h"
#include "ipc/base/scope.h"
#include "ipc/remote.h"
#include "policy/cage/cage.h"
#include "tests/unit/worker/session.h"
#include "tests/unit/worker/trees.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { SAVE_TAG = 9 };

static int program_fd; /* the worker's file; its folder may be closed to its user */

struct world {
	struct event_base *base;
	struct channel *worker;
	struct channel *record;
	struct pathio *io;
	struct pathio_wait wait;
	char home[64];
	pid_t pid;
	bool ready;
	bool pong;
	bool gone; /* end of file on the supervisor's channel */
	bool is_saved;
	struct attach_saved saved;
	char failed[1024];
	char loaded[256]; /* a notice that is expected */
	uint64_t ended;
	uint32_t events;
};

/* ---- the supervisor's side ---- */

static void
on_violation(void *owner, struct message *message, const struct attach_violation *told)
{
	(void)owner;
	(void)message;
	SCOPE_FREE char *name = cage_system_call_name(told->architecture, told->system_call);
	fail_msg("the worker left its cage: %s", name);
}

static void
on_ready(void *owner, struct message *message, const struct attach_ready *told)
{
	struct world *world = owner;
	(void)message;
	world->ready = told->cage.length > 0;
	channel_set_phase(world->worker, PHASE_SERVING);
	event_base_loopbreak(world->base);
}

static void
on_failed(void *owner, struct message *message, const struct attach_failed *told)
{
	struct world *world = owner;
	(void)message;
	snprintf(world->failed, sizeof(world->failed), "%.*s", (int)told->reason.length,
		told->reason.data);
	event_base_loopbreak(world->base);
}

static void
on_session_ended(void *owner, struct message *message, const struct attach_session_ended *told)
{
	struct world *world = owner;
	(void)message;
	world->ended = told->session;
	event_base_loopbreak(world->base);
}

static void
on_pong(void *owner, struct message *message, const struct attach_pong *told)
{
	struct world *world = owner;
	(void)told;
	world->pong = message->tag == 5;
	event_base_loopbreak(world->base);
}

static void
on_saved(void *owner, struct message *message, const struct attach_saved *told)
{
	struct world *world = owner;
	assert_int_equal(message->tag, SAVE_TAG);
	world->saved = *told;
	world->is_saved = true;
	event_base_loopbreak(world->base);
}

static const struct attach_handlers handlers = {
	.violation = on_violation,
	.saved = on_saved,
	.ready = on_ready,
	.failed = on_failed,
	.session_ended = on_session_ended,
	.pong = on_pong,
};

static void
on_closed(void *owner, const char *malformed)
{
	struct world *world = owner;
	assert_null(malformed);
	world->gone = true;
	event_base_loopbreak(world->base);
}

static void
child(int fd, int empty_fd)
{
	uid_t uid = geteuid() == 0 ? 65534 : geteuid();
	gid_t gid = geteuid() == 0 ? 65534 : getegid();
	const struct cage_identity identity = { .uid = uid, .gid = gid };
	char *const arguments[] = { strdup("sallyport-worker"), NULL };
	char *const environment[] = { NULL };
	if (fchdir(empty_fd) == 0 && dup2(fd, CAGE_CHANNEL_FD) == CAGE_CHANNEL_FD &&
		cage_become(&identity) == 0)
		fexecve(program_fd, arguments, environment);
	_exit(99);
}

static void
start_process(struct world *world)
{
	int ends[2], empty_fd;
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(cage_open_empty_folder(&empty_fd), 0);
	world->pid = fork();
	assert_true(world->pid >= 0);
	if (world->pid == 0)
		child(ends[1], empty_fd);
	fd_close(&ends[1]);
	fd_close(&empty_fd);
	const struct channel_options options = {
		.base = world->base,
		.messages = &attach_messages,
		.our_role = ROLE_SUPERVISOR,
		.peer_role = ROLE_WORKER,
		.phase = PHASE_STARTING,
		.handlers = &handlers,
		.owner = world,
		.closed = on_closed,
	};
	assert_int_equal(channel_new(&options, &ends[0], &world->worker), 0);
}

static struct world *
world_new(const char *backend, const char *home, const char *load)
{
	struct world *world = calloc(1, sizeof(*world));
	assert_non_null(world);
	world->base = event_base_new();
	world->wait.base = world->base;
	snprintf(world->home, sizeof(world->home), "/tmp/sallyport-test-XXXXXX");
	assert_non_null(mkdtemp(world->home));
	assert_int_equal(chmod(world->home, 0777), 0);
	start_process(world);
	const struct attach_configure configure = {
		.user = { .name = bytes_of_text("anna"),
			.uid = geteuid() == 0 ? 65534 : geteuid(),
			.gid = geteuid() == 0 ? 65534 : getegid(),
			.home = bytes_of_text(home == NULL ? world->home : home),
			.backend = bytes_of_text(backend),
			.path_threads = 2,
			.memory_limit_bytes = TEST_MEMORY_LIMIT,
			.memory_load = bytes_of_text(load),
			.umask = 022,
			.sessions_max = 10 },
		.path_timeout_s = 10,
		.commit_timeout_s = 10,
		.stall_timeout_s = 60,
	};
	assert_int_equal(attach_post_configure(world->worker, 1, &configure), 0);
	return world;
}

static void
on_operation(void *owner, struct message *message, const struct event_operation *event)
{
	struct world *world = owner;
	(void)event;
	assert_int_equal(message->tag, ++world->events);
}

static void
on_transfer(void *owner, struct message *message, const struct event_transfer *event)
{
	struct world *world = owner;
	(void)event;
	assert_int_equal(message->tag, ++world->events);
}

static void
on_event_session_ended(
	void *owner, struct message *message, const struct event_session_ended *event)
{
	struct world *world = owner;
	(void)event;
	assert_int_equal(message->tag, ++world->events);
}

static void
on_notice(void *owner, struct message *message, const struct event_notice *event)
{
	struct world *world = owner;
	if (memcmp(event->text.data, "memory_load ", strlen("memory_load ")) != 0)
		fail_msg("a notice: %.*s", (int)event->text.length, event->text.data);
	assert_int_equal(message->tag, ++world->events);
	snprintf(world->loaded, sizeof(world->loaded), "%.*s", (int)event->text.length,
		event->text.data);
}

static void
on_malformed(void *owner, struct message *message, const struct event_malformed *event)
{
	(void)owner;
	(void)message;
	fail_msg("malformed: %.*s", (int)event->rule.length, event->rule.data);
}

static const struct event_handlers record_handlers = {
	.notice = on_notice,
	.malformed = on_malformed,
	.operation = on_operation,
	.transfer = on_transfer,
	.session_ended = on_event_session_ended,
};

/* A record, and a session with all rights, seen from the gateway. */
static void
attach(struct world *world)
{
	int record[2], session[2];
	char encoded[128];
	struct wire_list_builder rights = { .buffer = encoded, .capacity = sizeof(encoded) };
	const struct account_right right = { .folder = bytes_of_text("/"), .bits = RIGHTS_KNOWN };
	assert_int_equal(channel_pair(record), 0);
	assert_int_equal(channel_pair(session), 0);
	assert_int_equal(wire_list_add(&rights, &account_right_record, &right), 0);
	assert_int_equal(attach_post_record_with(world->worker, 2,
				 &(struct attach_record){ .nothing = 0 }, record[1]),
		0);
	const struct attach_attach attached = { .session = 42, .rights = wire_list_built(&rights) };
	assert_int_equal(attach_post_attach_with(world->worker, 3, &attached, session[1]), 0);
	fd_close(&record[1]);
	fd_close(&session[1]);
	const struct channel_options record_options = {
		.base = world->base,
		.messages = &event_messages,
		.our_role = ROLE_RECORD,
		.peer_role = ROLE_WORKER,
		.phase = PHASE_SERVING,
		.handlers = &record_handlers,
		.owner = world,
		.closed = on_closed,
	};
	assert_int_equal(channel_new(&record_options, &record[0], &world->record), 0);
	const struct remote_options options = { .base = world->base,
		.deadline_ms = 10000,
		.slow_deadline_ms = 10000,
		.owner = world,
		.closed = on_closed };
	assert_int_equal(remote_new(&options, &session[0], &world->io), 0);
}

static void
run(struct world *world)
{
	struct timeval limit = { .tv_sec = 10 };
	event_base_loopexit(world->base, &limit);
	event_base_dispatch(world->base);
}

static void
wait_for(struct world *world, const bool *what)
{
	for (int i = 0; i < 100 && !*what && !world->gone; i++)
		run(world);
	assert_true(*what);
}

static void
world_free(struct world *world, int want_status)
{
	int status;
	pathio_wait_free(&world->wait);
	pathio_free(&world->io);
	channel_free(&world->worker);
	assert_int_equal(waitpid(world->pid, &status, 0), world->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), want_status);
	channel_free(&world->record);
	event_base_free(world->base);
	test_remove_folder(world->home);
	free(world);
}

/* ---- cases ---- */

static void
store(struct world *world)
{
	static const char content[] = "one\r\ntwo\n";
	int data[2];
	session_pair(data);
	assert_int_equal(send(data[1], content, sizeof(content) - 1, 0), sizeof(content) - 1);
	fd_close(&data[1]);
	const struct pathio_upload_open opening = { .file = 1, .path = bytes_of_text("/a/f") };
	const struct pathio_receive receiving = { .file = 1, .form = PATHIO_FORM_ASCII };
	const struct pathio_commit committing = { .file = 1 };
	assert_int_equal(call_upload_open(world->io, &world->wait, &opening), 0);
	assert_int_equal(call_receive(world->io, &world->wait, &receiving, data[0]), 0);
	assert_int_equal(call_commit(world->io, &world->wait, &committing), 0);
	assert_int_equal(world->wait.body.committed.attributes.size, 8);
	fd_close(&data[0]);
}

static void
fetch(struct world *world)
{
	int data[2];
	session_pair(data);
	const struct pathio_open opening = { .file = 3, .path = bytes_of_text("/a/f") };
	const struct pathio_send sending = { .file = 3, .count = UINT64_MAX };
	assert_int_equal(call_open(world->io, &world->wait, &opening), 0);
	assert_int_equal(call_send(world->io, &world->wait, &sending, data[0]), 0);
	assert_int_equal(world->wait.body.moved.bytes, 8);
	fd_close(&data[0]);
	fd_close(&data[1]);
}

static void
list(struct world *world, enum pathio_style style)
{
	int data[2];
	session_pair(data);
	const struct pathio_list opening = { .file = 2, .path = bytes_of_text("/") };
	const struct pathio_send_listing sending = {
		.file = 2, .style = style, .facts = PATHIO_FACTS_ALL, .hidden = true
	};
	const struct pathio_close closing = { .file = 2 };
	assert_int_equal(call_list(world->io, &world->wait, &opening), 0);
	assert_int_equal(call_send_listing(world->io, &world->wait, &sending, data[0]), 0);
	assert_true(world->wait.body.moved.bytes >= 9);
	assert_int_equal(call_close(world->io, &world->wait, &closing), 0);
	fd_close(&data[0]);
	fd_close(&data[1]);
}

/* Everything that a worker does, once, so that no system call is missing from its table. */
static void
use_everything(struct world *world)
{
	const struct pathio_mkdir folder = {
		.path = bytes_of_text("/a/b"), .mode = 0777, .parents = true
	};
	const struct pathio_symlink link = { .target = bytes_of_text("a/f"),
		.path = bytes_of_text("/l") };
	const struct pathio_digest digest = {
		.path = bytes_of_text("/l"), .algorithm = PATHIO_SHA256, .count = UINT64_MAX
	};
	const struct pathio_copy copy = { .source = bytes_of_text("/l"),
		.destination = bytes_of_text("/a/g") };
	const struct pathio_set_mode mode = { .path = bytes_of_text("/a/g"), .mode = 0600 };
	const struct pathio_set_times times = { .path = bytes_of_text("/a/g"), .has_mtime = true };
	const struct pathio_space space = { .path = bytes_of_text("/") };
	const struct pathio_rename move = { .source = bytes_of_text("/a/g"),
		.destination = bytes_of_text("/h") };
	const struct pathio_remove_tree tree = { .path = bytes_of_text("/a") };
	struct pathio *io = world->io;
	struct pathio_wait *wait = &world->wait;
	assert_int_equal(call_mkdir(io, wait, &folder), 0);
	store(world);
	assert_int_equal(call_symlink(io, wait, &link), 0);
	assert_int_equal(call_digest(io, wait, &digest), 0);
	assert_int_equal(call_copy(io, wait, &copy), 0);
	assert_int_equal(call_set_mode(io, wait, &mode), 0);
	assert_int_equal(call_set_times(io, wait, &times), 0);
	assert_int_equal(call_space(io, wait, &space), 0);
	assert_int_equal(call_rename(io, wait, &move), 0);
	for (enum pathio_style style = PATHIO_STYLE_LIST; style <= PATHIO_STYLE_FACTS; style++)
		list(world, style);
	fetch(world);
	assert_int_equal(call_remove_tree(io, wait, &tree), 0);
}

/* HOSTILE 22: what the kernel says of the process is what the cage promises. */
static void
check_caged(const struct world *world)
{
	static const char *const wanted[] = { "Seccomp:\t2\n", "NoNewPrivs:\t1\n",
		"CapEff:\t0000000000000000\n", "CapPrm:\t0000000000000000\n",
		"CapAmb:\t0000000000000000\n", "Threads:\t1\n" };
	char path[64], status[8192];
	snprintf(path, sizeof(path), "/proc/%d/status", world->pid);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	size_t length = fread(status, 1, sizeof(status) - 1, file);
	status[length] = '\0';
	(void)fclose(file);
	for (size_t i = 0; i < ARRAY_LENGTH(wanted); i++)
		if (strstr(status, wanted[i]) == NULL)
			fail_msg("not in %s: %s", path, wanted[i]);
}

/* To its end: the bytes. */
static uint64_t
read_stream(int fd)
{
	char block[4096];
	uint64_t bytes = 0;
	ssize_t got;
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	do {
		assert_int_equal(poll(&readable, 1, 10000), 1);
		got = recv(fd, block, sizeof(block), 0);
		assert_true(got >= 0);
		bytes += (uint64_t)got;
	} while (got > 0);
	return bytes;
}

/* For the administrator: a small tree, which the stream takes at once. */
static void
save(struct world *world)
{
	int ends[2];
	session_pair(ends);
	assert_int_equal(attach_post_save_with(world->worker, SAVE_TAG,
				 &(struct attach_save){ .nothing = 0 }, ends[1]),
		0);
	fd_close(&ends[1]);
	wait_for(world, &world->is_saved);
	assert_int_equal(read_stream(ends[0]), world->saved.tree.bytes);
	fd_close(&ends[0]);
}

static void
serve_and_leave(const char *backend, int save_error)
{
	struct world *world = world_new(backend, NULL, "");
	wait_for(world, &world->ready);
	check_caged(world);
	attach(world);
	use_everything(world);
	save(world);
	assert_int_equal(world->saved.error, save_error);
	assert_int_equal(world->saved.tree.files, save_error == 0 ? 1 : 0);
	assert_int_equal(
		attach_post_ping(world->worker, 5, &(struct attach_ping){ .nothing = 0 }), 0);
	wait_for(world, &world->pong);
	assert_int_equal(
		attach_post_retire(world->worker, 6, &(struct attach_retire){ .nothing = 0 }), 0);
	pathio_free(&world->io); /* the last session */
	wait_for(world, &world->gone);
	assert_int_equal(world->ended, 42);
	assert_true(world->events > 15);
	world_free(world, 0);
}

static void
check_kernel(void **state)
{
	(void)state;
	serve_and_leave("sync", ENOTSUP);
}

static void
check_memory(void **state)
{
	(void)state;
	serve_and_leave("memory", 0);
}

struct load_row {
	const char *name;
	const char *make;
	const char *load;
	const char *lacks; /* where `make` fails */
};

/* Each format and each compression makes system calls of its own. */
static const struct load_row load_rows[] = {
	{ "a folder", "true", "tree", NULL },
	{ "GNU's format", "tar -cf t --format=gnu -C tree .", "t", NULL },
	{ "pax", "tar -cf t --format=pax -C tree .", "t", NULL },
	{ "gzip", "tar -czf t -C tree .", "t", "gzip" },
	{ "bzip2", "tar -cjf t -C tree .", "t", "bzip2" },
	{ "xz", "tar -cJf t -C tree .", "t", "xz" },
	{ "zstd", "tar -c --zstd -f t -C tree .", "t", "zstd" },
};

static int
make_in(const char *folder, const char *command)
{
	SCOPE_FREE char *line = NULL;
	assert_true(asprintf(&line, "cd %s && { %s; }", folder, command) > 0);
	return system(line); /* NOLINT(bugprone-command-processor,cert-env33-c): ours */
}

static void
check_loaded(void **state)
{
	const struct load_row *row = *state;
	const struct pathio_stat file = { .path = bytes_of_text("/d/\303\244/f") };
	char folder[] = "/tmp/sallyport-test-XXXXXX";
	char path[64];
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(make_in(folder, "mkdir -p tree/d/$(printf '\\303\\244') && "
					 "seq 30000 > tree/d/$(printf '\\303\\244')/f"),
		0);
	if (make_in(folder, row->make) != 0) {
		test_remove_folder(folder);
		case_skip(row->lacks);
	}
	snprintf(path, sizeof(path), "%s/%s", folder, row->load);
	struct world *world = world_new("memory", NULL, path);
	wait_for(world, &world->ready);
	check_caged(world);
	attach(world);
	assert_int_equal(call_stat(world->io, &world->wait, &file), 0);
	assert_int_equal(world->wait.body.attributes_of.attributes.size, 168894);
	while (world->loaded[0] == '\0')
		run(world);
	assert_non_null(strstr(world->loaded, "1 files, 2 folders"));
	assert_int_equal(
		attach_post_retire(world->worker, 6, &(struct attach_retire){ .nothing = 0 }), 0);
	pathio_free(&world->io);
	wait_for(world, &world->gone);
	world_free(world, 0);
	test_remove_folder(folder);
}

static void
check_not_loaded(UNUSED void **state)
{
	struct world *world = world_new("memory", NULL, "/nowhere/at/all.tar");
	wait_for(world, &world->gone);
	assert_false(world->ready);
	assert_string_equal(world->failed, "worker of anna: memory_load /nowhere/at/all.tar: "
					   "No such file or directory");
	world_free(world, 70);
}

/* HOSTILE 22: no service from half a cage, and words that say why. */
static void
check_home(void **state)
{
	(void)state;
	struct world *world = world_new("sync", "/nowhere/at/all", "");
	wait_for(world, &world->gone);
	assert_false(world->ready);
	assert_non_null(strstr(world->failed, "/nowhere/at/all"));
	world_free(world, 70);
}

/* DECISIONS 18: without a supervisor it finishes what it has, then leaves. */
static void
check_orphan(void **state)
{
	(void)state;
	const struct pathio_stat root = { .path = bytes_of_text("/") };
	struct world *world = world_new("memory", NULL, "");
	wait_for(world, &world->ready);
	attach(world);
	assert_int_equal(call_stat(world->io, &world->wait, &root), 0);
	channel_free(&world->worker);
	assert_int_equal(call_stat(world->io, &world->wait, &root), 0);
	world_free(world, 0);
}

int
main(int count, char **arguments)
{
	const struct table tables[] = {
		CASE("real files, every operation, then retired", check_kernel),
		CASE("files in memory, every operation, then retired", check_memory),
		TABLE("memory begins with", load_rows, check_loaded),
		CASE("what memory should begin with is missing", check_not_loaded),
		CASE("a home that is missing is told in words", check_home),
		CASE("without a supervisor it finishes and leaves", check_orphan),
	};
	assert_true(count > 1);
	int fd = open(arguments[1], O_PATH | O_CLOEXEC);
	program_fd = fcntl(fd, F_DUPFD_CLOEXEC, 100); /* out of the way of CAGE_CHANNEL_FD */
	fd_close(&fd);
	assert_true(program_fd >= 0);
	return table_run(tables, ARRAY_LENGTH(tables));
}
