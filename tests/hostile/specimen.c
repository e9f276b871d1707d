/*
 * Descriptors of every sort (see specimen.h). Runs in test programs; ends them when one cannot be
 * had. Traffic stays on the loopback.
 */
#include "tests/hostile/specimen.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define KIND(kind) (1u << DESCRIPTOR_##kind)

static const struct {
	const char *name;
	unsigned is;
} specimens[] = {
#define SPECIMEN(name, is, open) { (name), (is) },
#include "tests/hostile/specimen.def"
};

/* One end; the other is closed, which changes nothing about what it is. */
static int
open_pair(int type)
{
	int ends[2];
	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	fd_close(&ends[1]);
	return ends[0];
}

static int
open_listener(int flags)
{
	SCOPE_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(fd, 1) < 0)
		return -1;
	return fd_take(&fd);
}

/* A connection whose other end goes with the listener that it was made through. */
static int
open_tcp(int flags)
{
	SCOPE_FD int listener = open_listener(0);
	SCOPE_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address;
	socklen_t length = sizeof(address);
	if (listener < 0 || fd < 0 ||
		getsockname(listener, (struct sockaddr *)&address, &length) < 0 ||
		connect(fd, (const struct sockaddr *)&address, length) < 0)
		return -1;
	int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC | flags);
	return accepted;
}

unsigned
specimen_count(void)
{
	return ARRAY_LENGTH(specimens);
}

const char *
specimen_name(unsigned specimen)
{
	return specimens[specimen].name;
}

unsigned
specimen_find(const char *name)
{
	for (unsigned i = 0; i < ARRAY_LENGTH(specimens); i++)
		if (strcmp(specimens[i].name, name) == 0)
			return i;
	die("no specimen is called %s", name);
}

bool
specimen_is(unsigned specimen, enum descriptor_kind kind)
{
	return (specimens[specimen].is & 1u << kind) != 0;
}

unsigned
specimen_of(enum descriptor_kind kind)
{
	for (unsigned i = 0; i < ARRAY_LENGTH(specimens); i++)
		if (specimen_is(i, kind))
			return i;
	bug("no specimen is a %s", descriptor_kind_name(kind));
}

int
specimen_open(unsigned specimen)
{
	int fd = -1;
	unsigned number = 0;
#define SPECIMEN(name, is, open)  \
	if (number++ == specimen) \
		fd = (open);
#include "tests/hostile/specimen.def"
	if (fd < 0)
		die("cannot open a %s: %s", specimen_name(specimen), strerror(errno));
	return fd;
}
