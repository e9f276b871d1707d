/*
 * A channel with a bare socket at its other end (see fixture.h).
 */
#include "tests/unit/ipc/fixture.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/gate.h"
#include "ipc/hash.h"
#include "ipc/packet.h"
#include "ipc/pathio_messages.h"
#include "ipc/verdict.h"
#include "ipc/verify.h"

#include <endian.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
	LIVENESS_S = 10,
	DESCRIPTORS_MAX = 253, /* the kernel's SCM_MAX_FD */
};

/* ---- handlers that note ---- */

static void
note(void *owner, uint32_t code, struct message *message)
{
	struct fixture *fixture = owner;
	assert_true(fixture->received < FIXTURE_NOTES);
	fixture->codes[fixture->received] = code;
	fixture->tags[fixture->received] = message->tag;
	fixture->received++;
	fixture->is_inside = true;
	if (fixture->on_message != NULL)
		fixture->on_message(fixture, message);
	fixture->is_inside = false;
}

#define NOTING_HANDLER(channel, name, CODE)                                                \
	static void channel##_on_##name(                                                   \
		void *owner, struct message *message, const struct channel##_##name *body) \
	{                                                                                  \
		(void)body;                                                                \
		note(owner, CODE, message);                                                \
	}

#define MESSAGE(name, CODE, number, senders, phases, descriptor, reply, doc) \
	NOTING_HANDLER(gate, name, CODE)
#include "ipc/gate.def"
static const struct gate_handlers gate_notes = {
#define MESSAGE(title, CODE, number, senders, phases, descriptor, reply, doc) \
	.title = gate_on_##title,
#include "ipc/gate.def"
};

#define MESSAGE(name, CODE, number, senders, phases, descriptor, reply, doc) \
	NOTING_HANDLER(pathio, name, CODE)
#include "ipc/pathio.def"
static const struct pathio_handlers pathio_notes = {
#define MESSAGE(title, CODE, number, senders, phases, descriptor, reply, doc) \
	.title = pathio_on_##title,
#include "ipc/pathio.def"
};

#define MESSAGE(name, CODE, number, senders, phases, descriptor, reply, doc) \
	NOTING_HANDLER(verify, name, CODE)
#include "ipc/verify.def"
static const struct verify_handlers verify_notes = {
#define MESSAGE(title, CODE, number, senders, phases, descriptor, reply, doc) \
	.title = verify_on_##title,
#include "ipc/verify.def"
};

#define MESSAGE(name, CODE, number, senders, phases, descriptor, reply, doc) \
	NOTING_HANDLER(hash, name, CODE)
#include "ipc/hash.def"
static const struct hash_handlers hash_notes = {
#define MESSAGE(title, CODE, number, senders, phases, descriptor, reply, doc) \
	.title = hash_on_##title,
#include "ipc/hash.def"
};

#define MESSAGE(name, CODE, number, senders, phases, descriptor, reply, doc) \
	NOTING_HANDLER(verdict, name, CODE)
#include "ipc/verdict.def"
static const struct verdict_handlers verdict_notes = {
#define MESSAGE(title, CODE, number, senders, phases, descriptor, reply, doc) \
	.title = verdict_on_##title,
#include "ipc/verdict.def"
};

const struct fixture_side fixture_gate = { &gate_messages, ROLE_SUPERVISOR, ROLE_GATEWAY,
	&gate_notes };
const struct fixture_side fixture_pathio = { &pathio_messages, ROLE_GATEWAY, ROLE_WORKER,
	&pathio_notes };
const struct fixture_side fixture_verify = { &verify_messages, ROLE_AUTH, ROLE_GATEWAY,
	&verify_notes };
const struct fixture_side fixture_hash = { &hash_messages, ROLE_AUTH, ROLE_HASHER, &hash_notes };

const struct fixture_side fixture_verdict = { &verdict_messages, ROLE_AUTH, ROLE_SUPERVISOR,
	&verdict_notes };

static void
on_closed(void *owner, const char *malformed)
{
	struct fixture *fixture = owner;
	assert_false(fixture->is_inside);
	fixture->closed++;
	fixture->malformed = malformed;
	fixture->is_inside = true;
	if (fixture->on_closed != NULL)
		fixture->on_closed(fixture);
	fixture->is_inside = false;
}

