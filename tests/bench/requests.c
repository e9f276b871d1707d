/*
 * What path-I/O itself costs, without FTP: requests from this process to a worker of its own in
 * another one, across a channel, recorded as always; and a bare ping-pong between two processes to
 * hold it against. Runs as whoever calls it, uncaged.
 *
 *	requests MEASURE FOLDER COUNT
 *
 * Prints one JSON line: how many were done, the seconds they took, and the worker's largest memory.
 */
#include "ipc/base/ends.h"
#include "ipc/base/number.h"
#include "ipc/base/scope.h"
#include "ipc/remote.h"
#include "worker/nursery.h"
#include "worker/recorder.h"
#include "worker/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

enum { PING_BYTES = 64, IN_FLIGHT_MAX = 64, DEADLINE_MS = 10000, LISTING = 1, THREADS = 4 };

static int
must(int result, const char *what)
{
	if (result < 0)
		die("%s: %s", what, strerror(result == -1 ? errno : -result));
	return result;
}

static void
make_pair(int ends[2])
{
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "socketpair");
}

/* A child that ends with its parent; 0 in the child. */
static pid_t
start_child(void)
{
	pid_t pid = must(fork(), "fork");
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* ---- the worker's process ---- */

struct worker {
	struct event_base *base;
	struct recorder *recorder;
	struct nursery *nursery;
	struct serve *serve;
};

static void
on_resumed(void *owner)
{
	const struct worker *worker = owner;
	if (worker->serve != NULL)
		serve_resume(worker->serve);
}

static void
on_ended(void *owner, uint64_t session)
{
	(void)owner;
	(void)session;
	_exit(EXIT_SUCCESS);
}

/* Takes the events, as sallyport-record does, and drops them. */
NORETURN static void
run_record(int fd)
{
	static char event[MESSAGE_HEADER_BYTES + MESSAGE_BODY_BYTES_MAX];
	while (recv(fd, event, sizeof(event), 0) > 0)
		continue;
	_exit(EXIT_SUCCESS);
}

static void
start_record(struct worker *worker)
{
	int ends[2];
	must(channel_pair(ends), "a channel");
	if (start_child() == 0) {
		must(fcntl(ends[1], F_SETFL, 0), "fcntl");
		run_record(ends[1]);
	}
	fd_close(&ends[1]);
	const struct recorder_options options = {
		.base = worker->base, .resumed = on_resumed, .owner = worker
	};
	must(recorder_new(&options, &worker->recorder), "recorder");
	must(recorder_set_channel(worker->recorder, &ends[0]), "recorder");
}

NORETURN static void
run_worker(const char *folder, int *fd)
{
	static struct worker worker;
	struct rights *rights;
	worker.base = event_base_new();
	start_record(&worker);
	const struct nursery_options options = {
		.base = worker.base,
		.backend = &backend_kernel,
		.threads = THREADS,
		.tree = { .root_fd = must(open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), folder),
			.umask = 022 },
		.observer = recorder_observer(worker.recorder),
	};
	must(nursery_new(&options, &worker.nursery), "nursery");
	const struct serve_options serving = {
		.base = worker.base,
		.nursery = worker.nursery,
		.recorder = worker.recorder,
		.user = bytes_of_text("bench"),
		.ended = on_ended,
	};
	must(serve_new(&serving, &worker.serve), "serve");
	const struct rights_rule everything = { bytes_of_text("/"), RIGHTS_KNOWN };
	must(rights_create(&everything, 1, &rights), "rights");
	const struct serve_client client = { .session = 1, .peer = { .port = 21 } };
	must(serve_attach(worker.serve, &client, &rights, fd), "attach");
	event_base_dispatch(worker.base);
	die("the worker's loop has ended");
}

/* ---- the client's side ---- */

struct client {
	struct event_base *base;
	struct pathio *io;
	pid_t worker;
	uint64_t asked, answered, count, in_flight_max;
	bool at_end;
	void (*ask)(struct client *client);
};

static void
on_closed(void *owner, const char *malformed)
{
	(void)owner;
	die("the worker has ended: %s", malformed == NULL ? "by itself" : malformed);
}

static void
connect_worker(struct client *client, const char *folder)
{
	int ends[2];
	must(channel_pair(ends), "a channel");
	client->worker = start_child();
	if (client->worker == 0) {
		fd_close(&ends[1]);
		run_worker(folder, &ends[0]);
	}
	fd_close(&ends[0]);
	client->base = event_base_new();
	const struct remote_options options = {
		.base = client->base, .deadline_ms = DEADLINE_MS, .closed = on_closed
	};
	must(remote_new(&options, &ends[1], &client->io), "remote");
}

static void
on_answer(void *argument, const struct pathio_answer *answer)
{
	struct client *client = argument;
	must(answer->error, "a request");
	if (answer->code == PATHIO_ENTRIES) {
		client->answered += answer->body->entries.list.count;
		client->at_end = client->at_end || answer->body->entries.last;
	} else {
		client->answered++;
	}
	if (client->asked < client->count && !client->at_end) {
		client->asked++;
		client->ask(client);
	}
}

