/*
 * Channels (see channel.h). Runs in every process. Trusts nothing that arrives: bytes, descriptors
 * and their number are the peer's choice until the checks below have passed. On failure the channel
 * stops reading and tells its owner; the process goes on.
 */
#include "ipc/channel.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"

#include <errno.h>
#include <event2/event_struct.h>
#include <fcntl.h>
#include <sys/socket.h>

enum {
	MESSAGE_BYTES_MAX = MESSAGE_HEADER_BYTES + MESSAGE_BODY_BYTES_MAX,
	MESSAGES_PER_TURN = 32, /* then the other channels of the loop have their turn */
};

struct outgoing {
	struct outgoing *next;
	int descriptor;
	size_t length;
	char data[];
};

struct channel {
	struct channel_options options;
	int fd;
	bool in_dispatch;
	bool free_after_dispatch;
	bool ended;
	bool paused;
	bool was_full;
	const char *malformed;
	struct outgoing *queue;
	struct outgoing **queue_tail;
	size_t queue_bytes;
	struct event readable;
	struct event writable;
	struct event end;
};

/* Messages are handled to their end before the next is read, so one buffer serves the process. */
static char scratch[MESSAGE_BYTES_MAX];
static FILE *trace;

void
channel_trace(FILE *output)
{
	trace = output;
}

static void
trace_message(const struct channel *channel, const char *direction, const struct message_rule *rule,
	uint32_t tag, const void *body)
{
	if (trace == NULL)
		return;
	fprintf(trace, "{\"%s\":\"%s\",\"peer\":\"%s\",\"tag\":%u,", direction, rule->name,
		role_name(channel->options.peer_role), tag);
	wire_print_json(rule->record, body, trace);
	fputs("}\n", trace);
	fflush(trace);
}

/* What held a secret is wiped: a password lives no longer than its message. */
static void
wipe_secret(const struct message_rule *rule, void *memory, size_t length)
{
	for (const struct wire_field *field = rule->record->fields; field->kind != WIRE_END;
		field++)
		if (field->kind == WIRE_SECRET)
			explicit_bzero(memory, length);
}

static const struct message_rule *
find_rule(const struct message_table *messages, uint32_t code)
{
	if (code >= messages->count || messages->rules[code].name == NULL)
		return NULL;
	return &messages->rules[code];
}

/* ---- ending ---- */

static void
end_channel(struct channel *channel, const char *malformed)
{
	if (channel->ended)
		return;
	channel->ended = true;
	channel->malformed = malformed;
	event_del(&channel->readable);
	event_del(&channel->writable);
	event_active(&channel->end, EV_TIMEOUT, 0);
}

static void
on_end(evutil_socket_t fd, short what, void *argument)
{
	struct channel *channel = argument;
	(void)fd;
	(void)what;
	channel->options.closed(channel->options.owner, channel->malformed);
}

void
channel_reject(struct channel *channel, const char *why)
{
	end_channel(channel, why);
}

static void
free_outgoing(struct outgoing **outgoing)
{
	fd_close(&(*outgoing)->descriptor);
	explicit_bzero((*outgoing)->data, (*outgoing)->length);
	free(*outgoing);
	*outgoing = NULL;
}

static void
release(struct channel *channel)
{
	while (channel->queue != NULL) {
		struct outgoing *first = channel->queue;
		channel->queue = first->next;
		free_outgoing(&first);
	}
	event_del(&channel->readable);
	event_del(&channel->writable);
	event_del(&channel->end);
	fd_close(&channel->fd);
	free(channel);
}

void
channel_free(struct channel **channel)
{
	struct channel *freed = *channel;
	*channel = NULL;
	if (freed == NULL)
		return;
	if (!freed->in_dispatch) {
		release(freed);
		return;
	}
	freed->free_after_dispatch = true;
	freed->ended = true;
	event_del(&freed->end);
}

/* ---- receiving ---- */

/* Takes the descriptors out of the control messages; keeps at most one, closes the others. */
static int
collect_descriptors(struct msghdr *header, int *descriptor)
{
	int count = 0;
	*descriptor = -1;
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg != NULL;
		cmsg = CMSG_NXTHDR(header, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		size_t length = cmsg->cmsg_len - CMSG_LEN(0);
		for (size_t at = 0; at + sizeof(int) <= length; at += sizeof(int)) {
			int fd;
			memcpy(&fd, CMSG_DATA(cmsg) + at, sizeof(fd));
			if (count++ == 0)
				*descriptor = fd;
			else
				fd_close(&fd);
		}
	}
	return count;
}

