/*
 * The users file: what a line means, and that every mistake refuses the whole file with its line
 * and a reason (users.h).
 */
#include "policy/rules/users.h"
#include "tests/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH        "$y$j9T$gR03bWjXxv8N4YzOygVJo1$ypHoCkFb8S8ieZTVh7vXQaA1NYBHWBO0kjxiSGhRCY6"
#define LINE(words) "bob:" HASH ":1001:100::/srv/bob:" words "\n"

static struct users *
parse(const char *text)
{
	struct rules_error error = { 0 };
	struct users *users = NULL;
	if (users_parse(bytes_of_text(text), "users", &users, &error) < 0)
		fail_msg("%s", error.reason);
	return users;
}

static void
check_one_user(void **state)
{
	(void)state;
	struct users *users = parse("# people\n"
				    "\n"
				    "  \t \n"
				    "bob:" HASH ":1001:100:Bob B.:/srv/bob:"
				    "groups=101,102 umask=027  /=read+list /in=write\n");
	assert_int_equal(users_count(users), 1);
	const struct user *user = users_find(users, bytes_of_text("bob"));
	assert_non_null(user);
	assert_string_equal(user->name, "bob");
	assert_string_equal(user->hash, HASH);
	assert_int_equal(user->uid, 1001);
	assert_int_equal(user->gid, 100);
	assert_string_equal(user->comment, "Bob B.");
	assert_string_equal(user->home, "/srv/bob");
	assert_int_equal(user->groups.count, 2);
	assert_int_equal(user->groups.items[0], 101);
	assert_int_equal(user->groups.items[1], 102);
	assert_int_equal(user->line, 4);
	assert_true(user->given.umask);
	assert_int_equal(user->settings.umask, 027);
	assert_false(user->given.backend);
	assert_true(user_may_log_in(user));
	assert_int_equal(rights_at(user->rights, bytes_of_text("/in/a")), RIGHTS_WRITE);
	assert_int_equal(rights_at(user->rights, bytes_of_text("/a")), RIGHTS_READ | RIGHTS_LIST);
	users_free(&users);
	assert_null(users);
}

static void
check_no_words_is_all(void **state)
{
	(void)state;
	struct users *users = parse(LINE(""));
	const struct user *user = users_at(users, 0);
	assert_int_equal(rights_at(user->rights, bytes_of_text("/a")), RIGHTS_ALL);
	assert_int_equal(user->groups.count, 0);
	users_free(&users);
}

/* Without a final line end, in no order of names. */
static void
check_lookup(void **state)
{
	(void)state;
	struct users *users = parse("zoe:!:1001:100::/srv/zoe:\n"
				    "bob:!:1002:100::/srv/bob:\n"
				    "bo:!:1003:100::/srv/bo:\n"
				    "M\xc3\xbcller:!:1004:100::/srv/m:");
	static const struct {
		const char *name;
		unsigned uid;
	} rows[] = { { "zoe", 1001 }, { "bob", 1002 }, { "bo", 1003 }, { "M\xc3\xbcller", 1004 },
		{ "b", 0 }, { "bobb", 0 }, { "", 0 }, { "Bob", 0 }, { "../bob", 0 }, { "bob/", 0 },
		{ "'; drop table users; --", 0 }, { "$(id)", 0 } };
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		const struct user *user = users_find(users, bytes_of_text(rows[i].name));
		assert_int_equal(user == NULL ? 0 : user->uid, rows[i].uid);
	}
	assert_null(users_find(users, bytes_of("bob\0", 4)));
	assert_int_equal(users_count(users), 4);
	users_free(&users);
}

static void
check_empty_file(void **state)
{
	(void)state;
	struct users *users = parse("");
	assert_int_equal(users_count(users), 0);
	assert_null(users_find(users, bytes_of_text("bob")));
	users_free(&users);
}

