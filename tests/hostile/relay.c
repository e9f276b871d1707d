/*
 * Relaying messages (see relay.h). Runs in the liar. Dies when something other than a peer's end
 * goes wrong.
 */
#include "tests/hostile/relay.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

const struct protocol *
relay_protocol(const char *name)
{
	for (size_t i = 0; i < PROTOCOL_COUNT; i++)
		if (strcmp(protocols[i].name, name) == 0)
			return &protocols[i];
	die("no channel is called %s", name);
}

int
relay_add(struct relay *relay, const struct protocol *protocol, enum role inner_role, int outer_fd)
{
	int ends[2];
	ensure(relay->count < RELAY_WIRES_MAX);
	if (channel_pair(ends) < 0)
		die("cannot make a channel: %s", strerror(errno));
	relay->wires[relay->count++] = (struct wire){
		.protocol = protocol,
		.inner_role = inner_role,
		.outer_fd = outer_fd,
		.inner_fd = ends[0],
	};
	return ends[1];
}

void
parcel_close(struct parcel *parcel)
{
	for (unsigned i = 0; i < parcel->count; i++)
		fd_close(&parcel->descriptors[i]);
	parcel->count = 0;
}

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(PARCEL_DESCRIPTORS_MAX * sizeof(int))];
};

static void
wait_for(int fd, short events)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };
	if (poll(&poll_fd, 1, -1) < 0 && errno != EINTR)
		die("poll: %s", strerror(errno));
}

/* 0, also when the peer is gone; -EAGAIN: there is no room. */
static int
try_send(int fd, const struct parcel *parcel)
{
	union control control = { 0 };
	struct iovec part = { .iov_base = (void *)(uintptr_t)parcel->data,
		.iov_len = parcel->length };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	if (parcel->count > 0) {
		size_t length = parcel->count * sizeof(int);
		struct cmsghdr *cmsg = &control.align;
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(length);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(length);
		memcpy(CMSG_DATA(cmsg), parcel->descriptors, length);
	}
	if (sendmsg(fd, &header, MSG_NOSIGNAL) >= 0 || errno == EPIPE || errno == ECONNRESET)
		return 0;
	if (errno != EAGAIN && errno != EINTR && errno != ETOOMANYREFS)
		die("cannot pass a message on: %s", strerror(errno));
	return -EAGAIN;
}

void
relay_send(int fd, const struct parcel *parcel)
{
	while (try_send(fd, parcel) < 0)
		wait_for(fd, POLLOUT);
}

/* 1; 0 at the channel's end; -EAGAIN. */
static int
receive(int fd, struct parcel *parcel)
{
	union control control;
	struct iovec part = { .iov_base = parcel->data, .iov_len = sizeof(parcel->data) };
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	parcel->count = 0;
	ssize_t length = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (length <= 0)
		return 0;
	parcel->length = (size_t)length;
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);
	if (cmsg != NULL && cmsg->cmsg_type == SCM_RIGHTS) {
		parcel->count = (unsigned)((cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(parcel->descriptors, CMSG_DATA(cmsg), parcel->count * sizeof(int));
	}
	return 1;
}

/* Moves all that waits at one end; false at the channel's end. */
static bool
move(struct relay *relay, struct wire *wire, bool is_outward)
{
	struct parcel parcel; /* not static: a flood moves what comes while it sends */
	int result;
	while ((result = receive(is_outward ? wire->inner_fd : wire->outer_fd, &parcel)) == 1) {
		if (relay->pass(relay, wire, is_outward, &parcel))
			relay_send(is_outward ? wire->outer_fd : wire->inner_fd, &parcel);
		parcel_close(&parcel);
	}
	return result != 0;
}

void
relay_flood(struct relay *relay, struct wire *wire, const struct parcel *parcel)
{
	while (try_send(wire->outer_fd, parcel) < 0) {
		wait_for(wire->outer_fd, POLLIN | POLLOUT);
		move(relay, wire, false);
	}
}

/* One end has closed: so does the other. */
static void
move_wire(struct relay *relay, struct wire *wire, const struct pollfd *ready)
{
	bool lives = true;
	if (ready[0].revents != 0)
		lives = move(relay, wire, true);
	if (ready[1].revents != 0 && lives)
		lives = move(relay, wire, false);
	if (lives)
		return;
	fd_close(&wire->inner_fd);
	fd_close(&wire->outer_fd);
}

static void
forget_closed(struct relay *relay)
{
	for (unsigned i = relay->count; i-- > 0;)
		if (relay->wires[i].inner_fd < 0)
			relay->wires[i] = relay->wires[--relay->count];
}

void
relay_run(struct relay *relay, int process_fd)
{
	bool lives = true;
	while (lives) {
		struct pollfd ready[2 * RELAY_WIRES_MAX + 1];
		unsigned count = relay->count;
		for (unsigned i = 0; i < count; i++) {
			ready[2 * i] =
				(struct pollfd){ .fd = relay->wires[i].inner_fd, .events = POLLIN };
			ready[2 * i + 1] =
				(struct pollfd){ .fd = relay->wires[i].outer_fd, .events = POLLIN };
		}
		ready[2 * count] = (struct pollfd){ .fd = process_fd, .events = POLLIN };
		if (poll(ready, 2 * count + 1, -1) < 0 && errno != EINTR)
			die("poll: %s", strerror(errno));
		lives = ready[2 * count].revents == 0;
		for (unsigned i = 0; i < count; i++)
			move_wire(relay, &relay->wires[i], &ready[2 * i]);
		forget_closed(relay);
	}
}
