/*
 * Deflated transfers (MODE Z) of an instance: what a client that speaks zlib sends and gets, in
 * pieces of every size; what is bounded when it sends a bomb (HOSTILE 34) or does not read (HOSTILE
 * 30); what is told and recorded.
 */
#include "ipc/base/scope.h"
#include "tests/unit/worker/session.h"
#include "tests/unit/worker/trees.h"
#include "tests/unit/worker/wire_end.h"
#include "worker/instance_private.h"
#include "worker/transfer_private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <zlib.h>

#define PATH(literal) bytes_of((literal), sizeof(literal) - 1)
#define MIB           ((size_t)1024 * 1024)

/* ---- contents ---- */

static void
fill(char *content, size_t length)
{
	uint32_t state = 2463534242;
	for (size_t i = 0; i < length; i++) {
		state = state * 1664525 + 1013904223;
		content[i] = (i & 4096) != 0 ? (char)(state >> 24) : "abc\ndef\r\ng\rhij"[i % 14];
	}
}

/* As one zlib stream; the caller frees it. */
static struct bytes
deflated(const char *content, size_t length)
{
	uLongf room = compressBound(length);
	char *stream = malloc(room + 1);
	assert_non_null(stream);
	assert_int_equal(compress((Bytef *)stream, &room, (const Bytef *)content, length), Z_OK);
	return bytes_of(stream, room);
}

/* ---- answers ---- */

struct answered {
	bool is_there;
	int error;
	uint64_t bytes;
};

static void
on_answer(void *argument, const struct pathio_answer *answer)
{
	struct answered *answered = argument;
	answered->is_there = true;
	answered->error = answer->error;
	if (answer->code == PATHIO_MOVED)
		answered->bytes = answer->body->moved.bytes;
}

static void
run_until(struct session *session, const struct answered *answered)
{
	while (!answered->is_there)
		event_base_loop(session->base, EVLOOP_ONCE);
}

static void
begin_upload(struct session *session, enum pathio_form form, int fd, struct answered *answered)
{
	const struct pathio_upload_open upload = { .file = 1, .path = PATH("/f") };
	const struct pathio_receive receive = {
		.file = 1, .form = form, .coding = PATHIO_CODING_DEFLATE
	};
	assert_int_equal(call_upload_open(session->io, &session->wait, &upload), 0);
	pathio_receive(session->io, &receive, fd, on_answer, answered);
}

static const struct recorded *
last_recorded(const struct session *session)
{
	return &session->recorded[session->recorded_count - 1];
}

static uint64_t
size_of(struct session *session)
{
	const struct pathio_stat stat = { .path = PATH("/f") };
	assert_int_equal(call_stat(session->io, &session->wait, &stat), 0);
	return session->wait.body.attributes_of.attributes.size;
}

static void
check_stored(struct session *session, const char *content, size_t length)
{
	static char got[PATHIO_BLOCK_BYTES];
	const struct pathio_commit commit = { .file = 1 };
	const struct pathio_open open = { .file = 2, .path = PATH("/f") };
	const struct pathio_read read = { .file = 2, .count = sizeof(got) };
	assert_int_equal(call_commit(session->io, &session->wait, &commit), 0);
	assert_int_equal(size_of(session), length);
	assert_int_equal(call_open(session->io, &session->wait, &open), 0);
	for (size_t at = 0; at < length;) {
		assert_int_equal(call_read(session->io, &session->wait, &read), 0);
		struct bytes block = session->wait.body.content.bytes;
		assert_true(block.length > 0 && block.length <= length - at);
		assert_memory_equal(block.data, content + at, block.length);
		at += block.length;
	}
}

/* ---- in, cut anywhere ---- */

struct upload_row {
	const char *name;
	const struct backend *backend;
	uint32_t threads;
	enum pathio_form form;
};

static const struct upload_row upload_rows[] = {
	{ "sync", &backend_kernel, 0, PATHIO_FORM_IMAGE },
	{ "threaded", &backend_kernel, 2, PATHIO_FORM_IMAGE },
	{ "memory", &backend_memory, 0, PATHIO_FORM_IMAGE },
	{ "as ascii", &backend_kernel, 0, PATHIO_FORM_ASCII },
};

