/*
 * The state of a caged process as the kernel tells it (HOSTILE 22: half-applied jails): ids,
 * groups, capabilities, no_new_privs, filter, limits, root, for every role, every way to be
 * started, and every thread. The test looks while the process waits in its closed cage.
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/cage/tables.h"
#include "tests/cage/caged.h"
#include "tests/table.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct scenario scenarios[] = {
	{ .name = "gateway", .role = CAGE_GATEWAY, .attempt = caged_wait_for_test },
	{ .name = "worker",
		.role = CAGE_WORKER,
		.attempt = caged_wait_for_test,
		.in_pool_thread = true },
	{ .name = "auth", .role = CAGE_AUTH, .attempt = caged_wait_for_test },
	{ .name = "record", .role = CAGE_RECORD, .attempt = caged_wait_for_test },
};

struct state_row {
	const char *name;
	const struct scenario *scenario;
	enum caged_mode mode;
};
static struct state_row rows[ARRAY_LENGTH(scenarios) * CAGED_MODE_COUNT];

/* The whole of a file of /proc; the caller frees it. */
static char *
proc_read(const char *path)
{
	enum { PROC_BYTES_MAX = 16384 };
	char *text = calloc(1, PROC_BYTES_MAX);
	SCOPE_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (text == NULL || fd < 0)
		die("cannot read %s: %s", path, strerror(errno));
	size_t length = 0;
	for (;;) {
		ssize_t count = read(fd, text + length, PROC_BYTES_MAX - 1 - length);
		if (count < 0)
			die("cannot read %s: %s", path, strerror(errno));
		if (count == 0)
			return text;
		length += (size_t)count;
	}
}

static void
assert_line(const char *text, const char *line)
{
	const char *found = strstr(text, line);
	if (found == NULL || (found != text && found[-1] != '\n'))
		fail_msg("no line \"%s\"", line);
}

static void
check_ids(const char *status, enum caged_mode mode)
{
	char line[80];
	unsigned uid = geteuid() == 0 ? CAGED_UID : geteuid();
	unsigned gid = geteuid() == 0 ? CAGED_GID : getegid();
	snprintf(line, sizeof(line), "Uid:\t%u\t%u\t%u\t%u\n", uid, uid, uid, uid);
	assert_line(status, line);
	snprintf(line, sizeof(line), "Gid:\t%u\t%u\t%u\t%u\n", gid, gid, gid, gid);
	assert_line(status, line);
	snprintf(line, sizeof(line), "Groups:\t%d \n", CAGED_EXTRA_GROUP);
	if (mode == CAGED_BY_ROOT)
		assert_line(status, line);
}

static void
check_privileges(const char *status, enum caged_mode mode)
{
	assert_line(status, "CapInh:\t0000000000000000\n");
	assert_line(status, "CapPrm:\t0000000000000000\n");
	assert_line(status, "CapEff:\t0000000000000000\n");
	assert_line(status, "CapAmb:\t0000000000000000\n");
	if (mode != CAGED_BY_LANDLOCK) /* an ordinary user cannot empty its bounding set */
		assert_line(status, "CapBnd:\t0000000000000000\n");
	assert_line(status, "NoNewPrivs:\t1\n");
	assert_line(status, "Seccomp:\t2\n");
}

/* Each thread has ids, capabilities and filters of its own. */
static void
check_threads(const struct caged *caged, const struct state_row *row)
{
	char path[512];
	int threads = 0;
	snprintf(path, sizeof(path), "/proc/%d/task", caged->pid);
	DIR *tasks = opendir(path);
	assert_non_null(tasks);
	for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/status", caged->pid, entry->d_name);
		SCOPE_FREE char *status = proc_read(path);
		check_ids(status, row->mode);
		check_privileges(status, row->mode);
		threads++;
	}
	closedir(tasks);
	assert_int_equal(threads, row->scenario->in_pool_thread ? 2 : 1);
}

static void
check_limits(const struct caged *caged, const struct state_row *row)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/limits", caged->pid);
	SCOPE_FREE char *limits = proc_read(path);
	assert_line(limits, "Max core file size        0                    0 ");
	if (row->scenario->role != CAGE_AUTH)
		assert_line(limits, "Max processes             0                    0 ");
}

