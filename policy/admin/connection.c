/*
 * The admin channel as the command sees it (see connection.h). Runs as whoever typed the command.
 * Trusts the server behind the socket as far as the path of that socket can be trusted: its
 * messages are checked by their rows as everywhere.
 */
#include "policy/admin/connection.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/admin/arguments.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

struct connection {
	struct event_base *base;
	struct channel *channel;
	const char *path;
	pid_t server;
	uint32_t tag;
	connection_answered *answered;
	void *owner;
	int status; /* of a refused request; 0 */
	bool waits;
};

/* ---- connecting ---- */

NORETURN static void
fail(const char *path, int error)
{
	if (error == ENOENT || error == ECONNREFUSED)
		fprintf(stderr,
			"sallyport: no server answers at %s: is sallyportd running, and is this "
			"its "
			"admin_socket? (--socket names another)\n",
			path);
	else if (error == EACCES)
		fprintf(stderr,
			"sallyport: %s: no permission: only root, the server's own user and "
			"members "
			"of its admin_group may do this\n",
			path);
	else
		fprintf(stderr, "sallyport: %s: %s\n", path,
			error == EAGAIN ? "the server does not answer" : strerror(error));
	exit(error == EACCES ? EXIT_NO_PERMISSION : EXIT_NO_SERVER);
}

static int
connect_to(const char *path, pid_t *server)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	static const struct timeval patience = { .tv_sec = 10 }; /* with a server that is busy */
	struct ucred who = { 0 };
	socklen_t length = sizeof(who);
	if (strlen(path) >= sizeof(name.sun_path))
		fail(path, ENAMETOOLONG);
	memcpy(name.sun_path, path, strlen(path));
	SCOPE_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
		connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0 ||
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) < 0)
		fail(path, errno);
	*server = who.pid;
	return fd_take(&fd);
}

/* ---- answers ---- */

static void
end_request(struct connection *connection)
{
	connection->waits = false;
	event_base_loopbreak(connection->base);
}

static void
take(struct connection *connection, uint32_t code, struct message *message, const void *body)
{
	if (!connection->waits || message->tag != connection->tag) {
		channel_reject(connection->channel, "an answer to nothing");
		return;
	}
	connection->answered(connection->owner, code, message, body);
	if (code != ADMIN_SAVING)
		end_request(connection);
}

#define ANSWER(name, CODE)                                                             \
	static void on_##name(                                                         \
		void *owner, struct message *message, const struct admin_##name *body) \
	{                                                                              \
		take(owner, CODE, message, body);                                      \
	}
ANSWER(status, ADMIN_STATUS)
ANSWER(processes, ADMIN_PROCESSES)
ANSWER(sessions, ADMIN_SESSIONS)
ANSWER(saving, ADMIN_SAVING)
ANSWER(saved, ADMIN_SAVED)
ANSWER(done, ADMIN_DONE)

static void
on_refused(void *owner, UNUSED struct message *message, const struct admin_refused *body)
{
	struct connection *connection = owner;
	fprintf(stderr, "sallyport: %.*s\n", (int)body->reason.length, body->reason.data);
	connection->status = body->error == EPERM ? EXIT_NO_PERMISSION : EXIT_FAILURE;
	end_request(connection);
}

static const struct admin_handlers handlers = {
	.status = on_status,
	.processes = on_processes,
	.sessions = on_sessions,
	.saving = on_saving,
	.saved = on_saved,
	.done = on_done,
	.refused = on_refused,
};

static void
on_closed(void *owner, const char *malformed)
{
	struct connection *connection = owner;
	if (connection->status != 0)
		return; /* it was turned away, and knows why */
	fprintf(stderr, "sallyport: %s: %s\n", connection->path,
		malformed != NULL ? malformed
				  : "the server ended the connection; its log says why, if it is "
				    "not of another version");
	connection->status = EXIT_NO_SERVER;
	end_request(connection);
}

/* ---- for the commands ---- */

struct connection *
connection_open(const char *path)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	struct event_base *base = event_base_new();
	if (connection == NULL || base == NULL)
		die("memory is short");
	*connection = (struct connection){ .base = base, .path = path };
	int fd = connect_to(path, &connection->server);
	const struct channel_options options = {
		.base = base,
		.messages = &admin_messages,
		.our_role = ROLE_ADMIN,
		.peer_role = ROLE_SUPERVISOR,
		.phase = PHASE_SERVING,
		.handlers = &handlers,
		.owner = connection,
		.closed = on_closed,
	};
	if (channel_new(&options, &fd, &connection->channel) < 0)
		die("memory is short");
	return connection;
}

void
connection_close(struct connection **connection)
{
	struct connection *closed = *connection;
	*connection = NULL;
	channel_free(&closed->channel);
	event_base_free(closed->base);
	free(closed);
}

struct event_base *
connection_base(const struct connection *connection)
{
	return connection->base;
}

pid_t
connection_server(const struct connection *connection)
{
	return connection->server;
}

int
connection_ask(struct connection *connection, uint32_t code, const void *body,
	connection_answered *answered, void *owner)
{
	connection->tag++;
	connection->answered = answered;
	connection->owner = owner;
	connection->waits = true;
	/* Whoever is turned away finds the reason behind an end that this may run into. */
	int result = channel_post(connection->channel, code, connection->tag, body, -1);
	ensure(result == 0 || result == -EPIPE);
	while (connection->waits)
		event_base_dispatch(connection->base);
	return connection->status;
}
