/*
 * What holds between the second gate and the third, before the system-call filter closes: Landlock,
 * the root and the dropped capabilities by themselves. Behind the filter they are the second wall,
 * which no test could see any more.
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "tests/cage/caged.h"
#include "tests/table.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int
result_of(long result)
{
	return result < 0 ? -errno : 0;
}

static int
tcp_use(int (*use)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	SCOPE_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno
		      : result_of(use(fd, (const struct sockaddr *)&address, sizeof(address)));
}

static int
file_open(const char *path, int flags)
{
	SCOPE_FD int fd = open(path, flags | O_CLOEXEC, 0600);
	return result_of(fd);
}

/* To a socket of the test that made this process; its name holds that test's pid. */
static struct sockaddr_un
abstract_address(pid_t owner)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "sallyport-%d", owner);
	return address;
}

static int
abstract_connect(void)
{
	struct sockaddr_un address = abstract_address(getppid());
	SCOPE_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno
		      : result_of(connect(fd, (struct sockaddr *)&address, sizeof(address)));
}

static void
abstract_listen(void)
{
	struct sockaddr_un address = abstract_address(getpid());
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		listen(fd, 1) != 0)
		die("cannot make an abstract socket");
}

/* Is the act refused with this errno? Anything else ends the scenario with what came of it. */
#define GATE_CASE(symbol, role, abi, wanted, text, act)             \
	static int try_##symbol(void)                               \
	{                                                           \
		int result = act;                                   \
		if (result == (wanted))                             \
			return 0;                                   \
		die("%s: %d, not %d", text, result, (int)(wanted)); \
	}
#include "tests/cage/gates.def"

#define GATE_CASE(symbol, who, abi, wanted, text, act) \
	{ .name = (text), .role = CAGE_##who, .prepare = try_##symbol },
static const struct scenario scenarios[] = {
#include "tests/cage/gates.def"
};

#define GATE_CASE(symbol, who, abi, wanted, text, act) abi,
static const int abis[] = {
#include "tests/cage/gates.def"
};

struct gate_row {
	const char *name;
	size_t scenario;
	enum caged_mode mode;
};
static struct gate_row rows[ARRAY_LENGTH(scenarios) * CAGED_MODE_COUNT];

static void
check_gate(void **state)
{
	const struct gate_row *row = *state;
	struct outcome outcome;
	char lacks[32];
	if (caged_mode_lacks(row->mode) != NULL)
		case_skip(caged_mode_lacks(row->mode));
	snprintf(lacks, sizeof(lacks), "Landlock ABI %d", abis[row->scenario]);
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < abis[row->scenario])
		case_skip(lacks);
	caged_run(&scenarios[row->scenario], row->mode, &outcome);
	if (outcome.kind != OUTCOME_RETURNED)
		fail_msg("kind %d: %s %s", outcome.kind, outcome.call, outcome.text);
}

int
main(int argc, char **argv)
{
	caged_main(argc, argv, scenarios, ARRAY_LENGTH(scenarios));
	abstract_listen();
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		const struct scenario *scenario = &scenarios[i / CAGED_MODE_COUNT];
		enum caged_mode mode = (enum caged_mode)(i % CAGED_MODE_COUNT);
		char *name = NULL;
		if (asprintf(&name, "a %s %s: %s", cage_role_name(scenario->role),
			    caged_mode_name(mode), scenario->name) < 0)
			die("no memory for a test");
		rows[i] = (struct gate_row){ name, i / CAGED_MODE_COUNT, mode };
	}
	const struct table tables[] = { TABLE("between the gates", rows, check_gate) };
	return table_run(tables, ARRAY_LENGTH(tables));
}