static void
ask_stat(struct client *client)
{
	const struct pathio_stat request = { .path = bytes_of_text("/file"), .follow = true };
	pathio_stat(client->io, &request, on_answer, client);
}

static void
ask_next(struct client *client)
{
	pathio_next(client->io, &(struct pathio_next){ .file = LISTING }, on_answer, client);
}

static void
run_requests(struct client *client)
{
	while (client->asked < client->in_flight_max) {
		client->asked++;
		client->ask(client);
	}
	while (client->answered < client->count && !client->at_end)
		event_base_loop(client->base, EVLOOP_ONCE);
}

static void
on_opened(void *argument, const struct pathio_answer *answer)
{
	must(answer->error, "list");
	*(bool *)argument = true;
}

/* ---- measures ---- */

static uint64_t
worker_memory_kib(const struct client *client)
{
	char line[256];
	uint64_t kib = 0;
	snprintf(line, sizeof(line), "/proc/%d/status", (int)client->worker);
	FILE *status = fopen(line, "re");
	if (status == NULL)
		die("%s: %s", line, strerror(errno));
	while (fgets(line, sizeof(line), status) != NULL)
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtoull(line + 6, NULL, 10);
	fclose(status);
	return kib;
}

static double
now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
print(uint64_t count, double seconds, uint64_t memory_kib)
{
	printf("{\"count\": %" PRIu64 ", \"seconds\": %.6f, \"memory_kib\": %" PRIu64 "}\n", count,
		seconds, memory_kib);
}

NORETURN static void
run_pong(int fd)
{
	char block[PING_BYTES];
	while (recv(fd, block, sizeof(block), 0) > 0)
		must((int)send(fd, block, sizeof(block), 0), "send");
	_exit(EXIT_SUCCESS);
}

static void
measure_ping(const char *folder, uint64_t count)
{
	int ends[2];
	char block[PING_BYTES] = { 0 };
	(void)folder;
	make_pair(ends);
	if (start_child() == 0)
		run_pong(ends[1]);
	double start_s = now_s();
	for (uint64_t i = 0; i < count; i++) {
		must((int)send(ends[0], block, sizeof(block), 0), "send");
		must((int)recv(ends[0], block, sizeof(block), 0), "recv");
	}
	print(count, now_s() - start_s, 0);
}

static void
measure_stats(const char *folder, uint64_t count, uint64_t in_flight)
{
	struct client client = { .count = count, .in_flight_max = in_flight, .ask = ask_stat };
	connect_worker(&client, folder);
	double start_s = now_s();
	run_requests(&client);
	print(count, now_s() - start_s, worker_memory_kib(&client));
}

static void
measure_stat(const char *folder, uint64_t count)
{
	measure_stats(folder, count, 1);
}

static void
measure_pipelined(const char *folder, uint64_t count)
{
	measure_stats(folder, count, IN_FLIGHT_MAX);
}

/* All entries of the folder with their attributes; one batch is made while another is read. */
static void
measure_list(const char *folder, uint64_t count)
{
	struct client client = { .count = count, .in_flight_max = 2, .ask = ask_next };
	bool opened = false;
	connect_worker(&client, folder);
	double start_s = now_s();
	pathio_list(client.io, &(struct pathio_list){ .file = LISTING, .path = bytes_of_text("/") },
		on_opened, &opened);
	while (!opened)
		event_base_loop(client.base, EVLOOP_ONCE);
	run_requests(&client);
	print(client.answered, now_s() - start_s, worker_memory_kib(&client));
}

static const struct {
	const char *name;
	void (*measure)(const char *folder, uint64_t count);
	const char *doc;
} measures[] = {
	{ "ping", measure_ping, "bytes to a process and back, over a bare SEQPACKET pair" },
	{ "stat", measure_stat, "stat of FOLDER/file, one at a time" },
	{ "stats", measure_pipelined, "the same, 64 at a time" },
	{ "list", measure_list, "FOLDER with attributes, to the end" },
};

int
main(int count, char **arguments)
{
	uint64_t repeat;
	ends_set_program("requests");
	for (size_t i = 0; count == 4 && i < ARRAY_LENGTH(measures); i++)
		if (strcmp(arguments[1], measures[i].name) == 0 &&
			number_parse(bytes_of_text(arguments[3]), UINT32_MAX, &repeat) == 0) {
			measures[i].measure(arguments[2], repeat);
			return EXIT_SUCCESS;
		}
	fputs("usage: requests MEASURE FOLDER COUNT\n", stderr);
	for (size_t i = 0; i < ARRAY_LENGTH(measures); i++)
		fprintf(stderr, "  %-8s%s\n", measures[i].name, measures[i].doc);
	return EXIT_FAILURE;
}
