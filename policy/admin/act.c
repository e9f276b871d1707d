/*
 * `sallyport close` and `sallyport reload`. Runs as whoever typed the command.
 */
#include "policy/admin/arguments.h"
#include "policy/admin/connection.h"

#include <stdio.h>
#include <stdlib.h>

static void
on_done(UNUSED void *owner, UNUSED uint32_t code, UNUSED struct message *message,
	UNUSED const void *body)
{
}

/* Sixteen hexadecimal digits, as the record writes it; leading zeros may be missing. */
static int
parse_session(const char *text, uint64_t *session)
{
	size_t length = strlen(text);
	if (length == 0 || length > 16 || strspn(text, "0123456789abcdefABCDEF") != length)
		return -EINVAL;
	*session = strtoull(text, NULL, 16);
	return 0;
}

int
command_close(const struct arguments *arguments)
{
	struct admin_close_session body;
	if (parse_session(arguments->words[0], &body.session) < 0) {
		fprintf(stderr,
			"sallyport: %s: a session is 16 hexadecimal digits, see sallyport "
			"sessions\n",
			arguments->words[0]);
		return EXIT_USAGE;
	}
	SCOPE_CONNECTION struct connection *connection = connection_open(arguments->socket);
	return connection_ask(connection, ADMIN_CLOSE_SESSION, &body, on_done, NULL);
}

int
command_reload(const struct arguments *arguments)
{
	static const struct admin_reload body;
	SCOPE_CONNECTION struct connection *connection = connection_open(arguments->socket);
	return connection_ask(connection, ADMIN_RELOAD, &body, on_done, NULL);
}
