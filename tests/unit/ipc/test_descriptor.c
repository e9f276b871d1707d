/*
 * The check of received descriptors (descriptor.h): every kind against everything that a peer could
 * send instead.
 */
#include "ipc/base/scope.h"
#include "ipc/descriptor.h"
#include "tests/table.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

/* ---- things that a message may carry ---- */

static int
must(int fd)
{
	if (fd < 0)
		fail_msg("cannot make a descriptor: %s", strerror(errno));
	return fd;
}

static int
one_end(int domain, int type)
{
	int ends[2];
	must(socketpair(domain, type | SOCK_CLOEXEC, 0, ends));
	fd_close(&ends[1]);
	return ends[0];
}

static int
make_channel(void)
{
	return one_end(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK);
}

static int
make_stream_pair(void)
{
	return one_end(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK);
}

static int
make_blocking_stream_pair(void)
{
	return one_end(AF_UNIX, SOCK_STREAM);
}

static int
make_datagram_pair(void)
{
	return one_end(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK);
}

static int
listen_on(int domain, int type)
{
	int fd = must(socket(domain, type | SOCK_CLOEXEC, 0));
	must(listen(fd, 1)); /* TCP: the kernel chooses a port */
	return fd;
}

static int
make_listener(void)
{
	return listen_on(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
}

static int
make_listener_v6(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 && errno == EAFNOSUPPORT)
		case_skip("IPv6");
	must(listen(must(fd), 1));
	return fd;
}

static int
make_blocking_listener(void)
{
	return listen_on(AF_INET, SOCK_STREAM);
}

static int
make_local_listener(int type)
{
	int fd = must(socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
	/* No name: the kernel chooses an abstract one. */
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	must(bind(fd, (struct sockaddr *)&name, sizeof(sa_family_t)));
	must(listen(fd, 1));
	return fd;
}

static int
make_local_stream_listener(void)
{
	return make_local_listener(SOCK_STREAM);
}

static int
make_local_packet_listener(void)
{
	return make_local_listener(SOCK_SEQPACKET);
}

static int
make_tcp(void)
{
	SCOPE_FD int listener = make_blocking_listener();
	struct sockaddr_in name;
	socklen_t length = sizeof(name);
	must(getsockname(listener, (struct sockaddr *)&name, &length));
	int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	must(connect(fd, (struct sockaddr *)&name, length));
	return fd;
}

static int
make_nonblocking_tcp(void)
{
	int fd = make_tcp();
	must(fcntl(fd, F_SETFL, O_NONBLOCK));
	return fd;
}

static int
make_udp(void)
{
	return must(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

static int
make_netlink(void)
{
	return must(socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

/* The file is open for reading and writing; this is how it is opened again. */
static int
reopened_file(int flags)
{
	SCOPE_FD int fd = must(memfd_create("file", MFD_CLOEXEC));
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return must(open(path, flags | O_CLOEXEC));
}

static int
make_file_to_read(void)
{
	return reopened_file(O_RDONLY);
}

static int
make_file_to_write(void)
{
	return reopened_file(O_WRONLY | O_APPEND);
}

static int
make_file_for_both(void)
{
	return must(memfd_create("file", MFD_CLOEXEC));
}

static int
make_file_for_nothing(void)
{
	return reopened_file(O_PATH);
}

static int
make_directory(void)
{
	return must(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int
pipe_end(int which)
{
	int ends[2];
	must(pipe2(ends, O_CLOEXEC | O_NONBLOCK));
	fd_close(&ends[1 - which]);
	return ends[which];
}

static int
make_pipe_to_read(void)
{
	return pipe_end(0);
}

static int
make_pipe_to_write(void)
{
	return pipe_end(1);
}

static int
make_device(void)
{
	return must(open("/dev/null", O_RDWR | O_CLOEXEC));
}

static int
make_epoll(void)
{
	return must(epoll_create1(EPOLL_CLOEXEC));
}

/* ---- which of them is what ---- */

enum {
	CHANNEL = 1 << DESCRIPTOR_CHANNEL,
	CONTROL = 1 << DESCRIPTOR_CONTROL,
	DATA = 1 << DESCRIPTOR_DATA,
	LISTENER = 1 << DESCRIPTOR_LISTENER,
	INPUT = 1 << DESCRIPTOR_INPUT,
	OUTPUT = 1 << DESCRIPTOR_OUTPUT,
	NOTHING = 0,
};

struct thing_row {
	const char *name;
	int (*make)(void);
	unsigned kinds;
};

static const struct thing_row thing_rows[] = {
	{ "a channel", make_channel, CHANNEL },
	{ "a local stream", make_stream_pair, DATA },
	{ "a local stream that blocks", make_blocking_stream_pair, NOTHING },
	{ "local datagrams", make_datagram_pair, NOTHING },
	{ "a TCP connection", make_nonblocking_tcp, CONTROL | DATA },
	{ "a TCP connection that blocks", make_tcp, CONTROL },
	{ "a TCP listener", make_listener, LISTENER },
	{ "a TCP listener on IPv6", make_listener_v6, LISTENER },
	{ "a TCP listener that blocks", make_blocking_listener, NOTHING },
	{ "a local stream listener", make_local_stream_listener, NOTHING },
	{ "a local packet listener", make_local_packet_listener, NOTHING },
	{ "UDP", make_udp, NOTHING },
	{ "netlink", make_netlink, NOTHING },
	{ "a file to read", make_file_to_read, INPUT },
	{ "a file to write", make_file_to_write, OUTPUT },
	{ "a file for both", make_file_for_both, INPUT | OUTPUT },
	{ "a file that is only named", make_file_for_nothing, NOTHING },
	{ "a directory", make_directory, NOTHING },
	{ "a pipe to read", make_pipe_to_read, NOTHING },
	{ "a pipe to write", make_pipe_to_write, OUTPUT },
	{ "a device", make_device, OUTPUT },
	{ "an epoll descriptor", make_epoll, NOTHING },
};

static void
check_thing(void **state)
{
	const struct thing_row *row = *state;
	SCOPE_FD int fd = row->make();
	for (unsigned kind = DESCRIPTOR_CHANNEL; kind <= DESCRIPTOR_OUTPUT; kind++) {
		int want = (row->kinds & 1u << kind) != 0 ? 0 : -EBADMSG;
		if (descriptor_check(fd, (enum descriptor_kind)kind) != want)
			fail_msg("%s is %s a %s", row->name, want == 0 ? "not" : "taken for",
				descriptor_kind_name((enum descriptor_kind)kind));
	}
}

static void
check_closed(UNUSED void **state)
{
	int fd = make_device();
	close(fd);
	for (unsigned kind = DESCRIPTOR_CHANNEL; kind <= DESCRIPTOR_OUTPUT; kind++)
		assert_int_equal(descriptor_check(fd, (enum descriptor_kind)kind), -EBADMSG);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("kind of", thing_rows, check_thing),
		CASE("nothing open", check_closed),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