static const char *
check_descriptor(const struct message_rule *rule, int count, int descriptor)
{
	if (rule->descriptor == DESCRIPTOR_NONE)
		return count == 0 ? NULL : "a descriptor where none belongs";
	if (count != 1)
		return "not exactly one descriptor";
	return descriptor_check(descriptor, rule->descriptor) == 0 ? NULL
								   : "a descriptor of another kind";
}

static const char *
check_rule(const struct channel *channel, const struct message_rule *rule)
{
	if (rule == NULL)
		return "unknown message";
	if ((rule->senders & SENT_BY(channel->options.peer_role)) == 0)
		return "a message that this peer may not send";
	if ((rule->phases & channel->options.phase) == 0)
		return "a message out of phase";
	return NULL;
}

static uint32_t
read_u32(const char *from)
{
	const unsigned char *byte = (const unsigned char *)from;
	return (uint32_t)byte[0] | (uint32_t)byte[1] << 8 | (uint32_t)byte[2] << 16 |
	       (uint32_t)byte[3] << 24;
}

static void
write_u32(char *to, uint32_t value)
{
	for (int i = 0; i < 4; i++, value >>= 8)
		to[i] = (char)(unsigned char)value;
}

/* Checks one message and runs its handler; NULL, or which rule it broke. */
static const char *
handle_message(struct channel *channel, size_t length, int flags, int count, int *descriptor)
{
	_Alignas(max_align_t) char body[MESSAGE_STRUCT_BYTES_MAX];
	if ((flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		return "an oversized message";
	if (length < MESSAGE_HEADER_BYTES)
		return "a message without a header";
	const struct message_rule *rule = find_rule(channel->options.messages, read_u32(scratch));
	const char *broken = check_rule(channel, rule);
	if (broken == NULL)
		broken = check_descriptor(rule, count, *descriptor);
	if (broken != NULL)
		return broken;
	struct bytes encoded =
		bytes_of(scratch + MESSAGE_HEADER_BYTES, length - MESSAGE_HEADER_BYTES);
	if (wire_decode(rule->record, encoded, body, NULL) < 0)
		return "a field out of range";

	struct message message = {
		.tag = read_u32(scratch + 4),
		.descriptor = fd_take(descriptor),
		.body = body,
	};
	trace_message(channel, "received", rule, message.tag, body);
	rule->call(channel->options.handlers, channel->options.owner, &message);
	fd_close(&message.descriptor);
	wipe_secret(rule, scratch, length);
	return NULL;
}

/* Receives one message: 1, or 0 when there is none (or no more). */
static int
receive_one(struct channel *channel)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec part = { .iov_base = scratch, .iov_len = sizeof(scratch) };
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t length = recvmsg(channel->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	int descriptor = -1;
	int count = length < 0 ? 0 : collect_descriptors(&header, &descriptor);
	if (length <= 0) {
		fd_close(&descriptor);
		end_channel(channel, NULL);
		return 0;
	}
	const char *malformed =
		handle_message(channel, (size_t)length, header.msg_flags, count, &descriptor);
	fd_close(&descriptor);
	if (malformed != NULL)
		end_channel(channel, malformed);
	return 1;
}

static void
on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct channel *channel = argument;
	(void)fd;
	(void)what;
	channel->in_dispatch = true;
	for (int i = 0; i < MESSAGES_PER_TURN && !channel->ended && !channel->paused; i++)
		if (receive_one(channel) == 0)
			break;
	channel->in_dispatch = false;
	if (channel->free_after_dispatch)
		release(channel);
}

/* ---- sending ---- */

/* 0 if the kernel took the message, else negative errno. */
static int
send_now(int fd, const void *data, size_t length, int descriptor)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec part = { .iov_len = length };
	memcpy(&part.iov_base, &data, sizeof(data));
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	if (descriptor >= 0) {
		header.msg_control = &control;
		header.msg_controllen = sizeof(control);
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &descriptor, sizeof(descriptor));
	}
	ssize_t sent;
	do
		sent = sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

static int
enqueue(struct channel *channel, const char *data, size_t length, int descriptor)
{
	if (channel->queue_bytes + length > CHANNEL_QUEUE_BYTES_MAX)
		return -ENOBUFS;
	struct outgoing *outgoing = malloc(sizeof(*outgoing) + length);
	if (outgoing == NULL)
		return -ENOMEM;
	*outgoing = (struct outgoing){ .descriptor = -1, .length = length };
	memcpy(outgoing->data, data, length);
	if (descriptor >= 0) {
		outgoing->descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
		if (outgoing->descriptor < 0) {
			int error = -errno;
			free_outgoing(&outgoing);
			return error;
		}
	}
	*channel->queue_tail = outgoing;
	channel->queue_tail = &outgoing->next;
	channel->queue_bytes += length;
	channel->was_full = channel->was_full || channel_is_full(channel);
	return event_add(&channel->writable, NULL) < 0 ? -ENOMEM : 0;
}