/* What a file holds of it afterwards: its length. */
static size_t
in_form(enum pathio_form form, const char *content, size_t length, char *stored)
{
	struct ascii ascii = { .after_cr = false };
	memcpy(stored, content, length);
	if (form == PATHIO_FORM_IMAGE)
		return length;
	size_t converted = ascii_decode(&ascii, bytes_of(content, length), stored);
	return converted + ascii_decode_end(&ascii, stored + converted);
}

/* The stream in two pieces, cut at this place, with the loop turning between them. */
static void
upload_cut(struct session *session, enum pathio_form form, struct bytes stream, size_t cut,
	struct answered *answered)
{
	int ends[2];
	session_pair(ends);
	SCOPE_FD int client = ends[0];
	begin_upload(session, form, ends[1], answered);
	fd_close(&ends[1]);
	assert_int_equal(send(client, stream.data, cut, 0), cut);
	event_base_loop(session->base, EVLOOP_NONBLOCK);
	assert_false(answered->is_there);
	assert_int_equal(
		send(client, stream.data + cut, stream.length - cut, 0), stream.length - cut);
	shutdown(client, SHUT_WR);
	run_until(session, answered);
}

static void
check_cut_anywhere(void **state)
{
	const struct upload_row *row = *state;
	char content[300], stored[sizeof(content) + 1];
	fill(content, sizeof(content));
	size_t length = in_form(row->form, content, sizeof(content), stored);
	struct bytes stream = deflated(content, sizeof(content));
	for (size_t cut = 0; cut <= stream.length; cut++) {
		const struct session_world world = { .backend = row->backend,
			.threads = row->threads };
		struct session *session = session_new_in(&world);
		struct answered answered = { .is_there = false };
		upload_cut(session, row->form, stream, cut, &answered);
		assert_int_equal(answered.error, 0);
		assert_int_equal(answered.bytes, stream.length);
		check_stored(session, stored, length);
		session_free(session);
	}
	free((void *)(uintptr_t)stream.data);
}

/* Larger than any buffer on the way, in both forms. */
static void
check_large(void **state)
{
	const struct upload_row *row = *state;
	static char content[5 * MIB], stored[sizeof(content) + 1];
	fill(content, sizeof(content));
	size_t length = in_form(row->form, content, sizeof(content), stored);
	struct bytes stream = deflated(content, sizeof(content));
	const struct session_world world = { .backend = row->backend, .threads = row->threads };
	struct session *session = session_new_in(&world);
	struct answered answered = { .is_there = false };
	int ends[2];
	session_pair(ends);
	SCOPE_FD int client = ends[0];
	begin_upload(session, row->form, ends[1], &answered);
	fd_close(&ends[1]);
	for (size_t at = 0; at < stream.length;) {
		ssize_t sent = send(client, stream.data + at, stream.length - at, 0);
		assert_true(sent > 0 || errno == EAGAIN);
		at += sent > 0 ? (size_t)sent : 0;
		event_base_loop(session->base, EVLOOP_NONBLOCK);
	}
	shutdown(client, SHUT_WR);
	run_until(session, &answered);
	assert_int_equal(answered.error, 0);
	assert_int_equal(answered.bytes, stream.length);
	check_stored(session, stored, length);
	session_free(session);
	free((void *)(uintptr_t)stream.data);
}

/* ---- in, hostile ---- */

