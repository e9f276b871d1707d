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
	bool is_proving;         /* ... and not computing */
	bool is_stale;           /* holds proofs to what is in force no more */
};

struct pool {
	struct pool_options options;
	struct member members[];
};

static void
finish(struct member *member, enum pool_result result, const struct hash_proven *certificate)
{
	const struct pool_options *options = &member->pool->options;
	void *request = member->request;
	member->request = NULL;
	if (request != NULL && member->is_proving)
		options->proven(options->owner, request, result, certificate);
	else if (request != NULL)
		options->done(options->owner, request, result);
}

static void
on_computed(void *owner, UNUSED struct message *message, const struct hash_computed *body)
{
	struct member *member = owner;
	if (member->request == NULL || member->is_proving)
		channel_reject(member->channel, "an answer to nothing");
	else
		finish(member, body->matches ? POOL_MATCHES : POOL_DIFFERS, NULL);
}

static void
on_proven(void *owner, UNUSED struct message *message, const struct hash_proven *body)
{
	struct member *member = owner;
	if (member->request == NULL || !member->is_proving)
		channel_reject(member->channel, "an answer to nothing");
	else
		finish(member, body->valid ? POOL_MATCHES : POOL_DIFFERS, body);
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
	finish(member, POOL_DIED, NULL);
}

static const struct hash_handlers handlers = {
	.violation = on_violation,
	.computed = on_computed,
	.proven = on_proven,
};

static int
start(struct member *member)
{
	const struct pool_options *options = &member->pool->options;
	SCOPE_FD int fd = -1;
	int error = hasher_start(options->trust, options->forget, options->owner, &fd);
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
	member->is_stale = false;
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

void
pool_renew(struct pool *pool)
{
	for (unsigned i = 0; i < pool->options.processes; i++)
		pool->members[i].is_stale = true;
}

/* One of the two. */
struct work {
	const struct hash_compute *compute;
	const struct hash_prove *prove;
};

static int
post(const struct member *member, const struct work *work)
{
	if (member->channel == NULL)
		return -EPIPE;
	return work->prove != NULL ? hash_post_prove(member->channel, 0, work->prove)
				   : hash_post_compute(member->channel, 0, work->compute);
}

static int
give(struct pool *pool, const struct work *work, void *request)
{
	struct member *member = find_idle(pool);
	if (member == NULL)
		return -EBUSY;
	if (member->is_stale && work->prove != NULL)
		channel_free(&member->channel);
	int error = post(member, work);
	if (error == -EPIPE) { /* it died while it was idle */
		channel_free(&member->channel);
		error = start(member);
		if (error == 0)
			error = post(member, work);
	}
	if (error < 0)
		return -EIO;
	member->request = request;
	member->is_proving = work->prove != NULL;
	return 0;
}

int
pool_compute(struct pool *pool, struct bytes secret, struct bytes hash, void *request)
{
	const struct hash_compute compute = { .secret = secret, .hash = hash };
	const struct work work = { .compute = &compute };
	return give(pool, &work, request);
}

int
pool_prove(struct pool *pool, struct bytes proof, void *request)
{
	const struct hash_prove prove = { .proof = proof };
	const struct work work = { .prove = &prove };
	return give(pool, &work, request);
}
