/*
 * The quick start: what the arguments make of configuration and users (quick.h).
 */
#include "ipc/base/ends.h"
#include "policy/rules/password.h"
#include "policy/rules/quick.h"
#include "policy/rules/users.h"
#include "tests/table.h"

#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS_MAX = 140 };

/* Cuts "a b c" at its blanks, and parses. */
static int
parse(char *line, struct quick_arguments *arguments, struct rules_error *error)
{
	char *words[ARGUMENTS_MAX];
	int count = 0;
	for (char *word; (word = strsep(&line, " ")) != NULL && count < ARGUMENTS_MAX;)
		if (word[0] != '\0')
			words[count++] = word;
	return quick_parse(count, words, arguments, error);
}

static struct quick *
build(const char *line, const struct quick_home *home)
{
	char *words = strdup(line);
	struct quick_arguments arguments;
	struct rules_error error = { 0 };
	struct quick *quick = NULL;
	if (parse(words, &arguments, &error) < 0 ||
		quick_build(&arguments, home, &quick, &error) < 0)
		fail_msg("%s", error.reason);
	free(words);
	return quick;
}

static struct users *
users_of(const struct quick *quick)
{
	struct users *users = NULL;
	struct rules_error error = { 0 };
	if (users_parse(bytes_of_text(quick->users_text), "quick", &users, &error) < 0)
		fail_msg("%s", error.reason);
	return users;
}

static bool
fits(const char *password, const char *hash)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	assert_non_null(data);
	const char *made = crypt_r(password, hash, data);
	bool same = made != NULL && strcmp(made, hash) == 0;
	free(data);
	return same;
}

static const struct quick_home as_user = { .uid = 1234, .gid = 1235 };

static const struct quick_home of_ada = {
	.privileged = true, .root = "/srv/a b:c", .uid = 33, .gid = 0
};

static void
check_nothing_asked(void **state)
{
	(void)state;
	struct quick *quick = build("", &as_user);
	const struct config *config = quick->config;
	assert_string_equal(config->backend.name, "memory");
	assert_int_equal(config->listen.count, 2);
	assert_int_equal(ntohs(config->listen.items[0].v4.sin_port), 2121);
	assert_int_equal(ntohl(config->listen.items[0].v4.sin_addr.s_addr), INADDR_LOOPBACK);
	assert_true(IN6_IS_ADDR_LOOPBACK(&config->listen.items[1].v6.sin6_addr));
	assert_int_equal(config->roots.count, 1);
	assert_string_equal(config->roots.items[0], "/");
	assert_string_equal(config->users_file, "");
	assert_string_equal(config->log_directory, "");
	assert_string_equal(config->admin_socket, "");
	assert_int_equal(config->uid_min, 1000);
	assert_false(config->gateway_user.resolved);

	assert_int_equal(quick->user_count, 1);
	assert_string_equal(quick->users[0].name, "demo");
	assert_true(quick->users[0].made);
	assert_int_equal(strlen(quick->users[0].password), PASSWORD_MADE_BYTES);
	struct users *users = users_of(quick);
	const struct user *demo = users_find(users, bytes_of_text("demo"));
	assert_non_null(demo);
	assert_memory_equal(demo->hash, "$y$", 3);
	assert_true(fits(quick->users[0].password, demo->hash));
	assert_false(fits("demo", demo->hash));
	assert_int_equal(demo->uid, 1234);
	assert_int_equal(demo->gid, 1235);
	assert_string_equal(demo->home, "/");
	assert_int_equal(rights_at(demo->rights, bytes_of_text("/a")), RIGHTS_ALL);
	users_free(&users);
	quick_free(&quick);
	assert_null(quick);
}

static void
check_everything_asked(void **state)
{
	(void)state;
	struct quick *quick = build("--listen 127.0.0.2:2122 --listen=[::1]:2123 --root /srv "
				    "--user ada:a:b --user=bob --backend sync "
				    "--passive-ports 30000-30099 --admin-socket /tmp/a "
				    "--passive-address 10.0.0.0/8=10.1.2.3 "
				    "--passive-address=ftp.example.org",
		&of_ada);
	const struct config *config = quick->config;
	assert_string_equal(config->backend.name, "sync");
	assert_int_equal(config->listen.count, 2);
	assert_int_equal(ntohs(config->listen.items[1].v6.sin6_port), 2123);
	assert_string_equal(config->roots.items[0], "/srv/a b:c");
	assert_int_equal(config->passive_ports.first, 30000);
	assert_int_equal(config->passive_address.count, 2);
	assert_string_equal(config->admin_socket, "/tmp/a");
	assert_int_equal(config->uid_min, 33);
	assert_true(config->gateway_user.resolved);
	struct rules_error error = { 0 };
	assert_int_equal(config_resolve_accounts(quick->config, &error), 0);

	struct users *users = users_of(quick);
	const struct user *ada = users_find(users, bytes_of_text("ada"));
	const struct user *bob = users_find(users, bytes_of_text("bob"));
	ensure(ada != NULL && bob != NULL);
	assert_true(fits("a:b", ada->hash));
	assert_false(quick->users[0].made);
	assert_string_equal(quick->users[0].password, "a:b");
	assert_true(fits(quick->users[1].password, bob->hash));
	assert_string_equal(ada->home, "/srv/a b:c");
	assert_int_equal(ada->uid, 33);
	assert_int_equal(ada->gid, 65534);
	users_free(&users);
	quick_free(&quick);
}

