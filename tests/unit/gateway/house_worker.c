/*
 * A worker's stand-in (see house.h): it answers by itself, late, or with an error, as it was told.
 */
#include "tests/unit/gateway/house_private.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- answers ---- */

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

/* ---- what is told of requests ---- */

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
	house_note(house->worker.log, rule->name,
		rule->descriptor == DESCRIPTOR_DATA ? coding_text(request, coding)
						    : first_path(request));
}

/* ---- late requests ---- */

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
	house_note(worker->log, "cancel", bytes_of("", 0));
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

/* ---- the channel ---- */

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

int
house_open_worker(struct house *house)
{
	channel_free(&house->worker.channel);
	return house_open_channel(
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