static void
check_resolve(void **state)
{
	(void)state;
	struct config *config = NULL;
	struct rules_error error = { 0 };
	assert_int_equal(config_create(&config), 0);
	assert_int_equal(config_accept(config, OPTION_umask, bytes_of_text("077"), &error), 0);
	struct users *users = parse(
		LINE("backend=memory memory_limit=1MiB memory_load=/srv/a\\040b.tar keep_partial "
		     "mode_z=no"));
	assert_string_equal(users_at(users, 0)->memory_load, "/srv/a b.tar");
	struct user_settings settings = user_resolve(users_at(users, 0), config);
	assert_string_equal(settings.backend.name, "memory");
	assert_int_equal(settings.memory_limit, 1 << 20);
	assert_true(settings.keep_partial);
	assert_true(config->mode_z);
	assert_false(settings.mode_z);
	assert_int_equal(settings.umask, 077);
	assert_int_equal(settings.max_sessions_per_user, config->max_sessions_per_user);
	users_free(&users);
	config_free(&config);
}

struct login_row {
	const char *name;
	const char *in;
	bool want;
};

static const struct login_row login_rows[] = {
	{ "a hash", LINE(""), true },
	{ "disabled", LINE("disabled"), false },
	{ "disabled=yes", LINE("disabled=yes"), false },
	{ "disabled=no", LINE("disabled=no"), true },
	{ "locked with !", "bob:!" HASH ":1001:100::/srv/bob:\n", false },
	{ "locked with *", "bob:*:1001:100::/srv/bob:\n", false },
	{ "a certificate alone", "bob:!:1001:100::/srv/bob:certificate=dns/bob.example\n", true },
	{ "a certificate, disabled", LINE("certificate=dns/bob.example disabled"), false },
	{ "both", LINE("certificate=dns/bob.example certificate_and_password"), true },
};

static void
check_login(void **state)
{
	const struct login_row *row = *state;
	struct users *users = parse(row->in);
	assert_int_equal(user_may_log_in(users_at(users, 0)), row->want);
	users_free(&users);
}

struct good_row {
	const char *name;
	const char *in;
};

static const struct good_row good_rows[] = {
	{ "sha512crypt", "bob:$6$rounds=1000$abcdefgh$nhYjN017qxiYztzyUpZtPnUQcnLy62KsunSL"
			 "HNeLahp2EHPlAKmFFlrjEwSXGo2kgY5hR2.peKEg2VGUqIJJu1:1:1::/srv:\n" },
	{ "a name with blanks and signs", "Bob O'Neil $(id); --:!:1001:100::/srv/bob:\n" },
	{ "a name of 255 bytes", NULL },
	{ "a folder with a blank", LINE("/Shared\\040Documents=read") },
	{ "a folder with an equals sign", LINE("/a\\075b=read") },
	{ "a home with a colon", "bob:!:1001:100::/srv/a\\072b:\n" },
	{ "a link under one rule for all", LINE("/=all+symlink") },
	{ "a link where links are refused", LINE("/=read /in=symlink symlinks=refuse") },
	{ "the largest ids", "bob:!:4294967294:4294967294::/srv:\n" },
	{ "the root as home", "bob:!:1001:100::/:\n" },
};

static void
check_good(void **state)
{
	const struct good_row *row = *state;
	char longest[300];
	snprintf(longest, sizeof(longest), "%0255d:!:1001:100::/srv:\n", 0);
	struct users *users = parse(row->in == NULL ? longest : row->in);
	assert_int_equal(users_count(users), 1);
	users_free(&users);
}

/* Escapes are undone in the rule and in the home. */
static void
check_escapes(void **state)
{
	(void)state;
	struct users *users = parse("bob:!:1001:100::/srv/a\\072b:/x\\040y\\134\\075=read\n");
	const struct user *user = users_at(users, 0);
	assert_string_equal(user->home, "/srv/a:b");
	assert_int_equal(rights_at(user->rights, bytes_of_text("/x y\\=/z")), RIGHTS_READ);
	users_free(&users);
}

