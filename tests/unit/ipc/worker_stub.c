/*
 * A stub for a worker (see worker_stub.h).
 */
#include "tests/unit/ipc/worker_stub.h"

#include "tests/unit/ipc/fixture.h"

#include <stdlib.h>
#include <unistd.h>

enum { LIVENESS_S = 10 };

/* ---- the worker's side ---- */

static void
note(struct worker_stub *stub, uint32_t code, const struct message *message)
{
	const struct wire_field *field = pathio_messages.rules[code].record->fields;
	assert_true(stub->received < STUB_REQUESTS);
	stub->requests[stub->received++] = (struct stub_request){
		.code = code,
		.tag = message->tag,
		.file = field->kind == WIRE_U32 ? (uint32_t)wire_member_number(field, message->body)
						: 0,
	};
}

#define MESSAGE(name, CODE, number, senders, phases, descriptor, reply, doc)            \
	static void note_##name(                                                        \
		void *owner, struct message *message, const struct pathio_##name *body) \
	{                                                                               \
		(void)body;                                                             \
		note(owner, CODE, message);                                             \
	}
#include "ipc/pathio.def"

static const struct pathio_handlers handlers = {
#define MESSAGE(title, CODE, number, senders, phases, descriptor, reply, doc) .title = note_##title,
#include "ipc/pathio.def"
};

static void
on_worker_closed(void *owner, const char *malformed)
{
	(void)owner;
	if (malformed != NULL)
		fail_msg("the gateway is malformed: %s", malformed);
}

/* ---- the gateway's side ---- */

static void
on_closed(void *owner, const char *malformed)
{
	struct worker_stub *stub = owner;
	stub->closed++;
	stub->malformed = malformed;
	if (stub->frees_when_closed)
		pathio_free(&stub->io);
}

static void
on_late(void *owner)
{
	struct worker_stub *stub = owner;
	stub->late++;
	if (stub->frees_when_late)
		pathio_free(&stub->io);
}

static void
on_progress(void *owner, uint32_t tag, uint64_t bytes)
{
	struct worker_stub *stub = owner;
	assert_int_not_equal(tag, 0);
	stub->progressed++;
	stub->progress_bytes = bytes;
	if (stub->frees_when_progressed)
		pathio_free(&stub->io);
}

void
call_done(void *argument, const struct pathio_answer *answer)
{
	struct call *call = argument;
	call->count++;
	call->error = answer->error;
	call->code = answer->code;
	call->tag = answer->tag;
	assert_non_null(answer->body);
	memcpy(&call->body, answer->body, pathio_messages.rules[answer->code].record->size);
	if (call->frees != NULL)
		pathio_free(&call->frees->io);
	if (call->then != NULL)
		call->then(call);
}

/* ---- life ---- */

static void
make_worker(struct worker_stub *stub, int *fd)
{
	const struct channel_options options = {
		.base = stub->base,
		.messages = &pathio_messages,
		.our_role = ROLE_WORKER,
		.peer_role = ROLE_GATEWAY,
		.phase = PHASE_SERVING,
		.handlers = &handlers,
		.owner = stub,
		.closed = on_worker_closed,
	};
	assert_int_equal(channel_new(&options, fd, &stub->worker), 0);
}

struct worker_stub *
worker_stub_new(const struct remote_options *options)
{
	struct worker_stub *stub = calloc(1, sizeof(*stub));
	int ends[2];
	assert_non_null(stub);
	stub->descriptors_before = count_descriptors();
	stub->base = event_base_new();
	assert_non_null(stub->base);
	assert_int_equal(channel_pair(ends), 0);
	make_worker(stub, &ends[1]);
	struct remote_options complete = *options;
	complete.base = stub->base;
	complete.owner = stub;
	complete.closed = on_closed;
	complete.late = on_late;
	complete.progress = on_progress;
	assert_int_equal(remote_new(&complete, &ends[0], &stub->io), 0);
	assert_int_equal(ends[0], -1);
	return stub;
}

