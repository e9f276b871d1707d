/*
 * Answers that are held until the loop's round is over (serve.h): nothing is lost, overtaken or
 * said too early, whatever the gateway does.
 */
#include "ipc/base/scope.h"
#include "tests/unit/worker/session.h"
#include "tests/unit/worker/trees.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { RAW_ID = 99, ANSWER_BYTES = 70000 };

/* A session whose gateway is a bare socket, beside one that keeps the rules. */
struct held {
	struct session *session;
	int gateway_fd;
};

static struct held
held_new(void)
{
	const struct session_world world = {
		.backend = &backend_memory, .remote = true, .holds = true
	};
	struct held held = { .session = session_new_in(&world) };
	session_plant(held.session, "/hello", "hello", 5);
	session_attach(held.session, RAW_ID, &held.gateway_fd);
	held.session->count_only = true;
	return held;
}

static void
held_free(struct held *held)
{
	fd_close(&held->gateway_fd);
	session_free(held->session);
}

/* Until nothing is ready. */
static void
settle(const struct held *held)
{
	for (int i = 0; i < 10; i++)
		event_base_loop(held->session->base, EVLOOP_NONBLOCK);
}

static struct bytes
encode(uint32_t code, uint32_t tag, const struct wire_record *record, const void *request)
{
	static char message[256];
	memcpy(message, (uint32_t[]){ code, tag }, MESSAGE_HEADER_BYTES);
	int length = wire_encode(record, request, message + MESSAGE_HEADER_BYTES,
		sizeof(message) - MESSAGE_HEADER_BYTES);
	assert_true(length > 0);
	return bytes_of(message, MESSAGE_HEADER_BYTES + (size_t)length);
}

static bool
ask(const struct held *held, struct bytes request)
{
	return send(held->gateway_fd, request.data, request.length, 0) > 0;
}

static bool
ask_stat(const struct held *held, uint32_t tag)
{
	static const struct pathio_stat stat = { .path = { "/hello", 6 } };
	return ask(held, encode(PATHIO_STAT, tag, &pathio_stat_record, &stat));
}

static void
ask_to_read(const struct held *held, uint32_t tag)
{
	static const struct pathio_open open = { .file = 1, .path = { "/hello", 6 } };
	static const struct pathio_read read = { .file = 1, .count = 5 };
	assert_true(ask(held, encode(PATHIO_OPEN, tag, &pathio_open_record, &open)));
	assert_true(ask(held, encode(PATHIO_READ, tag + 1, &pathio_read_record, &read)));
}

/* The tag of the next answer; 0: there is none. */
static uint32_t
hear(const struct held *held)
{
	static char answer[ANSWER_BYTES];
	uint32_t words[2];
	ssize_t length = recv(held->gateway_fd, answer, sizeof(answer), 0);
	if (length < (ssize_t)sizeof(words))
		return 0;
	memcpy(words, answer, sizeof(words));
	return words[1];
}

static void
check_flush(void **state)
{
	(void)state;
	struct held held = held_new();
	for (uint32_t tag = 1; tag <= 3; tag++)
		assert_true(ask_stat(&held, tag));
	settle(&held);
	assert_int_equal(hear(&held), 0);
	assert_int_equal(held.session->recorded_count, 3); /* before the answers */
	serve_flush(held.session->serve);
	for (uint32_t tag = 1; tag <= 3; tag++)
		assert_int_equal(hear(&held), tag);
	assert_int_equal(hear(&held), 0);
	held_free(&held);
}

/* What carries content does not wait, and does not overtake what does. */
static void
check_content(void **state)
{
	(void)state;
	struct held held = held_new();
	ask_to_read(&held, 1);
	settle(&held);
	assert_int_equal(hear(&held), 1);
	assert_int_equal(hear(&held), 2);
	assert_true(ask_stat(&held, 3));
	settle(&held);
	assert_int_equal(hear(&held), 0);
	serve_flush(held.session->serve);
	assert_int_equal(hear(&held), 3);
	held_free(&held);
}

/* The gateway goes while answers to it are held. */
static void
check_gone(void **state)
{
	(void)state;
	struct held held = held_new();
	assert_true(ask_stat(&held, 1));
	settle(&held);
	fd_close(&held.gateway_fd);
	settle(&held);
	assert_int_equal(held.session->ended, RAW_ID);
	serve_flush(held.session->serve);
	held_free(&held);
}

/* It breaks the rules while answers to it are held. */
static void
check_malformed(void **state)
{
	(void)state;
	struct held held = held_new();
	assert_true(ask_stat(&held, 1));
	assert_true(ask(&held, bytes_of("\0", 1)));
	settle(&held);
	serve_flush(held.session->serve);
	settle(&held);
	assert_int_equal(held.session->ended, RAW_ID);
	assert_int_equal(hear(&held), 0);
	held_free(&held);
}

/* The worker ends while answers are held. */
static void
check_end(void **state)
{
	(void)state;
	struct held held = held_new();
	assert_true(ask_stat(&held, 1));
	settle(&held);
	held_free(&held);
}

/* Asks as long as there is room for it, without reading an answer: how often. */
static uint32_t
flood(const struct held *held)
{
	uint32_t asked = 0;
	for (int idle = 0; idle < 20; idle++) {
		for (; ask_stat(held, asked + 1); asked++)
			idle = 0;
		settle(held);
		serve_flush(held->session->serve);
		assert_in_range(asked, 0, 100000); /* the queue of answers is bounded */
	}
	return asked;
}

/* A gateway that asks and does not read: it is not read from, others are served, none is lost. */
static void
check_full(void **state)
{
	(void)state;
	struct held held = held_new();
	struct session *session = held.session;
	uint32_t asked = flood(&held);
	uint32_t tag =
		pathio_stat(session->io, &(struct pathio_stat){ .path = bytes_of_text("/hello") },
			pathio_wait_done, &session->wait);
	settle(&held);
	serve_flush(session->serve);
	assert_int_equal(session_finish(session, tag), 0);
	assert_int_equal(serve_count(session->serve), 2);
	for (uint32_t next = 1; next <= asked;) {
		settle(&held);
		serve_flush(session->serve);
		for (uint32_t heard; (heard = hear(&held)) != 0; next++)
			assert_int_equal(heard, next);
	}
	held_free(&held);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("answers go out together", check_flush),
		CASE("content does not wait", check_content),
		CASE("the gateway goes", check_gone),
		CASE("the gateway breaks the rules", check_malformed),
		CASE("the worker ends", check_end),
		CASE("a gateway that does not read", check_full),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
