/*
 * The backlog of a channel (see backlog.h). Runs in every process, on what the process itself
 * sends: how long it grows is up to a peer that does not read, so the channel bounds it.
 */
#include "ipc/backlog.h"

#include "ipc/base/scope.h"
#include "ipc/packet.h"

#include <fcntl.h>

struct outgoing {
	struct outgoing *next;
	int descriptor;
	size_t length;
	char data[];
};

/* Perhaps a password was among it. */
static void
free_outgoing(struct outgoing **outgoing)
{
	fd_close(&(*outgoing)->descriptor);
	explicit_bzero((*outgoing)->data, (*outgoing)->length);
	free(*outgoing);
	*outgoing = NULL;
}

int
backlog_add(struct backlog *backlog, struct bytes data, int descriptor)
{
	struct outgoing *outgoing = malloc(sizeof(*outgoing) + data.length);
	if (outgoing == NULL)
		return -ENOMEM;
	*outgoing = (struct outgoing){ .descriptor = -1, .length = data.length };
	memcpy(outgoing->data, data.data, data.length);
	if (descriptor >= 0) {
		outgoing->descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
		if (outgoing->descriptor < 0) {
			int error = -errno;
			free_outgoing(&outgoing);
			return error;
		}
	}
	if (backlog->first == NULL)
		backlog->first = outgoing;
	else
		backlog->last->next = outgoing;
	backlog->last = outgoing;
	backlog->bytes += data.length;
	return 0;
}

static void
drop_first(struct backlog *backlog)
{
	struct outgoing *first = backlog->first;
	backlog->first = first->next;
	backlog->bytes -= first->length;
	free_outgoing(&first);
}

int
backlog_send(struct backlog *backlog, int fd)
{
	while (backlog->first != NULL) {
		const struct outgoing *first = backlog->first;
		int error =
			packet_send(fd, bytes_of(first->data, first->length), first->descriptor);
		if (error < 0 && error != -EPIPE)
			return error;
		drop_first(backlog);
	}
	return 0;
}

void
backlog_clear(struct backlog *backlog)
{
	while (backlog->first != NULL)
		drop_first(backlog);
}
