/*
 * The configuration: what a file may say and what comes of it (config.h).
 */
#include "tests/table.h"
#include "tests/unit/rules/config_file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
check_defaults(void **state)
{
	(void)state;
	SCOPE_LOADED empty = config_file_load_good("");
	const struct config *config = empty.config;
	assert_int_equal(config->listen.count, 2);
	assert_int_equal(config->listen.items[0].any.sa_family, AF_INET);
	assert_int_equal(ntohs(config->listen.items[0].v4.sin_port), 21);
	assert_int_equal(config->listen.items[1].any.sa_family, AF_INET6);
	assert_int_equal(config->passive_ports.first, 20000);
	assert_int_equal(config->passive_ports.last, 29999);
	assert_int_equal(config->passive_address.count, 0);
	assert_int_equal(config->roots.count, 2);
	assert_int_equal(config->uid_min, 1000);
	assert_int_equal(config->worker_linger, 30);
	assert_int_equal(config->session_limit, 86400);
	assert_int_equal(config->commit_timeout, 600);
	assert_int_equal(config->umask, 022);
	assert_int_equal(config->memory_limit, 268435456);
	assert_int_equal(config->cage, CONFIG_CAGE_AVAILABLE);
	assert_string_equal(config->backend.name, "threaded");
	assert_int_equal(config->path_threads, 4);
	assert_false(config->keep_partial);
	assert_string_equal(config->users_file, "/etc/sallyport/users");
	assert_false(config->gateway_user.resolved);
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		assert_false(config->given[i]);
}

static void
check_whole_file(void **state)
{
	(void)state;
	SCOPE_LOADED file =
		config_file_load_good("# Sallyport\r\n"
				      "listen = {\"127.0.0.1:2121\", \"[::1]:2121\", # two\r\n"
				      "127.0.0.2:2121 }# another\n"
				      "passive_ports = 30000-30099\n"
				      "passive_address={'10.0.0.0/8=192.0.2.7', ftp.example.org}\n"
				      "roots = { /srv/ftp, '/srv/other # one' }\n"
				      "groups_allowed = {100, 101}\n"
				      "idle_timeout = 10min session_limit = 2d\n"
				      "memory_limit = 1GiB\n"
				      "greeting = 'Say \"ready\"'\n"
				      "umask = 0027\n"
				      "keep_partial\n=\nyes\n"
				      "auth_user = \"4000:4001\"\n"
				      "log_directory = \"\"\n"
				      "cage = required");
	const struct config *config = file.config;
	assert_int_equal(config->listen.count, 3);
	assert_int_equal(ntohl(config->listen.items[2].v4.sin_addr.s_addr), 0x7f000002);
	assert_int_equal(config->passive_ports.last, 30099);
	assert_int_equal(config->passive_address.count, 2);
	const struct value_announcement *rules = config->passive_address.items;
	assert_int_equal(ntohl(rules[0].address.s_addr), 0xc0000207);
	assert_int_equal(rules[0].clients.prefix, 104);
	assert_int_equal(rules[0].clients.ip[12], 10);
	assert_string_equal(rules[0].host, "");
	assert_int_equal(rules[1].clients.prefix, 96);
	assert_string_equal(rules[1].host, "ftp.example.org");
	assert_int_equal(config->roots.count, 2);
	assert_string_equal(config->roots.items[1], "/srv/other # one");
	assert_int_equal(config->groups_allowed.items[1], 101);
	assert_int_equal(config->idle_timeout, 600);
	assert_int_equal(config->session_limit, 172800);
	assert_int_equal(config->memory_limit, 1 << 30);
	assert_string_equal(config->greeting, "Say \"ready\"");
	assert_int_equal(config->umask, 027);
	assert_true(config->keep_partial);
	assert_true(config->auth_user.resolved);
	assert_int_equal(config->auth_user.uid, 4000);
	assert_int_equal(config->auth_user.gid, 4001);
	assert_string_equal(config->log_directory, "");
	assert_int_equal(config->cage, CONFIG_CAGE_REQUIRED);
}

static void
check_empty_list(void **state)
{
	(void)state;
	SCOPE_LOADED file = config_file_load_good("groups_allowed = {}\n");
	assert_int_equal(file.config->groups_allowed.count, 0);
	assert_true(file.config->given[OPTION_groups_allowed]);
}

