/*
 * The load generator's arguments, loop and result (see load.h). An ordinary client without
 * privilege that ends at any surprise.
 *
 * Prints one JSON line: turns, bytes, TLS handshakes, the seconds from when all sessions had opened
 * to the end of the last turn, and what a turn took.
 */
#include "tests/bench/load.h"

#include "ipc/base/ends.h"
#include "ipc/base/number.h"
#include "ipc/base/scope.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

enum {
	EVENTS_AT_ONCE = 256,
	OPENINGS_AT_ONCE =
		16, /* more would overflow a short backlog and wait for the kernel's retry */
	SESSIONS_MAX = 60000,
	TURNS_MAX = 10000000,
	DESCRIPTORS_BESIDE = 16,
};

#define STEP(NAME, act, verb, argument, reply) \
	static const struct step STEP_##NAME[1] = { { act, verb, argument, reply } };
#include "tests/bench/load_scenarios.def"

#define STEP_END NULL
#define SCENARIO(name, opening, turn, doc)                              \
	static const struct step *const name##_opening[] = { opening }; \
	static const struct step *const name##_turn[] = { turn };
#include "tests/bench/load_scenarios.def"

static const struct scenario scenarios[] = {
#define SCENARIO(name, opening, turn, doc) { #name, doc, name##_opening, name##_turn },
#include "tests/bench/load_scenarios.def"
};

NORETURN static void
usage(void)
{
	fputs("usage: load HOST PORT USER PASSWORD SCENARIO SESSIONS COUNT[/SECONDS]\n"
	      "            [NAME [BYTES]]\n"
	      "COUNT turns in all, but none begins after so many SECONDS\n",
		stderr);
	for (size_t i = 0; i < ARRAY_LENGTH(scenarios); i++)
		fprintf(stderr, "  %-10s%s\n", scenarios[i].name, scenarios[i].doc);
	exit(EXIT_FAILURE);
}

static uint64_t
number(const char *text, uint64_t maximum)
{
	uint64_t value = 0;
	if (number_parse(bytes_of_text(text), maximum, &value) < 0)
		die("%s: not a number up to %" PRIu64, text, maximum);
	return value;
}

static const struct scenario *
scenario_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(scenarios); i++)
		if (strcmp(scenarios[i].name, name) == 0)
			return &scenarios[i];
	usage();
}

/* Memory that uploads are sent from, filled so that its pages are real ones. */
static int
make_content(uint64_t bytes)
{
	size_t length = bytes < CONTENT_BYTES ? (size_t)bytes : CONTENT_BYTES;
	SCOPE_FD int fd = memfd_create("content", MFD_CLOEXEC);
	SCOPE_FREE char *content = malloc(length + 1);
	if (fd < 0 || content == NULL)
		die("no memory for %zu bytes", length);
	for (size_t i = 0; i < length; i++)
		content[i] = (char)(i * 2654435761u >> 13);
	if (write(fd, content, length) != (ssize_t)length)
		die("content: %s", strerror(errno));
	return fd_take(&fd);
}

static const char *
map_content(int fd, uint64_t bytes)
{
	size_t length = bytes < CONTENT_BYTES ? (size_t)bytes : CONTENT_BYTES;
	void *content = mmap(NULL, length + 1, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (content == MAP_FAILED)
		die("content: %s", strerror(errno));
	return content;
}

static void
allow_descriptors(uint64_t count)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max < count)
		die("needs %" PRIu64 " descriptors", count);
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("setrlimit: %s", strerror(errno));
}

static void
dispatch(struct load *load)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int count = epoll_wait(load->epoll_fd, events, EVENTS_AT_ONCE, -1);
	if (count < 0 && errno != EINTR)
		die("epoll_wait: %s", strerror(errno));
	for (int i = 0; i < count; i++) {
		struct endpoint *endpoint = events[i].data.ptr;
		if (endpoint->fd >= 0) /* an earlier event of this batch may have closed it */
			endpoint->ready(endpoint->session);
	}
}

