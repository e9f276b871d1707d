/*
 * Path-I/O over a channel (see remote.h). Runs in the gateway, one per session. Distrusts the
 * worker: an answer that fits no pending request, or is not the kind that its request declares, is
 * malformed and ends the channel. On failure everything pending is completed with an error.
 */
#include "ipc/remote.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"

#include <errno.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <time.h>

/* A request that was submitted and not yet answered. Request lifetime. */
struct pending {
	struct pending *next;
	uint32_t tag;
	uint32_t code;
	uint32_t file;   /* the handle it opens, if it opens one */
	int failure;     /* not 0: never posted, completes with this from the loop */
	bool is_expired; /* its caller has had -ETIMEDOUT; waits for the late answer */
	uint64_t due_ms; /* monotonic; 0: no limit */
	pathio_completion *done;
	void *argument;
};

struct remote {
	struct pathio io;
	struct remote_options options;
	struct channel *channel;
	struct pending *pending; /* in the order of submission */
	struct event timer;      /* armed for the earliest due time */
	uint64_t timer_due_ms;   /* 0: not armed */
	uint32_t last_tag;
	bool is_completing; /* a completion may free the instance: */
	bool is_freed;      /* then this asks for the end */
};

static uint64_t
now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- time limits ---- */

static bool
is_slow(uint32_t code)
{
	return code == PATHIO_COMMIT || code == PATHIO_COPY || code == PATHIO_DIGEST ||
	       code == PATHIO_REMOVE_TREE;
}

static bool
is_transfer(uint32_t code)
{
	return pathio_messages.rules[code].descriptor != DESCRIPTOR_NONE;
}

static uint64_t
due_from_now(const struct remote *remote, uint32_t code)
{
	uint32_t limit_ms = remote->options.deadline_ms;
	if (is_transfer(code))
		limit_ms = remote->options.stall_ms;
	else if (is_slow(code))
		limit_ms = remote->options.slow_deadline_ms;
	return limit_ms == 0 ? 0 : now_ms() + limit_ms;
}

/*
 * The timer is only ever moved to an earlier time; when it fires too early, because what it was
 * armed for has been answered meanwhile, it is armed anew. So a request costs no timer call.
 */
static void
arm_timer(struct remote *remote, uint64_t due_ms)
{
	if (due_ms == 0 || (remote->timer_due_ms != 0 && remote->timer_due_ms <= due_ms))
		return;
	uint64_t now = now_ms();
	uint64_t wait_ms = due_ms > now ? due_ms - now : 0;
	struct timeval wait = {
		.tv_sec = (time_t)(wait_ms / 1000),
		.tv_usec = (suseconds_t)(wait_ms % 1000 * 1000),
	};
	remote->timer_due_ms = due_ms;
	event_add(&remote->timer, &wait);
}

/* ---- completing ---- */

static void
release(struct remote *remote)
{
	event_del(&remote->timer);
	channel_free(&remote->channel);
	free(remote);
}

/*
 * Around completions, any of which may free the instance: the outermost leave() then releases it
 * and answers false: the caller must not touch it any more.
 */
static bool
enter(struct remote *remote)
{
	bool is_outermost = !remote->is_completing;
	remote->is_completing = true;
	return is_outermost;
}

static bool
leave(struct remote *remote, bool is_outermost)
{
	bool is_alive = !remote->is_freed;
	if (is_outermost) {
		remote->is_completing = false;
		if (!is_alive)
			release(remote);
	}
	return is_alive;
}

static bool
complete(struct remote *remote, const struct pending *pending, const struct pathio_answer *answer)
{
	bool is_outermost = enter(remote);
	pending->done(pending->argument, answer);
	return leave(remote, is_outermost);
}

static void
answer_with_error(const struct pending *pending, int error)
{
	struct pathio_failed failed = { .error = (uint16_t)-error };
	union pathio_body body = { .failed = failed };
	struct pathio_answer answer = {
		.error = error,
		.code = PATHIO_FAILED,
		.tag = pending->tag,
		.body = &body,
	};
	pending->done(pending->argument, &answer);
}

static bool
complete_with_error(struct remote *remote, const struct pending *pending, int error)
{
	bool is_outermost = enter(remote);
	answer_with_error(pending, error);
	return leave(remote, is_outermost);
}

static struct pending *
unlink_pending(struct pending **place)
{
	struct pending *pending = *place;
	*place = pending->next;
	return pending;
}

