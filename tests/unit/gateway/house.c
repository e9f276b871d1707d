/*
 * Stand-ins around a gateway (see house.h).
 */
#include "tests/unit/gateway/house.h"

#include "gateway/login.h"
#include "gateway/reception.h"
#include "gateway/supervisor.h"
#include "ipc/address.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/verify.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static void
append(char text[HOUSE_TEXT_BYTES], const char *name, struct bytes path)
{
	size_t length = strlen(text);
	snprintf(text + length, HOUSE_TEXT_BYTES - length, "%s%s%.*s; ", name,
		path.length > 0 ? " " : "", (int)path.length, path.data);
}

static void
on_our_end_closed(void *owner, const char *malformed)
{
	(void)owner;
	if (malformed != NULL)
		bug("the gateway is malformed: %s", malformed);
}

/* One end as `ours`, the other is returned. */
static int
open_channel(struct house *house, const struct message_table *messages, enum role role,
	const void *handlers, struct channel **ours)
{
	int ends[2];
	struct channel_options options = {
		.base = house->base,
		.messages = messages,
		.our_role = role,
		.peer_role = ROLE_GATEWAY,
		.phase = PHASE_ANY,
		.handlers = handlers,
		.owner = house,
		.closed = on_our_end_closed,
	};
	ensure(channel_pair(ends) == 0);
	ensure(channel_new(&options, &ends[0], ours) == 0);
	return ends[1];
}

/* ---- auth ---- */

static void
answer(struct house *house, uint32_t tag, enum verdict verdict)
{
	struct verify_answer answer = { .verdict = verdict, .mode_z = house->has_mode_z };
	channel_lost(verify_post_answer(house->auth, tag, &answer));
}

static void
on_password(void *owner, struct message *message, const struct verify_password *body)
{
	struct house *house = owner;
	bool is_right = bytes_equal_text(body->secret, "secret");
	house->asked++;
	snprintf(house->asked_at, sizeof(house->asked_at), "%.*s", (int)body->host.length,
		body->host.data);
	if (house->is_verdict_late)
		house->late_verdicts[house->late_verdict_count++] = message->tag;
	else
		answer(house, message->tag, is_right ? house->verdict : VERDICT_REFUSED);
}

void
house_release_verdicts(struct house *house)
{
	house->is_verdict_late = false;
	while (house->late_verdict_count > 0)
		answer(house, house->late_verdicts[--house->late_verdict_count], house->verdict);
}

static void
on_withdraw(void *owner, struct message *message, const struct verify_withdraw *body)
{
	(void)owner;
	(void)message;
	(void)body;
}

static const struct verify_handlers auth_handlers = {
	.password = on_password,
	.withdraw = on_withdraw,
};

void
house_open_auth(struct house *house)
{
	SCOPE_FD int end =
		open_channel(house, &verify_messages, ROLE_AUTH, &auth_handlers, &house->auth);
	channel_lost(gate_post_auth_with(house->supervisor, 0, &(struct gate_auth){ 0 }, end));
}

void
house_close_auth(struct house *house)
{
	channel_free(&house->auth);
}

/* ---- record ---- */

