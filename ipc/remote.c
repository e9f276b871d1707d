/*
 * Path-I/O over a channel (see remote.h). Runs in the gateway, one per session. Distrusts the
 * worker: an answer that fits no pending request, or is not the kind that its request declares, is
 * malformed and ends the channel. On failure everything pending is completed with an error.
 */
#include "ipc/remote.h"

#include "ipc/base/ends.h"
#include "ipc/base/path.h"
#include "ipc/base/scope.h"
#include "ipc/descriptor.h"
#include "ipc/pending.h"

#include <errno.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <time.h>

struct remote {
	struct pathio io;
	struct remote_options options;
	struct channel *channel;
	struct pending_list pending;
	struct event timer;    /* armed for the earliest due time */
	uint64_t timer_due_ms; /* 0: not armed */
	uint32_t last_tag;
	bool tags_repeat;   /* all have been used once */
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
	return code == PATHIO_COMMIT || code == PATHIO_SYNC || code == PATHIO_COPY ||
	       code == PATHIO_DIGEST || code == PATHIO_REMOVE_TREE || code == PATHIO_COMBINE;
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
	if (event_add(&remote->timer, &wait) < 0)
		die("out of memory");
}

/*
 * What waits behind a transfer on the same file (a close in the same breath) may wait for hours:
 * its time begins when its turn comes.
 */
static void
start_next(struct remote *remote, const struct pending *before)
{
	if (!before->has_file)
		return;
	struct pending *next = pending_next_on_file(&remote->pending, before->file);
	if (next == NULL)
		return;
	next->is_waiting = false;
	next->due_ms = due_from_now(remote, next->code);
	arm_timer(remote, next->due_ms);
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
	if (!is_outermost)
		return !remote->is_freed;
	remote->is_completing = false;
	if (!remote->is_freed)
		return true;
	release(remote);
	return false;
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

/* Everything pending gets this error; false when a completion freed the instance. */
static bool
complete_all(struct remote *remote, int error)
{
	bool is_outermost = enter(remote);
	while (remote->pending.first != NULL) {
		SCOPE_FREE struct pending *pending =
			pending_unlink(&remote->pending, &remote->pending.first);
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

/* A file whose opening outlived its deadline is nobody's, unless a close was sent after it. */
static void
close_late_file(struct remote *remote, const struct pending *pending)
{
	if (pending->is_closed)
		return;
	struct pathio_close request = { .file = pending->file };
	pathio_close(&remote->io, &request, ignore_answer, NULL);
}

static void
answer_pending(struct remote *remote, uint32_t tag, uint32_t code, const void *body)
{
	struct pending **place = pending_find(&remote->pending, tag);
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
	SCOPE_FREE struct pending *pending = pending_unlink(&remote->pending, place);
	start_next(remote, pending);
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
	struct pending *pending = *pending_find(&remote->pending, message->tag);
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

void
remote_abandon(struct pathio *io)
{
	on_closed((struct remote *)io, NULL);
}

/* ---- requests ---- */

static int
post(struct remote *remote, uint32_t code, uint32_t tag, const void *request, int descriptor)
{
	/* To the worker it would be malformed, and end the session. */
	if (descriptor >= 0 &&
		descriptor_check(descriptor, pathio_messages.rules[code].descriptor) < 0)
		return -EINVAL;
	int error = channel_post(remote->channel, code, tag, request, descriptor);
	if (error == 0)
		return 0;
	return error == -EINVAL ? pathio_check(code, request) : -EIO;
}

/* Not 0, and not that of a request which waits for its answer since the tags began anew. */
static uint32_t
next_tag(struct remote *remote)
{
	do {
		remote->last_tag++;
		remote->tags_repeat = remote->tags_repeat || remote->last_tag == 0;
	} while (
		remote->last_tag == 0 ||
		(remote->tags_repeat && *pending_find(&remote->pending, remote->last_tag) != NULL));
	return remote->last_tag;
}

static uint32_t
remote_submit(struct pathio *io, uint32_t code, const void *request, int descriptor,
	pathio_completion *done, void *argument)
{
	struct remote *remote = (struct remote *)io;
	struct pathio_bounded bounded;
	struct pending *pending = malloc(sizeof(*pending));
	if (pending == NULL)
		die("out of memory");
	*pending = (struct pending){
		.tag = next_tag(remote),
		.code = code,
		.done = done,
		.argument = argument,
	};
	pending->failure =
		post(remote, code, pending->tag, pathio_bound(code, request, &bounded), descriptor);
	pending_append(&remote->pending, pending, request);
	if (pending->failure != 0)
		pending->due_ms = now_ms();
	else if (!pending->is_waiting)
		pending->due_ms = due_from_now(remote, code);
	arm_timer(remote, pending->due_ms);
	return pending->tag;
}

static void
remote_cancel(struct pathio *io, uint32_t tag)
{
	struct remote *remote = (struct remote *)io;
	const struct pending *pending = *pending_find(&remote->pending, tag);
	if (pending != NULL && !pending->is_expired)
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

/* One request is out of time, or was never posted; false when its completion freed the instance. */
static bool
expire(struct remote *remote, struct pending **place)
{
	struct pending *pending = *place;
	if (pending->failure != 0) {
		SCOPE_FREE struct pending *unlinked = pending_unlink(&remote->pending, place);
		return complete_with_error(remote, unlinked, unlinked->failure);
	}
	remote_cancel(&remote->io, pending->tag);
	pending->is_expired = true;
	pending->due_ms = 0;
	start_next(remote, pending);
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
	while ((place = pending_find_due(&remote->pending, now_ms(), &next_due_ms)) != NULL) {
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
	pending_list_init(&remote->pending);
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
