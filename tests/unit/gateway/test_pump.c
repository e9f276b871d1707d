/*
 * The relay between a worker's data descriptor and a client's TLS (pump.h): everything arrives,
 * both ways, whoever is slow; an end is an end only where it was meant.
 */
#include "tests/unit/gateway/pump_relay.h"

#include "ipc/base/scope.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { ROUNDS = 4000 };

/* ---- out ---- */

struct size_row {
	const char *name;
	size_t bytes;
	size_t step; /* that the slow side takes at once */
};

static const struct size_row size_rows[] = {
	{ "nothing", 0, 4096 },
	{ "one byte", 1, 4096 },
	{ "a record and a byte", 16385, 16384 },
	{ "more than everything in between holds", 3 * 1024 * 1024, 65536 },
	{ "a peer that takes little", 200 * 1024, 1000 },
};

static char *
make_content(size_t length)
{
	char *content = malloc(length + 1);
	for (size_t i = 0; i < length; i++)
		content[i] = (char)(i * 7 + i / 251);
	return content;
}

static void
check_download(void **state)
{
	const struct size_row *row = *state;
	struct relay relay;
	SCOPE_FREE char *content = make_content(row->bytes);
	SCOPE_FREE char *got = malloc(row->bytes + row->step);
	size_t sent = 0, received = 0;
	int length = -SSL_ERROR_WANT_READ;
	relay_open(&relay, false);
	relay_shake(&relay);
	assert_true(relay.was_secured);
	for (int i = 0; i < ROUNDS && length != 0; i++) {
		ssize_t taken = relay.worker_fd < 0 || sent == row->bytes
					? 0
					: send(relay.worker_fd, content + sent, row->bytes - sent,
						  MSG_DONTWAIT | MSG_NOSIGNAL);
		sent += taken > 0 ? (size_t)taken : 0;
		if (sent == row->bytes && relay.worker_fd >= 0) {
			fd_close(&relay.worker_fd);
			assert_false(relay.has_ended);
			pump_end(relay.pump);
		}
		relay_turn(&relay);
		length = relay_read(&relay, got + received, (int)row->step);
		assert_true(length >= 0 || length == -SSL_ERROR_WANT_READ);
		received += length > 0 ? (size_t)length : 0;
	}
	assert_int_equal(length, 0);
	assert_int_equal(received, row->bytes);
	assert_memory_equal(got, content, row->bytes);
	assert_true(relay.has_ended);
	assert_int_equal(relay.error, 0);
	relay_close(&relay);
}

/* The worker's end alone is not the client's: it may have failed. */
static void
check_unconfirmed(void **state)
{
	struct relay relay;
	char buffer[16];
	(void)state;
	relay_open(&relay, false);
	relay_shake(&relay);
	assert_int_equal(send(relay.worker_fd, "half", 4, 0), 4);
	fd_close(&relay.worker_fd);
	for (int i = 0; i < 10; i++)
		relay_turn(&relay);
	assert_int_equal(relay_read(&relay, buffer, sizeof(buffer)), 4);
	assert_int_equal(relay_read(&relay, buffer, sizeof(buffer)), -SSL_ERROR_WANT_READ);
	assert_false(relay.has_ended);
	pump_free(&relay.pump);
	assert_int_equal(relay_read(&relay, buffer, sizeof(buffer)), -SSL_ERROR_SSL);
	assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_UNEXPECTED_EOF_WHILE_READING);
	relay_close(&relay);
}

static void
check_vanished_reader(void **state)
{
	struct relay relay;
	static char piece[65536];
	(void)state;
	relay_open(&relay, false);
	relay_shake(&relay);
	fd_close(&relay.line.client_fd);
	for (int i = 0; i < 100 && !relay.has_ended; i++) {
		(void)!send(relay.worker_fd, piece, sizeof(piece), MSG_DONTWAIT | MSG_NOSIGNAL);
		relay_turn(&relay);
	}
	assert_true(relay.has_ended);
	assert_true(relay.error < 0);
	relay_close(&relay);
}

/* ---- in ---- */

static void
check_upload(void **state)
{
	const struct size_row *row = *state;
	struct relay relay;
	SCOPE_FREE char *content = make_content(row->bytes);
	SCOPE_FREE char *got = malloc(row->bytes + row->step);
	size_t sent = 0, received = 0;
	ssize_t length = -1;
	bool said_so = false;
	relay_open(&relay, true);
	relay_shake(&relay);
	for (int i = 0; i < ROUNDS && length != 0; i++) {
		ERR_clear_error();
		int taken = sent == row->bytes
				    ? 0
				    : SSL_write(relay.line.client, content + sent,
					      (int)(row->bytes - sent > 16384 ? 16384
									      : row->bytes - sent));
		sent += taken > 0 ? (size_t)taken : 0;
		if (sent == row->bytes && !said_so)
			said_so = SSL_shutdown(relay.line.client) >= 0;
		relay_turn(&relay);
		length = recv(relay.worker_fd, got + received, row->step, MSG_DONTWAIT);
		received += length > 0 ? (size_t)length : 0;
	}
	assert_int_equal(length, 0);
	assert_int_equal(received, row->bytes);
	assert_memory_equal(got, content, row->bytes);
	assert_true(relay.has_ended);
	assert_int_equal(relay.error, 0);
	assert_false(relay.saw_end_before);
	relay_close(&relay);
}