static struct pending **
find_pending(struct remote *remote, uint32_t tag)
{
	struct pending **place = &remote->pending;
	while (*place != NULL && (*place)->tag != tag)
		place = &(*place)->next;
	return place;
}

/* Everything pending gets this error; false when a completion freed the instance. */
static bool
complete_all(struct remote *remote, int error)
{
	bool is_outermost = enter(remote);
	while (remote->pending != NULL) {
		SCOPE_FREE struct pending *pending = unlink_pending(&remote->pending);
		if (!pending->is_expired)
			answer_with_error(pending, error);
	}
	return leave(remote, is_outermost);
}

/* ---- answers ---- */

static void
ignore_answer(void *argument, const struct pathio_answer *answer)
{
	(void)argument;
	(void)answer;
}

/* A file whose opening outlived its deadline is nobody's. */
static void
close_late_file(struct remote *remote, const struct pending *pending)
{
	struct pathio_close request = { .file = pending->file };
	pathio_close(&remote->io, &request, ignore_answer, NULL);
}

static void
answer_pending(struct remote *remote, uint32_t tag, uint32_t code, const void *body)
{
	struct pending **place = find_pending(remote, tag);
	if (*place == NULL) {
		channel_reject(remote->channel, "an answer to nothing");
		return;
	}
	const struct message_rule *request = &pathio_messages.rules[(*place)->code];
	const struct message_rule *rule = &pathio_messages.rules[code];
	if (code != PATHIO_FAILED && strcmp(request->reply, rule->name) != 0) {
		channel_reject(remote->channel, "an answer of the wrong kind");
		return;
	}
	SCOPE_FREE struct pending *pending = unlink_pending(place);
	if (pending->is_expired) {
		if (code == PATHIO_OPENED)
			close_late_file(remote, pending);
		return;
	}
	struct pathio_answer answer = { .code = code, .tag = tag, .body = body };
	if (code == PATHIO_FAILED)
		answer.error = -(int)answer.body->failed.error;
	complete(remote, pending, &answer);
}

#define REQUEST(name, CODE, number, answer, doc)
#define TRANSFER(name, CODE, number, answer, doc)
#define ANSWER(name, CODE, number, doc)                                                 \
	UNUSED static void on_##name(                                                   \
		void *owner, struct message *message, const struct pathio_##name *body) \
	{                                                                               \
		answer_pending(owner, message->tag, CODE, body);                        \
	}
#include "ipc/pathio.def"

/* Not an answer: the transfer goes on, and its time limit starts again. */
static void
on_progress(void *owner, struct message *message, const struct pathio_progress *body)
{
	struct remote *remote = owner;
	struct pending *pending = *find_pending(remote, message->tag);
	if (pending == NULL || !is_transfer(pending->code)) {
		channel_reject(remote->channel, "progress of no transfer");
		return;
	}
	if (pending->is_expired)
		return;
	pending->due_ms = due_from_now(remote, pending->code);
	if (remote->options.progress != NULL)
		remote->options.progress(remote->options.owner, message->tag, body->bytes);
}

static const struct pathio_handlers handlers = {
#define REQUEST(name, CODE, number, answer, doc)
#define TRANSFER(name, CODE, number, answer, doc)
#define ANSWER(title, CODE, number, doc) .title = on_##title,
#include "ipc/pathio.def"
	.progress = on_progress,
};

static void
on_closed(void *owner, const char *malformed)
{
	struct remote *remote = owner;
	if (complete_all(remote, -EIO))
		remote->options.closed(remote->options.owner, malformed);
}

/* ---- requests ---- */

/* The handle that a request opens, which is to be closed if the answer comes too late. */
static uint32_t
opened_file(uint32_t code, const void *request)
{
	switch (code) {
	case PATHIO_OPEN:
		return ((const struct pathio_open *)request)->file;
	case PATHIO_LIST:
		return ((const struct pathio_list *)request)->file;
	case PATHIO_UPLOAD_OPEN:
		return ((const struct pathio_upload_open *)request)->file;
	default:
		return 0;
	}
}

/* What a row forbids is EINVAL, but a path that is only too long has an errno of its own. */
static int
explain_refusal(uint32_t code, const void *request)
{
	const struct wire_field *field = pathio_messages.rules[code].record->fields;
	for (; field->kind != WIRE_END; field++) {
		struct bytes path;
		if (field->kind != WIRE_PATH)
			continue;
		memcpy(&path, (const char *)request + field->offset, sizeof(path));
		if (path.length > PATH_BYTES_MAX)
			return -ENAMETOOLONG;
	}
	return -EINVAL;
}

