/*
 * Sessions over a real channel (serve.h): what a gateway asks for is done, answered and recorded;
 * what breaks one session breaks no other.
 */
#include "ipc/base/scope.h"
#include "tests/unit/worker/session.h"
#include "tests/unit/worker/trees.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static struct session *
across(void)
{
	struct session *session = session_new_across(&backend_memory);
	session_open_record(session);
	return session;
}

static void
check_stat(void **state)
{
	(void)state;
	struct session *session = across();
	session_plant(session, "/hello", "hello", 5);
	assert_int_equal(call_stat(session->io, &session->wait,
				 &(struct pathio_stat){ .path = bytes_of_text("/hello") }),
		0);
	assert_int_equal(session->wait.body.attributes_of.attributes.size, 5);
	while (session->recorded_count < 1)
		event_base_loop(session->base, EVLOOP_ONCE);
	assert_string_equal(session->recorded[0].name, "stat");
	session_free(session);
}

static void
check_send(void **state)
{
	(void)state;
	struct session *session = across();
	struct pathio_wait opened = { .base = session->base }, closed = { .base = session->base };
	char arrived[16];
	int ends[2];
	session_pair(ends);
	session_plant(session, "/hello", "hello", 5);
	/* In one breath, as the gateway does. */
	pathio_open(session->io,
		&(struct pathio_open){ .file = 1, .path = bytes_of_text("/hello") },
		pathio_wait_done, &opened);
	pathio_send(session->io, &(struct pathio_send){ .file = 1, .count = UINT64_MAX }, ends[0],
		pathio_wait_done, &session->wait);
	pathio_close(session->io, &(struct pathio_close){ .file = 1 }, pathio_wait_done, &closed);
	assert_int_equal(pathio_wait_finish(&opened), 0);
	assert_int_equal(pathio_wait_finish(&session->wait), 0);
	assert_int_equal(pathio_wait_finish(&closed), 0);
	assert_int_equal(session->wait.body.moved.bytes, 5);
	assert_int_equal(recv(ends[1], arrived, sizeof(arrived), 0), 5);
	assert_memory_equal(arrived, "hello", 5);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	pathio_wait_free(&opened);
	pathio_wait_free(&closed);
	session_free(session);
}

/* ---- one session's fault is no other's ---- */

static void
run_once(struct session *session)
{
	event_base_loop(session->base, EVLOOP_NONBLOCK);
}

static struct bytes
stat_request(uint32_t tag)
{
	static char message[64];
	static const struct pathio_stat stat = { .path = { "/hello", 6 } };
	memcpy(message, (uint32_t[]){ PATHIO_STAT, tag }, MESSAGE_HEADER_BYTES);
	int length = wire_encode(&pathio_stat_record, &stat, message + MESSAGE_HEADER_BYTES,
		sizeof(message) - MESSAGE_HEADER_BYTES);
	assert_true(length > 0);
	return bytes_of(message, MESSAGE_HEADER_BYTES + (size_t)length);
}

static int
stat_hello(struct session *session)
{
	return call_stat(session->io, &session->wait,
		&(struct pathio_stat){ .path = bytes_of_text("/hello") });
}

struct malformed_row {
	const char *name;
	uint32_t words[4];
	size_t length;
};

static const struct malformed_row malformed_rows[] = {
	{ "no header", { PATHIO_STAT }, 4 },
	{ "an unknown message", { 200, 1 }, 8 },
	{ "a message of the other side", { PATHIO_DONE, 1 }, 8 },
	{ "a field that is missing", { PATHIO_CLOSE, 1 }, 8 },
	{ "bytes left over", { PATHIO_CLOSE, 1, 7, 0 }, 13 },
	{ "a transfer without a descriptor", { PATHIO_RECEIVE, 1, 7 }, 12 },
};

static void
check_malformed(void **state)
{
	const struct malformed_row *row = *state;
	struct session *session = across();
	char message[16] = "";
	int gateway_fd;
	memcpy(message, row->words, row->length);
	session_plant(session, "/hello", "hello", 5);
	session_attach(session, 99, &gateway_fd);
	assert_int_equal(send(gateway_fd, message, row->length, 0), row->length);
	while (session->ended == 0 || session->recorded_count < 2)
		event_base_loop(session->base, EVLOOP_ONCE);
	assert_int_equal(session->ended, 99);
	assert_string_equal(session->recorded[0].name, "malformed");
	assert_string_equal(session->recorded[1].name, "session_ended");
	assert_int_equal(recv(gateway_fd, message, sizeof(message), 0), 0);
	fd_close(&gateway_fd);
	assert_int_equal(stat_hello(session), 0);
	assert_int_equal(serve_count(session->serve), 1);
	session_free(session);
}

