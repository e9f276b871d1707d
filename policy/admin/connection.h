/*
 * The command's end of the admin channel: one request, one answer. What goes wrong is said on
 * standard error, and the process ends.
 */
#ifndef SALLYPORT_POLICY_ADMIN_CONNECTION_H
#define SALLYPORT_POLICY_ADMIN_CONNECTION_H

#include "ipc/admin.h"

#include <event2/event.h>
#include <sys/types.h>

struct connection;

struct connection *connection_open(const char *socket);
/* Sets *connection to NULL. */
void connection_close(struct connection **connection);
#define SCOPE_CONNECTION __attribute__((cleanup(connection_close)))

struct event_base *connection_base(const struct connection *connection);

/* The server's process id, as the kernel says. */
pid_t connection_server(const struct connection *connection);

/*
 * Answers go to `answered` with their code; all but ADMIN_SAVING end the request. A refusal never
 * arrives there: connection_ask() returns.
 */
typedef void
connection_answered(void *owner, uint32_t code, struct message *message, const void *body);

/*
 * Asks, and waits for the answer: 0. A refusal is said, and its exit status returned.
 */
MUST_CHECK int connection_ask(struct connection *connection, uint32_t code, const void *body,
	connection_answered *answered, void *owner);

#endif
