/*
 * What the loader reads and refuses: configuration files with their users file and log folder, and
 * the arguments of a quick start (load.h). Each refusal names what and why.
 */
#include "ipc/base/scope.h"
#include "policy/loader/load.h"
#include "policy/loader/remarks.h"
#include "tests/table.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/sallyport-load-XXXXXX";

/* "@" in a text stands for the folder. */
static void
write_file(const char *name, const char *text, mode_t mode)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	for (; *text != '\0'; text++)
		if (*text == '@')
			fputs(folder, file);
		else
			fputc(*text, file);
	assert_int_equal(fchmod(fileno(file), mode), 0);
	assert_int_equal(fclose(file), 0);
}

static void
remove_file(const char *name)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	remove(path);
}

static void
expect(int failure, const struct rules_error *error, const char *want)
{
	SCOPE_FREE char *text = failure < 0 ? rules_error_text(error) : strdup("");
	if (text == NULL)
		fail_msg("%s", "memory is short");
	else if (want[0] == '\0' && failure < 0)
		fail_msg("refused: %s", text);
	else if (want[0] != '\0' && (failure == 0 || strstr(text, want) == NULL))
		fail_msg("'%s' is not in '%s'", want, text);
}

struct file_row {
	const char *name;
	const char *config; /* after users_file and accounts, log_directory being empty */
	const char *users;  /* NULL: there is none */
	mode_t users_mode;
	const char *want; /* "": taken */
};

#define HASH "$6$rounds=1000$abcdefgh$x"
#define ANN  "ann:" HASH ":1000:1000::/home/ann:\n"
#define BOB  "bob:" HASH ":1000:1000::/home/bob:"

/* Its file is there; the loader looks no further. */
#define CUSTOM "backend_directory = \"@\"\nbackend = \"count\"\n"

static const struct file_row file_rows[] = {
	{ "good", "", ANN, 0600, "" },
	{ "nobody in it", "", "", 0600, "" },
	{ "only comments", "", "# nobody\n\n", 0600, "" },
	{ "readable by all", "", ANN, 0644, "" },
	{ "writable by all", "", ANN, 0646, "/users: everybody may write it" },
	{ "no users file", "", NULL, 0, "/users: cannot be read: No such file or directory" },
	{ "a wrong line", "", ANN "bob:x\n", 0600, "/users:2: " },
	{ "a user twice", "", ANN ANN, 0600, "/users:2: " },
	{ "an unknown option", "gateway = 1\n", ANN, 0600, "/conf:6: " },
	{ "a wrong value", "gateways = many\n", ANN, 0600, "/conf:6: " },
	{ "options that contradict", "listen = {\"127.0.0.1:25000\"}\n", ANN, 0600,
		"passive_ports" },
	{ "a custom backend", CUSTOM, ANN, 0600, "" },
	{ "a custom backend that is missing", "backend_directory = \"@\"\nbackend = \"other\"\n",
		ANN, 0600, "backend: 'other' is not one of: sync, threaded, memory; and " },
	{ "memory_load", "", ANN BOB "backend=memory memory_load=/srv/x\n", 0600, "" },
	{ "memory_load without memory", "", ANN BOB "memory_load=/srv/x\n", 0600,
		"/users:2: memory_load: only for backend=memory" },
	{ "a user's custom backend", CUSTOM, ANN BOB "backend=count\n", 0600, "" },
	{ "a user's custom backend that is missing", CUSTOM, ANN BOB "backend=other\n", 0600,
		"/users:2: backend: 'other' is not one of" },
	{ "a user's custom backend without a folder", "", ANN BOB "backend=count\n", 0600,
		"/users:2: backend: 'count' is not one of" },
	{ "a host with the same users", "host a { users_file = \"@/users\" }\nhost b { }\n", ANN,
		0600, "" },
	{ "a host whose users file is missing", "host a { users_file = \"@/none\" }\n", ANN, 0600,
		"/none: cannot be read: No such file" },
	{ "a host whose users file is wrong", "host a { users_file = \"@/conf\" }\n", ANN, 0600,
		"/conf:1: " },
	{ "a host with an option of the server", "host a {\numask = 022\n}\n", ANN, 0600,
		"/conf:7: umask: is the server's" },
	{ "logs into no folder", "log_directory = \"@/none\"\n", ANN, 0600, "/none: No such file" },
	{ "logs into no folder, and which file says so", "log_directory = \"@/none\"\n", ANN, 0600,
		"/conf: log_directory: " },
	{ "TLS without certificates", "tls = required\nkeys_user = \"2004:2004\"\n", ANN, 0600,
		"/conf: tls: needs tls_certificates" },
	{ "a group of administrators that is not there", "admin_group = \"no such group\"\n", ANN,
		0600, "/conf: admin_group: no group 'no such group'" },
	{ "logs into a file", "log_directory = \"@/users\"\n", ANN, 0600, "is not a folder" },
};

