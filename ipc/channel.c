/*
 * Channels (see channel.h). Runs in every process. Trusts nothing that arrives: bytes, descriptors
 * and their number are the peer's choice until the checks below have passed. On failure the channel
 * stops reading and tells its owner; the process goes on.
 */
#include "ipc/channel.h"

#include "ipc/backlog.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/packet.h"

#include <event2/event_struct.h>
#include <sys/socket.h>

enum {
	MESSAGE_BYTES_MAX = MESSAGE_HEADER_BYTES + MESSAGE_BODY_BYTES_MAX,
	MESSAGES_PER_TURN = 32, /* then the other channels of the loop have their turn */
};

struct channel {
	struct channel_options options;
	int fd;
	bool takes_descriptors; /* some message of the peer's carries one */
	bool in_dispatch;
	bool free_after_dispatch;
	bool ended;
	bool paused;
	bool was_full;
	const char *malformed;
	struct backlog backlog;
	struct event readable;
	struct event writable;
	struct event end;
};

/*
 * Messages are handled to their end before the next is read, so one buffer serves a loop; whoever
 * runs it has an own one, in which nothing outlasts a round.
 */
static _Thread_local char scratch[MESSAGE_BYTES_MAX];
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
	fprintf(trace, "{\"%s\":\"%s\",\"peer\":\"%s\",\"tag\":%u,\"body\":{", direction,
		rule->name, role_name(channel->options.peer_role), tag);
	wire_print_json(rule->record, body, trace);
	fputs("}}\n", trace);
	fflush(trace);
}