double
now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
stay_idle(void)
{
	char byte;
	puts("idle");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, sizeof(byte)) > 0)
		;
}

static void
open_sessions(struct load *load, struct session *sessions)
{
	uint64_t begun = 0;
	while (load->opened < load->sessions) {
		while (begun < load->sessions && begun - load->opened < OPENINGS_AT_ONCE) {
			sessions[begun].load = load;
			sessions[begun].number = begun;
			session_open(&sessions[begun++]);
		}
		if (load->opened < load->sessions)
			dispatch(load);
	}
}

static int
compare_times(const void *one, const void *other)
{
	const double *a = one;
	const double *b = other;
	return (*a > *b) - (*a < *b);
}

static void
tell(const struct load *load)
{
	double seconds = now_s() - load->start_s;
	qsort(load->took_s, load->ended, sizeof(*load->took_s), compare_times);
	printf("{\"scenario\": \"%s\", \"sessions\": %" PRIu64 ", \"turns\": %" PRIu64
	       ", \"bytes\": %" PRIu64 ", \"full\": %" PRIu64 ", \"resumed\": %" PRIu64
	       ", \"seconds\": %.6f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f}\n",
		load->scenario->name, load->sessions, load->ended, load->moved_bytes, load->full,
		load->resumed, seconds, load->took_s[load->ended / 2] * 1e3,
		load->took_s[load->ended * 99 / 100] * 1e3, load->took_s[load->ended - 1] * 1e3);
}

static void
run(struct load *load)
{
	SCOPE_FREE struct session *sessions = calloc(load->sessions, sizeof(*sessions));
	if (sessions == NULL)
		die("no memory for %" PRIu64 " sessions", load->sessions);
	open_sessions(load, sessions);
	if (load->scenario->turn[0] == NULL) {
		stay_idle();
		return;
	}
	load->full = load->resumed = 0;
	load->start_s = now_s();
	for (uint64_t i = 0; i < load->sessions; i++)
		session_begin_turn(&sessions[i]);
	while (load->ended < load->begun)
		dispatch(load);
	for (uint64_t i = 0; i < load->sessions; i++)
		tls_forget(&sessions[i]);
	tell(load);
}

/* COUNT or COUNT/SECONDS. */
static void
set_count(struct load *load, char *text)
{
	char *slash = strchr(text, '/');
	load->limit_s = INFINITY;
	if (slash != NULL) {
		load->limit_s = (double)number(slash + 1, UINT32_MAX);
		*slash = '\0';
	}
	load->count = number(text, TURNS_MAX);
	load->took_s = calloc(load->count + 1, sizeof(*load->took_s));
	if (load->took_s == NULL)
		die("no memory for %" PRIu64 " turns", load->count);
}

int
main(int argc, char *argv[])
{
	ends_set_program("load");
	signal(SIGPIPE, SIG_IGN);
	if (argc < 8 || argc > 10)
		usage();
	struct load load = {
		.server = { .sin_family = AF_INET },
		.user = argv[3],
		.password = argv[4],
		.scenario = scenario_find(argv[5]),
		.sessions = number(argv[6], SESSIONS_MAX),
		.name = argc > 8 ? argv[8] : "",
		.bytes = argc > 9 ? number(argv[9], INT64_MAX) : 0,
		.epoll_fd = epoll_create1(EPOLL_CLOEXEC),
	};
	if (inet_pton(AF_INET, argv[1], &load.server.sin_addr) != 1)
		die("%s: not an IPv4 address", argv[1]);
	set_count(&load, argv[7]);
	load.server.sin_port = htons((uint16_t)number(argv[2], UINT16_MAX));
	load.content_fd = make_content(load.bytes);
	load.content = map_content(load.content_fd, load.bytes);
	load.tls = tls_prepare();
	allow_descriptors(2 * load.sessions + DESCRIPTORS_BESIDE);
	run(&load);
	tls_stop(load.tls);
	free(load.took_s);
	return EXIT_SUCCESS;
}
