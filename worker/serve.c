/*
 * Sessions of a worker (see serve.h). Runs in the worker, as the user. The peer of each channel is
 * a gateway, the process that reads the network: its messages are well-formed when they come here,
 * and nothing more. A session that fails ends alone.
 *
 * A session is not read from while its answers pile up, nor while the recorder waits: that is all
 * the flow control there is.
 */
#include "worker/serve.h"

#include "ipc/base/scope.h"

#include <errno.h>
#include <sys/queue.h>

/* A request that has not been answered: its tag on the wire and in the instance. */
struct pending {
	TAILQ_ENTRY(pending) entry;
	struct session *session;
	uint32_t wire_tag;
	uint32_t tag; /* 0 while it is being submitted */
};

struct session {
	TAILQ_ENTRY(session) entry;
	struct serve *serve;
	uint64_t id;
	struct channel *channel;
	struct pathio *io;
	bool paused;
	struct pending *submitted; /* NULL as soon as it is answered */
	struct instance_totals totals;
	TAILQ_HEAD(pending_requests, pending) pending;
	TAILQ_ENTRY(session) holding;
	bool is_holding; /* answers */
};

struct serve {
	struct serve_options options;
	size_t count;
	TAILQ_HEAD(sessions, session) sessions;
	struct sessions holding;
};

int
serve_new(const struct serve_options *options, struct serve **result)
{
	struct serve *serve = calloc(1, sizeof(*serve));
	if (serve == NULL)
		return -ENOMEM;
	serve->options = *options;
	TAILQ_INIT(&serve->sessions);
	TAILQ_INIT(&serve->holding);
	*result = serve;
	return 0;
}

/* ---- flow control ---- */

static void
update_pause(struct session *session)
{
	bool paused = recorder_is_waiting(session->serve->options.recorder) ||
		      channel_is_full(session->channel);
	if (paused == session->paused)
		return;
	session->paused = paused;
	if (paused)
		channel_pause(session->channel);
	else
		channel_resume(session->channel);
}

static void
on_drained(void *owner)
{
	update_pause(owner);
}

void
serve_resume(struct serve *serve)
{
	for (struct session *session = TAILQ_FIRST(&serve->sessions); session != NULL;
		session = TAILQ_NEXT(session, entry))
		update_pause(session);
}

/* ---- requests and answers ---- */

static void
stop_holding(struct session *session)
{
	if (session->is_holding)
		TAILQ_REMOVE(&session->serve->holding, session, holding);
	session->is_holding = false;
}

static int
hold(struct session *session, uint32_t code, uint32_t tag, const void *body)
{
	if (!session->is_holding)
		TAILQ_INSERT_TAIL(&session->serve->holding, session, holding);
	session->is_holding = true;
	return channel_hold(session->channel, code, tag, body);
}

void
serve_flush(void *owner)
{
	struct serve *serve = owner;
	struct session *session;
	while ((session = TAILQ_FIRST(&serve->holding)) != NULL) {
		stop_holding(session);
		channel_flush(session->channel);
	}
}

/* What carries content is worth a wake-up of its own, and no copy. */
static bool
is_large(uint32_t code)
{
	return code == PATHIO_CONTENT || code == PATHIO_ENTRIES || code == PATHIO_ACCOUNT_IS;
}

static void
post(struct session *session, uint32_t code, uint32_t tag, const void *body)
{
	bool holds = session->serve->options.holds && !is_large(code);
	int result = holds ? hold(session, code, tag, body)
			   : channel_post(session->channel, code, tag, body, -1);
	channel_lost(result);
	if (result == -ENOBUFS || result == -ENOMEM)
		channel_reject(session->channel, "answers that nobody takes");
}

static void
on_answer(void *argument, const struct pathio_answer *answer)
{
	struct pending *pending = argument;
	struct session *session = pending->session;
	post(session, answer->code, pending->wire_tag, answer->body);
	if (session->submitted == pending)
		session->submitted = NULL;
	TAILQ_REMOVE(&session->pending, pending, entry);
	free(pending);
}

static void
on_progress(void *owner, uint32_t tag, uint64_t bytes)
{
	struct session *session = owner;
	for (struct pending *pending = TAILQ_FIRST(&session->pending); pending != NULL;
		pending = TAILQ_NEXT(pending, entry))
		if (pending->tag == tag)
			channel_lost(pathio_post_progress(session->channel, pending->wire_tag,
				&(struct pathio_progress){ .bytes = bytes }));
}

static void
submit(struct session *session, uint32_t code, const struct message *message)
{
	struct pending *pending = malloc(sizeof(*pending));
	if (pending == NULL) {
		post(session, PATHIO_FAILED, message->tag,
			&(struct pathio_failed){ .error = ENOMEM });
		return;
	}
	*pending = (struct pending){ .session = session, .wire_tag = message->tag };
	TAILQ_INSERT_TAIL(&session->pending, pending, entry);
	session->submitted = pending;
	uint32_t tag = session->io->operations->submit(
		session->io, code, message->body, message->descriptor, on_answer, pending);
	if (session->submitted != NULL)
		session->submitted->tag = tag;
	session->submitted = NULL;
	update_pause(session);
}

