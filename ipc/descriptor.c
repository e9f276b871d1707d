/*
 * Checks of received descriptors (see descriptor.h). Runs in every process that receives messages;
 * uses getsockopt(2) at SOL_SOCKET, fstat(2) and fcntl(F_GETFL) only, which all cages allow.
 */
#include "ipc/descriptor.h"

#include "ipc/base/ends.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* Sets of domains. */
enum {
	UNIX_DOMAIN = 1 << AF_UNIX,
	TCP_DOMAINS = 1 << AF_INET | 1 << AF_INET6,
};

const char *
descriptor_kind_name(enum descriptor_kind kind)
{
	switch (kind) {
	case DESCRIPTOR_NONE:
		return "none";
	case DESCRIPTOR_CHANNEL:
		return "channel";
	case DESCRIPTOR_CONTROL:
		return "control socket";
	case DESCRIPTOR_DATA:
		return "data socket";
	case DESCRIPTOR_LISTENER:
		return "listening socket";
	case DESCRIPTOR_INPUT:
		return "file to read";
	case DESCRIPTOR_OUTPUT:
		return "file to write";
	}
	bug("descriptor kind %d", (int)kind);
}

static int
socket_option(int fd, int name)
{
	int value = 0;
	socklen_t length = sizeof(value);
	return getsockopt(fd, SOL_SOCKET, name, &value, &length) < 0 ? -1 : value;
}

/* Answers no about anything else than a socket, too. */
static bool
is_socket(int fd, unsigned domains, int type, int listening)
{
	int domain = socket_option(fd, SO_DOMAIN);
	return domain >= 0 && domain < 32 && (domains >> domain & 1) != 0 &&
	       socket_option(fd, SO_TYPE) == type && socket_option(fd, SO_ACCEPTCONN) == listening;
}

static bool
has_flag(int fd, int flag)
{
	int flags = fcntl(fd, F_GETFL);
	return flags >= 0 && (flags & flag) != 0;
}

/* O_PATH names a file without opening it: its access mode, O_RDONLY, means nothing. */
static bool
has_access(int fd, int access)
{
	int flags = fcntl(fd, F_GETFL);
	return flags >= 0 && (flags & O_PATH) == 0 &&
	       ((flags & O_ACCMODE) == access || (flags & O_ACCMODE) == O_RDWR);
}

static bool
is_file(int fd, bool is_output)
{
	struct stat status;
	if (fstat(fd, &status) < 0)
		return false;
	bool is_stream = S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode);
	return S_ISREG(status.st_mode) || (is_output && is_stream);
}

static bool
matches(int fd, enum descriptor_kind kind)
{
	switch (kind) {
	case DESCRIPTOR_NONE:
		break;
	case DESCRIPTOR_CHANNEL:
		return is_socket(fd, UNIX_DOMAIN, SOCK_SEQPACKET, 0);
	case DESCRIPTOR_CONTROL:
		return is_socket(fd, TCP_DOMAINS, SOCK_STREAM, 0);
	case DESCRIPTOR_DATA:
		return is_socket(fd, TCP_DOMAINS | UNIX_DOMAIN, SOCK_STREAM, 0) &&
		       has_flag(fd, O_NONBLOCK);
	case DESCRIPTOR_LISTENER:
		return is_socket(fd, TCP_DOMAINS, SOCK_STREAM, 1) && has_flag(fd, O_NONBLOCK);
	case DESCRIPTOR_INPUT:
		return is_file(fd, false) && has_access(fd, O_RDONLY);
	case DESCRIPTOR_OUTPUT:
		return is_file(fd, true) && has_access(fd, O_WRONLY);
	}
	bug("descriptor kind %d", (int)kind);
}

int
descriptor_check(int fd, enum descriptor_kind kind)
{
	return matches(fd, kind) ? 0 : -EBADMSG;
}