static void
check_file(void **state)
{
	const struct file_row *row = *state;
	char text[1024], path[256];
	struct rules_error error = { 0 };
	struct load *load = NULL;
	bool own_log = strstr(row->config, "log_directory") != NULL;
	snprintf(text, sizeof(text),
		"users_file = \"@/users\"\ngateway_user = \"2001:2001\"\n"
		"auth_user = \"2002:2002\"\nrecord_user = \"2003:2003\"\n%s%s",
		own_log ? "\n" : "log_directory = \"\"\n", row->config);
	write_file("conf", text, 0600);
	if (row->users != NULL)
		write_file("users", row->users, row->users_mode);
	write_file("sallyport-backend-count.so", "", 0600);
	snprintf(path, sizeof(path), "%s/conf", folder);
	const struct load_source source = { .config_path = path };
	int failure = load_read(&source, NULL, &load, &error);
	expect(failure, &error, row->want);
	if (failure == 0) {
		struct stat status;
		int users_fd = load->users.items[0].fd;
		assert_true(users_files_match(&load->users, load->config));
		assert_int_equal(fstat(users_fd, &status), 0);
		assert_int_equal(status.st_size, row->users == NULL ? 0 : strlen(row->users));
		assert_int_equal(lseek(users_fd, 0, SEEK_CUR), 0);
		assert_null(load->banner);
	} else {
		assert_null(load);
	}
	load_free(&load);
	rules_error_free(&error);
	remove_file("conf");
	remove_file("users");
	remove_file("sallyport-backend-count.so");
}

/* The usual place is root's; who names one has it, and who names none has none elsewhere. */
static void
check_admin_socket(void **state)
{
	static const struct {
		const char *line;
		const char *want;
		const char *want_as_user;
	} rows[] = {
		{ "", "/run/sallyport/admin.sock", "" },
		{ "admin_socket = \"/run/sallyport/admin.sock\"\n", "/run/sallyport/admin.sock",
			"/run/sallyport/admin.sock" },
		{ "admin_socket = \"\"\n", "", "" },
		{ "admin_socket = \"/tmp/a\"\n", "/tmp/a", "/tmp/a" },
	};
	char text[512], path[256];
	(void)state;
	snprintf(path, sizeof(path), "%s/conf", folder);
	write_file("users", ANN, 0600);
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct rules_error error = { 0 };
		struct load *load = NULL;
		const struct load_source source = { .config_path = path };
		snprintf(text, sizeof(text),
			"users_file = \"@/users\"\ngateway_user = \"2001:2001\"\n"
			"auth_user = \"2002:2002\"\nrecord_user = \"2003:2003\"\n"
			"log_directory = \"\"\n%s",
			rows[i].line);
		write_file("conf", text, 0600);
		expect(load_read(&source, NULL, &load, &error), &error, "");
		assert_string_equal(load->config->admin_socket,
			geteuid() == 0 ? rows[i].want : rows[i].want_as_user);
		load_free(&load);
		remove_file("conf");
	}
	remove_file("users");
}