/* In the one form that is compared. */
static void
check_certificates(void **state)
{
	static const char *const want[] = {
		"sha256/00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
		"dns/ada.example",
		"email/Ada@Example.org",
		"uri/urn:x:1",
		"subject/CN=Ada L,O=x",
	};
	(void)state;
	struct users *users =
		parse(LINE("certificate=sha256/00112233445566778899AABBCCDDEEFF\\072"
			   "00112233445566778899aabbccddeeff,dns/ADA.example,email/Ada@Example.org,"
			   "uri/urn\\072x\\0721,subject/CN=Ada\\040L\\054O=x"));
	const struct user *user = users_at(users, 0);
	assert_int_equal(user->certificate.count, ARRAY_LENGTH(want));
	for (size_t i = 0; i < ARRAY_LENGTH(want); i++)
		assert_string_equal(user->certificate.items[i], want[i]);
	users_free(&users);
}

struct bad_row {
	const char *name;
	struct bytes in;
	unsigned line;
	const char *reason; /* stands somewhere in the reason */
};

#define IN(literal)                          \
	{                                    \
		literal, sizeof(literal) - 1 \
	}

static const struct bad_row bad_rows[] = {
	{ "six fields", IN("bob:!:1001:100::/srv/bob\n"), 1, "not the 7 of" },
	{ "eight fields", IN("bob:!:1001:100::/srv/bob:disabled:\n"), 1, "not the 7 of" },
	{ "a word", IN("bob\n"), 1, "not the 7 of" },
	{ "the right line", IN("# a\n\nbob:!:1001:100::/a:\nbob\n"), 4, "not the 7 of" },
	{ "the first of two", IN("bob\njim\n"), 1, "not the 7 of" },
	{ "a good line does not help", IN(LINE("") "x:y\n"), 2, "not the 7 of" },

	{ "no name", IN(":!:1001:100::/srv/bob:\n"), 1, "name: ''" },
	{ "a path for a name", IN("../bob:!:1001:100::/srv/bob:\n"), 1, "name: '../bob'" },
	{ "a control byte", IN("b\001b:!:1001:100::/srv/bob:\n"), 1, "name: " },
	{ "a control character of C1", IN("b\xc2\x85:!:1:1::/srv:\n"), 1, "name: " },
	{ "not UTF-8", IN("b\xff:!:1001:100::/srv/bob:\n"), 1, "name: " },
	{ "overlong UTF-8", IN("b\xc0\xaf:!:1001:100::/srv/bob:\n"), 1, "name: " },
	{ "a surrogate", IN("b\xed\xa0\x80:!:1001:100::/srv/bob:\n"), 1, "name: " },
	{ "cut UTF-8", IN("b\xc3:!:1001:100::/srv/bob:\n"), 1, "name: " },
	{ "a blank in front", IN(" bob:!:1001:100::/srv/bob:\n"), 1, "name: ' bob'" },
	{ "a blank behind", IN("bob :!:1001:100::/srv/bob:\n"), 1, "name: 'bob '" },
	{ "a name twice", IN("bob:!:1:1::/a:\namy:!:2:1::/a:\nbob:!:3:1::/a:\n"), 3,
		"name: 'bob' is on line 1 already" },

	{ "no hash", IN("bob::1001:100::/srv/bob:\n"), 1, "hash: empty" },
	{ "a password for a hash", IN("bob:secret:1001:100::/srv/bob:\n"), 1, "hash: not" },
	{ "DES", IN("bob:abJ5hTzAMxvpE:1001:100::/srv/bob:\n"), 1, "hash: not" },
	{ "md5crypt", IN("bob:$1$abcdefgh$n4nyhOWwKHGaY0tcp2qGR1:1:1::/srv:\n"), 1,
		"hash: outdated" },
	{ "unknown method", IN("bob:$zz$abcdefgh$ijkl:1001:100::/srv/bob:\n"), 1, "hash: not" },

	{ "uid of root", IN("bob:!:0:100::/srv/bob:\n"), 1, "uid: nobody is served as root" },
	{ "no uid", IN("bob:!::100::/srv/bob:\n"), 1, "uid: not a number" },
	{ "uid with a sign", IN("bob:!:-1:100::/srv/bob:\n"), 1, "uid: not a number" },
	{ "uid by name", IN("bob:!:bob:100::/srv/bob:\n"), 1, "uid: not a number" },
	{ "uid too large", IN("bob:!:4294967295:100::/srv/bob:\n"), 1, "uid: not a number" },
	{ "uid wraps", IN("bob:!:4294968297:100::/srv/bob:\n"), 1, "uid: not a number" },
	{ "gid with a blank", IN("bob:!:1001: 100::/srv/bob:\n"), 1, "gid: not a number" },

	{ "comment with an escape", IN("bob:!:1:1:\033[2J:/srv/bob:\n"), 1, "comment: " },
	{ "relative home", IN("bob:!:1001:100::srv/bob:\n"), 1, "home: 'srv/bob'" },
	{ "no home", IN("bob:!:1001:100:::\n"), 1, "home: ''" },
	{ "home with dots", IN("bob:!:1001:100::/srv/../bob:\n"), 1, "home: '/srv/../bob'" },
	{ "home with a final slash", IN("bob:!:1001:100::/srv/bob/:\n"), 1, "home: " },
	{ "home with a bad escape", IN("bob:!:1001:100::/srv/\\09:\n"), 1, "home: " },
	{ "home with an escape for NUL", IN("bob:!:1001:100::/srv\\000/bob:\n"), 1, "home: " },
	{ "home with an escape past 255", IN("bob:!:1001:100::/srv\\400:\n"), 1, "home: " },

	{ "unknown option", IN(LINE("shell=/bin/sh")), 1, "option: 'shell' is not known" },
	{ "option without a value", IN(LINE("umask")), 1, "umask: has no value" },
	{ "option twice", IN(LINE("umask=022 umask=027")), 1, "umask: given twice" },
	{ "list twice", IN(LINE("groups=1 groups=2")), 1, "groups: given twice" },
	{ "flag with a bad value", IN(LINE("disabled=maybe")), 1, "disabled: 'maybe'" },
	{ "bad mode", IN(LINE("umask=089")), 1, "umask: '089'" },
	{ "mode too large", IN(LINE("umask=1777")), 1, "umask: more than 777" },
	{ "bad group", IN(LINE("groups=100,wheel")), 1, "groups: 'wheel'" },
	{ "empty group", IN(LINE("groups=100,")), 1, "groups: ''" },
	{ "unknown backend", IN(LINE("backend=Disk")), 1,
		"backend: 'Disk' is no backend (as in sync, threaded, memory, or the name of a "
		"custom one)" },
	{ "too many threads", IN(LINE("path_threads=65")), 1, "path_threads: more than 64" },
	{ "a relative memory_load", IN(LINE("memory_load=srv/x")), 1,
		"memory_load: 'srv/x' is no" },
	{ "a bad escape", IN(LINE("memory_load=/srv/\\9")), 1, "memory_load: a bad" },
	{ "size below its bound", IN(LINE("memory_limit=1KiB")), 1,
		"memory_limit: less than 64KiB" },

	{ "a certificate of no kind", IN(LINE("certificate=cn/bob")), 1, "certificate: 'cn/bob'" },
	{ "a certificate without a name", IN(LINE("certificate=dns/")), 1, "certificate: 'dns/'" },
	{ "an empty certificate", IN(LINE("certificate=")), 1, "certificate: ''" },
	{ "half a fingerprint", IN(LINE("certificate=sha256/00112233445566778899aabbccddeeff")), 1,
		"certificate: 'sha256/" },
	{ "a fingerprint that is no number",
		IN(LINE("certificate=sha256/"
			"g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")),
		1, "certificate: 'sha256/g" },
	{ "a certificate with a bad escape", IN(LINE("certificate=dns/a\\9")), 1,
		"certificate: a bad" },
	{ "a certificate with a control character", IN(LINE("certificate=dns/a\\012")), 1,
		"certificate: 'dns/a" },
	{ "both, without a certificate", IN(LINE("certificate_and_password")), 1,
		"certificate_and_password: needs certificate=" },
	{ "both, without a password",
		IN("bob:!:1001:100::/srv/bob:certificate=dns/a certificate_and_password\n"), 1,
		"certificate_and_password: no password fits" },

	{ "rights without a list", IN(LINE("/incoming")), 1, "rights: '/incoming'" },
	{ "rights with an empty list", IN(LINE("/incoming=")), 1, "rights: ''" },
	{ "unknown right", IN(LINE("/=read+fly")), 1, "rights: 'read+fly'" },
	{ "rights for a folder twice", IN(LINE("/a=read /a=list")), 1,
		"rights: '/a' is there twice" },
	{ "rights for dots", IN(LINE("/a/../b=read")), 1, "rights: '/a/../b'" },
	{ "rights for a final slash", IN(LINE("/a/=read")), 1, "rights: '/a/'" },
	{ "rights with a bad escape", IN(LINE("/a\\1=read")), 1, "rights: '/a\\1'" },
	{ "a link beside other rules", IN(LINE("/=read /in=write+symlink")), 1, "symlinks=refuse" },
	{ "a link in one folder alone", IN(LINE("/in=all+symlink")), 1, "symlinks=refuse" },
	{ "a link with links followed", IN(LINE("/in=all+symlink symlinks=follow")), 1,
		"symlinks=refuse" },

	{ "a NUL", IN("bob:!:1001:100::/srv/bob:\0\n"), 1, "holds a NUL byte" },
	{ "a NUL in a comment line", IN("# a\0b\n"), 1, "holds a NUL byte" },
	{ "a carriage return", IN("bob:!:1001:100::/srv/bob:\r\n"), 1, "option: '\r'" },
};

