/*
 * The client's end of a data connection (see wire_end.h).
 */
#include "tests/unit/worker/wire_end.h"

#include "ipc/base/scope.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { ROOM_BYTES = 256 * 1024 };

/* Room for as much again and a NUL, by doubling: a test moves hundreds of megabytes. */
static void
make_room(struct wire_end *end)
{
	if (end->room - end->length > ROOM_BYTES)
		return;
	end->room = 2 * end->room + ROOM_BYTES + 1;
	end->bytes = realloc(end->bytes, end->room);
	assert_non_null(end->bytes);
}

static void
take(struct wire_end *end)
{
	make_room(end);
	ssize_t length = recv(end->fd, end->bytes + end->length, ROOM_BYTES, 0);
	if (length < 0 && errno == EAGAIN)
		return;
	if (length <= 0) {
		end->ended = true;
		event_del(end->readable);
		return;
	}
	end->length += (size_t)length;
	end->bytes[end->length] = '\0';
}

static void
on_readable(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	take(argument);
}

struct wire_end *
wire_end_new_silent(struct event_base *base)
{
	int ends[2];
	struct wire_end *end = calloc(1, sizeof(*end));
	assert_non_null(end);
	end->bytes = calloc(1, 1);
	assert_non_null(end->bytes);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	end->worker_fd = ends[0];
	end->fd = ends[1];
	end->readable = event_new(base, end->fd, EV_READ | EV_PERSIST, on_readable, end);
	assert_non_null(end->readable);
	return end;
}

struct wire_end *
wire_end_new(struct event_base *base)
{
	struct wire_end *end = wire_end_new_silent(base);
	wire_end_read(end);
	return end;
}

void
wire_end_free(struct wire_end **end)
{
	event_free((*end)->readable);
	fd_close(&(*end)->worker_fd);
	fd_close(&(*end)->fd);
	free((*end)->bytes);
	free(*end);
	*end = NULL;
}

void
wire_end_read(struct wire_end *end)
{
	event_add(end->readable, NULL);
}

void
wire_end_finish(struct wire_end *end)
{
	fd_close(&end->worker_fd);
	while (!end->ended)
		take(end);
}
