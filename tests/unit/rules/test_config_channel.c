/*
 * The configuration over a channel: values survive the way, and what a peer sends wrong is refused
 * (config.h).
 */
#include "tests/table.h"
#include "tests/unit/rules/config_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one process sends, another accepts, and it comes out the same. */
static int
copy_value(void *context, unsigned option, struct bytes value)
{
	struct rules_error error = { 0 };
	int result = config_accept(context, option, value, &error);
	if (result < 0)
		fail_msg("%s", error.reason);
	return result;
}

static int
write_value(void *context, unsigned option, struct bytes value)
{
	fprintf(context, "%s = %.*s\n", config_rule(option)->name, (int)value.length, value.data);
	return 0;
}

static char *
all_values(const struct config *config, unsigned readers)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	assert_non_null(out);
	assert_int_equal(config_for_each(config, readers, write_value, out), 0);
	fclose(out);
	return text;
}

static const struct good_row {
	const char *name;
	const char *in;
} good_rows[] = {
	{ "defaults", "" },
	{ "lists", "listen = {'[2001:db8::1]:2121', 192.0.2.1:0} roots = '/'\n"
		   "groups_allowed = {0, 4294967294}" },
	{ "an empty list", "groups_allowed = {}" },
	{ "durations", "idle_timeout = 90s session_limit = 25h login_timeout = 61" },
	{ "sizes", "memory_limit = 65537" },
	{ "texts", "greeting = 'a = {b}, # \"c\"' users_file = '/a b' log_directory = ''" },
	{ "accounts", "gateway_user = 4000:4000 auth_user = nobody" },
	{ "a group by name", "admin_group = 'domain users' admin_socket = ''" },
	{ "a group by number", "admin_group = 4294967294 admin_socket = /run/x/admin.sock" },
	{ "a custom backend", "backend = count-9p backend_directory = /usr/lib/sallyport "
			      "backend_settings = 'level = \"7\"'" },
	{ "choices", "cage = required symlinks = refuse backend = memory sync_uploads = data" },
	{ "addresses", "passive_address = 192.0.2.255 passive_ports = 1024-65535" },
	{ "hosts", "host ftp.example.org { listen = {127.0.0.1:21, '[::1]:2121'} greeting = x }\n"
		   "umask = 027\n"
		   "host 'b' { users_file = '/etc/b' } host c_2-3 {}" },
	{ "proxies", "listen = {} proxy_listen = {127.0.0.1:21, '[::1]:21'} "
		     "proxy_from = {10.0.0.0/8, 192.0.2.7, '2001:db8::/32', '::1', '0.0.0.0/0', "
		     "'::/0'}" },
	{ "rules for addresses",
		"passive_address = {'10.1.2.3/32=192.0.2.1', '10.1.2.2=a', "
		"'10.0.0.0/8=1.example.org', '128.0.0.0/1=192.0.2.2', '0.0.0.0/0=x-1.example'}" },
};

static void
check_channel(void **state)
{
	const struct good_row *row = *state;
	SCOPE_LOADED file = config_file_load_good(row->in);
	struct config *copy = NULL;
	assert_int_equal(config_create(&copy), 0);
	assert_int_equal(config_for_each(file.config, READER_ALL, copy_value, copy), 0);
	char *sent = all_values(file.config, READER_ALL);
	char *received = all_values(copy, READER_ALL);
	assert_string_equal(sent, received);
	free(sent);
	free(received);
	config_free(&copy);
}

/* A process is told what it needs and no more. */
static void
check_readers(void **state)
{
	(void)state;
	struct config *config = NULL;
	assert_int_equal(config_create(&config), 0);
	char *gateway = all_values(config, READER_GATEWAY);
	assert_non_null(strstr(gateway, "greeting = "));
	assert_null(strstr(gateway, "users_file = "));
	assert_null(strstr(gateway, "uid_min = "));
	char *everything = all_values(config, READER_ALL);
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		assert_non_null(strstr(everything, config_rule(i)->name));
	free(gateway);
	free(everything);
	config_free(&config);
}

static int
refuse_third(void *context, unsigned option, struct bytes value)
{
	(void)option, (void)value;
	unsigned *calls = context;
	return ++*calls == 3 ? -EPIPE : 0;
}

static void
check_visit_stops(void **state)
{
	(void)state;
	struct config *config = NULL;
	unsigned calls = 0;
	assert_int_equal(config_create(&config), 0);
	assert_int_equal(config_for_each(config, READER_ALL, refuse_third, &calls), -EPIPE);
	assert_int_equal(calls, 3);
	config_free(&config);
}