/* After records that came thick, a few that nothing follows do not wait for others. */
static void
check_few_records(void **state)
{
	static const size_t lengths[] = { 16384, 4, 16384, 16384, 1 };
	static char piece[16384];
	struct relay relay;
	(void)state;
	relay_open(&relay, true);
	relay_shake(&relay);
	for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
		size_t received = 0;
		assert_int_equal(
			SSL_write(relay.line.client, piece, (int)lengths[i]), (int)lengths[i]);
		while (received < lengths[i]) {
			assert_int_equal(event_base_loop(relay.world.base, EVLOOP_ONCE), 0);
			ssize_t length = recv(relay.worker_fd, piece, sizeof(piece), MSG_DONTWAIT);
			received += length > 0 ? (size_t)length : 0;
		}
		assert_int_equal(received, lengths[i]);
	}
	assert_false(relay.has_ended);
	relay_close(&relay);
}

/* What arrived is passed on, and the owner knows before the worker that it was not all. */
static void
check_cut_upload(void **state)
{
	struct relay relay;
	char got[64];
	(void)state;
	relay_open(&relay, true);
	relay_shake(&relay);
	assert_int_equal(SSL_write(relay.line.client, "half", 4), 4);
	shutdown(relay.line.client_fd, SHUT_WR);
	for (int i = 0; i < 10; i++)
		relay_turn(&relay);
	assert_true(relay.has_ended);
	assert_int_equal(relay.error, -ECONNABORTED);
	assert_false(relay.saw_end_before);
	assert_int_equal(recv(relay.worker_fd, got, sizeof(got), MSG_DONTWAIT), 4);
	assert_true(relay_worker_sees_end(relay.worker_fd));
	relay_close(&relay);
}

static void
check_worker_that_leaves(void **state)
{
	struct relay relay;
	static char piece[16384];
	(void)state;
	relay_open(&relay, true);
	relay_shake(&relay);
	int worker_fd = fd_take(&relay.worker_fd);
	fd_close(&worker_fd);
	relay.worker_fd = -1;
	for (int i = 0; i < 100 && !relay.has_ended; i++) {
		(void)SSL_write(relay.line.client, piece, sizeof(piece));
		relay_turn(&relay);
	}
	assert_true(relay.has_ended);
	assert_true(relay.error < 0);
	relay_close(&relay);
}

/* ---- handshakes ---- */

static void
check_refused(void **state)
{
	struct relay relay;
	(void)state;
	relay_open(&relay, true);
	relay.refusal = -EPERM;
	relay_shake(&relay);
	assert_true(relay.was_secured);
	assert_true(relay.has_ended);
	assert_int_equal(relay.error, -EPERM);
	relay_close(&relay);
}

static void
check_garbage(void **state)
{
	struct relay relay;
	(void)state;
	relay_open(&relay, false);
	assert_int_equal(send(relay.line.client_fd, "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
	for (int i = 0; i < 10; i++)
		relay_turn(&relay);
	assert_false(relay.was_secured);
	assert_true(relay.has_ended);
	assert_int_equal(relay.error, -EPROTO);
	relay_close(&relay);
}

static void
check_freed_while_keys_is_asked(void **state)
{
	struct relay relay;
	int other_end;
	(void)state;
	relay_open(&relay, false);
	tls_world_connect_silence(&relay.world, &other_end);
	relay_shake(&relay);
	assert_false(relay.was_secured);
	pump_free(&relay.pump);
	fd_close(&other_end);
	relay_turn(&relay);
	relay_close(&relay);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("download", size_rows, check_download),
		CASE("what the worker did not vouch for has no end", check_unconfirmed),
		CASE("a reader that vanishes", check_vanished_reader),
		TABLE("upload", size_rows, check_upload),
		CASE("upload: a few records, and nothing for a while", check_few_records),
		CASE("an upload that is cut", check_cut_upload),
		CASE("a worker that takes no more", check_worker_that_leaves),
		CASE("a connection that the owner does not want", check_refused),
		CASE("garbage instead of a hello", check_garbage),
		CASE("freed while keys is asked", check_freed_while_keys_is_asked),
	};
	return relay_run(tables, ARRAY_LENGTH(tables));
}
