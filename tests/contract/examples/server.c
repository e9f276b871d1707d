/*
 * PATHIO 6.5: a server: a user, a password, a root with the rights to read and write, the threaded
 * backend, 30 s for an operation. Writes a configuration and a users file, starts sallyportd, and
 * stores, lists and fetches a file as its client. The arguments are the path of sallyportd and the
 * folder to work in, absolute. As root the user is nobody; otherwise whoever runs this.
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/rules/password.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { NOBODY = 65534, LINE_BYTES = 1024 };

static char line[LINE_BYTES];

/* ---- the server ---- */

/* fprintf into a file of the folder. */
#define WRITE_FILE(folder, name, ...)                                      \
	do {                                                               \
		FILE *file_ = open_in((folder), (name));                   \
		if (fprintf(file_, __VA_ARGS__) < 0 || fclose(file_) != 0) \
			die("%s: cannot be written", (name));              \
	} while (0)

static FILE *
open_in(const char *folder, const char *name)
{
	SCOPE_FREE char *path = NULL;
	FILE *file = asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : fopen(path, "we");
	if (file == NULL)
		die("%s/%s: %s", folder, name, strerror(errno));
	return file;
}

static void
write_users(const char *folder)
{
	uid_t uid = geteuid() == 0 ? NOBODY : geteuid();
	gid_t gid = geteuid() == 0 ? NOBODY : getegid();
	SCOPE_FREE char *home = NULL;
	SCOPE_FREE char *hash = NULL;
	if (asprintf(&home, "%s/home", folder) < 0 || mkdir(home, 0755) < 0 ||
		(geteuid() == 0 && chown(home, uid, gid) < 0) || password_hash("secret", &hash) < 0)
		die("no home for the user: %s", strerror(errno));
	WRITE_FILE(folder, "users", "alice:%s:%u:%u::%s:/=read+list+write\n", hash, uid, gid, home);
}

static void
write_configuration(const char *folder)
{
	WRITE_FILE(folder, "conf",
		"listen = {\"127.0.0.1:0\"}\n"
		"users_file = \"%s/users\"\n"
		"roots = {\"%s\"}\n"
		"log_directory = \"\"\n"
		"admin_socket = \"\"\n"
		"gateway_user = \"65521:65521\"\n"
		"auth_user = \"65522:65522\"\n"
		"record_user = \"65523:65523\"\n"
		"backend = \"threaded\"\n"
		"path_timeout = \"30s\"\n",
		folder, folder);
}

NORETURN static void
become_server(const char *program, const char *folder, int output_fd)
{
	SCOPE_FREE char *path = NULL;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (asprintf(&path, "%s/conf", folder) > 0 && dup2(output_fd, STDOUT_FILENO) >= 0)
		execl(program, program, "--config", path, (char *)NULL);
	die("%s: %s", program, strerror(errno));
}

/* Starts it and waits for its ready line: its process, its output, its port. */
static pid_t
start_server(const char *program, const char *folder, FILE **output, uint16_t *port)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		die("no pipe: %s", strerror(errno));
	pid_t server = fork();
	if (server == 0)
		become_server(program, folder, ends[1]);
	fd_close(&ends[1]);
	*output = fdopen(ends[0], "r");
	while (*output != NULL && fgets(line, sizeof(line), *output) != NULL)
		if (sscanf(line, "sallyport: ready on 127.0.0.1:%hu", port) == 1)
			return server;
	die("the server did not get ready");
}

/* ---- the client ---- */

/* To be read as a stream, and written with dprintf(3). */
static FILE *
connect_to(uint16_t port)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE *stream = fd < 0 ? NULL : fdopen(fd, "r");
	if (stream == NULL || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		die("port %u: %s", port, strerror(errno));
	return stream;
}

/* The reply must begin with these digits; it is in `line` then. */
static void
expect(FILE *control, const char *code)
{
	do
		if (fgets(line, sizeof(line), control) == NULL)
			die("the server hung up");
	while (line[3] == '-' || line[0] == ' ');
	if (strncmp(line, code, strlen(code)) != 0)
		die("instead of %s: %s", code, line);
}

static void
command(FILE *control, const char *text, const char *code)
{
	if (dprintf(fileno(control), "%s\r\n", text) < 0)
		die("%s: cannot be sent", text);
	expect(control, code);
}

static FILE *
open_data(FILE *control, const char *text)
{
	uint16_t port;
	command(control, "EPSV", "229");
	if (sscanf(strchr(line, '('), "(|||%hu|)", &port) != 1)
		die("no port in %s", line);
	FILE *data = connect_to(port);
	command(control, text, "150");
	return data;
}

static void
store(FILE *control, const char *text, const char *content)
{
	FILE *data = open_data(control, text);
	if (dprintf(fileno(data), "%s", content) < 0 || fclose(data) != 0)
		die("%s: cannot be sent", text);
	expect(control, "226");
}

static void
print_data(FILE *control, const char *text)
{
	FILE *data = open_data(control, text);
	printf("%s: ", text);
	while (fgets(line, sizeof(line), data) != NULL)
		printf("%s", line);
	fclose(data);
	expect(control, "226");
}

int
main(int count, char **arguments)
{
	FILE *output;
	uint16_t port = 0;
	int status = 0;
	if (count != 3)
		die("usage: %s SALLYPORTD FOLDER", arguments[0]);
	write_users(arguments[2]);
	write_configuration(arguments[2]);
	pid_t server = start_server(arguments[1], arguments[2], &output, &port);

	FILE *control = connect_to(port);
	expect(control, "220");
	command(control, "USER alice", "331");
	command(control, "PASS secret", "230");
	store(control, "STOR hello", "stored over FTP\n");
	print_data(control, "NLST");
	print_data(control, "RETR hello");
	command(control, "QUIT", "221");
	fclose(control);

	kill(server, SIGTERM);
	while (fgets(line, sizeof(line), output) != NULL)
		; /* the record of all this */
	fclose(output);
	if (waitpid(server, &status, 0) != server || status != 0)
		die("the server ended with %d", status);
	printf("the server has ended\n");
	return 0;
}