#define MESSAGE(name, CODE, number, senders, phases, descriptor, reply, doc)           \
	UNUSED static void on_event_##name(                                            \
		void *owner, struct message *message, const struct event_##name *body) \
	{                                                                              \
		struct house *house = owner;                                           \
		(void)body;                                                            \
		ensure(message->tag == ++house->last_sequence);                        \
		append(house->events, #name, bytes_of("", 0));                         \
	}
#include "ipc/event.def"

static const struct event_handlers record_handlers = {
#define MESSAGE(title, CODE, number, senders, phases, descriptor, reply, doc) \
	.title = on_event_##title,
#include "ipc/event.def"
};

static void
open_record(struct house *house)
{
	SCOPE_FD int end =
		open_channel(house, &event_messages, ROLE_RECORD, &record_handlers, &house->record);
	channel_lost(gate_post_record_with(house->supervisor, 0, &(struct gate_record){ 0 }, end));
}

/* ---- worker ---- */

static const struct pathio_attributes file_attributes = {
	.type = PATHIO_TYPE_FILE,
	.size = 5,
	.mode = 0644,
	.mtime_ns = 1000000000000000000, /* 2001-09-09 01:46:40 */
};

/* A path whose last name begins with "f" is a file of five bytes, everything else a folder. */
static struct pathio_attributes
attributes_of(struct bytes path)
{
	struct pathio_attributes attributes = file_attributes;
	const char *slash = memrchr(path.data, '/', path.length);
	if (slash == NULL || slash[1] != 'f')
		attributes.type = PATHIO_TYPE_DIRECTORY;
	return attributes;
}

/* A client that is gone gets nothing. */
static void
send_all(int fd, const char *text)
{
	ssize_t sent = send(fd, text, strlen(text), MSG_NOSIGNAL);
	ensure(sent == (ssize_t)strlen(text) || errno == EPIPE || errno == ECONNRESET);
}

/* To the end of the stream, which the client has sent already: it may still be on its way. */
static void
read_all(int fd, char text[HOUSE_TEXT_BYTES])
{
	struct pollfd end = { .fd = fd, .events = POLLIN };
	size_t length = 0;
	ssize_t count;
	while ((count = read(fd, text + length, HOUSE_TEXT_BYTES - 1 - length)) > 0 ||
		(count < 0 && errno == EAGAIN && poll(&end, 1, HOUSE_LIVENESS_MS) == 1))
		length += count > 0 ? (size_t)count : 0;
	text[length] = '\0';
}

static void
send_listing(struct house *house, const struct pathio_send_listing *request, int fd)
{
	char line[512];
	(void)house;
	snprintf(line, sizeof(line), "listing %s by %s, show %u: %.*s|%.*s\r\n",
		pathio_style_choices.texts[request->style],
		pathio_order_choices.texts[request->order], request->show,
		(int)request->prefix.length, request->prefix.data, (int)request->below.length,
		request->below.data);
	send_all(fd, line);
}

static void
answer_moved(struct house *house, uint32_t tag, uint64_t bytes)
{
	struct pathio_moved moved = { .bytes = bytes };
	channel_lost(pathio_post_moved(house->worker.channel, tag, &moved));
}

static void
answer_failed(struct house *house, uint32_t tag, uint16_t error)
{
	struct pathio_failed failed = { .error = error };
	channel_lost(pathio_post_failed(house->worker.channel, tag, &failed));
}

static void
send_part(struct house *house, const struct pathio_send *part, const struct house_request *request)
{
	char text[] = "hello";
	if (part->offset >= sizeof(text)) {
		answer_failed(house, request->tag, EINVAL);
		return;
	}
	if (part->count < sizeof(text) - part->offset)
		text[part->offset + part->count] = '\0';
	send_all(request->fd, text + part->offset);
	answer_moved(house, request->tag, strlen(text + part->offset));
}

static void
answer_opened(struct house *house, uint32_t tag, struct bytes path)
{
	struct pathio_opened opened = {
		.attributes = attributes_of(path),
		.name = bytes_of_text("unique.1"),
	};
	channel_lost(pathio_post_opened(house->worker.channel, tag, &opened));
}

static void
answer_attributes(struct house *house, uint32_t tag, struct bytes path)
{
	struct pathio_attributes_of answer = { .attributes = attributes_of(path) };
	channel_lost(pathio_post_attributes_of(house->worker.channel, tag, &answer));
}

static void
answer_done(struct house *house, uint32_t tag)
{
	channel_lost(pathio_post_done(house->worker.channel, tag, &(struct pathio_done){ 0 }));
}

static void
answer_text(struct house *house, uint32_t tag, const char *text)
{
	struct pathio_text answer = { .bytes = bytes_of_text(text) };
	channel_lost(pathio_post_text(house->worker.channel, tag, &answer));
}

static void
answer_committed(struct house *house, uint32_t tag)
{
	struct pathio_committed answer = {
		.attributes = file_attributes,
		.path = bytes_of_text("/committed"),
	};
	channel_lost(pathio_post_committed(house->worker.channel, tag, &answer));
}

/* What of the file of five bytes is in the range; the digest is always the same. */
static void
answer_digested(struct house *house, uint32_t tag, const struct pathio_digest *request)
{
	uint64_t rest = file_attributes.size - request->offset;
	struct pathio_digested answer = {
		.digest = bytes_of_text("\xca\xfe\xf0\x0d"),
		.count = request->count < rest ? request->count : rest,
	};
	channel_lost(pathio_post_digested(house->worker.channel, tag, &answer));
}

/* Each part has five bytes; as many are left as the script says. */
static void
answer_combined(struct house *house, uint32_t tag, const struct pathio_combine *request)
{
	struct pathio_combined answer = {
		.bytes = request->parts.count * file_attributes.size,
		.left = house->worker.parts_left,
	};
	channel_lost(pathio_post_combined(house->worker.channel, tag, &answer));
}

static void
answer_account(struct house *house, uint32_t tag)
{
	char buffer[256];
	struct wire_list_builder builder = { .buffer = buffer, .capacity = sizeof(buffer) };
	struct pathio_sibling session = { .session = 0x700000001, .own = true, .age_s = 12 };
	memcpy(session.peer.ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
	ensure(wire_list_add(&builder, &pathio_sibling_record, &session) == 0);
	struct pathio_account_is answer = {
		.umask = 022,
		.session_count = 3,
		.sessions = wire_list_built(&builder),
	};
	channel_lost(pathio_post_account_is(house->worker.channel, tag, &answer));
}

static void
answer_size(struct house *house, uint32_t tag)
{
	struct pathio_size answer = { .bytes = 5 };
	channel_lost(pathio_post_size(house->worker.channel, tag, &answer));
}

/* What the worker does for each request, and how the log tells it. */
static void
carry_out(struct house *house, const struct house_request *request)
{
	struct house_worker *worker = &house->worker;
	const union house_body *body = &request->body;
	uint32_t tag = request->tag;
	if (worker->errors[request->code] != 0) {
		answer_failed(house, tag, worker->errors[request->code]);
		worker->errors[request->code] = 0;
		return;
	}
	switch (request->code) {
	case PATHIO_STAT:
		answer_attributes(house, tag, body->stat.path);
		return;
	case PATHIO_ENTER:
		answer_attributes(house, tag, body->enter.path);
		return;
	case PATHIO_OPEN:
		answer_opened(house, tag, body->open.path);
		return;
	case PATHIO_LIST:
		answer_opened(house, tag, body->list.path);
		return;
	case PATHIO_UPLOAD_OPEN:
		answer_opened(house, tag, body->upload_open.path);
		return;
	case PATHIO_SEND:
		send_part(house, &body->send, request);
		return;
	case PATHIO_SEND_LISTING:
		send_listing(house, &body->send_listing, request->fd);
		answer_moved(house, tag, 9);
		return;
	case PATHIO_RECEIVE:
		read_all(request->fd, worker->received);
		answer_moved(house, tag, strlen(worker->received));
		return;
	case PATHIO_COMMIT:
		answer_committed(house, tag);
		return;
	case PATHIO_DESCRIBE:
		answer_text(house, tag, "type=file;size=5;");
		return;
	case PATHIO_CHARSET:
		answer_text(house, tag, body->charset.is_users ? "/in-latin" : "/in-utf8");
		return;
	case PATHIO_SIZE_AS:
	case PATHIO_SPACE:
		answer_size(house, tag);
		return;
	case PATHIO_COMBINE:
		answer_combined(house, tag, &body->combine);
		return;
	case PATHIO_ACCOUNT:
		answer_account(house, tag);
		return;
	case PATHIO_COPY:
		answer_moved(house, tag, file_attributes.size);
		return;
	case PATHIO_DIGEST:
		answer_digested(house, tag, &body->digest);
		return;
	default:
		answer_done(house, tag);
		return;
	}
}

/* Where the path is in the request's body; NULL if there is none. */
static const struct wire_field *
find_path(const struct house_request *request)
{
	const struct wire_field *field = pathio_messages.rules[request->code].record->fields;
	while (field->kind != WIRE_END && field->kind != WIRE_PATH)
		field++;
	return field->kind == WIRE_END ? NULL : field;
}

static struct bytes
first_path(const struct house_request *request)
{
	struct bytes path = bytes_of("", 0);
	const struct wire_field *field = find_path(request);
	if (field != NULL)
		memcpy(&path, (const char *)&request->body + field->offset, sizeof(path));
	return path;
}

/* How a transfer is to be coded, as the log tells it: nothing where it is not. */
static struct bytes
coding_text(const struct house_request *request, char text[32])
{
	const union house_body *body = &request->body;
	enum pathio_coding coding = PATHIO_CODING_NONE;
	unsigned level = 0;
	if (request->code == PATHIO_SEND) {
		coding = body->send.coding;
		level = body->send.level;
	} else if (request->code == PATHIO_SEND_LISTING) {
		coding = body->send_listing.coding;
		level = body->send_listing.level;
	} else if (request->code == PATHIO_RECEIVE) {
		coding = body->receive.coding;
	}
	text[0] = '\0';
	if (coding != PATHIO_CODING_NONE)
		snprintf(text, 32, "%s %u", pathio_coding_choices.texts[coding], level);
	return bytes_of_text(text);
}

static void
log_request(struct house *house, const struct house_request *request)
{
	const struct message_rule *rule = &pathio_messages.rules[request->code];
	char coding[32];
	append(house->worker.log, rule->name,
		rule->descriptor == DESCRIPTOR_DATA ? coding_text(request, coding)
						    : first_path(request));
}

/* A late request outlives its message. */
static void
postpone(struct house_worker *worker, const struct house_request *request)
{
	struct house_request *late = &worker->late[worker->late_count++];
	struct bytes path = first_path(request);
	ensure(worker->late_count <= HOUSE_LATE_REQUESTS);
	*late = *request;
	late->fd = request->fd < 0 ? -1 : dup(request->fd);
	memcpy(late->path, path.data, path.length);
}

static void
carry_out_late(struct house *house, struct house_request *late)
{
	const struct wire_field *field = find_path(late);
	struct bytes path = first_path(late);
	path.data = late->path;
	if (field != NULL)
		memcpy((char *)&late->body + field->offset, &path, sizeof(path));
	carry_out(house, late);
	fd_close(&late->fd);
}

static void
take_request(struct house *house, struct message *message, uint32_t code)
{
	struct house_worker *worker = &house->worker;
	const struct wire_record *record = pathio_messages.rules[code].record;
	struct house_request request = {
		.code = code,
		.tag = message->tag,
		.fd = message->descriptor,
	};
	memcpy(&request.body, message->body, record->size);
	log_request(house, &request);
	if (worker->is_late[code])
		postpone(worker, &request);
	else
		carry_out(house, &request);
}

/* A late request is answered in time, and only then. */
static void
on_cancel(void *owner, struct message *message, const struct pathio_cancel *body)
{
	struct house *house = owner;
	struct house_worker *worker = &house->worker;
	(void)message;
	append(worker->log, "cancel", bytes_of("", 0));
	for (size_t i = 0; i < worker->late_count; i++) {
		if (worker->late[i].tag != body->cancelled)
			continue;
		struct pathio_failed failed = { .error = ECANCELED };
		channel_lost(pathio_post_failed(worker->channel, body->cancelled, &failed));
		fd_close(&worker->late[i].fd);
		worker->late[i] = worker->late[--worker->late_count];
		return;
	}
}

void
house_release(struct house *house)
{
	struct house_worker *worker = &house->worker;
	memset(worker->is_late, 0, sizeof(worker->is_late));
	for (size_t i = 0; i < worker->late_count; i++)
		carry_out_late(house, &worker->late[i]);
	worker->late_count = 0;
}

#define REQUEST(name, CODE, number, answer, doc)                                        \
	static void on_##name(                                                          \
		void *owner, struct message *message, const struct pathio_##name *body) \
	{                                                                               \
		(void)body;                                                             \
		take_request(owner, message, CODE);                                     \
	}
#define TRANSFER(name, CODE, number, answer, doc) REQUEST(name, CODE, number, answer, doc)
#define ANSWER(name, CODE, number, doc)
#include "ipc/pathio.def"

static const struct pathio_handlers worker_handlers = {
#define REQUEST(title, CODE, number, answer, doc)  .title = on_##title,
#define TRANSFER(title, CODE, number, answer, doc) .title = on_##title,
#define ANSWER(name, CODE, number, doc)
#include "ipc/pathio.def"
	.cancel = on_cancel,
};

static int
open_worker(struct house *house)
{
	channel_free(&house->worker.channel);
	return open_channel(
		house, &pathio_messages, ROLE_WORKER, &worker_handlers, &house->worker.channel);
}

void
house_close_worker(struct house *house)
{
	struct house_worker *worker = &house->worker;
	while (worker->late_count > 0)
		fd_close(&worker->late[--worker->late_count].fd);
	channel_free(&worker->channel);
}

void
house_break_worker(struct house *house)
{
	answer_done(house, 12345);
}

/* ---- supervisor ---- */

void
house_close_session(struct house *house)
{
	struct gate_close_session order = { .session = house->last_session };
	channel_lost(gate_post_close_session(house->supervisor, 0, &order));
}

void
house_drain(struct house *house)
{
	channel_lost(gate_post_drain(house->supervisor, 0, &(struct gate_drain){ 0 }));
}

void
house_close_supervisor(struct house *house)
{
	channel_free(&house->supervisor);
}

static void
refuse(struct house *house, uint32_t tag, enum refusal why)
{
	struct gate_refused refused = { .error = EACCES, .why = why };
	channel_lost(gate_post_refused(house->supervisor, tag, &refused));
}

static void
attach(struct house *house, uint32_t tag, uint64_t session)
{
	if (house->refusal != REFUSAL_NONE) {
		refuse(house, tag, house->refusal);
		return;
	}
	SCOPE_FD int end = open_worker(house);
	struct gate_attached attached = { .session = session };
	house->attached++;
	house->last_session = session;
	channel_lost(gate_post_attached_with(house->supervisor, tag, &attached, end));
}

static void
on_attach(void *owner, struct message *message, const struct gate_attach *body)
{
	((struct house *)owner)->claimed = body->claimed;
	attach(owner, message->tag, body->session);
}

static void
on_reattach(void *owner, struct message *message, const struct gate_reattach *body)
{
	attach(owner, message->tag, body->session);
}

static int
listen_at(struct house *house, bool is_any, struct address_socket *address)
{
	*address = (struct address_socket){ .length = sizeof(address->v6) };
	address->v6.sin6_family = AF_INET6;
	int no = 0;
	if (!is_any)
		inet_pton(AF_INET6, house->is_ipv6 ? "::1" : "::ffff:127.0.0.1",
			&address->v6.sin6_addr);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ensure(fd >= 0 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)) == 0);
	ensure(bind(fd, &address->any, address->length) == 0 && listen(fd, 64) == 0);
	ensure(getsockname(fd, &address->any, &address->length) == 0);
	return fd;
}

