/*
 * What a caged process reaches of the file system, in each of the ways that a root can be had. With
 * Landlock alone the outside stays visible: what then cannot be stopped is asserted as well, since
 * the start line warns of exactly that (walls.def, "own root"). Landlock belongs to a thread
 * (DECISIONS 2): what a worker does with it alone is tried from a thread of its pool as well.
 */
#include "ipc/base/ends.h"
#include "tests/cage/caged.h"
#include "tests/table.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static long
open2(const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = (flags & O_CREAT) != 0 ? 0600 : 0,
		.resolve = resolve,
	};
	return syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

/* As record's next file is opened, and with these flags more or less. */
static long
log_open(const char *path, int more, int less)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	return syscall(SYS_openat, AT_FDCWD, path, (flags | more) & ~less, 0600);
}

static long
remove_entry(const char *path, int flags)
{
	return syscall(SYS_unlinkat, AT_FDCWD, path, flags);
}

static long
move(const char *from, const char *to)
{
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

static long
see(const char *path)
{
	struct statx attributes;
	return syscall(SYS_statx, AT_FDCWD, path, 0, STATX_MODE, &attributes);
}

enum { CALL_FCHMODAT2 = 452, IN_ROOT = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };

#define FILE_CASE(symbol, role, rooted, landlock, text, act)                          \
	static long attempt_##symbol(UNUSED const struct scenario *s, UNUSED pid_t p) \
	{                                                                             \
		return act;                                                           \
	}
#include "tests/cage/files.def"

#define FILE_CASE(symbol, who, rooted, landlock, text, act) \
	{ .name = (text), .role = CAGE_##who, .attempt = attempt_##symbol },
#define POOL_CASE(symbol, who, rooted, landlock, text, act) \
	{ .name = text ", from its pool",                   \
		.role = CAGE_##who,                         \
		.attempt = attempt_##symbol,                \
		.in_pool_thread = true },
static const struct scenario scenarios[] = {
#include "tests/cage/files.def"
#define FILE_CASE POOL_CASE
#include "tests/cage/files.def"
};

enum { DONE = 0, TRAPPED = 1 };

struct want {
	long rooted, landlock;
};
#define FILE_CASE(symbol, who, with_root, with_landlock, text, act) { with_root, with_landlock },
static const struct want wants[ARRAY_LENGTH(scenarios) / 2] = {
#include "tests/cage/files.def"
};

struct file_row {
	const char *name;
	size_t scenario;
	enum caged_mode mode;
};
static struct file_row rows[ARRAY_LENGTH(scenarios) * CAGED_MODE_COUNT];
static size_t row_count;

/* Only a worker has threads, and only where Landlock is alone does a thread's own wall tell. */
static bool
is_of_interest(const struct scenario *scenario, enum caged_mode mode)
{
	return !scenario->in_pool_thread ||
	       (scenario->role == CAGE_WORKER && mode == CAGED_BY_LANDLOCK);
}

static void
row_add(size_t scenario, enum caged_mode mode)
{
	char *name = NULL;
	if (!is_of_interest(&scenarios[scenario], mode))
		return;
	if (asprintf(&name, "a %s %s: %s", cage_role_name(scenarios[scenario].role),
		    caged_mode_name(mode), scenarios[scenario].name) < 0)
		die("no memory for a test");
	rows[row_count++] = (struct file_row){ name, scenario, mode };
}

static void
rows_make(void)
{
	for (size_t i = 0; i < ARRAY_LENGTH(scenarios); i++)
		for (unsigned mode = 0; mode < CAGED_MODE_COUNT; mode++)
			row_add(i, (enum caged_mode)mode);
}

static void
check_file(void **state)
{
	const struct file_row *row = *state;
	const struct want *want = &wants[row->scenario % ARRAY_LENGTH(wants)];
	struct outcome outcome;
	if (caged_mode_lacks(row->mode) != NULL)
		case_skip(caged_mode_lacks(row->mode));
	caged_run(&scenarios[row->scenario], row->mode, &outcome);
	long wanted = row->mode == CAGED_BY_LANDLOCK ? want->landlock : want->rooted;
	if (outcome.kind == OUTCOME_RETURNED && outcome.value == -ENOSYS)
		case_skip("Linux 6.6"); /* fchmodat2 */
	if (wanted == TRAPPED) {
		assert_int_equal(outcome.kind, OUTCOME_TRAPPED);
		assert_string_equal(outcome.call, "openat");
		return;
	}
	if (outcome.kind != OUTCOME_RETURNED)
		fail_msg("kind %d: %s %s", outcome.kind, outcome.call, outcome.text);
	if (wanted == DONE)
		assert_true(outcome.value >= 0);
	else
		assert_int_equal(outcome.value, wanted);
}

int
main(int argc, char **argv)
{
	caged_main(argc, argv, scenarios, ARRAY_LENGTH(scenarios));
	rows_make();
	const struct table tables[] = {
		{ .name = "files",
			.check = check_file,
			.rows = rows,
			.row_bytes = sizeof(rows[0]),
			.count = row_count },
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
