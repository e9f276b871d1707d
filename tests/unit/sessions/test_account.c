/*
 * Copies of accounts own their memory, and share a worker exactly if nothing but the rights differs
 * (account.h).
 */
#include "ipc/base/scope.h"
#include "policy/sessions/account.h"
#include "tests/table.h"

#include <errno.h>
#include <string.h>

/* A change of one field: whether the copy still shares the worker of the unchanged one. */
enum field {
	NOTHING_ELSE,
	HOST,
	NAME,
	UID,
	GID,
	GROUPS,
	HOME,
	BACKEND,
	THREADS,
	LIMIT,
	UMASK,
	LINKS,
	COUNT,
	RIGHTS,
	LOAD
};

struct key_row {
	const char *name;
	enum field changed;
	bool shares;
};

static const struct key_row key_rows[] = {
	{ "the same", NOTHING_ELSE, true },
	{ "other rights", RIGHTS, true },
	{ "another host", HOST, false },
	{ "another name", NAME, false },
	{ "another uid", UID, false },
	{ "another gid", GID, false },
	{ "another group", GROUPS, false },
	{ "another home", HOME, false },
	{ "another backend", BACKEND, false },
	{ "another number of threads", THREADS, false },
	{ "another memory limit", LIMIT, false },
	{ "something else to begin with", LOAD, false },
	{ "another umask", UMASK, false },
	{ "other links", LINKS, false },
	{ "another number of sessions", COUNT, false },
};

static struct wire_list
list_of_groups(char *buffer, size_t capacity, uint32_t gid)
{
	struct wire_list_builder builder = { .buffer = buffer, .capacity = capacity };
	struct account_group group = { .gid = 100 };
	assert_int_equal(wire_list_add(&builder, &account_group_record, &group), 0);
	group.gid = gid;
	assert_int_equal(wire_list_add(&builder, &account_group_record, &group), 0);
	return wire_list_built(&builder);
}

static struct wire_list
list_of_rights(char *buffer, size_t capacity, int count)
{
	struct wire_list_builder builder = { .buffer = buffer, .capacity = capacity };
	struct account_right right = { .folder = bytes_of_text("/in"), .bits = 3 };
	for (int i = 0; i < count; i++)
		assert_int_equal(wire_list_add(&builder, &account_right_record, &right), 0);
	return wire_list_built(&builder);
}

/* The copy of a user whose every byte is overwritten afterwards. */
static struct account *
copy_changed(enum field changed)
{
	char name[] = "ann", home[] = "/home/ann", groups[64], rights[256];
	struct account *account = NULL;
	struct account_user user = {
		.host = bytes_of_text(changed == HOST ? "example.org" : ""),
		.name = bytes_of_text(name),
		.uid = changed == UID ? 2000 : 1000,
		.gid = changed == GID ? 2000 : 1000,
		.groups = list_of_groups(groups, sizeof(groups), changed == GROUPS ? 201 : 200),
		.home = bytes_of_text(home),
		.backend = bytes_of_text(changed == BACKEND ? "memory" : "sync"),
		.path_threads = changed == THREADS ? 2 : 1,
		.memory_limit_bytes = changed == LIMIT ? 2 : 1,
		.memory_load = bytes_of_text(changed == LOAD ? "/srv/x" : ""),
		.umask = changed == UMASK ? 077 : 022,
		.symlinks = changed == LINKS ? SYMLINKS_REFUSE : SYMLINKS_FOLLOW,
		.sessions_max = changed == COUNT ? 2 : 1,
		.rights = list_of_rights(rights, sizeof(rights), changed == RIGHTS ? 3 : 1),
	};
	if (changed == NAME)
		name[2] = 'a';
	if (changed == HOME)
		home[6] = 'A';
	assert_int_equal(account_copy(&user, &account), 0);
	memset(name, 'x', sizeof(name));
	memset(home, 'x', sizeof(home));
	memset(groups, 'x', sizeof(groups));
	memset(rights, 'x', sizeof(rights));
	return account;
}

static void
check_key(void **state)
{
	const struct key_row *row = *state;
	SCOPE_FREE struct account *one = copy_changed(NOTHING_ELSE);
	SCOPE_FREE struct account *other = copy_changed(row->changed);
	assert_int_equal(bytes_equal(one->key, other->key), row->shares);
}

static void
check_copy(void **state)
{
	(void)state;
	SCOPE_FREE struct account *account = copy_changed(NOTHING_ELSE);
	struct account_right right;
	assert_true(bytes_equal_text(account->user.name, "ann"));
	assert_true(bytes_equal_text(account->user.home, "/home/ann"));
	assert_int_equal(account->identity.uid, 1000);
	assert_int_equal(account->identity.group_count, 2);
	assert_int_equal(account->identity.groups[0], 100);
	assert_int_equal(account->identity.groups[1], 200);
	assert_true(bytes_equal_text(account->identity.home, "/home/ann"));
	struct wire_list rights = account->user.rights;
	assert_true(wire_list_next(&rights, &account_right_record, &right));
	assert_true(bytes_equal_text(right.folder, "/in"));
	assert_false(wire_list_next(&rights, &account_right_record, &right));
}

/* Apart, whatever the names are: no name holds a slash. */
static void
check_who(void **state)
{
	(void)state;
	SCOPE_FREE struct account *plain = copy_changed(NOTHING_ELSE);
	SCOPE_FREE struct account *at_host = copy_changed(HOST);
	assert_true(bytes_equal_text(plain->who, "ann"));
	assert_true(bytes_equal_text(at_host->who, "example.org/ann"));
}

static void
check_memory(void **state)
{
	(void)state;
	SCOPE_FREE struct account *account = copy_changed(BACKEND);
	assert_null(account->identity.home.data);
}

static void
check_denial(void **state)
{
	struct denial denial;
	char longer[1000];
	(void)state;
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(account_deny(&denial, REFUSAL_HOME, ENOENT, "no %s", "home"), -ENOENT);
	assert_int_equal(denial.why, REFUSAL_HOME);
	assert_int_equal(denial.error, ENOENT);
	assert_string_equal(denial.detail, "no home");
	assert_int_equal(account_deny(&denial, REFUSAL_HOME, EIO, "%s", longer), -EIO);
	assert_int_equal(strlen(denial.detail), sizeof(denial.detail) - 1);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("key", key_rows, check_key),
		CASE("a copy owns what it points to", check_copy),
		CASE("who it is among all hosts", check_who),
		CASE("memory needs no home", check_memory),
		CASE("a denial is cut, never overrun", check_denial),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