/* Every turn ends after a bounded piece, so that others have theirs. */
static void
check_bomb_turns(void **state)
{
	(void)state;
	const size_t length = 32 * MIB;
	char *zeros = calloc(1, length);
	struct bytes stream = deflated(zeros, length);
	struct session *session = session_new(&backend_kernel, NULL, 0);
	struct answered answered = { .is_there = false };
	int turns = 0;
	int ends[2];
	session_pair(ends);
	SCOPE_FD int client = ends[0];
	assert_true(stream.length < TRANSFER_PIECE_BYTES); /* a single look sees all of it */
	assert_int_equal(send(client, stream.data, stream.length, 0), stream.length);
	shutdown(client, SHUT_WR);
	begin_upload(session, PATHIO_FORM_IMAGE, ends[1], &answered);
	fd_close(&ends[1]);
	for (; !answered.is_there; turns++)
		event_base_loop(session->base, EVLOOP_ONCE);
	assert_int_equal(answered.error, 0);
	assert_true(turns >= (int)(length / TRANSFER_CODED_BYTES));
	check_stored(session, zeros, length);
	session_free(session);
	free((void *)(uintptr_t)stream.data);
	free(zeros);
}

/* What may be stored is the bound; the rest is not even inflated. */
static void
check_bomb_full(void **state)
{
	(void)state;
	const size_t length = TEST_MEMORY_LIMIT + 16 * MIB;
	char *zeros = calloc(1, length);
	struct bytes stream = deflated(zeros, length);
	struct session *session = session_new(&backend_memory, NULL, 0);
	struct answered answered = { .is_there = false };
	int ends[2];
	session_pair(ends);
	SCOPE_FD int client = ends[0];
	assert_int_equal(send(client, stream.data, stream.length, 0), stream.length);
	begin_upload(session, PATHIO_FORM_IMAGE, ends[1], &answered);
	fd_close(&ends[1]);
	run_until(session, &answered);
	assert_int_equal(answered.error, -ENOSPC);
	assert_in_range(last_recorded(session)->bytes, 1, stream.length - 1);
	session_free(session);
	free((void *)(uintptr_t)stream.data);
	free(zeros);
}

