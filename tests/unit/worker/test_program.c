/*
 * The program itself, in its cage, started as the supervisor starts it (program_world.h): what it
 * does for a session, what it saves and loads, what keeps it from starting.
 */
#include "ipc/base/scope.h"
#include "policy/cage/cage.h"
#include "tests/unit/worker/program_world.h"
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
#include <unistd.h>

static void
store(struct program_world *world)
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
fetch(struct program_world *world)
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
list(struct program_world *world, enum pathio_style style)
{
	int data[2];
	session_pair(data);
	const struct pathio_list opening = { .file = 2, .path = bytes_of_text("/") };
	const struct pathio_send_listing sending = { .file = 2,
		.style = style,
		.facts = PATHIO_FACTS_ALL,
		.show = PATHIO_SHOW_DOTS | PATHIO_SHOW_FOLDERS };
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
use_everything(struct program_world *world)
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
check_caged(const struct program_world *world)
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
save(struct program_world *world)
{
	int ends[2];
	session_pair(ends);
	assert_int_equal(attach_post_save_with(world->worker, PROGRAM_SAVE_TAG,
				 &(struct attach_save){ .nothing = 0 }, ends[1]),
		0);
	fd_close(&ends[1]);
	program_world_wait(world, &world->is_saved);
	assert_int_equal(read_stream(ends[0]), world->saved.tree.bytes);
	fd_close(&ends[0]);
}

static void
serve_and_leave(const char *backend, int save_error)
{
	struct program_world *world = program_world_new(backend, NULL, "");
	program_world_wait(world, &world->ready);
	check_caged(world);
	program_world_attach(world);
	use_everything(world);
	save(world);
	assert_int_equal(world->saved.error, save_error);
	assert_int_equal(world->saved.tree.files, save_error == 0 ? 1 : 0);
	assert_int_equal(
		attach_post_ping(world->worker, 5, &(struct attach_ping){ .nothing = 0 }), 0);
	program_world_wait(world, &world->pong);
	assert_int_equal(
		attach_post_retire(world->worker, 6, &(struct attach_retire){ .nothing = 0 }), 0);
	pathio_free(&world->io); /* the last session */
	program_world_wait(world, &world->gone);
	assert_int_equal(world->ended, 42);
	assert_true(world->events > 15);
	program_world_free(world, 0);
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
	char folder[64];
	char path[96];
	test_new_folder(folder, sizeof(folder));
	assert_int_equal(make_in(folder, "mkdir -p tree/d/$(printf '\\303\\244') && "
					 "seq 30000 > tree/d/$(printf '\\303\\244')/f"),
		0);
	if (make_in(folder, row->make) != 0) {
		test_remove_folder(folder);
		case_skip(row->lacks);
	}
	snprintf(path, sizeof(path), "%s/%s", folder, row->load);
	struct program_world *world = program_world_new("memory", NULL, path);
	program_world_wait(world, &world->ready);
	check_caged(world);
	program_world_attach(world);
	assert_int_equal(call_stat(world->io, &world->wait, &file), 0);
	assert_int_equal(world->wait.body.attributes_of.attributes.size, 168894);
	while (world->loaded[0] == '\0')
		program_world_run(world);
	assert_non_null(strstr(world->loaded, "1 files, 2 folders"));
	assert_int_equal(
		attach_post_retire(world->worker, 6, &(struct attach_retire){ .nothing = 0 }), 0);
	pathio_free(&world->io);
	program_world_wait(world, &world->gone);
	program_world_free(world, 0);
	test_remove_folder(folder);
}

static void
check_not_loaded(UNUSED void **state)
{
	struct program_world *world = program_world_new("memory", NULL, "/nowhere/at/all.tar");
	program_world_wait(world, &world->gone);
	assert_false(world->ready);
	assert_string_equal(world->failed, "worker of anna: memory_load /nowhere/at/all.tar: "
					   "No such file or directory");
	program_world_free(world, 70);
}

/* HOSTILE 22: no service from half a cage, and words that say why. */
static void
check_home(void **state)
{
	(void)state;
	struct program_world *world = program_world_new("sync", "/nowhere/at/all", "");
	program_world_wait(world, &world->gone);
	assert_false(world->ready);
	assert_non_null(strstr(world->failed, "/nowhere/at/all"));
	program_world_free(world, 70);
}

/* DECISIONS 18: without a supervisor it finishes what it has, then leaves. */
static void
check_orphan(void **state)
{
	(void)state;
	const struct pathio_stat root = { .path = bytes_of_text("/") };
	struct program_world *world = program_world_new("memory", NULL, "");
	program_world_wait(world, &world->ready);
	program_world_attach(world);
	assert_int_equal(call_stat(world->io, &world->wait, &root), 0);
	channel_free(&world->worker);
	assert_int_equal(call_stat(world->io, &world->wait, &root), 0);
	program_world_free(world, 0);
}

/* DECISIONS 22: it leaves when record has all of it, however long that takes. */
static void
check_full_record(void **state)
{
	enum { OPERATIONS = 600 }; /* more than a channel holds */
	const struct pathio_stat root = { .path = bytes_of_text("/") };
	struct program_world *world = program_world_new("memory", NULL, "");
	(void)state;
	program_world_wait(world, &world->ready);
	program_world_attach(world);
	channel_pause(world->record);
	for (int i = 0; i < OPERATIONS; i++)
		assert_int_equal(call_stat(world->io, &world->wait, &root), 0);
	assert_int_equal(
		attach_post_retire(world->worker, 6, &(struct attach_retire){ .nothing = 0 }), 0);
	pathio_free(&world->io);
	for (int i = 0; i < 100 && world->ended != 42; i++)
		program_world_run(world);
	assert_int_equal(world->ended, 42);
	channel_resume(world->record);
	for (int i = 0; i < 100 && !world->record_gone; i++)
		program_world_run(world);
	assert_int_equal(world->events, OPERATIONS + 1); /* and the session's end */
	program_world_free(world, 0);
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
		CASE("it leaves nothing untold", check_full_record),
	};
	assert_true(count > 1);
	int fd = open(arguments[1], O_PATH | O_CLOEXEC);
	program_world_file =
		fcntl(fd, F_DUPFD_CLOEXEC, 100); /* out of the way of CAGE_CHANNEL_FD */
	fd_close(&fd);
	assert_true(program_world_file >= 0);
	return table_run(tables, ARRAY_LENGTH(tables));
}