/* As root the bounds are those of the configuration; anybody else serves the own uid only. */
static const struct remark_row {
	const char *name;
	const char *config;
	const char *user; /* name:hash:uid:gid... of line 2 */
	const char *want; /* of the remark on it; "": none */
} remark_rows[] = {
	{ "within bounds", "", "bob:" HASH ":1000:1000::/home/bob:", "" },
	{ "a uid too low", "",
		"bob:" HASH ":33:1000::/home/bob:", "uid 33 gid 1000: below uid_min" },
	{ "a gid too low", "",
		"bob:" HASH ":1000:33::/home/bob:", "uid 1000 gid 33: below uid_min" },
	{ "a group that is not allowed", "", BOB "groups=33", "group 33 is not in groups_allowed" },
	{ "a group that is", "groups_allowed = 33\n", BOB "groups=33", "" },
	{ "a home outside", "",
		"bob:" HASH ":1000:1000::/var/www:", "home: '/var/www' is in no folder of roots" },
	{ "a home that memory does not need", "", "bob:" HASH ":1000:1000::/var/www:backend=memory",
		"" },
	{ "an archive outside", "", BOB "backend=memory memory_load=/var/x.tar",
		"memory_load: '/var/x.tar' is in no folder of roots" },
	{ "nobody who may log in", "", "bob:!:33:33::/var/www:", "" },
};

static void
check_remark(void **state)
{
	const struct remark_row *row = *state;
	char text[1024], path[256], want[512] = "";
	struct rules_error error = { 0 };
	struct load *load = NULL;
	if (geteuid() != 0)
		case_skip("root");
	snprintf(text, sizeof(text),
		"users_file = \"@/users\"\ngateway_user = \"2001:2001\"\n"
		"auth_user = \"2002:2002\"\nrecord_user = \"2003:2003\"\n"
		"log_directory = \"\"\n%s",
		row->config);
	write_file("conf", text, 0600);
	snprintf(text, sizeof(text), "%s%s\n", ANN, row->user);
	write_file("users", text, 0600);
	snprintf(path, sizeof(path), "%s/conf", folder);
	const struct load_source source = { .config_path = path };
	expect(load_read(&source, NULL, &load, &error), &error, "");
	if (row->want[0] != '\0')
		snprintf(want, sizeof(want), "%s/users:2: warning: 'bob' will not be let in: %s",
			folder, row->want);
	assert_memory_equal(load->remarks, want, strlen(want));
	assert_int_equal(load->remarks[0] == '\0', want[0] == '\0');
	load_free(&load);
	remove_file("conf");
	remove_file("users");
}

#define SHA256 "sha256/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct certificate_row {
	const char *name;
	bool is_asked_for;
	const char *authorities;
	const char *certificates; /* of the user of line 1 */
	const char *want;         /* in the remark; NULL: there is none */
} certificate_rows[] = {
	{ "no client is asked", false, "/ca", SHA256, "tls_client_certificate is off" },
	{ "nobody vouches for a name", true, "", SHA256 ",dns/bob.test", "without tls_client_ca" },
	{ "nobody needs to for a fingerprint", true, "", SHA256, NULL },
	{ "a name with authorities", true, "/ca", "dns/bob.test", NULL },
};

static void
check_certificate_remark(void **state)
{
	const struct certificate_row *row = *state;
	char text[512];
	struct rules_error error = { 0 };
	struct users *users = NULL;
	struct config *config = NULL;
	char *remarks = NULL;
	assert_int_equal(config_create(&config), 0);
	config->tls_client_certificate = row->is_asked_for ? CONFIG_TLS_CLIENT_CERTIFICATE_REQUEST
							   : CONFIG_TLS_CLIENT_CERTIFICATE_OFF;
	config->uid_min = 1;
	free(config->tls_client_ca);
	config->tls_client_ca = strdup(row->authorities);
	assert_int_equal(config_accept(config, OPTION_roots, bytes_of_text("/home"), &error), 0);
	uint32_t uid = geteuid() == 0 ? 1000 : geteuid();
	uint32_t gid = geteuid() == 0 ? 1000 : getegid();
	snprintf(text, sizeof(text), "bob:!:%u:%u::/home/bob:certificate=%s\n", uid, gid,
		row->certificates);
	assert_int_equal(users_parse(bytes_of_text(text), "users", &users, &error), 0);
	assert_int_equal(remarks_add(&remarks, users, "users", config), 0);
	if (row->want == NULL)
		assert_string_equal(remarks, "");
	else
		assert_non_null(strstr(remarks, row->want));
	users_free(&users);
	config_free(&config);
	free(remarks);
}