/* Values from a channel: what a peer sends wrong is refused and changes nothing. */
static void
check_accept_untrusted(void **state)
{
	(void)state;
	static const struct {
		unsigned option;
		struct bytes value;
	} rows[] = {
		{ CONFIG_HOST + 1, IN("1") },
		{ UINT32_MAX, IN("1") },
		{ CONFIG_HOST, IN("") },
		{ CONFIG_HOST, IN("a\0b") },
		{ CONFIG_HOST, IN("1") },
		{ OPTION_roots, IN("relative") },
		{ OPTION_roots, IN("/a\0b") },
		{ OPTION_roots, IN("") },
		{ OPTION_users_file, IN("/a\0b") },
		{ OPTION_greeting, IN("a\r\nb") },
		{ OPTION_greeting, IN("a\0b") },
		{ OPTION_gateway_user, IN("no\nbody") },
		{ OPTION_listen, IN("[:21") },
		{ OPTION_listen, IN("127.0.0.1\0:21") },
		{ OPTION_passive_address, IN("1.2.3.4\0") },
		{ OPTION_passive_ports, IN("") },
		{ OPTION_umask, IN("") },
		{ OPTION_keep_partial, IN("") },
		{ OPTION_idle_timeout, IN("10s\0") },
	};
	struct config *config = NULL;
	assert_int_equal(config_create(&config), 0);
	char *before = all_values(config, READER_ALL);
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct rules_error error = { 0 };
		assert_int_equal(
			config_accept(config, rows[i].option, rows[i].value, &error), -EINVAL);
		assert_non_null(error.reason);
		assert_null(error.file);
		rules_error_free(&error);
	}
	char *after = all_values(config, READER_ALL);
	assert_string_equal(before, after);
	free(before);
	free(after);
	config_free(&config);
}

/* A second value for one option, from whatever side, is refused. */
static void
check_accept_twice(void **state)
{
	(void)state;
	struct config *config = NULL;
	struct rules_error error = { 0 };
	assert_int_equal(config_create(&config), 0);
	assert_int_equal(config_accept(config, OPTION_umask, bytes_of_text("027"), &error), 0);
	assert_int_equal(
		config_accept(config, OPTION_umask, bytes_of_text("077"), &error), -EINVAL);
	assert_string_equal(error.reason, "umask: set a second time");
	assert_int_equal(config->umask, 027);
	rules_error_free(&error);
	config_free(&config);
}

/* A list takes as many elements as its row says, and the ones before a refusal stay. */
static void
check_list_limit(void **state)
{
	(void)state;
	struct config *config = NULL;
	struct rules_error error = { 0 };
	assert_int_equal(config_create(&config), 0);
	for (int i = 0; i < 64; i++)
		assert_int_equal(
			config_accept(config, OPTION_roots, bytes_of_text("/a"), &error), 0);
	assert_int_equal(config_accept(config, OPTION_roots, bytes_of_text("/a"), &error), -EINVAL);
	assert_string_equal(error.reason, "roots: more than 64 entries");
	assert_int_equal(config->roots.count, 64);
	rules_error_free(&error);
	config_free(&config);
}

static void
check_host_limit(void **state)
{
	(void)state;
	struct config *config = NULL;
	struct rules_error error = { 0 };
	char name[16];
	assert_int_equal(config_create(&config), 0);
	for (int i = 0; i < CONFIG_HOSTS_MAX; i++) {
		snprintf(name, sizeof(name), "h%d", i);
		assert_int_equal(
			config_accept(config, CONFIG_HOST, bytes_of_text(name), &error), 0);
	}
	assert_int_equal(
		config_accept(config, CONFIG_HOST, bytes_of_text("more"), &error), -EINVAL);
	assert_string_equal(error.reason, "host: more than 64");
	assert_int_equal(config->host_count, CONFIG_HOSTS_MAX);
	rules_error_free(&error);
	config_free(&config);
}

/* The supervisor does not take a loader's word that somebody listens there. */
static void
check_host_without_listener(void **state)
{
	(void)state;
	struct config *config = NULL;
	struct rules_error error = { 0 };
	assert_int_equal(config_create(&config), 0);
	assert_int_equal(config_accept(config, CONFIG_HOST, bytes_of_text("a"), &error), 0);
	assert_int_equal(
		config_accept(config, OPTION_listen, bytes_of_text("127.0.0.1:22"), &error), 0);
	assert_int_equal(config_check(config, &error), -EINVAL);
	assert_string_equal(error.reason, "host \"a\": listen: nobody listens on 127.0.0.1:22");
	rules_error_free(&error);
	config_free(&config);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("over a channel", good_rows, check_channel),
		CASE("readers", check_readers),
		CASE("a visit stops at an error", check_visit_stops),
		CASE("untrusted values", check_accept_untrusted),
		CASE("a second value", check_accept_twice),
		CASE("most hosts", check_host_limit),
		CASE("a host that nobody listens for", check_host_without_listener),
		CASE("longest list", check_list_limit),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
