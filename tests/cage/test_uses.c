/*
 * What the programs must still be able to do in their closed cages: the other half of test_escape.
 * Each case uses libc as a program would, not bare system calls, so that it finds the calls that
 * libc adds on its own. Where a case fails after an update of libc, a table lacks a row.
 */
#include "ipc/base/scope.h"
#include "tests/cage/caged.h"
#include "tests/table.h"

#include <crypt.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { CALL_FCHMODAT2 = 452, DATA_BYTES = 8192 };

/* Opened before the filter closes. */
static int arena_fd = -1, loop_fd = -1, root_fd = -1, pair_fds[2];

static int
pair_prepare(void)
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair_fds) == 0 ? 0 : -errno;
}

static int
arena_prepare(void)
{
	arena_fd = memfd_create("arena", MFD_CLOEXEC);
	return arena_fd >= 0 ? 0 : -errno;
}

static int
loop_prepare(void)
{
	loop_fd = epoll_create1(EPOLL_CLOEXEC);
	return loop_fd >= 0 ? 0 : -errno;
}

static int
root_prepare(void)
{
	root_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root_fd >= 0 ? 0 : -errno;
}

static int
time_prepare(void)
{
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	return 0;
}

static int
number_compare(const void *a, const void *b)
{
	int left = *(const int *)a, right = *(const int *)b;
	return (left > right) - (left < right);
}

/* Small, large, grown and given back; and a sort for which qsort asks for the size of memory. */
static long
use_memory(void)
{
	enum { COUNT = 1 << 18, GROWN_BYTES = 1 << 26 };
	int *numbers = malloc(COUNT * sizeof(*numbers));
	if (numbers == NULL)
		return -1;
	for (int i = 0; i < COUNT; i++)
		numbers[i] = (i * 7919) % COUNT;
	qsort(numbers, COUNT, sizeof(*numbers), number_compare);
	int *grown = realloc(numbers, GROWN_BYTES);
	long result = grown != NULL && grown[0] == 0 && grown[COUNT - 1] == COUNT - 1 ? 0 : -1;
	free(grown != NULL ? grown : numbers);
	return result;
}

static long
use_time(void)
{
	struct tm parts;
	struct timespec now;
	char text[64];
	time_t moment = 86400;
	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0 || localtime_r(&moment, &parts) == NULL ||
		strftime(text, sizeof(text), "%b %e %H:%M", &parts) == 0)
		return -1;
	return strcmp(text, "Jan  2 01:00") == 0 ? 0 : -1;
}

/* Without a word to libc about time before, as in a program that knows UTC only. */
static long
use_utc(void)
{
	struct tm parts;
	char text[64];
	time_t moment = 0;
	if (gmtime_r(&moment, &parts) == NULL ||
		strftime(text, sizeof(text), "%F %T %Z", &parts) == 0)
		return -1;
	return strcmp(text, "1970-01-01 00:00:00 GMT") == 0 ? 0 : -1;
}

static long
use_random(void)
{
	char bytes[64];
	return getrandom(bytes, sizeof(bytes), 0) == sizeof(bytes) ? 0 : -1;
}

/* The first byte of a stream makes stdio look at what is behind it. */
static long
use_stdio(void)
{
	FILE *stream = fdopen(arena_fd, "w");
	if (stream == NULL || fprintf(stream, "%d bytes\n", DATA_BYTES) < 0)
		return -1;
	return fclose(stream);
}

static long
use_abort(void)
{
	abort();
}

static long
use_trap(void)
{
	__builtin_trap();
}

static long
use_loop(void)
{
	struct epoll_event event = { .events = EPOLLOUT };
	if (epoll_ctl(loop_fd, EPOLL_CTL_ADD, CAGE_CHANNEL_FD, &event) != 0)
		return -1;
	return epoll_wait(loop_fd, &event, 1, 1000) == 1 && event.events == EPOLLOUT ? 0 : -1;
}