/* A users file from elsewhere may have them by the thousand. */
static void
check_many_remarks(void **state)
{
	struct rules_error error = { 0 };
	struct users *users = NULL;
	struct config *config = NULL;
	char *text = NULL, *remarks = NULL;
	size_t length = 0, lines = 0;
	FILE *out = open_memstream(&text, &length);
	(void)state;
	for (int i = 0; i < REMARKS_MAX + 7; i++)
		fprintf(out, "u%d:" HASH ":1:1::/nowhere:\n", i);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(config_create(&config), 0);
	assert_int_equal(users_parse(bytes_of(text, length), "users", &users, &error), 0);
	assert_int_equal(remarks_add(&remarks, users, "users", config), 0);
	for (const char *line = remarks; (line = strchr(line, '\n')) != NULL; line++)
		lines++;
	assert_int_equal(lines, REMARKS_MAX + 1);
	assert_non_null(strstr(remarks, "users: warning: and 7 more users\n"));
	users_free(&users);
	config_free(&config);
	free(remarks);
	free(text);
}

static void
check_log_owner(void **state)
{
	struct rules_error error = { 0 };
	struct load *load = NULL;
	char path[256];
	(void)state;
	if (geteuid() != 0)
		case_skip("root");
	write_file("users", ANN, 0600);
	write_file("conf",
		"users_file = \"@/users\"\ngateway_user = \"2001:2001\"\n"
		"auth_user = \"2002:2002\"\nrecord_user = \"2003:2003\"\n"
		"log_directory = \"@\"\n",
		0600);
	snprintf(path, sizeof(path), "%s/conf", folder);
	const struct load_source source = { .config_path = path };
	expect(load_read(&source, NULL, &load, &error), &error, "chown 2003");
	rules_error_free(&error);
	assert_int_equal(chown(folder, 2003, 2003), 0);
	expect(load_read(&source, NULL, &load, &error), &error, "");
	assert_int_equal(chown(folder, 0, 0), 0);
	load_free(&load);
	remove_file("conf");
	remove_file("users");
}

struct quick_row {
	const char *name;
	char *arguments[8]; /* "@" is the folder; ends with NULL */
	uid_t owner;        /* of the folder, as root; else rows with an owner are skipped */
	const char *want;   /* "": taken */
	const char *banner; /* a part of it */
};

static char root[] = "--root", at[] = "@", user[] = "--user", ann[] = "ann:secret", bob[] = "bob",
	    none[] = "/nonexistent", quoted[] = "o'neill", listens[] = "--listen", word[] = "x",
	    begins[] = "--load", null[] = "/dev/null", admin[] = "--admin-socket",
	    its[] = "/tmp/it's";