#define REQUEST(name, CODE, number, answer, doc)                                           \
	static void on_##name(                                                             \
		void *owner, struct message *message, const struct pathio_##name *request) \
	{                                                                                  \
		(void)request;                                                             \
		submit(owner, CODE, message);                                              \
	}
#define TRANSFER(name, CODE, number, answer, doc) REQUEST(name, CODE, number, answer, doc)
#define ANSWER(name, CODE, number, doc)
#include "ipc/pathio.def"

static void
on_cancel(void *owner, struct message *message, const struct pathio_cancel *request)
{
	struct session *session = owner;
	(void)message;
	for (struct pending *pending = TAILQ_FIRST(&session->pending); pending != NULL;
		pending = TAILQ_NEXT(pending, entry)) {
		if (pending->wire_tag != request->cancelled)
			continue;
		pathio_cancel(session->io, pending->tag);
		return;
	}
}

static const struct pathio_handlers handlers = {
#define REQUEST(name, CODE, number, answer, doc)  .name = on_##name,
#define TRANSFER(name, CODE, number, answer, doc) .name = on_##name,
#define ANSWER(name, CODE, number, doc)
#include "ipc/pathio.def"
	.cancel = on_cancel,
};

/* ---- the life of a session ---- */

static struct session *
session_new(struct serve *serve, uint64_t id)
{
	struct session *session = calloc(1, sizeof(*session));
	if (session == NULL)
		return NULL;
	session->serve = serve;
	session->id = id;
	TAILQ_INIT(&session->pending);
	TAILQ_INSERT_TAIL(&serve->sessions, session, entry);
	serve->count++;
	return session;
}

/* Closes its files; what was pending is answered to a channel that may be gone. */
static void
session_free(struct session **session)
{
	struct session *freed = *session;
	*session = NULL;
	if (freed->io != NULL)
		pathio_free(&freed->io);
	stop_holding(freed);
	channel_free(&freed->channel);
	TAILQ_REMOVE(&freed->serve->sessions, freed, entry);
	freed->serve->count--;
	free(freed);
}

/* It is over, and the record has its last line. */
static void
session_end(struct session **session)
{
	struct session *ended = *session;
	pathio_free(&ended->io);
	recorder_session_ended(ended->serve->options.recorder, ended->id, &ended->totals);
	session_free(session);
}

static void
on_closed(void *owner, const char *malformed)
{
	struct session *session = owner;
	struct serve *serve = session->serve;
	uint64_t id = session->id;
	if (malformed != NULL)
		recorder_malformed(serve->options.recorder, id, malformed);
	session_end(&session);
	serve->options.ended(serve->options.owner, id);
}

void
serve_free(struct serve **serve)
{
	struct serve *freed = *serve;
	struct session *session;
	*serve = NULL;
	if (freed == NULL)
		return;
	while ((session = TAILQ_FIRST(&freed->sessions)) != NULL)
		session_free(&session);
	free(freed);
}

static struct session *
find_session(struct serve *serve, uint64_t id)
{
	for (struct session *session = TAILQ_FIRST(&serve->sessions); session != NULL;
		session = TAILQ_NEXT(session, entry))
		if (session->id == id)
			return session;
	return NULL;
}

static int
open_session(
	struct session *session, const struct serve_client *client, struct rights **rights, int *fd)
{
	struct serve *serve = session->serve;
	int error = channel_new(
		&(struct channel_options){
			.base = serve->options.base,
			.messages = &pathio_messages,
			.our_role = ROLE_WORKER,
			.peer_role = ROLE_GATEWAY,
			.phase = PHASE_SERVING,
			.handlers = &handlers,
			.owner = session,
			.closed = on_closed,
			.drained = on_drained,
		},
		fd, &session->channel);
	if (error < 0)
		return error;
	return nursery_make(serve->options.nursery,
		&(struct instance_options){
			.identity = { .session = session->id,
				.peer = client->peer,
				.is_claimed = client->is_claimed,
				.user = serve->options.user },
			.deadline_ms = serve->options.deadline_ms,
			.slow_deadline_ms = serve->options.slow_deadline_ms,
			.stall_timeout_ms = serve->options.stall_timeout_ms,
			.totals = &session->totals,
			.progress = on_progress,
			.owner = session,
		},
		rights, &session->io);
}

int
serve_attach(
	struct serve *serve, const struct serve_client *client, struct rights **rights, int *fd)
{
	struct session *former = find_session(serve, client->session);
	if (former != NULL)
		session_end(&former);
	struct session *session = session_new(serve, client->session);
	int error = session == NULL ? -ENOMEM : open_session(session, client, rights, fd);
	if (error == 0)
		update_pause(session);
	else if (session != NULL)
		session_free(&session);
	rights_free(rights);
	fd_close(fd);
	return error;
}

void
serve_change_rights(struct serve *serve, uint64_t id, struct rights **rights)
{
	struct session *session = find_session(serve, id);
	if (session != NULL)
		instance_change_rights(session->io, rights);
	rights_free(rights);
}

size_t
serve_count(const struct serve *serve)
{
	return serve->count;
}