/* As ipc/ sends a descriptor, receives it and looks at what it got. */
static long
use_channel(void)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct stat attributes;
	char byte = 'x';
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	int sent = fcntl(CAGE_CHANNEL_FD, F_DUPFD_CLOEXEC, 0), received;
	memcpy(CMSG_DATA(&control.header), &sent, sizeof(sent));
	if (sendmsg(pair_fds[0], &message, MSG_NOSIGNAL | MSG_DONTWAIT) != 1 ||
		recvmsg(pair_fds[1], &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
		return -1;
	memcpy(&received, CMSG_DATA(&control.header), sizeof(received));
	if (received == sent || fcntl(received, F_GETFL) < 0 || fstat(received, &attributes) != 0 ||
		!S_ISSOCK(attributes.st_mode))
		return -1;
	return close(received);
}

static int
file_open(const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = (flags & O_CREAT) != 0 ? 0600 : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	return (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
}

static long
use_listing(void)
{
	int found = 0;
	DIR *folder = fdopendir(file_open("/", O_RDONLY | O_DIRECTORY));
	if (folder == NULL)
		return -1;
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
		found += strcmp(entry->d_name, "inside") == 0;
	closedir(folder);
	return found == 1 ? 0 : -1;
}

/* The calls of an upload that is committed and of a download. */
static long
use_transfer(void)
{
	char data[DATA_BYTES] = { 0 };
	off_t offset = 0;
	struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 2 } };
	SCOPE_FD int fd = file_open("/upload.part", O_RDWR | O_CREAT | O_EXCL);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0 ||
		write(fd, data, sizeof(data)) != sizeof(data) ||
		pwrite(fd, data, 1, DATA_BYTES) != 1 || pread(fd, data, 1, 1) != 1 ||
		fdatasync(fd) != 0 || ftruncate(fd, DATA_BYTES) != 0 || fchmod(fd, 0640) != 0 ||
		futimens(fd, times) != 0 ||
		renameat(root_fd, "upload.part", root_fd, "upload") != 0 || fsync(fd) != 0)
		return -1;
	SCOPE_FD int copy = file_open("/copy", O_RDWR | O_CREAT | O_EXCL);
	if (copy < 0 ||
		copy_file_range(fd, &offset, copy, NULL, DATA_BYTES / 2, 0) != DATA_BYTES / 2 ||
		sendfile(copy, fd, &offset, DATA_BYTES / 2) != DATA_BYTES / 2)
		return -1;
	return unlinkat(root_fd, "upload", 0) == 0 ? unlinkat(root_fd, "copy", 0) : -1;
}

static long
use_folders(void)
{
	struct statx attributes;
	struct stat classic;
	struct statfs space;
	char target[64];
	if (mkdirat(root_fd, "made", 0755) != 0 || symlinkat("inside", root_fd, "made/link") != 0 ||
		readlinkat(root_fd, "made/link", target, sizeof(target)) != 6 ||
		statx(root_fd, "made", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME,
			&attributes) != 0 ||
		fstatat(root_fd, "made/link", &classic, AT_SYMLINK_NOFOLLOW) != 0 ||
		unlinkat(root_fd, "made/link", 0) != 0 ||
		(syscall(CALL_FCHMODAT2, root_fd, "made", 0700, AT_SYMLINK_NOFOLLOW) != 0 &&
			errno != ENOSYS) ||
		unlinkat(root_fd, "made", AT_REMOVEDIR) != 0)
		return -1;
	SCOPE_FD int folder = file_open("/", O_RDONLY | O_DIRECTORY);
	return fstatfs(folder, &space);
}

static long
use_arena(void)
{
	if (ftruncate(arena_fd, DATA_BYTES) != 0 || pwrite(arena_fd, "x", 1, 0) != 1)
		return -1;
	char *view = mmap(NULL, DATA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, arena_fd, 0);
	if (view == MAP_FAILED || view[0] != 'x' ||
		fallocate(arena_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) != 0 ||
		view[0] != '\0')
		return -1;
	return munmap(view, DATA_BYTES);
}