static bool
holds_secret(const struct wire_record *record)
{
	for (const struct wire_field *field = record->fields; field->kind != WIRE_END; field++)
		if (field->kind == WIRE_SECRET)
			return true;
	return false;
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
release(struct channel *channel)
{
	backlog_clear(&channel->backlog);
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
}

/* ---- receiving ---- */

/* Whether it is a whole message at all. */
static const char *
check_packet(const struct channel *channel, const struct packet *packet)
{
	/* Where none is taken, check_descriptor() has a word on it. */
	bool is_lost = packet->is_descriptor_lost && channel->takes_descriptors;
	if (packet->is_cut_off)
		return "an oversized message";
	if (is_lost && packet->descriptor_count == 0)
		return "a descriptor for which this process has no room";
	if (is_lost)
		return "more descriptors than any message has";
	return packet->length < MESSAGE_HEADER_BYTES ? "a message without a header" : NULL;
}

static const char *
check_descriptor(const struct message_rule *rule, const struct packet *packet)
{
	bool has_some = packet->descriptor_count > 0 || packet->is_descriptor_lost;
	if (rule->descriptor == DESCRIPTOR_NONE)
		return has_some ? "a descriptor where none belongs" : NULL;
	if (packet->descriptor_count != 1)
		return "not exactly one descriptor";
	return descriptor_check(packet->descriptor, rule->descriptor) < 0
		       ? "a descriptor of another kind"
		       : NULL;
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

/* The message is good: its handler's turn. */
static void
dispatch(struct channel *channel, const struct message_rule *rule, struct packet *packet,
	const void *body)
{
	struct message message = {
		.tag = read_u32(scratch + 4),
		.descriptor = fd_take(&packet->descriptor),
		.body = body,
	};
	trace_message(channel, "received", rule, message.tag, body);
	rule->call(channel->options.handlers, channel->options.owner, &message);
	fd_close(&message.descriptor);
	/* A password lives no longer than its message. */
	if (holds_secret(rule->record))
		explicit_bzero(scratch, packet->length);
}

/* Checks one message and runs its handler; NULL, or which rule it broke. */
static const char *
handle_packet(struct channel *channel, struct packet *packet)
{
	_Alignas(max_align_t) char body[MESSAGE_STRUCT_BYTES_MAX];
	const char *broken = check_packet(channel, packet);
	if (broken != NULL)
		return broken;
	const struct message_rule *rule = find_rule(channel->options.messages, read_u32(scratch));
	broken = check_rule(channel, rule);
	if (broken == NULL)
		broken = check_descriptor(rule, packet);
	if (broken != NULL)
		return broken;
	struct bytes encoded =
		bytes_of(scratch + MESSAGE_HEADER_BYTES, packet->length - MESSAGE_HEADER_BYTES);
	if (wire_decode(rule->record, encoded, body, NULL) < 0)
		return "a field out of range";
	dispatch(channel, rule, packet, body);
	return NULL;
}

void
channel_wipe_received(void)
{
	explicit_bzero(scratch, sizeof(scratch));
}

/* Receives one message; false when there is none, or no more. */
static bool
receive_one(struct channel *channel)
{
	struct packet packet = { .descriptor = -1 };
	int result = packet_receive(
		channel->fd, scratch, sizeof(scratch), channel->takes_descriptors, &packet);
	if (result == -EAGAIN)
		return false;
	const char *malformed = result > 0 ? handle_packet(channel, &packet) : NULL;
	fd_close(&packet.descriptor);
	if (malformed != NULL)
		explicit_bzero(scratch, packet.length); /* perhaps almost a password */
	if (malformed != NULL || result <= 0)
		end_channel(channel, malformed);
	return result > 0;
}

static void
on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct channel *channel = argument;
	(void)fd;
	(void)what;
	channel->in_dispatch = true;
	for (int i = 0; i < MESSAGES_PER_TURN && !channel->ended && !channel->paused; i++)
		if (!receive_one(channel))
			break;
	channel->in_dispatch = false;
	if (channel->free_after_dispatch)
		release(channel);
}

/* ---- sending ---- */

/* Sends what is queued: false when something is left. */
static bool
send_backlog(struct channel *channel)
{
	int error = backlog_send(&channel->backlog, channel->fd);
	if (error == -EAGAIN)
		return false;
	if (error < 0) {
		/* It was accepted and cannot be sent: no message is ever missing in between. */
		end_channel(channel, NULL);
		return true;
	}
	if (!channel->was_full)
		return true;
	channel->was_full = false;
	if (channel->options.drained != NULL)
		channel->options.drained(channel->options.owner);
	return true;
}

static void
on_writable(evutil_socket_t fd, short what, void *argument)
{
	struct channel *channel = argument;
	(void)fd;
	(void)what;
	event_del(&channel->writable);
	channel_flush(channel);
}

void
channel_flush(struct channel *channel)
{
	if (!channel->ended && !send_backlog(channel) && event_add(&channel->writable, NULL) < 0)
		end_channel(channel, NULL);
}

static int
queue_message(struct channel *channel, struct bytes data, int descriptor)
{
	if (channel->backlog.bytes + data.length > CHANNEL_QUEUE_BYTES_MAX)
		return -ENOBUFS;
	int error = backlog_add(&channel->backlog, data, descriptor);
	channel->was_full = channel->was_full || channel_is_full(channel);
	return error;
}

/* Queues what the socket has no room for. */
static int
send_message(struct channel *channel, struct bytes data, int descriptor)
{
	if (channel->backlog.first == NULL) {
		int error = packet_send(channel->fd, data, descriptor);
		if (error != -EAGAIN)
			return error;
	}
	if (event_add(&channel->writable, NULL) < 0)
		return -ENOMEM;
	return queue_message(channel, data, descriptor);
}

static int
encode(struct channel *channel, uint32_t code, uint32_t tag, const void *body, int descriptor,
	int (*pass_on)(struct channel *channel, struct bytes data, int descriptor))
{
	/* Not `scratch`: a handler posts while its message still lies there. */
	static _Thread_local char outgoing[MESSAGE_BYTES_MAX];
	const struct message_rule *rule = find_rule(channel->options.messages, code);
	ensure(rule != NULL && (rule->senders & SENT_BY(channel->options.our_role)) != 0);
	ensure((rule->descriptor != DESCRIPTOR_NONE) == (descriptor >= 0));
	if (channel->ended)
		return -EPIPE;

	int length = wire_encode(rule->record, body, outgoing + MESSAGE_HEADER_BYTES,
		sizeof(outgoing) - MESSAGE_HEADER_BYTES);
	int error = length;
	if (length >= 0) {
		write_u32(outgoing, code);
		write_u32(outgoing + 4, tag);
		trace_message(channel, "posted", rule, tag, body);
		size_t total = (size_t)length + MESSAGE_HEADER_BYTES;
		error = pass_on(channel, bytes_of(outgoing, total), descriptor);
	}
	if (holds_secret(rule->record))
		explicit_bzero(outgoing, sizeof(outgoing));
	return error;
}

int
channel_post(struct channel *channel, uint32_t code, uint32_t tag, const void *body, int descriptor)
{
	return encode(channel, code, tag, body, descriptor, send_message);
}

int
channel_hold(struct channel *channel, uint32_t code, uint32_t tag, const void *body)
{
	int error = encode(channel, code, tag, body, -1, queue_message);
	if (channel_is_full(channel))
		channel_flush(channel);
	return error;
}

void
channel_lost(int post_result)
{
	ensure(post_result != -EINVAL && post_result != -EMSGSIZE);
}

bool
channel_is_full(const struct channel *channel)
{
	return channel->backlog.bytes >= CHANNEL_QUEUE_BYTES_FULL;
}

bool
channel_is_drained(const struct channel *channel)
{
	return channel->ended || channel->backlog.first == NULL;
}

void
channel_drain(struct channel *const *channel)
{
	while (*channel != NULL && !channel_is_drained(*channel))
		ensure(event_base_loop((*channel)->options.base, EVLOOP_ONCE) == 0);
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

static bool
carry_descriptors(const struct message_table *messages, enum role sender)
{
	for (uint32_t i = 0; i < messages->count; i++)
		if ((messages->rules[i].senders & SENT_BY(sender)) != 0 &&
			messages->rules[i].descriptor != DESCRIPTOR_NONE)
			return true;
	return false;
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
	channel->fd = *fd;
	channel->takes_descriptors = carry_descriptors(options->messages, options->peer_role);
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
	if (!channel->ended && event_add(&channel->readable, NULL) < 0)
		end_channel(channel, NULL);
}

void
channel_set_phase(struct channel *channel, enum message_phase phase)
{
	channel->options.phase = phase;
}