static void
on_want_passive(void *owner, struct message *message, const struct gate_want_passive *body)
{
	struct house *house = owner;
	struct address_socket address;
	(void)body;
	if (house->has_no_ports) {
		refuse(house, message->tag, REFUSAL_PORTS);
		return;
	}
	SCOPE_FD int fd = listen_at(house, true, &address);
	struct gate_passive passive = { .port = ntohs(address.v6.sin6_port) };
	channel_lost(gate_post_passive_with(house->supervisor, message->tag, &passive, fd));
}

/* As the supervisor does: whoever comes is handed over, until the port is left. */
static void
on_knock(evutil_socket_t listener, short what, void *argument)
{
	struct house *house = argument;
	struct gate_arrived arrived = { .session = house->shared_session };
	SCOPE_FD int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	(void)what;
	ensure(fd >= 0);
	channel_lost(gate_post_arrived_with(house->supervisor, house->shared_tag, &arrived, fd));
}

static void
close_shared(struct house *house)
{
	if (house->shared_fd == 0)
		return;
	event_del(&house->knock);
	fd_close(&house->shared_fd);
	house->shared_fd = 0;
}

static void
on_want_port(void *owner, struct message *message, const struct gate_want_port *body)
{
	struct house *house = owner;
	struct address_socket address;
	if (house->has_no_ports) {
		refuse(house, message->tag, REFUSAL_PORTS);
		return;
	}
	close_shared(house);
	house->shared_fd = listen_at(house, true, &address);
	house->shared_tag = message->tag;
	house->shared_session = body->session;
	event_assign(&house->knock, house->base, house->shared_fd, EV_READ | EV_PERSIST, on_knock,
		house);
	ensure(event_add(&house->knock, NULL) == 0);
	struct gate_port port = { .number = ntohs(address.v6.sin6_port) };
	channel_lost(gate_post_port(house->supervisor, message->tag, &port));
}

