/*
 * A cage that cannot be set up means no service (HOSTILE 22), and says why in words that help; one
 * that can be set up in part says what is weaker, unless the configuration requires the whole. Also
 * here: what custom backends may add, and the probe and the printout, which live on the same rows.
 */
#include "ipc/base/ends.h"
#include "policy/cage/sanitizers.h"
#include "policy/cage/tables.h"
#include "tests/cage/caged.h"
#include "tests/table.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/tls.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long
attempt_hard_link(const struct scenario *scenario, pid_t parent)
{
	(void)scenario;
	(void)parent;
	return syscall(SYS_linkat, AT_FDCWD, "nothing", AT_FDCWD, "linked", 0);
}

static long
attempt_new_file(const struct scenario *scenario, pid_t parent)
{
	(void)scenario;
	(void)parent;
	struct open_how how = { .flags = O_WRONLY | O_CREAT | O_CLOEXEC, .mode = 0600 };
	return syscall(SYS_openat2, AT_FDCWD, "new", &how, sizeof(how));
}

static long
attempt_give_keys(UNUSED const struct scenario *scenario, UNUSED pid_t parent)
{
	return setsockopt(CAGE_CHANNEL_FD, SOL_TLS, TLS_TX, &(char[64]){ 0 }, 64);
}

static long
attempt_give_other_keys(UNUSED const struct scenario *scenario, UNUSED pid_t parent)
{
	return setsockopt(CAGE_CHANNEL_FD, SOL_TLS, TLS_RX, &(char[64]){ 0 }, 64);
}

static long
attempt_read_keys(UNUSED const struct scenario *scenario, UNUSED pid_t parent)
{
	return getsockopt(CAGE_CHANNEL_FD, SOL_TLS, TLS_TX, &(char[64]){ 0 }, &(socklen_t){ 64 });
}

#ifdef __x86_64__
static long
attempt_x32(const struct scenario *scenario, pid_t parent)
{
	(void)scenario;
	(void)parent;
	return syscall(SYS_getpid | 0x40000000);
}

/* getpid of i386; its number is writev here. Without such an entry the kernel ends by SIGSEGV. */
static long
attempt_i386(UNUSED const struct scenario *scenario, UNUSED pid_t parent)
{
	long result = 20;
	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
	return result;
}
#endif

#define ADDING(...)                                                      \
	&(const struct cage_additions)                                   \
	{                                                                \
		.calls = (const char *const[]){ __VA_ARGS__ },           \
		.count = ARRAY_LENGTH(((const char *[]){ __VA_ARGS__ })) \
	}

#define KERNEL_TLS                            \
	&(const struct cage_additions)        \
	{                                     \
		.option = CAGE_FOR_KERNEL_TLS \
	}