static void
on_drained(void *owner)
{
	struct fixture *fixture = owner;
	fixture->drained++;
	fixture->is_inside = true;
	if (fixture->on_drained != NULL)
		fixture->on_drained(fixture);
	fixture->is_inside = false;
}

/* ---- life ---- */

static struct fixture *
make(struct event_base *shared, const struct fixture_side *side, enum message_phase phase)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	int ends[2];
	assert_non_null(fixture);
	fixture->descriptors_before = count_descriptors();
	fixture->is_base_shared = shared != NULL;
	fixture->base = shared != NULL ? shared : event_base_new();
	assert_non_null(fixture->base);
	assert_int_equal(channel_pair(ends), 0);
	const struct channel_options options = {
		.base = fixture->base,
		.messages = side->messages,
		.our_role = side->our_role,
		.peer_role = side->peer_role,
		.phase = phase,
		.handlers = side->handlers,
		.owner = fixture,
		.closed = on_closed,
		.drained = on_drained,
	};
	assert_int_equal(channel_new(&options, &ends[0], &fixture->channel), 0);
	assert_int_equal(ends[0], -1);
	fixture->peer = ends[1];
	return fixture;
}

struct fixture *
fixture_new(const struct fixture_side *side)
{
	return make(NULL, side, PHASE_SERVING);
}

struct fixture *
fixture_new_in(const struct fixture_side *side, enum message_phase phase)
{
	return make(NULL, side, phase);
}

struct fixture *
fixture_new_beside(struct fixture *other, const struct fixture_side *side)
{
	return make(other->base, side, PHASE_SERVING);
}

void
fixture_end(struct fixture **fixture)
{
	channel_free(&(*fixture)->channel);
	fixture_close_peer(*fixture);
	if (!(*fixture)->is_base_shared)
		event_base_free((*fixture)->base);
	assert_int_equal(count_descriptors(), (*fixture)->descriptors_before);
	free(*fixture);
	*fixture = NULL;
}

void
fixture_settle(struct fixture *fixture)
{
	alarm(LIVENESS_S);
	assert_true(event_base_loop(fixture->base, EVLOOP_NONBLOCK) >= 0);
	alarm(0);
}

void
fixture_close_peer(struct fixture *fixture)
{
	fd_close(&fixture->peer);
}

/* ---- the outer end ---- */

void
fixture_send_raw(
	struct fixture *fixture, struct bytes message, const int *descriptors, size_t count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
	} control = { 0 };
	struct iovec part = { .iov_len = message.length };
	memcpy(&part.iov_base, &message.data, sizeof(part.iov_base));
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	assert_true(count <= DESCRIPTORS_MAX);
	if (count > 0) {
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(cmsg), descriptors, count * sizeof(int));
	}
	ssize_t sent = sendmsg(fixture->peer, &header, MSG_NOSIGNAL);
	assert_int_equal(sent, message.length);
}

void
fixture_send(struct fixture *fixture, uint32_t code, struct bytes body, const int *descriptors,
	size_t count)
{
	size_t length = MESSAGE_HEADER_BYTES + body.length;
	SCOPE_FREE char *message = malloc(length);
	assert_non_null(message);
	const uint32_t header[] = { htole32(code), htole32(7) };
	memcpy(message, header, sizeof(header));
	if (body.length > 0)
		memcpy(message + sizeof(header), body.data, body.length);
	fixture_send_raw(fixture, bytes_of(message, length), descriptors, count);
	explicit_bzero(message, length);
}

int64_t
fixture_read_tag(struct fixture *fixture)
{
	static char buffer[MESSAGE_HEADER_BYTES + MESSAGE_BODY_BYTES_MAX];
	struct packet packet;
	int result = packet_receive(fixture->peer, buffer, sizeof(buffer), true, &packet);
	if (result <= 0)
		return -1;
	fixture->peer_descriptors += packet.descriptor_count;
	fd_close(&packet.descriptor);
	assert_true(packet.length >= MESSAGE_HEADER_BYTES);
	uint32_t tag;
	memcpy(&tag, buffer + sizeof(tag), sizeof(tag));
	return le32toh(tag);
}

void
fixture_complain(struct fixture *fixture, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		fixture_send(fixture, GATE_COMPLAIN, bytes_of("\1\0\0\0\0\0\0\0", 8), NULL, 0);
}