void
worker_stub_end(struct worker_stub **stub)
{
	pathio_free(&(*stub)->io);
	channel_free(&(*stub)->worker);
	event_base_free((*stub)->base);
	assert_int_equal(count_descriptors(), (*stub)->descriptors_before);
	free(*stub);
	*stub = NULL;
}

void
worker_stub_settle(struct worker_stub *stub)
{
	alarm(LIVENESS_S);
	assert_true(event_base_loop(stub->base, EVLOOP_NONBLOCK) >= 0);
	alarm(0);
}

void
worker_stub_wait(struct worker_stub *stub, const unsigned *count, unsigned wanted)
{
	alarm(LIVENESS_S);
	while (*count < wanted)
		assert_int_equal(event_base_loop(stub->base, EVLOOP_ONCE), 0);
	alarm(0);
}

/* ---- requests ---- */

uint32_t
worker_stub_stat(struct worker_stub *stub, struct call *call)
{
	const struct pathio_stat request = { .path = bytes_of_text("/a"), .follow = true };
	return pathio_stat(stub->io, &request, call_done, call);
}

uint32_t
worker_stub_open(struct worker_stub *stub, struct call *call, uint32_t file)
{
	const struct pathio_open request = { .path = bytes_of_text("/a"), .file = file };
	return pathio_open(stub->io, &request, call_done, call);
}

uint32_t
worker_stub_close(struct worker_stub *stub, struct call *call, uint32_t file)
{
	return pathio_close(stub->io, &(struct pathio_close){ .file = file }, call_done, call);
}

uint32_t
worker_stub_send_file(struct worker_stub *stub, struct call *call, uint32_t file)
{
	int ends[2];
	const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	assert_int_equal(socketpair(AF_UNIX, type, 0, ends), 0);
	const struct pathio_send request = { .file = file, .count = UINT64_MAX };
	uint32_t tag = pathio_send(stub->io, &request, ends[0], call_done, call);
	close(ends[0]);
	close(ends[1]);
	return tag;
}

/* ---- answers ---- */

void
worker_stub_answer_done(struct worker_stub *stub, uint32_t tag)
{
	assert_int_equal(pathio_post_done(stub->worker, tag, &(struct pathio_done){ 0 }), 0);
}

void
worker_stub_answer_stat(struct worker_stub *stub, uint32_t tag, uint64_t size)
{
	const struct pathio_attributes_of answer = { .attributes = { .size = size } };
	assert_int_equal(pathio_post_attributes_of(stub->worker, tag, &answer), 0);
}

void
worker_stub_answer_opened(struct worker_stub *stub, uint32_t tag)
{
	assert_int_equal(pathio_post_opened(stub->worker, tag, &(struct pathio_opened){ 0 }), 0);
}

void
worker_stub_answer_moved(struct worker_stub *stub, uint32_t tag, uint64_t bytes)
{
	assert_int_equal(pathio_post_moved(stub->worker, tag, &(struct pathio_moved){ bytes }), 0);
}

void
worker_stub_answer_failed(struct worker_stub *stub, uint32_t tag, int error)
{
	const struct pathio_failed failed = { .error = (uint16_t)error };
	assert_int_equal(pathio_post_failed(stub->worker, tag, &failed), 0);
}

void
worker_stub_report(struct worker_stub *stub, uint32_t tag, uint64_t bytes)
{
	const struct pathio_progress progress = { .bytes = bytes };
	assert_int_equal(pathio_post_progress(stub->worker, tag, &progress), 0);
}

/* ---- checks ---- */

void
worker_stub_check(const struct worker_stub *stub, size_t request, uint32_t code, uint32_t file)
{
	assert_true(request < stub->received);
	assert_int_equal(stub->requests[request].code, code);
	assert_int_equal(stub->requests[request].file, file);
}

void
call_check(const struct call *call, unsigned count, int error)
{
	assert_int_equal(call->count, count);
	assert_int_equal(call->error, error);
}
