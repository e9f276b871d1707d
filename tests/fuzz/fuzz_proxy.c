/*
 * What comes first from a proxy: however it is cut into pieces, it is the same header or none, and
 * what follows it stays unread. Input: the size of the pieces, then the bytes.
 */
#include "gateway/proxy.h"
#include "ipc/address.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "tests/fuzz/target.h"

#include <errno.h>
#include <sys/socket.h>

enum { INPUT_BYTES_MAX = 8192 }; /* fits into a socket */

struct outcome {
	int error;
	size_t left; /* unread behind the header */
	struct proxy_claim claim;
};

static size_t
count_left(int fd)
{
	char buffer[INPUT_BYTES_MAX];
	ssize_t count = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
	return count < 0 ? 0 : (size_t)count;
}

/* After -EBADMSG the rest is nobody's. */
static struct outcome
feed(const uint8_t *data, size_t length, size_t piece)
{
	struct outcome outcome = { .error = -EAGAIN };
	struct proxy_header header = { .length = 0 };
	int ends[2];
	ensure(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
	for (size_t at = 0; at < length; at += piece) {
		size_t count = length - at < piece ? length - at : piece;
		ensure(send(ends[0], data + at, count, 0) == (ssize_t)count);
		if (outcome.error == -EAGAIN)
			outcome.error = proxy_read(&header, ends[1], &outcome.claim);
		ensure(header.length <= sizeof(header.bytes));
	}
	outcome.left = outcome.error == 0 ? count_left(ends[1]) : 0;
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	return outcome;
}

static bool
is_same(const struct wire_address *a, const struct wire_address *b)
{
	return address_is_same_host(a, b) && a->port == b->port;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	if (length < 2 || length > INPUT_BYTES_MAX)
		return 0;
	struct outcome whole = feed(data + 1, length - 1, length - 1);
	struct outcome pieces = feed(data + 1, length - 1, (size_t)data[0] + 1);
	ensure(whole.error == pieces.error && whole.left == pieces.left);
	ensure(whole.error == 0 || whole.error == -EAGAIN || whole.error == -EBADMSG);
	ensure(whole.claim.is_claimed == pieces.claim.is_claimed);
	ensure(is_same(&whole.claim.source, &pieces.claim.source));
	ensure(is_same(&whole.claim.destination, &pieces.claim.destination));
	return 0;
}