static long
use_log(void)
{
	SCOPE_FD int fd = open("day.log",
		O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	char line[] = "{}\n";
	struct iovec part = { .iov_base = line, .iov_len = 3 };
	return fd >= 0 && writev(fd, &part, 1) == 3 ? 0 : -1;
}

/* The dearest method of the system's own logins, and the one that most users have. */
static long
use_hashes(void)
{
	static const char *const methods[] = { "$y$", "$6$" };
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	struct crypt_data *data = calloc(1, sizeof(*data));
	for (size_t i = 0; i < ARRAY_LENGTH(methods); i++)
		if (data == NULL ||
			crypt_gensalt_rn(methods[i], 0, NULL, 0, setting, sizeof(setting)) ==
				NULL ||
			crypt_r("secret", setting, data) == NULL ||
			strncmp(data->output, setting, strlen(setting)) != 0)
			return -1;
	free(data);
	return 0;
}

/* As auth replaces a hasher that died; the child is not waited for. */
static long
use_pool(void)
{
	int ends[2];
	char byte = 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -1;
	pid_t child = fork();
	if (child == 0)
		_exit(dup2(ends[1], CAGE_CHANNEL_FD) >= 0 &&
					syscall(SYS_close_range, 4, ~0u, 0) == 0 &&
					write(CAGE_CHANNEL_FD, "x", 1) == 1
				? 0
				: 1);
	return child > 0 && read(ends[0], &byte, 1) == 1 && byte == 'x' ? 0 : -1;
}

/* clang-format off */
#define EVERY_USE(role) \
	USE(role, memory, NULL) USE(role, time, time_prepare) USE(role, utc, NULL) USE(role, random, NULL) \
	USE(role, stdio, arena_prepare) USE(role, abort, NULL) USE(role, trap, NULL) \
	USE(role, loop, loop_prepare) USE(role, channel, pair_prepare)
#define USES \
	EVERY_USE(GATEWAY) EVERY_USE(WORKER) EVERY_USE(AUTH) EVERY_USE(RECORD) \
	USE(HASHER, memory, NULL) USE(HASHER, hashes, NULL) \
	USE(WORKER, listing, root_prepare) USE(WORKER, transfer, root_prepare) \
	USE(WORKER, folders, root_prepare) USE(WORKER, arena, arena_prepare) \
	USE(RECORD, log, NULL) USE(AUTH, pool, NULL)
#define ATTEMPT(use) \
	static long attempt_##use(UNUSED const struct scenario *s, UNUSED pid_t p) \
	{ return use_##use(); }
ATTEMPT(memory) ATTEMPT(time) ATTEMPT(utc) ATTEMPT(random) ATTEMPT(stdio) ATTEMPT(abort) ATTEMPT(trap)
ATTEMPT(loop) ATTEMPT(channel) ATTEMPT(listing) ATTEMPT(transfer) ATTEMPT(folders) ATTEMPT(arena)
ATTEMPT(log) ATTEMPT(hashes) ATTEMPT(pool)

#define USE(who, use, before) \
	{ .name = #who " " #use, .role = CAGE_##who, .attempt = attempt_##use, .prepare = before }, \
	{ .name = #who " " #use " in a pool thread", .role = CAGE_##who, .attempt = attempt_##use, \
	  .prepare = before, .in_pool_thread = true },
static const struct scenario scenarios[] = { USES };
/* clang-format on */

struct use_row {
	const char *name;
	const struct scenario *scenario;
};
static struct use_row rows[ARRAY_LENGTH(scenarios)];

static int
wanted_signal(const struct scenario *scenario)
{
	if (scenario->attempt == attempt_abort)
		return SIGABRT;
	return scenario->attempt == attempt_trap ? SIGILL : 0;
}

static void
check_use(void **state)
{
	const struct use_row *row = *state;
	struct outcome outcome;
	if (caged_mode_lacks(caged_mode_here()) != NULL)
		case_skip(caged_mode_lacks(caged_mode_here()));
	caged_run(row->scenario, caged_mode_here(), &outcome);
	if (outcome.signal != wanted_signal(row->scenario))
		fail_msg("signal %d", outcome.signal);
	if (outcome.signal == 0 && (outcome.kind != OUTCOME_RETURNED || outcome.value != 0))
		fail_msg("kind %d, value %ld: %s %s", outcome.kind, outcome.value, outcome.call,
			outcome.text);
}

int
main(int argc, char **argv)
{
	caged_main(argc, argv, scenarios, ARRAY_LENGTH(scenarios));
	size_t count = 0;
	for (size_t i = 0; i < ARRAY_LENGTH(scenarios); i++)
		if (!scenarios[i].in_pool_thread || scenarios[i].role == CAGE_WORKER)
			rows[count++] = (struct use_row){ scenarios[i].name, &scenarios[i] };
	const struct table tables[] = { { .name = "uses",
		.check = check_use,
		.rows = rows,
		.row_bytes = sizeof(rows[0]),
		.count = count } };
	return table_run(tables, ARRAY_LENGTH(tables));
}