static const struct quick_row quick_rows[] = {
	{ "memory", { NULL }, 0, "", "files are in memory" },
	{ "memory that can be saved", { admin, its, NULL }, 0, "",
		"keep them: sallyport --socket '/tmp/it'\\''s' save 'demo' FILE.tar\n" },
	{ "a made password", { user, bob, NULL }, 0, "", "user bob, password " },
	{ "a given password is not repeated", { user, ann, NULL }, 0, "",
		"user ann, password as given\n" },
	{ "the address is left open", { NULL }, 0, "", "ftp://{address}/" },
	{ "a quote in a name", { user, quoted, NULL }, 0, "", "curl --user 'o'\\''neill:" },
	{ "a folder", { root, at, NULL }, 1234, "", "serving /tmp/sallyport-load-" },
	{ "root's folder", { root, at, NULL }, 0, "chown nobody:", "" },
	{ "no folder", { root, none, NULL }, 0, "--root /nonexistent: No such file", "" },
	{ "something to begin with", { begins, at, NULL }, 1234, "",
		"each user begins with a copy of /tmp/sallyport-load-" },
	{ "nothing to begin with", { begins, none, NULL }, 0, "--load /nonexistent: No such file",
		"" },
	{ "to begin with a device", { begins, null, NULL }, 0,
		"--load /dev/null is neither a folder nor a file", "" },
	{ "no value", { root, NULL }, 0, "--root: needs DIR", "" },
	{ "a wrong address", { listens, word, NULL }, 0, "'x'", "" },
	{ "no option", { word, NULL }, 0, "'x'", "" },
};

static void
check_quick(void **state)
{
	const struct quick_row *row = *state;
	struct load_source source = { .quick_arguments = row->arguments };
	char *arguments[8] = { NULL };
	struct rules_error error = { 0 };
	struct load *load = NULL;
	for (; row->arguments[source.quick_count] != NULL; source.quick_count++)
		arguments[source.quick_count] = row->arguments[source.quick_count] == at
							? folder
							: row->arguments[source.quick_count];
	source.quick_arguments = arguments;
	bool about_owner = source.quick_count == 2 && arguments[1] == folder;
	if (about_owner && geteuid() != 0)
		case_skip("root");
	if (about_owner)
		assert_int_equal(chown(folder, row->owner, row->owner), 0);
	int failure = load_read(&source, NULL, &load, &error);
	expect(failure, &error, row->want);
	if (failure == 0 && strstr(load->banner, row->banner) == NULL)
		fail_msg("'%s' is not in '%s'", row->banner, load->banner);
	load_free(&load);
	rules_error_free(&error);
	if (about_owner)
		assert_int_equal(chown(folder, 0, 0), 0);
}

/* Better told at the start than at every login. */
static void
check_closed_folder(void **state)
{
	char path[256], *arguments[] = { root, path, NULL };
	const struct load_source source = { .quick_count = 2, .quick_arguments = arguments };
	uid_t us = geteuid();
	struct rules_error error = { 0 };
	struct load *load = NULL;
	(void)state;
	snprintf(path, sizeof(path), "%s/closed", folder);
	assert_int_equal(mkdir(path, 0), 0);
	assert_int_equal(chmod(folder, 0755), 0);
	if (us == 0)
		assert_int_equal(seteuid(65534), 0);
	int failure = load_read(&source, NULL, &load, &error);
	assert_int_equal(seteuid(us), 0);
	expect(failure, &error, "/closed: Permission denied");
	rules_error_free(&error);
	assert_int_equal(rmdir(path), 0);
}

static int
refuse(struct rules_error *error)
{
	return rules_refuse(error, "no cage");
}

static void
check_enter(void **state)
{
	const struct load_source source = { .config_path = "/nonexistent" };
	struct rules_error error = { 0 };
	struct load *load = NULL;
	(void)state;
	expect(load_read(&source, refuse, &load, &error), &error, "no cage");
	rules_error_free(&error);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("file", file_rows, check_file),
		CASE("the admin socket", check_admin_socket),
		CASE("the log folder must be record's", check_log_owner),
		TABLE("remark", remark_rows, check_remark),
		TABLE("a certificate that does not count", certificate_rows,
			check_certificate_remark),
		CASE("many remarks", check_many_remarks),
		TABLE("quick", quick_rows, check_quick),
		CASE("a folder that may not be entered", check_closed_folder),
		CASE("without its cage it reads nothing", check_enter),
	};
	if (mkdtemp(folder) == NULL)
		return 1;
	int result = table_run(tables, ARRAY_LENGTH(tables));
	rmdir(folder);
	return result;
}