#define SETUP_CASE(symbol, who, mode, ends, result, words, text, ...) \
	{ .name = (text), .role = CAGE_##who, __VA_ARGS__ },
static const struct scenario scenarios[] = {
#include "tests/cage/setup.def"
};

struct setup_row {
	const char *name;
	size_t scenario;
	enum caged_mode mode;
	enum outcome_kind kind;
	long value;
	const char *words; /* a part of what the operator reads */
};
enum {
#define SETUP_CASE(symbol, ...) INDEX_##symbol,
#include "tests/cage/setup.def"
};
#define SETUP_CASE(symbol, who, how, ends, result, part, text, ...) \
	{ text, INDEX_##symbol, CAGED_##how, OUTCOME_##ends, result, part },
static const struct setup_row rows[] = {
#include "tests/cage/setup.def"
};

static void
check_setup(void **state)
{
	const struct setup_row *row = *state;
	struct outcome outcome;
	if (caged_mode_lacks(row->mode) != NULL)
		case_skip(caged_mode_lacks(row->mode));
	if (CAGE_IS_FOR_SANITIZERS && row->scenario == INDEX_no_limits) /* they ask for limits */
		case_skip("a build without sanitizers");
	caged_run(&scenarios[row->scenario], row->mode, &outcome);
	if (outcome.signal == SIGSEGV)
		case_skip("32-bit system calls");
	if (outcome.kind != row->kind || outcome.value != row->value)
		fail_msg("kind %d, value %ld: %s %s", outcome.kind, outcome.value, outcome.call,
			outcome.text);
	if (strstr(outcome.text, row->words) == NULL)
		fail_msg("no \"%s\" in \"%s\"", row->words, outcome.text);
}

struct become_row {
	const char *name;
	struct cage_identity identity;
	int want;
	bool from_root;
};
static const gid_t group_root[] = { 0 };
static const struct become_row become_rows[] = {
	{ "nobody becomes uid 0", { .uid = 0, .gid = 1000 }, -EINVAL, true },
	{ "nobody becomes gid 0", { .uid = 1000, .gid = 0 }, -EINVAL, true },
	{ "uid -1 would keep the old one", { .uid = (uid_t)-1, .gid = 1000 }, -EINVAL, true },
	{ "gid -1 would keep the old one", { .uid = 1000, .gid = (gid_t)-1 }, -EINVAL, true },
	{ "nobody joins group 0", { 1000, 1000, group_root, 1 }, -EINVAL, true },
	{ "a user", { .uid = 1000, .gid = 1000 }, 0, true },
	{ "an ordinary user becomes another", { .uid = 4242, .gid = CAGED_GID }, -EPERM, false },
	{ "an ordinary user joins another group", { .uid = CAGED_UID, .gid = 4242 }, -EPERM,
		false },
};

/* In a child: what it becomes cannot be taken back. */
static void
check_become(void **state)
{
	const struct become_row *row = *state;
	if (row->from_root && geteuid() != 0)
		case_skip("root");
	pid_t child = fork();
	if (child == 0) {
		if (!row->from_root && geteuid() == 0 &&
			(setresgid(CAGED_GID, CAGED_GID, CAGED_GID) != 0 ||
				setresuid(CAGED_UID, CAGED_UID, CAGED_UID) != 0))
			_exit(255);
		int result = cage_become(&row->identity);
		bool may_gain = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
		_exit(result == 0 && may_gain ? 254 : -result);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), -row->want);
}

struct role_row {
	const char *name;
	enum cage_role role;
};
static const struct role_row role_rows[] = {
#define ROLE(symbol, role_name, ...) { #role_name, CAGE_##symbol },
#include "policy/cage/roles.def"
};

static void
check_probe(void **state)
{
	const struct role_row *row = *state;
	static const struct cage_identity somebody = { .uid = CAGED_UID, .gid = CAGED_GID };
	struct cage_report report;
	bool changes = geteuid() == 0 && cage_role_data(row->role)->root != CAGE_ROOT_OUTER;
	int error = cage_probe(row->role, changes ? &somebody : NULL, false, &report);
	char *text = cage_report_text(&report);
	if (error < 0)
		fail_msg("%s", text);
	assert_true((report.walls & 1u << CAGE_WALL_SECCOMP) != 0);
	free(text);
}

/* Under a filter that ends the probe's processes in another way than their own cage would. */
static void
disturb_kill(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	if (filter == NULL ||
		seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(kill), 1,
			SCMP_A1(SCMP_CMP_EQ, 0, 0)) != 0 ||
		seccomp_load(filter) != 0)
		die("cannot disturb the probe");
	seccomp_release(filter);
}

static void
check_probe_finds(void **state)
{
	(void)state;
	pid_t child = fork();
	if (child == 0) {
		struct cage_report report;
		disturb_kill();
		int error = cage_probe(CAGE_LOADER, NULL, false, &report);
		if (error != 0) /* not tried there: nothing to find */
			_exit(1);
		error = cage_probe(CAGE_GATEWAY, NULL, false, &report);
		bool found = error == -ENOTRECOVERABLE && report.detail != NULL &&
			     strstr(report.detail, "signal") != NULL;
		_exit(found ? 0 : 2);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static char *
print_to_text(enum cage_role role, const struct cage_additions *additions)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	assert_non_null(out);
	cage_print(out, role, additions);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void
check_print(void **state)
{
	const struct role_row *row = *state;
	const struct cage_rule *rule;
	char *text = print_to_text(row->role, NULL);
	for (size_t i = 0; (rule = cage_role_rule(row->role, i)) != NULL; i++) {
		assert_non_null(strstr(text, rule->call));
		assert_non_null(strstr(text, rule->reason));
	}
	assert_true((strstr(text, "with kernel_tls\n") != NULL) == (row->role == CAGE_GATEWAY));
	assert_non_null(strstr(text, "On this machine, as this user\n  "));
	assert_true((strstr(text, "weaker: all processes run as one uid") != NULL) ==
		    (geteuid() != 0 && cage_role_data(row->role)->root != CAGE_ROOT_OUTER));
	free(text);
}

static void
check_print_additions(void **state)
{
	(void)state;
	char *text = print_to_text(CAGE_WORKER, ADDING("linkat", "socket"));
	assert_non_null(strstr(text, "linkat                hard links\n"));
	assert_non_null(strstr(text, "socket                refused: no backend may have it\n"));
	free(text);
}

static void
check_hasher_entry(void **state)
{
	(void)state;
	struct cage_report report;
	struct cage_options options = { .home = NULL };
	assert_int_equal(cage_enter(CAGE_HASHER, &options, &report), -EINVAL);
	assert_string_equal(report.problem, "a hasher is born inside auth's cage");
}

int
main(int argc, char **argv)
{
	caged_main(argc, argv, scenarios, ARRAY_LENGTH(scenarios));
	const struct table tables[] = {
		TABLE("set-up", rows, check_setup),
		TABLE("become", become_rows, check_become),
		CASE("a hasher does not enter", check_hasher_entry),
		TABLE("probe", role_rows, check_probe),
		CASE("the probe finds an act that ends otherwise", check_probe_finds),
		TABLE("print", role_rows, check_print),
		CASE("print additions", check_print_additions),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