/* What a section says is that host's, wherever it stands, and nothing of it is the server's. */
static void
check_hosts(void **state)
{
	(void)state;
	SCOPE_LOADED file =
		config_file_load_good("greeting = server\n"
				      "listen = {0.0.0.0:21, '[::1]:2121'}\n"
				      "host FTP.Example.org {\n"
				      "listen = {192.0.2.7:21, 192.0.2.7:2121, '[::1]:2121'}\n"
				      "greeting = example\n"
				      "users_file = /etc/example\n"
				      "}\n"
				      "host b { }\n"
				      "users_file = /etc/server\n");
	const struct config *config = file.config;
	assert_int_equal(config->host_count, 2);
	const struct config_host *example = &config->hosts[0], *b = &config->hosts[1];
	assert_string_equal(example->name, "ftp.example.org");
	assert_string_equal(example->greeting, "example");
	assert_string_equal(example->users_file, "/etc/example");
	assert_int_equal(example->listen.count, 3);
	assert_string_equal(b->name, "b");
	assert_false(b->given.greeting || b->given.users_file || b->given.listen);
	assert_string_equal(config->greeting, "server");
	assert_string_equal(config->users_file, "/etc/server");
	/* Listened on in addition: only what no listener of the server takes. */
	assert_int_equal(config->listen.count, 3);
	assert_int_equal(ntohs(config->listen.items[2].v4.sin_port), 2121);
	assert_int_equal(ntohl(config->listen.items[2].v4.sin_addr.s_addr), 0xc0000207);
}

static void
check_files(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		int want;
		const char *reason;
	} rows[] = {
		{ "/nonexistent/sallyport.conf", -ENOENT, "cannot be read: No such file" },
		{ "/", -EINVAL, "is not a regular file" },
		{ "/dev/null", -EINVAL, "is not a regular file" },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		SCOPE_LOADED file = { 0 };
		file.result = config_load(rows[i].path, &file.config, &file.error);
		assert_int_equal(file.result, rows[i].want);
		assert_string_equal(file.error.file, rows[i].path);
		assert_non_null(strstr(file.error.reason, rows[i].reason));
	}
}

static void
check_file_limit(void **state)
{
	(void)state;
	size_t length = (1 << 20) + 1;
	char *text = malloc(length);
	assert_non_null(text);
	memset(text, '\n', length);
	SCOPE_LOADED longest = config_file_load(bytes_of(text, length - 1));
	assert_int_equal(longest.result, 0);
	SCOPE_LOADED longer = config_file_load(bytes_of(text, length));
	assert_int_equal(longer.result, -EINVAL);
	assert_string_equal(longer.error.reason, "is longer than 1048576 bytes");
	free(text);
}

static void
check_accounts(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		int want;
		const char *reason;
	} rows[] = {
		{ "gateway_user = nobody auth_user = 4001:4001 record_user = 4002:4002", 0, "" },
		{ "gateway_user = 'no such account'", -EINVAL,
			"no account 'no such account'; make it: useradd --system " },
		{ "gateway_user = root", -EINVAL, "gateway_user: 'root' is root's" },
		{ "gateway_user = 4001:1 auth_user = 4001:2", -EINVAL,
			"auth_user: the same account as gateway_user" },
		{ "gateway_user = 1:1 auth_user = 2:2 record_user = 1:1", -EINVAL,
			"record_user: the same account as gateway_user" },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		SCOPE_LOADED file = config_file_load_good(rows[i].in);
		assert_int_equal(config_resolve_accounts(file.config, &file.error), rows[i].want);
		if (rows[i].want == 0)
			assert_true(file.config->gateway_user.resolved);
		else
			assert_non_null(strstr(file.error.reason, rows[i].reason));
	}
}

static void
check_admin_group(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		int want;
		bool resolved;
		const char *reason;
	} rows[] = {
		{ "", 0, false, "" },
		{ "admin_group = ''", 0, false, "" },
		{ "admin_group = root", 0, true, "" },
		{ "admin_group = 0", 0, true, "" },
		{ "admin_group = 'no such group'", -EINVAL, false, "no group 'no such group'" },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		SCOPE_LOADED file = config_file_load_good(rows[i].in);
		assert_int_equal(config_resolve_group(file.config, &file.error), rows[i].want);
		assert_int_equal(file.config->admin_group.resolved, rows[i].resolved);
		assert_int_equal(file.config->admin_group.gid, 0);
		if (rows[i].want < 0)
			assert_non_null(strstr(file.error.reason, rows[i].reason));
	}
}

int
main(void)
{
	const struct table tables[] = {
		CASE("defaults", check_defaults),
		CASE("a whole file", check_whole_file),
		CASE("an empty list", check_empty_list),
		CASE("files that are none", check_files),
		CASE("longest file", check_file_limit),
		CASE("hosts", check_hosts),
		CASE("accounts", check_accounts),
		CASE("the group of administrators", check_admin_group),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