/* A stream that never ends and never brings anything is work all the same: its turns end. */
static void
check_empty_blocks(void **state)
{
	(void)state;
	static const char block[] = { 0, 0, 0, '\xff',
		'\xff' }; /* stored, no bytes (RFC 1951 3.2.4) */
	static char stream[2 + 150 * 1024 * sizeof(block)] = "\x78\x9c";
	struct session *session = session_new(&backend_kernel, NULL, 0);
	struct answered answered = { .is_there = false };
	int turns = 0, size = sizeof(stream);
	int ends[2];
	for (size_t at = 2; at < sizeof(stream); at += sizeof(block))
		memcpy(stream + at, block, sizeof(block));
	session_pair(ends);
	SCOPE_FD int client = ends[0];
	setsockopt(client, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	size_t sent = 0;
	ssize_t got;
	while ((got = send(client, stream + sent, sizeof(stream) - sent, 0)) > 0)
		sent += (size_t)got;
	assert_true(sent > TRANSFER_CODED_BYTES);
	begin_upload(session, PATHIO_FORM_IMAGE, ends[1], &answered);
	fd_close(&ends[1]);
	shutdown(client, SHUT_WR);
	for (; !answered.is_there; turns++)
		event_base_loop(session->base, EVLOOP_ONCE);
	assert_int_equal(answered.error, -ECONNRESET);
	assert_int_equal(last_recorded(session)->bytes, sent);
	assert_true(turns >= (int)(sent / TRANSFER_CODED_BYTES));
	session_free(session);
}

/* ---- out ---- */

static void
begin_download(
	struct session *session, unsigned level, struct wire_end *end, struct answered *answered)
{
	const struct pathio_open open = { .file = 3, .path = PATH("/f") };
	const struct pathio_send send = {
		.file = 3,
		.count = UINT64_MAX,
		.coding = PATHIO_CODING_DEFLATE,
		.level = (uint8_t)level,
	};
	assert_int_equal(call_open(session->io, &session->wait, &open), 0);
	pathio_send(session->io, &send, end->worker_fd, on_answer, answered);
}

static void
check_levels(void **state)
{
	(void)state;
	static char content[MIB + 1], got[MIB + 2];
	size_t before = SIZE_MAX;
	fill(content, sizeof(content));
	struct session *session = session_new(&backend_kernel, NULL, 0);
	session_plant(session, "/f", content, sizeof(content));
	for (unsigned level = 0; level <= PATHIO_LEVEL_MAX; level += 3) {
		struct wire_end *end = wire_end_new(session->base);
		struct answered answered = { .is_there = false };
		uLongf length = sizeof(got);
		begin_download(session, level, end, &answered);
		run_until(session, &answered);
		wire_end_finish(end);
		assert_int_equal(answered.error, 0);
		assert_int_equal(answered.bytes, end->length);
		assert_int_equal(
			uncompress((Bytef *)got, &length, (Bytef *)end->bytes, end->length), Z_OK);
		assert_int_equal(length, sizeof(content));
		assert_memory_equal(got, content, length);
		assert_true(end->length < before); /* it is what was asked for */
		before = end->length;
		wire_end_free(&end);
		assert_int_equal(call_close(session->io, &session->wait,
					 &(struct pathio_close){ .file = 3 }),
			0);
	}
	session_free(session);
}

/* HOSTILE 30: what waits for a client that does not read is one piece, however much there is. */
static void
check_silent_reader(void **state)
{
	(void)state;
	static char content[5 * MIB];
	fill(content, sizeof(content));
	struct session *session = session_new(&backend_kernel, NULL, 80);
	session_plant(session, "/f", content, sizeof(content));
	struct wire_end *end = wire_end_new_silent(session->base);
	struct answered answered = { .is_there = false };
	begin_download(session, 1, end, &answered);
	const struct instance *instance = (struct instance *)(void *)session->io;
	const struct call *call = TAILQ_FIRST(&instance->calls);
	while (!answered.is_there) {
		assert_true(
			call->transfer->left.length <= DEFLATE_ROOM_BYTES(TRANSFER_PIECE_BYTES));
		event_base_loop(session->base, EVLOOP_ONCE);
	}
	assert_int_equal(answered.error, -ETIMEDOUT);
	wire_end_finish(end);
	assert_true(end->length < MIB); /* what sockets hold, and not all there is */
	wire_end_free(&end);
	session_free(session);
}

/* ---- not offered, not possible ---- */

static void
check_not_offered(void **state)
{
	(void)state;
	const struct session_world world = { .backend = &backend_kernel, .without_mode_z = true };
	struct session *session = session_new_in(&world);
	struct answered answered[3] = { { .is_there = false } };
	const struct pathio_list list = { .file = 4, .path = PATH("/") };
	const struct pathio_send_listing listing = {
		.file = 4, .coding = PATHIO_CODING_DEFLATE, .prefix = PATH("")
	};
	struct wire_end *end = wire_end_new(session->base);
	session_plant(session, "/f", "text", 4);
	begin_download(session, 6, end, &answered[0]);
	begin_upload(session, PATHIO_FORM_IMAGE, end->worker_fd, &answered[1]);
	assert_int_equal(call_list(session->io, &session->wait, &list), 0);
	pathio_send_listing(session->io, &listing, end->worker_fd, on_answer, &answered[2]);
	for (size_t i = 0; i < ARRAY_LENGTH(answered); i++) {
		run_until(session, &answered[i]);
		assert_int_equal(answered[i].error, -ENOTSUP);
	}
	wire_end_free(&end);
	session_free(session);
}

static void
check_no_such_level(void **state)
{
	(void)state;
	struct session *session = session_new(&backend_kernel, NULL, 0);
	struct wire_end *end = wire_end_new(session->base);
	struct answered answered = { .is_there = false };
	session_plant(session, "/f", "text", 4);
	begin_download(session, 10, end, &answered);
	assert_int_equal(answered.error, -EINVAL);
	wire_end_free(&end);
	session_free(session);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("an upload that is cut anywhere", upload_rows, check_cut_anywhere),
		TABLE("a large upload", upload_rows, check_large),
		CASE("34: a bomb takes turns", check_bomb_turns),
		CASE("34: a bomb ends where there is no room", check_bomb_full),
		CASE("34: blocks of nothing take turns", check_empty_blocks),
		CASE("downloads at several levels", check_levels),
		CASE("30: the reader is silent", check_silent_reader),
		CASE("where it is not offered", check_not_offered),
		CASE("a level that there is not", check_no_such_level),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