static void
check_bad(void **state)
{
	const struct bad_row *row = *state;
	struct rules_error error = { 0 };
	struct users *users = NULL;
	assert_int_equal(users_parse(row->in, "/etc/users", &users, &error), -EINVAL);
	assert_null(users);
	assert_string_equal(error.file, "/etc/users");
	assert_int_equal(error.line, row->line);
	if (strstr(error.reason, row->reason) == NULL)
		fail_msg("reason is: %s", error.reason);
	rules_error_free(&error);
}

/* A line may have 16,384 bytes, and 64 folders; not one more. */
static void
check_limits(void **state)
{
	(void)state;
	struct rules_error error = { 0 };
	struct users *users = NULL;
	size_t length = USERS_LINE_BYTES_MAX;
	char *line = malloc(length + 3);
	assert_non_null(line);
	memset(line, ' ', length + 3);
	memcpy(line, "bob:!:1001:100::/srv:", 21);
	line[length] = '\n';
	assert_int_equal(users_parse(bytes_of(line, length + 1), "users", &users, &error), 0);
	users_free(&users);
	line[length] = ' ';
	line[length + 1] = '\n';
	assert_int_equal(users_parse(bytes_of(line, length + 2), "users", &users, &error), -EINVAL);
	assert_string_equal(error.reason, "longer than 16384 bytes");
	rules_error_free(&error);

	size_t used = 21;
	for (int i = 0; i <= RIGHTS_RULES_MAX; i++)
		used += (size_t)snprintf(line + used, length - used, "/%d=read ", i);
	assert_int_equal(users_parse(bytes_of(line, used), "users", &users, &error), -EINVAL);
	assert_string_equal(error.reason, "rights: more than 64 folders");
	rules_error_free(&error);
	free(line);
}

static void
check_error_text(void **state)
{
	(void)state;
	struct rules_error error = { 0 };
	struct users *users = NULL;
	assert_int_equal(
		users_parse(bytes_of_text("b\033:!:1:1::/:\n"), "a\nb", &users, &error), -EINVAL);
	char *text = rules_error_text(&error);
	assert_non_null(text);
	assert_memory_equal(text, "a\\x0ab:1: name: 'b\\x1b' is", 26);
	free(text);
	rules_error_free(&error);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("one user, all fields", check_one_user),
		CASE("no words give every right", check_no_words_is_all),
		CASE("lookup by name", check_lookup),
		CASE("empty file", check_empty_file),
		CASE("settings over configuration", check_resolve),
		TABLE("may log in", login_rows, check_login),
		TABLE("accepted", good_rows, check_good),
		CASE("escapes", check_escapes),
		CASE("names of certificates", check_certificates),
		TABLE("refused", bad_rows, check_bad),
		CASE("limits", check_limits),
		CASE("reasons are escaped", check_error_text),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
