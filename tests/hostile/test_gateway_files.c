/*
 * A worker that lies on a session's channel: the gateway's end closes and says why, what was asked
 * is answered with EIO, another session goes on, and nothing is left behind (ipc/remote.h).
 */
#include "ipc/base/scope.h"
#include "ipc/remote.h"
#include "tests/hostile/assault.h"

#include <sys/socket.h>

enum { TURNS = 8, DEADLINE_MS = 60000 };

struct side {
	struct event_base *base;
	struct pathio *io;
	int worker_fd;
	bool is_closed;
	const char *malformed;
	unsigned answers;
	int error;
};

static void
on_closed(void *owner, const char *malformed)
{
	struct side *side = owner;
	side->is_closed = true;
	side->malformed = malformed;
}

static void
on_answer(void *argument, const struct pathio_answer *answer)
{
	struct side *side = argument;
	side->answers++;
	side->error = answer->error;
}

static void
open_side(struct side *side, struct event_base *base)
{
	int ends[2];
	*side = (struct side){ .base = base };
	assert_int_equal(channel_pair(ends), 0);
	const struct remote_options options = {
		.base = base,
		.deadline_ms = DEADLINE_MS,
		.stall_ms = DEADLINE_MS,
		.slow_deadline_ms = DEADLINE_MS,
		.owner = side,
		.closed = on_closed,
	};
	assert_int_equal(remote_new(&options, &ends[0], &side->io), 0);
	side->worker_fd = ends[1];
}

static void
close_side(struct side *side)
{
	pathio_free(&side->io);
	fd_close(&side->worker_fd);
}

static void
settle(const struct side *side)
{
	for (int i = 0; i < TURNS; i++)
		event_base_loop(side->base, EVLOOP_NONBLOCK);
}

/* Takes the request off the channel; its tag. */
static char
ask(struct side *side)
{
	char request[64];
	const struct pathio_rmdir body = { .path = bytes_of_text("/a") };
	pathio_rmdir(side->io, &body, on_answer, side);
	assert_true(recv(side->worker_fd, request, sizeof(request), MSG_DONTWAIT) >
		    MESSAGE_HEADER_BYTES);
	return request[4];
}

static void
check_honest(struct side *side)
{
	char done[MESSAGE_HEADER_BYTES] = { PATHIO_DONE };
	done[4] = ask(side);
	assert_int_equal(send(side->worker_fd, done, sizeof(done), 0), sizeof(done));
	settle(side);
	assert_int_equal(side->answers, 1);
	assert_int_equal(side->error, 0);
	assert_false(side->is_closed);
}

static const char *
strike(const struct malformed_list *list, size_t index)
{
	struct event_base *base = event_base_new();
	struct side lied_to, other;
	open_side(&lied_to, base);
	open_side(&other, base);
	ask(&lied_to);
	assert_int_equal(malformed_send(list, index, lied_to.worker_fd), 0);
	settle(&lied_to);
	const char *rule = lied_to.is_closed ? lied_to.malformed : "";
	assert_int_equal(lied_to.answers, lied_to.is_closed);
	assert_int_equal(lied_to.error, lied_to.is_closed ? -EIO : 0);
	check_honest(&other);
	close_side(&lied_to);
	close_side(&other);
	event_base_free(base);
	return rule;
}

int
main(void)
{
	const struct assault assaults[] = {
		{ "a gateway's session, from its worker", &pathio_messages, ROLE_WORKER,
			PHASE_SERVING, strike, NULL },
	};
	return assault_run(assaults, ARRAY_LENGTH(assaults));
}
