/*
 * The table of channels (see pairs.h). Runs in the supervisor as root. A pair that is in no row is
 * a bug of ours and ends the program: no request of a child can ask for one.
 */
#include "policy/supervisor/pairs.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/channel.h"

#include <sys/socket.h>

static const struct {
	enum role one;
	enum role other;
} rows[] = {
#define PAIR(first, second, messages, doc) { ROLE_##first, ROLE_##second },
#include "policy/supervisor/pairs.def"
};

bool
pair_is_permitted(enum role one, enum role other)
{
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		if ((rows[i].one == one && rows[i].other == other) ||
			(rows[i].one == other && rows[i].other == one))
			return true;
	return false;
}

int
pair_make(enum role one, enum role other, struct pair *pair)
{
	int ends[2];
	ensure(pair_is_permitted(one, other));
	int error = channel_pair(ends);
	if (error == 0)
		*pair = (struct pair){ .one = ends[0], .other = ends[1] };
	return error;
}

int
pair_make_stream(enum role one, enum role other, struct pair *pair)
{
	int ends[2];
	ensure(pair_is_permitted(one, other));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		return -errno;
	*pair = (struct pair){ .one = ends[0], .other = ends[1] };
	return 0;
}

void
pair_close(struct pair *pair)
{
	fd_close(&pair->one);
	fd_close(&pair->other);
}
