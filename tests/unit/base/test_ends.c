/*
 * The two ends of a process: how it ends, and the one line that it leaves (ends.h). Each case ends
 * a child and reads its standard error.
 */
#include "ipc/base/ends.h"
#include "tests/table.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct ending {
	int status; /* as waitpid(2) gives it */
	char line[4096];
};

static void
end_child(void (*act)(void), int error_fd)
{
	const struct rlimit no_core = { 0, 0 };
	if (dup2(error_fd, STDERR_FILENO) < 0 || setrlimit(RLIMIT_CORE, &no_core) < 0)
		_exit(1);
	/* cmocka's and the sanitizers' handlers would turn the trap into something else. */
	signal(SIGILL, SIG_DFL);
	signal(SIGTRAP, SIG_DFL);
	ends_set_program("tester");
	act();
	_exit(0);
}

static struct ending
ending_of(void (*act)(void))
{
	struct ending ending = { .status = -1 };
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		end_child(act, ends[1]);
	close(ends[1]);
	size_t length = 0;
	for (ssize_t got = 1; got > 0; length += (size_t)got) {
		got = read(ends[0], ending.line + length, sizeof(ending.line) - 1 - length);
		assert_true(got >= 0);
	}
	close(ends[0]);
	assert_int_equal(waitpid(child, &ending.status, 0), child);
	return ending;
}

static void
die_plainly(void)
{
	die("no %s on port %d", "luck", 21);
}

static void
check_die(UNUSED void **state)
{
	struct ending ending = ending_of(die_plainly);
	assert_true(WIFEXITED(ending.status));
	assert_int_equal(WEXITSTATUS(ending.status), EXIT_DIED);
	assert_string_equal(ending.line, "tester: no luck on port 21\n");
}

static void
die_of_control_bytes(void)
{
	die("name %s", "a\nb\x1b[2J\x7f\tc");
}

static void
check_control_bytes(UNUSED void **state)
{
	struct ending ending = ending_of(die_of_control_bytes);
	assert_string_equal(ending.line, "tester: name a?b?[2J??c\n");
}

static void
die_at_length(void)
{
	char text[3000];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	die("%s", text);
}

static void
check_long_line(UNUSED void **state)
{
	struct ending ending = ending_of(die_at_length);
	assert_int_equal(WEXITSTATUS(ending.status), EXIT_DIED);
	assert_memory_equal(ending.line, "tester: xxx", 11);
	assert_int_equal(strchr(ending.line, '\n') - ending.line + 1, strlen(ending.line));
}

static void
break_an_invariant(void)
{
	int two = 2;
	ensure(two == 3);
}

static void
check_bug(UNUSED void **state)
{
	struct ending ending = ending_of(break_an_invariant);
	assert_true(WIFSIGNALED(ending.status));
	assert_memory_equal(ending.line, "tester: bug at ", 15);
	assert_non_null(strstr(ending.line, "test_ends.c:"));
	assert_non_null(strstr(ending.line, "not so: two == 3\n"));
}

static void
keep_an_invariant(void)
{
	int two = 2;
	ensure(two == 2);
}

static void
check_ensure(UNUSED void **state)
{
	struct ending ending = ending_of(keep_an_invariant);
	assert_true(WIFEXITED(ending.status));
	assert_int_equal(WEXITSTATUS(ending.status), 0);
	assert_string_equal(ending.line, "");
}

int
main(void)
{
	const struct table tables[] = {
		CASE("die writes one line and exits with its status", check_die),
		CASE("control bytes do not reach the terminal", check_control_bytes),
		CASE("an over-long line is cut and still ends", check_long_line),
		CASE("a broken invariant ends by a signal", check_bug),
		CASE("a kept invariant does nothing", check_ensure),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
