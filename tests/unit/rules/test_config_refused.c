/*
 * The configuration: every mistake is refused, with its line and the reason (config.h, HOSTILE 33).
 */
#include "tests/table.h"
#include "tests/unit/rules/config_file.h"

#include <errno.h>
#include <string.h>

struct bad_row {
	const char *name;
	struct bytes in;
	unsigned line;
	const char *reason; /* stands somewhere in the reason */
};

static const struct bad_row bad_rows[] = {
	{ "unknown option", IN("\nport = 21\n"), 2, "option: 'port' is not known" },
	{ "near miss", IN("idle_timout = 1\n"), 1, "is 'idle_timeout' meant?" },
	{ "near miss, two letters changed", IN("umaks = 022\n"), 1, "is 'umask' meant?" },
	{ "no near miss", IN("timeout = 1\n"), 1, "option: 'timeout' is not known" },
	{ "a path into a section", IN("listen|x = 1\n"), 1, "" },
	{ "an empty path", IN("|= 1\n"), 1, "" },
	{ "set twice", IN("umask = 022\numask = 027\n"), 2, "umask: set a second time" },
	{ "list set twice", IN("roots = {/a, /b}\n\nroots = /c\n"), 3, "roots: set a second time" },
	{ "list set twice to one", IN("roots = /a\nroots = /c\n"), 2, "roots: set a second time" },
	{ "list set twice to nothing", IN("groups_allowed = 1\ngroups_allowed = {}\n"), 0,
		"groups_allowed: ''" },
	{ "append", IN("umask += 022\n"), 1, "'+' needs quotes" },
	{ "no value", IN("umask =\n"), 2, "" },
	{ "no equals sign", IN("umask 022\n"), 1, "umask" },
	{ "two values", IN("umask = 022 027\n"), 1, "027" },
	{ "list for no list", IN("umask = {022}\n"), 1, "{" },
	{ "list not closed", IN("\nroots = {/a, /b\n\n"), 2, "without its closing }" },
	{ "list without comma", IN("roots = {/a /b}\n"), 1, "/b" },
	{ "a brace too many", IN("roots = {/a}\n}\n"), 2, "brace" },
	{ "section", IN("server {\numask = 022\n}\n"), 1, "option: 'server' is not known" },
	{ "function", IN("include(\"/etc/passwd\")\n"), 1, "'(' needs quotes" },
	{ "line counts past comments", IN("# a\n# b\n\n  # c\numask = x\n"), 5, "umask" },
	{ "line counts past lists", IN("roots = {\n/a,\n/b\n}\numask = x\n"), 5, "umask" },
	{ "element on its own line", IN("roots = {\n/a,\nb\n}\n"), 3, "roots: 'b'" },

	{ "C comment", IN("/* umask = 022 */\n"), 1, "comments begin with #" },
	{ "unclosed C comment", IN("umask = 022\n/* cage = required\n"), 2,
		"comments begin with #" },
	{ "C++ comment", IN("umask = 022 // 027\n"), 1, "comments begin with #" },
	{ "comment in a word", IN("users_file = /etc/a#b\n"), 1, "'#' needs quotes" },
	{ "star", IN("umask = *022\n"), 1, "'*' needs quotes" },
	{ "plus", IN("max_sessions = +5\n"), 1, "'+' needs quotes" },
	{ "backslash", IN("greeting = a\\b\n"), 1, "needs quotes" },
	{ "escape in a string", IN("users_file = \"/a\\0/b\"\n"), 1, "no escapes" },
	{ "escaped quote", IN("greeting = \"a\\\"b\"\n"), 1, "no escapes" },
	{ "environment", IN("users_file = \"${HOME}/x\"\n"), 1, "environment" },
	{ "environment without quotes", IN("users_file = ${HOME}\n"), 1, "'$' needs quotes" },
	{ "string not closed", IN("greeting = \"a\numask = 022\n"), 1, "without its closing \"" },
	{ "string not closed at the end", IN("greeting = 'a"), 1, "without its closing '" },
	{ "a NUL", IN("umask = 022\n\0cage = required\n"), 2, "control byte 0x00" },
	{ "an escape", IN("greeting = \"\033[2J\"\n"), 1, "control byte 0x1b" },
	{ "a lone carriage return", IN("umask = 022\rcage = x\n"), 1, "control byte 0x0d" },

	{ "number with a letter", IN("max_sessions = 10x\n"), 1, "max_sessions: '10x'" },
	{ "number with a sign", IN("max_sessions = -1\n"), 1, "max_sessions: '-1'" },
	{ "number with an exponent", IN("max_sessions = 1e3\n"), 1, "max_sessions: '1e3'" },
	{ "number too small", IN("max_sessions = 0\n"), 1, "max_sessions: less than 1" },
	{ "number too large", IN("max_sessions = 1000001\n"), 1,
		"max_sessions: more than 1000000" },
	{ "number beyond 64 bits", IN("max_sessions = 18446744073709551617\n"), 1,
		"more than 1000000" },
	{ "empty number", IN("max_sessions = \"\"\n"), 1, "max_sessions: ''" },
	{ "duration with an unknown unit", IN("idle_timeout = 5m\n"), 1,
		"idle_timeout: '5m' is no "
		"duration" },
	{ "duration in words", IN("idle_timeout = '5 min'\n"), 1, "idle_timeout: '5 min'" },
	{ "duration without a number", IN("idle_timeout = min\n"), 1, "idle_timeout: 'min'" },
	{ "duration too long", IN("idle_timeout = 2d\n"), 1, "idle_timeout: more than 1d" },
	{ "duration wraps", IN("idle_timeout = 18446744073709551615d\n"), 1, "more than 1d" },
	{ "duration too short", IN("idle_timeout = 0\n"), 1, "idle_timeout: less than 1s" },
	{ "size in decimal units", IN("memory_limit = 64MB\n"), 1,
		"memory_limit: '64MB' is no size" },
	{ "size in the unit of time", IN("memory_limit = 64min\n"), 1, "memory_limit: '64min'" },
	{ "size too small", IN("memory_limit = 1KiB\n"), 1, "memory_limit: less than 64KiB" },
	{ "mode in decimal", IN("umask = 089\n"), 1, "umask: '089' is no mode" },
	{ "mode too large", IN("umask = 01000\n"), 1, "umask: more than 777" },
	{ "flag", IN("keep_partial = true\n"), 1, "keep_partial: 'true' is no flag" },
	{ "choice", IN("cage = on\n"), 1, "cage: 'on' is not one of: available, required" },
	{ "choice in capitals", IN("cage = Required\n"), 1, "cage: 'Required'" },
	{ "no thread at all", IN("path_threads = 0\n"), 1, "path_threads: less than 1" },
	{ "too many threads", IN("path_threads = 65\n"), 1, "path_threads: more than 64" },
	{ "a word of another choice", IN("symlinks = required\n"), 1, "symlinks: 'required'" },
	{ "backend without its folder", IN("backend = count\n"), 0,
		"backend: 'count' is not one of: sync, threaded, memory; a custom one needs "
		"backend_directory" },
	{ "backend in capitals", IN("backend = Sync\n"), 1, "backend: 'Sync' is no backend" },
	{ "backend with a slash", IN("backend = '../sync'\n"), 1, "backend: '../sync' is no" },
	{ "backend that begins with a digit", IN("backend = 9p\n"), 1, "backend: '9p' is no" },
	{ "backend that ends in a hyphen", IN("backend = count-\n"), 1, "'count-' is no" },
	{ "backend of 33 letters", IN("backend = aaaaaaaaaabbbbbbbbbbccccccccccddd\n"), 1,
		"backend: 'aaaaaaaaaabbbbbbbbbbccccccccccddd' is no" },
	{ "no backend", IN("backend = ''\n"), 1, "backend: '' is no" },
	{ "empty choice", IN("cage = ''\n"), 1, "cage: ''" },
	{ "greeting of nothing", IN("greeting = ''\n"), 1, "greeting: may not be empty" },
	{ "greeting that is not UTF-8", IN("greeting = '\xff'\n"), 1, "greeting: " },
	{ "relative path", IN("users_file = users\n"), 1, "users_file: 'users' is no path" },
	{ "path with dots", IN("users_file = /etc/../users\n"), 1, "to be written '/users'" },
	{ "path with a final slash", IN("log_directory = /var/log/\n"), 1, "written '/var/log'" },
	{ "no users file", IN("users_file = ''\n"), 0, "users_file: may not be empty" },
	{ "no root", IN("roots = {}\n"), 0, "roots: may not be empty" },
	{ "empty root", IN("roots = {''}\n"), 1, "roots: " },
	{ "no listener", IN("listen = {}\n"), 0, "listen: may not be empty" },
	{ "listener without a port", IN("listen = 127.0.0.1\n"), 1, "listen: '127.0.0.1' is no" },
	{ "listener with an empty port", IN("listen = 127.0.0.1:\n"), 1, "listen: " },
	{ "listener with a large port", IN("listen = 127.0.0.1:65536\n"), 1, "listen: " },
	{ "listener by name", IN("listen = localhost:21\n"), 1, "listen: 'localhost:21'" },
	{ "listener of a short form", IN("listen = 127.1:21\n"), 1, "listen: " },
	{ "listener of IPv6 without brackets", IN("listen = ::1:21\n"), 1, "listen: " },
	{ "listener with an empty host", IN("listen = :21\n"), 1, "listen: " },
	{ "listener with empty brackets", IN("listen = '[]:21'\n"), 1, "listen: " },
	{ "listener with a scope", IN("listen = '[fe80::1%lo]:21'\n"), 1, "listen: " },
	{ "listener of IPv4 in brackets", IN("listen = '[127.0.0.1]:21'\n"), 1, "listen: " },
	{ "a listener twice", IN("listen = {'[::1]:21', '[0:0::1]:21'}\n"), 1, "is there twice" },
	{ "ports backwards", IN("passive_ports = 30000-20000\n"), 1, "runs backwards" },
	{ "ports without an end", IN("passive_ports = 20000-\n"), 1, "passive_ports: '20000-'" },
	{ "one port", IN("passive_ports = 20000\n"), 1, "passive_ports: '20000'" },
	{ "ports of the system", IN("passive_ports = 1023-2000\n"), 1, "less than 1024" },
	{ "ports too large", IN("passive_ports = 20000-65536\n"), 1, "passive_ports: " },
	{ "source port of active mode among the ports",
		IN("active_source_port = 2500\npassive_ports = 2000-3000\n"), 0,
		"active_source_port: 2500 is a port of passive_ports" },
	{ "source port of active mode is a listener's",
		IN("active_source_port = 2121\nlisten = 127.0.0.1:2121\n"), 0,
		"active_source_port: 2121 is a port of listen" },
	{ "listener among the ports", IN("listen = 127.0.0.1:2121\npassive_ports = 2000-3000\n"), 0,
		"listen: port 2121 is one of passive_ports 2000-3000" },
	{ "passive address with a slip in it", IN("passive_address = 192.0.2.300\n"), 1,
		"passive_address: '192.0.2.300' is no rule (as in 192.0.2.7" },
	{ "passive address of a bad name", IN("passive_address = -a.example.org\n"), 1,
		"passive_address: '-a.example.org'" },
	{ "passive address of a name with an empty label", IN("passive_address = a..b\n"), 1,
		"passive_address: 'a..b'" },
	{ "passive address of a name that ends in a dot", IN("passive_address = a.b.\n"), 1,
		"passive_address: 'a.b.'" },
	{ "passive address for a network of names", IN("passive_address = 'a/8=192.0.2.7'\n"), 1,
		"passive_address: 'a/8' is no" },
	{ "passive address for a prefix too long",
		IN("passive_address = '10.0.0.0/33=192.0.2.7'\n"), 1,
		"passive_address: '10.0.0.0/33' is no" },
	{ "passive address for half a network", IN("passive_address = '10.1.0.0/8=192.0.2.7'\n"), 1,
		"'10.1.0.0/8' has bits behind the prefix" },
	{ "passive address for clients of IPv6",
		IN("passive_address = '2001:db8::/32=192.0.2.7'\n"), 1,
		"'2001:db8::/32' is no network of IPv4" },
	{ "passive address for nobody", IN("passive_address = '=192.0.2.7'\n"), 1,
		"passive_address: '' is no" },
	{ "passive address without an address", IN("\npassive_address = '10.0.0.0/8='\n"), 2,
		"passive_address: '' is no" },
	{ "a rule behind one for everybody",
		IN("passive_address = {192.0.2.1,\n'10.0.0.0/8=192.0.2.7'}\n"), 2,
		"'10.0.0.0/8=192.0.2.7' is for clients that '192.0.2.1' before it takes" },
	{ "a rule behind one for more",
		IN("passive_address = {'10.0.0.0/8=a.example', '10.1.2.3=b.example'}\n"), 1,
		"'10.1.2.3=b.example' is for clients that '10.0.0.0/8=a.example' before it takes" },
	{ "passive address of IPv6", IN("passive_address = ::1\n"), 1, "passive_address: " },
	{ "passive address of nobody", IN("passive_address = 0.0.0.0\n"), 1, "passive_address: " },
	{ "passive address of many", IN("passive_address = 224.0.0.1\n"), 1, "passive_address: " },
	{ "proxies that come from nowhere", IN("proxy_listen = 127.0.0.1:2121\n"), 0,
		"proxy_from: may not be empty with proxy_listen" },
	{ "certificates of clients without TLS", IN("tls_client_certificate = request\n"), 0,
		"tls_client_certificate: needs tls" },
	{ "authorities for nobody", IN("tls_client_ca = /etc/ca.pem\n"), 0,
		"tls_client_ca: needs tls_client_certificate" },
	{ "a list of nobody's",
		IN("tls = optional\ntls_client_certificate = require\ntls_client_crl = /etc/crl\n"),
		0, "tls_client_crl: needs tls_client_ca" },
	{ "proxies that come to nothing", IN("proxy_from = 10.0.0.0/8\n"), 0,
		"proxy_from: there is no proxy_listen" },
	{ "a port that a proxy would have to guess",
		IN("proxy_listen = 127.0.0.1:0\nproxy_from = 10.0.0.0/8\n"), 0,
		"proxy_listen: a proxy cannot guess" },
	{ "one address for clients and proxies",
		IN("listen = 127.0.0.1:21\nproxy_listen = 127.0.0.1:21\nproxy_from = 10.0.0.1\n"),
		0, "proxy_listen: one of its addresses is in listen" },
	{ "a proxy's listener among the ports",
		IN("proxy_listen = 127.0.0.1:2121\nproxy_from = ::1\npassive_ports = 2000-3000\n"),
		0, "proxy_listen: port 2121 is one of passive_ports 2000-3000" },
	{ "source port of active mode is a proxy's listener's",
		IN("active_source_port = 2121\nproxy_listen = 127.0.0.1:2121\nproxy_from = ::1\n"),
		0, "active_source_port: 2121 is a port of proxy_listen" },
	{ "proxies by name", IN("proxy_from = {'10.0.0.1', proxy.example.org}\n"), 1,
		"proxy_from: 'proxy.example.org' is no network (as in" },
	{ "proxies of half a network", IN("proxy_from = 10.0.0.1/8\n"), 1,
		"proxy_from: '10.0.0.1/8' has bits behind the prefix" },
	{ "proxies of a network too narrow", IN("proxy_from = ::1/129\n"), 1,
		"proxy_from: '::1/129'" },
	{ "group by name", IN("groups_allowed = {users}\n"), 1, "groups_allowed: 'users'" },
	{ "group without number", IN("groups_allowed = {4294967295}\n"), 1, "groups_allowed: " },
	{ "root's uid as least", IN("uid_min = 0\n"), 1, "uid_min: less than 1" },
	{ "account of root", IN("gateway_user = 0:0\n"), 1, "gateway_user: root's" },
	{ "account with root's group", IN("gateway_user = 4000:0\n"), 1, "gateway_user: root's" },
	{ "account with half a number", IN("gateway_user = 4000:\n"), 1, "gateway_user: '4000:'" },
	{ "no account", IN("gateway_user = ''\n"), 1, "gateway_user: ''" },
	{ "a group whose name is too long", IN("admin_group = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"),
		1, "admin_group: 'aaa" },
	{ "a socket whose name no socket can have",
		IN("admin_socket = /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"),
		1, "admin_socket: longer than 107 bytes" },
	{ "idle time that ends before it begins",
		IN("idle_timeout = 20s\nidle_timeout_max = 10s\n"), 0,
		"idle_timeout_max: shorter" },
	{ "commit shorter than a path", IN("commit_timeout = 20s\n"), 0,
		"commit_timeout: shorter" },

	{ "host without a name", IN("host {\n}\n"), 1, "missing title" },
	{ "host as an option", IN("host = a\n"), 1, "missing title" },
	{ "host with an empty name", IN("\nhost '' { }\n"), 2, "host: '' is no name of a host" },
	{ "host with a blank", IN("host 'a b' { }\n"), 1, "host: 'a b'" },
	{ "host with an empty label", IN("host a..b { }\n"), 1, "host: 'a..b'" },
	{ "host with a final dot", IN("host a.b. { }\n"), 1, "host: 'a.b.'" },
	{ "host with a hyphen in front", IN("host a.-b { }\n"), 1, "host: 'a.-b'" },
	{ "host of IPv4", IN("host 192.0.2.7 { }\n"), 1, "host: '192.0.2.7'" },
	{ "host of IPv6", IN("host '[::1]' { }\n"), 1, "host: '[::1]'" },
	{ "host with a port", IN("host 'a.b:21' { }\n"), 1, "host: 'a.b:21'" },
	{ "host with a long label",
		IN("host a123456789a123456789a123456789a123456789a123456789a123456789abcd { }\n"),
		1, "host: 'a123456789" },
	{ "host twice", IN("host a { }\n\nhost a { }\n"), 3, "duplicate title 'a'" },
	{ "host twice in other letters", IN("host a.b { }\nhost A.B { greeting = x }\n"), 2,
		"host: 'A.B' is there twice" },
	{ "unknown option of a host", IN("host a {\n\ngreting = x\n}\n"), 3,
		"is 'greeting' meant?" },
	{ "option of the server in a host", IN("host a {\numask = 022\n}\n"), 2,
		"umask: is the server's, not a host's" },
	{ "host in a host", IN("host a {\nhost b { }\n}\n"), 2, "option: 'host' is not known" },
	{ "host that is not closed", IN("\nhost a {\ngreeting = {'x'}\n"), 2,
		"'{' without its closing }" },
	{ "option of a host twice", IN("host a {\ngreeting = x\ngreeting = y\n}\n"), 3,
		"greeting: set a second time" },
	{ "list of a host twice", IN("host a {\nlisten = 127.0.0.1:1\nlisten = 127.0.0.1:2\n}\n"),
		3, "listen: set a second time" },
	{ "bad value of a host", IN("host a {\nusers_file = x\n}\n"), 2, "users_file: 'x' is no" },
	{ "no users file of a host", IN("host a { users_file = '' }\n"), 0,
		"host \"a\": users_file: may not be empty" },
	{ "no listener of a host", IN("host a {\nlisten = {}\n}\n"), 0,
		"host \"a\": listen: may not be empty" },
	{ "one address for two hosts",
		IN("host a { listen = 127.0.0.1:21 }\nhost b { listen = 127.0.0.1:21 }\n"), 0,
		"host \"b\": listen: 127.0.0.1:21 is that of host \"a\"" },
	{ "address of a host without its port", IN("host a { listen = 127.0.0.1:0 }\n"), 0,
		"host \"a\": listen: 127.0.0.1:0 needs its port" },
	{ "address of a host among the ports", IN("host a { listen = 127.0.0.1:20000 }\n"), 0,
		"listen: port 20000 is one of passive_ports" },
};