static int
post(struct remote *remote, uint32_t code, uint32_t tag, const void *request, int descriptor)
{
	int error = channel_post(remote->channel, code, tag, request, descriptor);
	if (error == 0)
		return 0;
	return error == -EINVAL ? explain_refusal(code, request) : -EIO;
}

static uint32_t
remote_submit(struct pathio *io, uint32_t code, const void *request, int descriptor,
	pathio_completion *done, void *argument)
{
	struct remote *remote = (struct remote *)io;
	struct pending *pending = malloc(sizeof(*pending));
	if (pending == NULL)
		die("out of memory");
	if (++remote->last_tag == 0)
		remote->last_tag = 1;
	*pending = (struct pending){
		.tag = remote->last_tag,
		.code = code,
		.file = opened_file(code, request),
		.due_ms = due_from_now(remote, code),
		.done = done,
		.argument = argument,
	};
	pending->failure = post(remote, code, pending->tag, request, descriptor);
	if (pending->failure != 0)
		pending->due_ms = now_ms();
	struct pending **end = &remote->pending;
	while (*end != NULL)
		end = &(*end)->next;
	*end = pending;
	arm_timer(remote, pending->due_ms);
	return pending->tag;
}

static void
remote_cancel(struct pathio *io, uint32_t tag)
{
	struct remote *remote = (struct remote *)io;
	const struct pending *pending = *find_pending(remote, tag);
	if (pending != NULL && pending->failure == 0)
		channel_lost(pathio_post_cancel(
			remote->channel, 0, &(struct pathio_cancel){ .cancelled = tag }));
}

static void
remote_free(struct pathio *io)
{
	struct remote *remote = (struct remote *)io;
	remote->is_freed = true;
	complete_all(remote, -ECANCELED);
}

static const struct pathio_operations operations = {
	.submit = remote_submit,
	.cancel = remote_cancel,
	.free = remote_free,
};

/* ---- the timer ---- */

static struct pending **
find_due(struct remote *remote, uint64_t now, uint64_t *next_due_ms)
{
	*next_due_ms = 0;
	for (struct pending **place = &remote->pending; *place != NULL; place = &(*place)->next) {
		uint64_t due_ms = (*place)->due_ms;
		if (due_ms != 0 && due_ms <= now)
			return place;
		if (due_ms != 0 && (*next_due_ms == 0 || due_ms < *next_due_ms))
			*next_due_ms = due_ms;
	}
	return NULL;
}

/* One request is out of time, or was never posted; false when its completion freed the instance. */
static bool
expire(struct remote *remote, struct pending **place)
{
	struct pending *pending = *place;
	if (pending->failure != 0) {
		SCOPE_FREE struct pending *unlinked = unlink_pending(place);
		return complete_with_error(remote, unlinked, unlinked->failure);
	}
	pending->is_expired = true;
	pending->due_ms = 0;
	remote_cancel(&remote->io, pending->tag);
	return complete_with_error(remote, pending, -ETIMEDOUT);
}

static void
on_timer(evutil_socket_t fd, short what, void *argument)
{
	struct remote *remote = argument;
	struct pending **place;
	uint64_t next_due_ms;
	bool is_late = false;
	(void)fd;
	(void)what;
	remote->timer_due_ms = 0;
	while ((place = find_due(remote, now_ms(), &next_due_ms)) != NULL) {
		is_late = is_late || (*place)->failure == 0;
		if (!expire(remote, place))
			return;
	}
	arm_timer(remote, next_due_ms);
	if (is_late && remote->options.late != NULL)
		remote->options.late(remote->options.owner);
}

int
remote_new(const struct remote_options *options, int *fd, struct pathio **result)
{
	struct remote *remote = calloc(1, sizeof(*remote));
	if (remote == NULL)
		return -ENOMEM;
	remote->io.operations = &operations;
	remote->options = *options;
	event_assign(&remote->timer, options->base, -1, 0, on_timer, remote);
	struct channel_options channel_options = {
		.base = options->base,
		.messages = &pathio_messages,
		.our_role = ROLE_GATEWAY,
		.peer_role = ROLE_WORKER,
		.phase = PHASE_SERVING,
		.handlers = &handlers,
		.owner = remote,
		.closed = on_closed,
	};
	int error = channel_new(&channel_options, fd, &remote->channel);
	if (error < 0) {
		free(remote);
		return error;
	}
	*result = &remote->io;
	return 0;
}