/* The ids mean the same inside and outside, and groups are fixed. */
static void
check_namespace(const struct caged *caged, const struct state_row *row)
{
	char path[64], line[64];
	unsigned uid = geteuid() == 0 ? CAGED_UID : geteuid();
	if (row->mode != CAGED_BY_USER)
		return;
	snprintf(path, sizeof(path), "/proc/%d/uid_map", caged->pid);
	SCOPE_FREE char *map = proc_read(path);
	snprintf(line, sizeof(line), "%10u %10u %10u\n", uid, uid, 1u);
	assert_string_equal(map, line);
	snprintf(path, sizeof(path), "/proc/%d/setgroups", caged->pid);
	SCOPE_FREE char *groups = proc_read(path);
	assert_string_equal(groups, "deny\n");
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", caged->pid);
	SCOPE_FREE char *mounts = proc_read(path);
	if (row->scenario->role == CAGE_WORKER)
		assert_non_null(strstr(mounts, " / rw,nosuid,nodev,noexec,"));
}

/* What the process sees of its root; only root may look, since it is not dumpable. */
static void
check_root(const struct caged *caged, const struct state_row *row)
{
	char path[128];
	struct stat attributes;
	snprintf(path, sizeof(path), "/proc/%d/root/etc", caged->pid);
	int result = stat(path, &attributes);
	if (geteuid() != 0) {
		assert_int_equal(result, -1);
		assert_int_equal(errno, EACCES);
		return;
	}
	assert_int_equal(result, row->mode == CAGED_BY_LANDLOCK ? 0 : -1);
	static const char *const inside[CAGE_ROLE_COUNT] = {
		[CAGE_WORKER] = "inside", [CAGE_RECORD] = "old.log"
	};
	if (row->mode == CAGED_BY_LANDLOCK || inside[row->scenario->role] == NULL)
		return;
	snprintf(path, sizeof(path), "/proc/%d/root/%s", caged->pid, inside[row->scenario->role]);
	assert_int_equal(stat(path, &attributes), 0);
}

/* Memory, environment and descriptors are closed to others of the same uid. */
static void
check_hidden(const struct caged *caged)
{
	char path[64];
	struct stat attributes;
	snprintf(path, sizeof(path), "/proc/%d/mem", caged->pid);
	assert_int_equal(stat(path, &attributes), 0);
	assert_int_equal(attributes.st_uid, 0); /* the kernel's mark of a process not dumpable */
}

static void
check_walls(const struct caged *caged, enum caged_mode mode)
{
	uint32_t wanted = (1u << CAGE_WALL_COUNT) - 1;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	if (mode != CAGED_BY_ROOT)
		wanted &= ~(1u << CAGE_WALL_UID);
	if (mode == CAGED_BY_LANDLOCK)
		wanted &= ~(1u << CAGE_WALL_ROOT);
	if (abi < 4)
		wanted &= ~(1u << CAGE_WALL_LANDLOCK_TCP);
	if (abi < 6)
		wanted &= ~(1u << CAGE_WALL_LANDLOCK_SCOPE);
	if (abi < 2)
		wanted &= ~(1u << CAGE_WALL_LANDLOCK_FILES);
	assert_int_equal(caged->outcome.report.walls, wanted);
}

static void
check_state(void **state)
{
	const struct state_row *row = *state;
	struct caged caged;
	if (caged_mode_lacks(row->mode) != NULL)
		case_skip(caged_mode_lacks(row->mode));
	caged_start(row->scenario, row->mode, &caged);
	if (caged.pid == 0)
		fail_msg("kind %d: %s %s", caged.outcome.kind, caged.outcome.call,
			caged.outcome.text);
	check_threads(&caged, row);
	check_limits(&caged, row);
	check_namespace(&caged, row);
	check_root(&caged, row);
	check_hidden(&caged);
	caged_finish(&caged);
	assert_int_equal(caged.outcome.kind, OUTCOME_RETURNED);
	check_walls(&caged, row->mode);
}

int
main(int argc, char **argv)
{
	caged_main(argc, argv, scenarios, ARRAY_LENGTH(scenarios));
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		const struct scenario *scenario = &scenarios[i / CAGED_MODE_COUNT];
		enum caged_mode mode = (enum caged_mode)(i % CAGED_MODE_COUNT);
		char *name = NULL;
		if (asprintf(&name, "%s %s", scenario->name, caged_mode_name(mode)) < 0)
			die("no memory for a test");
		rows[i] = (struct state_row){ name, scenario, mode };
	}
	const struct table tables[] = { TABLE("state", rows, check_state) };
	return table_run(tables, ARRAY_LENGTH(tables));
}