static void
check_bad(void **state)
{
	const struct bad_row *row = *state;
	SCOPE_LOADED file = config_file_load(row->in);
	assert_int_equal(file.result, -EINVAL);
	assert_null(file.config);
	assert_non_null(file.error.file);
	assert_non_null(file.error.reason);
	if (file.error.line != row->line || strstr(file.error.reason, row->reason) == NULL)
		fail_msg("line %u: %s", file.error.line, file.error.reason);
	assert_memory_equal(file.error.file, "/proc/self/fd/", 14);
}

/* After any of the bad files the next good one loads: libConfuse's lexer keeps no state of ours. */
static void
check_good_after_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(bad_rows); i++) {
		SCOPE_LOADED bad = config_file_load(bad_rows[i].in);
		assert_int_equal(bad.result, -EINVAL);
		SCOPE_LOADED good = config_file_load_good("greeting = 'x'\numask = 027\n");
		assert_int_equal(good.config->umask, 027);
	}
}

static void
check_no_wild_hint(void **state)
{
	(void)state;
	unsigned option = 77;
	struct rules_error error = { 0 };
	assert_int_equal(config_find(bytes_of_text("timeout"), &option, &error), -EINVAL);
	assert_string_equal(error.reason, "option: 'timeout' is not known");
	assert_int_equal(option, 77);
	rules_error_free(&error);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("refused", bad_rows, check_bad),
		CASE("a good file after each bad one", check_good_after_bad),
		CASE("no hint far off", check_no_wild_hint),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