static void
check_gateway_gone(void **state)
{
	(void)state;
	struct session *session = across();
	assert_int_equal(call_upload_open(session->io, &session->wait,
				 &(struct pathio_upload_open){ .path = bytes_of_text("/new") }),
		0);
	pathio_free(&session->io);
	while (session->recorded_count < 2)
		event_base_loop(session->base, EVLOOP_ONCE);
	assert_string_equal(session->recorded[1].name, "session_ended");
	assert_int_equal(session->recorded[1].bytes, 1); /* upload that was dropped */
	assert_int_equal(serve_count(session->serve), 0);
	session_free(session);
}

/* The new login of a session may be heard before the end of its old channel. */
static void
check_attached_twice(void **state)
{
	(void)state;
	struct session *session = across();
	char nothing;
	int former_fd, gateway_fd;
	session_attach(session, 99, &former_fd);
	session_attach(session, 99, &gateway_fd);
	assert_int_equal(recv(former_fd, &nothing, sizeof(nothing), 0), 0);
	assert_int_equal(recv(gateway_fd, &nothing, sizeof(nothing), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(serve_count(session->serve), 2);
	assert_int_equal(session->ended, 0);
	while (session->recorded_count < 1)
		event_base_loop(session->base, EVLOOP_ONCE);
	assert_string_equal(session->recorded[0].name, "session_ended");
	fd_close(&former_fd);
	fd_close(&gateway_fd);
	session_free(session);
}

static void
check_change_rights(void **state)
{
	(void)state;
	static const struct session_right nothing[] = { { NULL, 0 } };
	struct session *session = across();
	session_plant(session, "/hello", "hello", 5);
	assert_int_equal(stat_hello(session), 0);
	struct rights *rights = session_rights(nothing);
	serve_change_rights(session->serve, 77, &rights);
	assert_null(rights);
	assert_int_equal(stat_hello(session), -EACCES);
	rights = session_rights(nothing);
	serve_change_rights(session->serve, 12345, &rights); /* gone meanwhile */
	assert_null(rights);
	session_free(session);
}

/* ---- cancel and progress ---- */

static void
check_cancel(void **state)
{
	(void)state;
	struct session *session = across();
	struct pathio_wait closed = { .base = session->base };
	int ends[2];
	session_pair(ends);
	assert_int_equal(call_upload_open(session->io, &session->wait,
				 &(struct pathio_upload_open){ .path = bytes_of_text("/new") }),
		0);
	uint32_t tag = pathio_receive(session->io, &(struct pathio_receive){ .file = 0 }, ends[0],
		pathio_wait_done, &session->wait);
	pathio_close(session->io, &(struct pathio_close){ .file = 0 }, pathio_wait_done, &closed);
	for (int i = 0; i < 3; i++)
		run_once(session);
	pathio_cancel(session->io, tag);
	assert_int_equal(session_finish(session, tag), -ECANCELED);
	assert_int_equal(pathio_wait_finish(&closed), 0);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	session_free(session);
}

static void
check_progress(void **state)
{
	(void)state;
	static char content[2 * 1024 * 1024];
	struct session *session = across();
	int ends[2];
	session_pair(ends);
	session_plant(session, "/big", content, sizeof(content));
	assert_int_equal(call_open(session->io, &session->wait,
				 &(struct pathio_open){ .path = bytes_of_text("/big") }),
		0);
	uint32_t tag = pathio_send(session->io, &(struct pathio_send){ .count = UINT64_MAX },
		ends[0], pathio_wait_done, &session->wait);
	while (session->progress_count == 0)
		event_base_loop(session->base, EVLOOP_ONCE);
	assert_true(session->progress_bytes > 0 && session->progress_bytes < sizeof(content));
	pathio_cancel(session->io, tag);
	assert_int_equal(session_finish(session, tag), -ECANCELED);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	session_free(session);
}

/* ---- the record makes operations wait ---- */

/* Before there is a channel to record, nothing is carried out. */
static void
check_waits_for_record(void **state)
{
	(void)state;
	struct session *session = session_new_across(&backend_memory);
	session_plant(session, "/hello", "hello", 5);
	uint32_t tag =
		pathio_stat(session->io, &(struct pathio_stat){ .path = bytes_of_text("/hello") },
			pathio_wait_done, &session->wait);
	for (int i = 0; i < 10; i++)
		run_once(session);
	assert_false(session->wait.finished);
	session_open_record(session);
	assert_int_equal(session_finish(session, tag), 0);
	session_free(session);
}

/* A record that does not read: operations wait, none is lost, none is recorded twice. */
static void
check_full_record(void **state)
{
	(void)state;
	enum { REQUESTS = 20000 };
	struct session *session = across();
	int gateway_fd, answers = 0, sent = 0;
	char answer[256];
	session_plant(session, "/hello", "hello", 5);
	session_attach(session, 99, &gateway_fd);
	channel_pause(session->record);
	session->count_only = true;
	for (int idle = 0; idle < 20; idle++) {
		while (sent < REQUESTS) {
			struct bytes request = stat_request((uint32_t)sent + 1);
			if (send(gateway_fd, request.data, request.length, 0) < 0)
				break;
			sent++;
			idle = 0;
		}
		run_once(session);
		while (recv(gateway_fd, answer, sizeof(answer), 0) > 0)
			answers++;
	}
	assert_true(recorder_is_waiting(session->recorder));
	assert_in_range(answers, 100, REQUESTS - 100);
	channel_resume(session->record);
	while (answers < sent) {
		event_base_loop(session->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		while (recv(gateway_fd, answer, sizeof(answer), 0) > 0)
			answers++;
	}
	while (session->last_sequence < (uint32_t)sent)
		event_base_loop(session->base, EVLOOP_ONCE);
	assert_int_equal(session->recorded_count, sent);
	fd_close(&gateway_fd);
	session_free(session);
}

/* Another channel: what the first one holds still arrives there, and the numbers begin anew. */
static void
check_replaced_record(void **state)
{
	(void)state;
	struct session *session = across();
	session_plant(session, "/hello", "hello", 5);
	assert_int_equal(stat_hello(session), 0);
	while (session->recorded_count < 1)
		event_base_loop(session->base, EVLOOP_ONCE);
	struct channel *first = session->record;
	session->last_sequence = 0;
	session_open_record(session);
	assert_int_equal(stat_hello(session), 0);
	while (session->recorded_count < 2)
		event_base_loop(session->base, EVLOOP_ONCE);
	channel_free(&first); /* of which the worker hears, and goes on */
	assert_int_equal(stat_hello(session), 0);
	session_free(session);
}

/* A gateway that asks and does not read is not read from for long. */
static void
check_full_answers(void **state)
{
	(void)state;
	struct session *session = across();
	int gateway_fd, sent = 0;
	session_plant(session, "/hello", "hello", 5);
	session_attach(session, 99, &gateway_fd);
	session->count_only = true;
	for (int idle = 0; idle < 20; idle++) {
		struct bytes request = stat_request(1);
		while (send(gateway_fd, request.data, request.length, 0) > 0) {
			sent++;
			idle = 0;
		}
		run_once(session);
		assert_in_range(sent, 0, 100000); /* the queue of answers is bounded */
	}
	assert_int_equal(serve_count(session->serve), 2);
	char answer[256];
	int answers = 0;
	while (answers < sent) {
		while (recv(gateway_fd, answer, sizeof(answer), 0) > 0)
			answers++;
		run_once(session);
	}
	fd_close(&gateway_fd);
	session_free(session);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("stat is answered and recorded", check_stat),
		CASE("open, send and close in one breath", check_send),
		TABLE("malformed", malformed_rows, check_malformed),
		CASE("the gateway is gone", check_gateway_gone),
		CASE("a session attached twice", check_attached_twice),
		CASE("rights change", check_change_rights),
		CASE("cancel", check_cancel),
		CASE("progress", check_progress),
		CASE("operations wait for a record", check_waits_for_record),
		CASE("operations wait for a full record", check_full_record),
		CASE("another record", check_replaced_record),
		CASE("operations wait for a gateway that does not read", check_full_answers),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