static void
check_load(void **state)
{
	(void)state;
	struct quick_home home = as_user;
	home.load = "/srv/a b:c.tar";
	struct quick *quick = build("--load x --user ada:a", &home);
	assert_string_equal(quick->config->backend.name, "memory");
	struct users *users = users_of(quick);
	const struct user *ada = users_find(users, bytes_of_text("ada"));
	assert_non_null(ada);
	assert_string_equal(ada->memory_load, "/srv/a b:c.tar");
	users_free(&users);
	quick_free(&quick);
}

static void
check_root_means_threaded(void **state)
{
	(void)state;
	struct quick_home home = as_user;
	home.root = "/srv/x";
	struct quick *quick = build("--root x", &home);
	assert_string_equal(quick->config->backend.name, "threaded");
	quick_free(&quick);
}

struct bad_row {
	const char *name;
	const char *in;
	const struct quick_home *home;
	const char *reason;
};

static const struct quick_home roots_own = { .privileged = true, .root = "/srv/it's" };
static const struct quick_home the_root = { .privileged = true, .root = "/" };

static const struct bad_row bad_rows[] = {
	{ "unknown argument", "--port 21", &as_user, "argument: '--port' is not known" },
	{ "a word", "serve", &as_user, "argument: 'serve'" },
	{ "the beginning of an argument", "--list 127.0.0.1:1", &as_user, "argument: '--list'" },
	{ "no value", "--root", &as_user, "--root: needs DIR" },
	{ "twice", "--root a --root b", &as_user, "--root: more than 1" },
	{ "a bad address", "--listen localhost:21", &as_user, "listen: 'localhost:21'" },
	{ "an address twice", "--listen [::1]:1 --listen [::1]:1", &as_user, "is there twice" },
	{ "bad ports", "--passive-ports 5-4", &as_user, "passive_ports: '5-4'" },
	{ "a listener among the ports", "--passive-ports 2000-3000", &as_user,
		"listen: port 2121" },
	{ "unknown backend", "--backend disk", &as_user, "backend: 'disk' is not one of" },
	{ "memory and a folder", "--backend memory --root /srv", &as_user, "leave out --root" },
	{ "real files and something to load", "--root /srv --load /srv", &as_user,
		"--backend threaded has no use for it" },
	{ "sync without a folder", "--backend sync", &as_user, "add --root DIR" },
	{ "threaded without a folder", "--backend threaded", &as_user, "add --root DIR" },
	{ "a name that is a path", "--user ../bob:x", &as_user, "--user: '../bob' is no name" },
	{ "a name that would be a comment", "--user #bob:x", &as_user, "--user: '#bob'" },
	{ "no name", "--user :x", &as_user, "--user: ''" },
	{ "no password", "--user bob:", &as_user, "the password of 'bob' is empty" },
	{ "a name twice", "--user bob:x --user bob:y", &as_user, "'bob' is on line 1 already" },
	{ "root's own folder", "--root x", &roots_own, "chown nobody: '/srv/it'\\''s'" },
	{ "the root", "--root /", &the_root, "install -d -o nobody /srv/ftp" },
};

static void
check_bad(void **state)
{
	const struct bad_row *row = *state;
	char *words = strdup(row->in);
	struct quick_arguments arguments;
	struct rules_error error = { 0 };
	struct quick *quick = NULL;
	int result = parse(words, &arguments, &error);
	if (result == 0)
		result = quick_build(&arguments, row->home, &quick, &error);
	assert_int_equal(result, -EINVAL);
	assert_null(quick);
	if (strstr(error.reason, row->reason) == NULL)
		fail_msg("%s", error.reason);
	rules_error_free(&error);
	free(words);
}

/* What passwords are made of, and that they differ. */
static void
check_passwords(void **state)
{
	(void)state;
	char first[PASSWORD_MADE_BYTES + 1], second[PASSWORD_MADE_BYTES + 1];
	assert_int_equal(password_make(first), 0);
	assert_int_equal(password_make(second), 0);
	assert_int_equal(strlen(first), 16);
	assert_int_equal(strspn(first, "abcdefghijkmnpqrstuvwxyz23456789"), 16);
	assert_string_not_equal(first, second);

	char *hash = NULL, *again = NULL;
	assert_int_equal(password_hash("secret", &hash), 0);
	assert_int_equal(password_hash("secret", &again), 0);
	assert_string_not_equal(hash, again);
	assert_true(fits("secret", hash) && fits("secret", again));
	free(hash);
	free(again);

	char longest[600];
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	char *none = NULL;
	assert_int_equal(password_hash(longest, &none), -EINVAL);
	assert_null(none);
}

static void
check_usage(void **state)
{
	(void)state;
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	assert_non_null(out);
	quick_print_options(out);
	fclose(out);
	static const char *const options[][2] = {
#define QUICK(option, field, most, value, doc) { option, value },
#include "policy/rules/quick.def"
	};
	for (size_t i = 0; i < ARRAY_LENGTH(options); i++) {
		const char *line = strstr(text, options[i][0]);
		assert_non_null(line);
		line += strlen(options[i][0]);
		line += options[i][1][0] != '\0' && line[0] == ' ';
		assert_int_equal(strncmp(line, options[i][1], strlen(options[i][1])), 0);
		assert_int_equal(line[strlen(options[i][1])], '\n');
	}
	free(text);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("nothing asked for", check_nothing_asked),
		CASE("everything asked for", check_everything_asked),
		CASE("what memory begins with", check_load),
		CASE("a folder means threaded", check_root_means_threaded),
		TABLE("refused", bad_rows, check_bad),
		CASE("passwords", check_passwords),
		CASE("usage", check_usage),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
