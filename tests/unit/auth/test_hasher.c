/*
 * Real hashers in their real cage: a right password matches, a wrong one does not, a NUL inside
 * never does, and one that is killed has no result and is replaced (hasher.h, pool.h).
 */
#include "ipc/base/ends.h"
#include "policy/auth/pool.h"
#include "tests/table.h"

#include <crypt.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static struct event_base *base;
static struct pool *pool;
static enum pool_result last_result;
static unsigned forgotten;

static const struct trust_files nothing;

static void
forget(void *owner)
{
	(void)owner;
	forgotten++;
}

static void
on_done(void *owner, void *request, enum pool_result result)
{
	(void)owner;
	assert_ptr_equal(request, &last_result);
	last_result = result;
	event_base_loopbreak(base);
}

static void
open_pool(void)
{
	struct pool_options options = {
		.processes = 1,
		.forget = forget,
		.done = on_done,
		.trust = &nothing,
	};
	base = event_base_new();
	options.base = base;
	assert_int_equal(pool_new(&options, &pool), 0);
}

static void
close_pool(void)
{
	pool_free(&pool);
	event_base_free(base);
	while (wait(NULL) > 0)
		;
}

static enum pool_result
compute(struct bytes secret, const char *hash)
{
	assert_int_equal(pool_compute(pool, secret, bytes_of_text(hash), &last_result), 0);
	assert_int_equal(event_base_dispatch(base), 0);
	return last_result;
}

struct method_row {
	const char *name;
	const char *setting;
};

static const struct method_row method_rows[] = {
	{ "SHA-512", "$6$rounds=1000$saltsalt$" },
	{ "SHA-256", "$5$rounds=1000$saltsalt$" },
	{ "yescrypt", "$y$j75$saltsaltsaltsalt$" },
};

static void
check_method(void **state)
{
	const struct method_row *row = *state;
	struct crypt_data scratch = { 0 };
	const char *hash = crypt_r("right", row->setting, &scratch);
	assert_non_null(hash);
	assert_true(hash[0] == '$');
	open_pool();
	assert_int_equal(compute(bytes_of_text("right"), hash), POOL_MATCHES);
	assert_int_equal(compute(bytes_of_text("wrong"), hash), POOL_DIFFERS);
	assert_int_equal(compute(bytes_of_text(""), hash), POOL_DIFFERS);
	assert_int_equal(compute(bytes_of("right\0", 6), hash), POOL_DIFFERS);
	assert_int_equal(compute(bytes_of_text("right"), "no hash at all"), POOL_DIFFERS);
	assert_int_equal(compute(bytes_of_text("right"), hash), POOL_MATCHES);
	close_pool();
}

/* The only child of this process. */
static pid_t
hasher_pid(void)
{
	char path[64];
	int pid = 0;
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	FILE *children = fopen(path, "re");
	assert_non_null(children);
	assert_int_equal(fscanf(children, "%d", &pid), 1);
	fclose(children);
	return pid;
}

static void
check_killed_at_work(void **state)
{
	(void)state;
	open_pool();
	struct bytes slow = bytes_of_text("$6$rounds=999999999$saltsalt$");
	assert_int_equal(pool_compute(pool, bytes_of_text("right"), slow, &last_result), 0);
	assert_false(pool_is_idle(pool));
	assert_int_equal(pool_compute(pool, bytes_of_text("right"), slow, &last_result), -EBUSY);
	pid_t pid = hasher_pid();
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(event_base_dispatch(base), 0);
	assert_int_equal(last_result, POOL_DIED);
	assert_true(pool_is_idle(pool));
	close_pool();
}

static void
check_killed(void **state)
{
	(void)state;
	struct crypt_data scratch = { 0 };
	const char *hash = crypt_r("right", "$6$rounds=1000$saltsalt$", &scratch);
	open_pool();
	pid_t pid = hasher_pid();
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(compute(bytes_of_text("right"), hash), POOL_MATCHES);
	assert_int_not_equal(hasher_pid(), pid);
	close_pool();
}

int
main(void)
{
	/* As auth has it from cage_become(): without privilege, no filter is loaded otherwise. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		bug("PR_SET_NO_NEW_PRIVS");
	const struct table tables[] = {
		TABLE("method", method_rows, check_method),
		CASE("a hasher is killed at work", check_killed_at_work),
		CASE("an idle hasher is killed and replaced", check_killed),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