static void
on_leave_port(void *owner, struct message *message, const struct gate_leave_port *body)
{
	struct house *house = owner;
	(void)message;
	ensure(body->session == house->shared_session || house->shared_fd == 0);
	house->ports_left++;
	close_shared(house);
}

void
house_intrude(struct house *house, bool is_of_last)
{
	struct gate_arrived arrived = { .session = house->shared_session };
	SCOPE_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	uint32_t tag = is_of_last ? house->shared_tag : house->shared_tag + (1u << 20);
	channel_lost(gate_post_arrived_with(house->supervisor, tag, &arrived, fd));
}

static void
on_connect_active(void *owner, struct message *message, const struct gate_connect_active *body)
{
	struct house *house = owner;
	struct sockaddr_in peer = {
		.sin_family = AF_INET,
		.sin_port = htons(body->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	SCOPE_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ensure(fd >= 0);
	if (connect(fd, (struct sockaddr *)&peer, sizeof(peer)) < 0 && errno != EINPROGRESS) {
		refuse(house, message->tag, REFUSAL_NONE);
		return;
	}
	struct gate_connecting connecting = { 0 };
	channel_lost(gate_post_connecting_with(house->supervisor, message->tag, &connecting, fd));
}

static void
on_session_closed(void *owner, struct message *message, const struct gate_session_closed *body)
{
	struct house *house = owner;
	(void)message;
	(void)body;
	house->closed_sessions++;
}

static void
on_complain(void *owner, struct message *message, const struct gate_complain *body)
{
	struct house *house = owner;
	(void)message;
	(void)body;
	house->complaints++;
}

#define IGNORED(name)                                                                 \
	static void on_##name##_ignored(                                              \
		void *owner, struct message *message, const struct gate_##name *body) \
	{                                                                             \
		(void)owner;                                                          \
		(void)message;                                                        \
		(void)body;                                                           \
	}
IGNORED(violation)
IGNORED(ready)
IGNORED(failed)
IGNORED(pong)
IGNORED(want_auth)
IGNORED(want_keys)

static const struct gate_handlers supervisor_handlers = {
	.violation = on_violation_ignored,
	.ready = on_ready_ignored,
	.failed = on_failed_ignored,
	.pong = on_pong_ignored,
	.want_auth = on_want_auth_ignored,
	.want_keys = on_want_keys_ignored,
	.attach = on_attach,
	.reattach = on_reattach,
	.session_closed = on_session_closed,
	.complain = on_complain,
	.want_passive = on_want_passive,
	.want_port = on_want_port,
	.leave_port = on_leave_port,
	.connect_active = on_connect_active,
};

static int
stay_open(bool required, char **report)
{
	(void)required;
	*report = strdup("no cage");
	return 0;
}

/* The loopback network is all proxies. */
static void
send_proxies(struct house *house)
{
	char buffer[256];
	struct wire_list_builder builder = { .buffer = buffer, .capacity = sizeof(buffer) };
	const struct gate_network network = {
		.base = { .ip = { [10] = 0xff, 0xff, 127 } },
		.prefix = 104,
	};
	ensure(wire_list_add(&builder, &gate_network_record, &network) == 0);
	const struct gate_proxies proxies = { .networks = wire_list_built(&builder) };
	channel_lost(gate_post_proxies(house->supervisor, 0, &proxies));
}

static void
open_listener(struct house *house)
{
	struct address_socket address;
	SCOPE_FD int fd = listen_at(house, false, &address);
	const struct gate_listener listener = { .is_for_proxies = house->is_behind_proxy };
	memcpy(&house->address, &address.any, address.length);
	channel_lost(gate_post_listener_with(house->supervisor, 0, &listener, fd));
}

static void
tell_hosts(struct house *house)
{
	static const struct gate_host hosts[] = {
		{ .name = { "example.org", 11 }, .greeting = { "At the example.", 15 } },
		{ .name = { "b", 1 }, .greeting = { "B.", 2 } },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(hosts); i++)
		channel_lost(gate_post_host(house->supervisor, 0, &hosts[i]));
}

/* ---- the house ---- */

void
house_init(struct house *house)
{
	*house = (struct house){
		.verdict = VERDICT_ACCEPTED,
		.has_mode_z = true,
		.settings = {
			.incarnation = 7,
			.greeting = bytes_of_text("Welcome."),
			.connections_max = 100,
			.before_login_max = 50,
			.before_login_per_address_max = 50,
			.login_attempts = 3,
			.login_timeout_s = 10,
			.idle_timeout_s = 10,
			.data_timeout_s = 10,
			.stall_timeout_s = 10,
			.path_timeout_ms = 10000,
			.commit_timeout_s = 10,
			.passive_spare = 4,
			.mode_z = true,
		},
	};
}

void
house_open(struct house *house)
{
	house->base = event_base_new();
	house->gateway = house->base == NULL ? NULL : gateway_new(house->base);
	ensure(house->gateway != NULL);
	int end = open_channel(
		house, &gate_messages, ROLE_SUPERVISOR, &supervisor_handlers, &house->supervisor);
	ensure(supervisor_connect(house->gateway, &end, stay_open) == 0);
	tell_hosts(house);
	channel_lost(gate_post_configure(house->supervisor, 0, &house->settings));
	house_open_auth(house);
	open_record(house);
	send_proxies(house);
	open_listener(house);
}

void
house_close(struct house *house)
{
	house_release(house);
	gateway_free(&house->gateway);
	close_shared(house);
	channel_free(&house->supervisor);
	channel_free(&house->auth);
	channel_free(&house->record);
	channel_free(&house->worker.channel);
	event_base_free(house->base);
}

int
house_connect(struct house *house)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const struct sockaddr *address = (const struct sockaddr *)&house->address;
	ensure(fd >= 0);
	ensure(connect(fd, address, sizeof(struct sockaddr_in6)) == 0 || errno == EINPROGRESS);
	return fd;
}

static void
on_nothing(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	(void)argument;
}

void
house_turn(struct house *house, int milliseconds)
{
	struct timeval limit = { .tv_usec = (suseconds_t)milliseconds * 1000 };
	struct event timer;
	event_assign(&timer, house->base, -1, 0, on_nothing, NULL);
	event_add(&timer, &limit);
	event_base_loop(house->base, EVLOOP_ONCE);
	event_del(&timer);
}
