/*
 * The pool of hashers (see pool.h). Runs in auth. A hasher that breaks the rules of its channel is
 * treated as one that died: cut off, and replaced when the next computation needs it.
 */
#include "policy/auth/pool.h"

#include "ipc/base/scope.h"
#include "ipc/hash.h"
#include "policy/auth/hasher.h"

#include <errno.h>
#include <stdlib.h>

struct member {
	struct pool *pool;
	struct channel *channel; /* NULL: died, to be replaced */
	void *request;           /* NULL: idle */
};

struct pool {
	struct pool_options options;
	struct member members[];
};

static void
finish(struct member *member, enum pool_result result)
{
	void *request = member->request;
	member->request = NULL;
	if (request != NULL)
		member->pool->options.done(member->pool->options.owner, request, result);
}

static void
on_computed(void *owner, struct message *message, const struct hash_computed *body)
{
	struct member *member = owner;
	(void)message;
	if (member->request == NULL)
		channel_reject(member->channel, "an answer to nothing");
	else
		finish(member, body->matches ? POOL_MATCHES : POOL_DIFFERS);
}

static void
on_violation(void *owner, struct message *message, const struct hash_violation *body)
{
	struct member *member = owner;
	(void)message;
	fprintf(stderr, "sallyport-auth: a hasher made the forbidden system call %u\n",
		body->system_call);
	channel_reject(member->channel, "a system call outside the cage");
}

static void
on_closed(void *owner, const char *malformed)
{
	struct member *member = owner;
	fprintf(stderr, "sallyport-auth: a hasher %s\n", malformed == NULL ? "died" : malformed);
	channel_free(&member->channel);
	finish(member, POOL_DIED);
}

static const struct hash_handlers handlers = {
	.violation = on_violation,
	.computed = on_computed,
};

static int
start(struct member *member)
{
	const struct pool_options *options = &member->pool->options;
	SCOPE_FD int fd = -1;
	int error = hasher_start(options->forget, options->owner, &fd);
	if (error < 0)
		return error;
	struct channel_options channel = {
		.base = options->base,
		.messages = &hash_messages,
		.our_role = ROLE_AUTH,
		.peer_role = ROLE_HASHER,
		.phase = PHASE_SERVING,
		.handlers = &handlers,
		.owner = member,
		.closed = on_closed,
	};
	return channel_new(&channel, &fd, &member->channel);
}

int
pool_new(const struct pool_options *options, struct pool **result)
{
	struct pool *pool =
		calloc(1, sizeof(*pool) + options->processes * sizeof(pool->members[0]));
	if (pool == NULL)
		return -ENOMEM;
	pool->options = *options;
	for (unsigned i = 0; i < options->processes; i++) {
		pool->members[i].pool = pool;
		int error = start(&pool->members[i]);
		if (error < 0) {
			pool_free(&pool);
			return error;
		}
	}
	*result = pool;
	return 0;
}

void
pool_free(struct pool **pool)
{
	if (*pool == NULL)
		return;
	for (unsigned i = 0; i < (*pool)->options.processes; i++)
		channel_free(&(*pool)->members[i].channel);
	free(*pool);
	*pool = NULL;
}

static struct member *
find_idle(struct pool *pool)
{
	for (unsigned i = 0; i < pool->options.processes; i++)
		if (pool->members[i].request == NULL)
			return &pool->members[i];
	return NULL;
}

bool
pool_is_idle(struct pool *pool)
{
	return find_idle(pool) != NULL;
}

int
pool_compute(struct pool *pool, struct bytes secret, struct bytes hash, void *request)
{
	struct member *member = find_idle(pool);
	if (member == NULL)
		return -EBUSY;
	struct hash_compute compute = { .secret = secret, .hash = hash };
	int error =
		member->channel == NULL ? -EPIPE : hash_post_compute(member->channel, 0, &compute);
	if (error == -EPIPE) { /* it died while it was idle */
		channel_free(&member->channel);
		error = start(member);
		if (error == 0)
			error = hash_post_compute(member->channel, 0, &compute);
	}
	if (error < 0)
		return -EIO;
	member->request = request;
	return 0;
}