static void
on_writable(evutil_socket_t fd, short what, void *argument)
{
	struct channel *channel = argument;
	(void)what;
	while (channel->queue != NULL) {
		struct outgoing *first = channel->queue;
		int error = send_now(fd, first->data, first->length, first->descriptor);
		if (error == -EAGAIN)
			return;
		/* Any other failure: the peer is gone, which the reading side finds and tells. */
		channel->queue = first->next;
		channel->queue_bytes -= first->length;
		free_outgoing(&first);
	}
	channel->queue_tail = &channel->queue;
	event_del(&channel->writable);
	if (channel->was_full) {
		channel->was_full = false;
		if (channel->options.drained != NULL)
			channel->options.drained(channel->options.owner);
	}
}

int
channel_post(struct channel *channel, uint32_t code, uint32_t tag, const void *body, int descriptor)
{
	/* Not `scratch`: a handler posts while its message still lies there. */
	static char outgoing[MESSAGE_BYTES_MAX];
	const struct message_rule *rule = find_rule(channel->options.messages, code);
	ensure(rule != NULL && (rule->senders & SENT_BY(channel->options.our_role)) != 0);
	ensure((rule->descriptor != DESCRIPTOR_NONE) == (descriptor >= 0));
	if (channel->ended)
		return -EPIPE;

	int length = wire_encode(rule->record, body, outgoing + MESSAGE_HEADER_BYTES,
		sizeof(outgoing) - MESSAGE_HEADER_BYTES);
	if (length < 0)
		return -EINVAL;
	write_u32(outgoing, code);
	write_u32(outgoing + 4, tag);
	trace_message(channel, "posted", rule, tag, body);
	size_t total = (size_t)length + MESSAGE_HEADER_BYTES;
	int error = channel->queue == NULL ? send_now(channel->fd, outgoing, total, descriptor)
					   : -EAGAIN;
	if (error == -EAGAIN)
		error = enqueue(channel, outgoing, total, descriptor);
	wipe_secret(rule, outgoing, total);
	return error == -ECONNRESET || error == -ENOTCONN ? -EPIPE : error;
}

void
channel_lost(int post_result)
{
	ensure(post_result != -EINVAL);
}

bool
channel_is_full(const struct channel *channel)
{
	return channel->queue_bytes >= CHANNEL_QUEUE_BYTES_FULL;
}

/* ---- set-up ---- */

int
channel_pair(int ends[2])
{
	int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;
	return socketpair(AF_UNIX, type, 0, ends) < 0 ? -errno : 0;
}

/* A message that the peer may send and nobody handles would be a hole: found at start. */
static void
ensure_handlers(const struct channel_options *options)
{
	for (uint32_t i = 0; i < options->messages->count; i++) {
		const struct message_rule *rule = &options->messages->rules[i];
		if (rule->name == NULL || (rule->senders & SENT_BY(options->peer_role)) == 0)
			continue;
		void (*handler)(void);
		memcpy(&handler, (const char *)options->handlers + rule->handler_offset,
			sizeof(handler));
		if (handler == NULL)
			bug("%s: no handler for %s", options->messages->name, rule->name);
	}
}

int
channel_new(const struct channel_options *options, int *fd, struct channel **result)
{
	ensure_handlers(options);
	if (descriptor_check(*fd, DESCRIPTOR_CHANNEL) < 0)
		return -EBADMSG;
	struct channel *channel = calloc(1, sizeof(*channel));
	if (channel == NULL)
		return -ENOMEM;
	channel->options = *options;
	channel->queue_tail = &channel->queue;
	channel->fd = *fd;
	event_assign(&channel->readable, options->base, channel->fd, EV_READ | EV_PERSIST,
		on_readable, channel);
	event_assign(&channel->writable, options->base, channel->fd, EV_WRITE | EV_PERSIST,
		on_writable, channel);
	event_assign(&channel->end, options->base, -1, 0, on_end, channel);
	if (event_add(&channel->readable, NULL) < 0) {
		free(channel);
		return -ENOMEM;
	}
	fd_take(fd);
	*result = channel;
	return 0;
}

void
channel_pause(struct channel *channel)
{
	channel->paused = true;
	event_del(&channel->readable);
}

void
channel_resume(struct channel *channel)
{
	channel->paused = false;
	if (!channel->ended)
		event_add(&channel->readable, NULL);
}

void
channel_set_phase(struct channel *channel, enum message_phase phase)
{
	channel->options.phase = phase;
}
