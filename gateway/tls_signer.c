/*
 * Requests to keys (see tls_signer.h). Runs in the gateway. Keys is trusted with the key and with
 * nothing else: a signature that is none fails the handshake that asked for it.
 */
#include "gateway/tls_signer.h"

#include "gateway/tls.h"
#include "ipc/base/ends.h"

#include <errno.h>
#include <openssl/async.h>
#include <stdlib.h>
#include <sys/queue.h>

/* A job that is put aside. Lives on the job's own stack. */
struct pending {
	TAILQ_ENTRY(pending) entry;
	struct tls *tls;
	uint32_t tag;
	unsigned char *signature;
	size_t capacity;
	int result; /* PENDING until it is answered */
};
enum { PENDING = 0 };

struct tls_signer {
	struct tls_signer_options options;
	struct channel *keys; /* NULL: none */
	struct tls *running;
	uint32_t last_tag;
	TAILQ_HEAD(pending_list, pending) pending; /* in the order in which they were asked */
};

/* ---- answers ---- */

/* The handshake goes on, in its owner's next turn. */
static void
settle(struct tls_signer *signer, struct pending *pending, int result)
{
	TAILQ_REMOVE(&signer->pending, pending, entry);
	pending->result = result;
	if (pending->tls != NULL)
		tls_wake(pending->tls);
}

static struct pending *
find(const struct tls_signer *signer, uint32_t tag)
{
	struct pending *pending;
	TAILQ_FOREACH(pending, &signer->pending, entry)
	if (pending->tag == tag)
		return pending;
	return NULL;
}

/* Answers that nobody waits for any more find nothing (tls_signer_abandon). */
static void
on_signature(void *owner, struct message *message, const struct sign_signature *body)
{
	struct tls_signer *signer = owner;
	struct pending *pending = find(signer, message->tag);
	size_t length = body->bytes.length;
	if (pending == NULL)
		return;
	if (length <= pending->capacity)
		memcpy(pending->signature, body->bytes.data, length);
	settle(signer, pending, length <= pending->capacity ? (int)length : -EMSGSIZE);
}

static void
on_refused(void *owner, struct message *message, const struct sign_refused *body)
{
	struct tls_signer *signer = owner;
	struct pending *pending = find(signer, message->tag);
	if (pending != NULL)
		settle(signer, pending, -(int)body->error);
}

static const struct sign_handlers handlers = {
	.signature = on_signature,
	.refused = on_refused,
};

static void
lose(struct tls_signer *signer)
{
	channel_free(&signer->keys);
	while (!TAILQ_EMPTY(&signer->pending))
		settle(signer, TAILQ_FIRST(&signer->pending), -EPIPE);
}

static void
on_closed(void *owner, const char *malformed)
{
	struct tls_signer *signer = owner;
	lose(signer);
	signer->options.closed(signer->options.owner, malformed);
}

int
tls_signer_connect(struct tls_signer *signer, int *fd)
{
	const struct channel_options options = {
		.base = signer->options.base,
		.messages = &sign_messages,
		.our_role = ROLE_GATEWAY,
		.peer_role = ROLE_KEYS,
		.phase = PHASE_SERVING,
		.handlers = &handlers,
		.owner = signer,
		.closed = on_closed,
	};
	struct channel *channel;
	int error = channel_new(&options, fd, &channel);
	if (error < 0)
		return error;
	lose(signer);
	signer->keys = channel;
	return 0;
}

/* ---- requests ---- */

void
tls_signer_set_running(struct tls_signer *signer, struct tls *running)
{
	signer->running = running;
}

static struct pending *
find_waiting(const struct tls_signer *signer, const struct tls *waiting)
{
	struct pending *pending;
	TAILQ_FOREACH(pending, &signer->pending, entry)
	if (pending->tls == waiting)
		return pending;
	return NULL;
}

bool
tls_signer_abandon(struct tls_signer *signer, const struct tls *waiting)
{
	struct pending *pending = find_waiting(signer, waiting);
	if (pending == NULL)
		return false;
	pending->tls = NULL;
	settle(signer, pending, -ECANCELED);
	return true;
}

bool
tls_signer_is_awaited(const struct tls_signer *signer, const struct tls *waiting)
{
	return find_waiting(signer, waiting) != NULL;
}

int
tls_signer_ask(struct tls_signer *signer, const struct sign_sign *request, unsigned char *signature,
	size_t capacity)
{
	struct pending pending = {
		.tls = signer->running,
		.signature = signature,
		.capacity = capacity,
		.result = PENDING,
	};
	if (ASYNC_get_current_job() == NULL || signer->running == NULL)
		return -EIO;
	if (signer->keys == NULL)
		return -EPIPE;
	pending.tag = ++signer->last_tag;
	int error = sign_post_sign(signer->keys, pending.tag, request);
	if (error < 0)
		return error;
	TAILQ_INSERT_TAIL(&signer->pending, &pending, entry);
	while (pending.result == PENDING)
		if (ASYNC_pause_job() != 1)
			bug("a job that cannot be put aside");
	return pending.result;
}

/* ---- life ---- */

struct tls_signer *
tls_signer_new(const struct tls_signer_options *options)
{
	struct tls_signer *signer = calloc(1, sizeof(*signer));
	if (signer == NULL)
		return NULL;
	signer->options = *options;
	TAILQ_INIT(&signer->pending);
	return signer;
}

void
tls_signer_free(struct tls_signer **signer)
{
	if (*signer == NULL)
		return;
	ensure(TAILQ_EMPTY(&(*signer)->pending));
	channel_free(&(*signer)->keys);
	free(*signer);
	*signer = NULL;
}
