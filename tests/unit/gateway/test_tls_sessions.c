/*
 * Which TLS sessions a data connection may resume, and for how long (tls_tickets.h).
 */
#include "tests/unit/gateway/tls_world.h"

#include "gateway/tls_provider.h"
#include "ipc/base/scope.h"
#include "policy/keys/key.h"

#include <openssl/err.h>
#include <sys/socket.h>

enum { SESSION = 9, OTHER_SESSION = 10 };

static const struct tls_world_key ordinary = { "EC", "P-256", "ftp.example.org" };

/* ---- sessions ---- */

struct resume_row {
	const char *name;
	int version;
	bool wants_no_ticket;
	uint64_t data_session;
	bool is_control; /* the second connection is one, too */
	bool resumed, foreign;
};

static const struct resume_row resume_rows[] = {
	{ "its own, TLS 1.3", TLS1_3_VERSION, false, SESSION, false, true, false },
	{ "its own, TLS 1.2", TLS1_2_VERSION, false, SESSION, false, true, false },
	{ "its own, TLS 1.2 without tickets", TLS1_2_VERSION, true, SESSION, false, true, false },
	{ "another one's, TLS 1.3", TLS1_3_VERSION, false, OTHER_SESSION, false, false, true },
	{ "another one's, TLS 1.2", TLS1_2_VERSION, false, OTHER_SESSION, false, false, true },
	{ "a control connection begins anew", TLS1_3_VERSION, false, SESSION, true, false, false },
};

/* The client's session of a connection, once its tickets have come. */
static SSL_SESSION *
session_of(struct tls_line *line)
{
	char byte;
	assert_int_equal(tls_write(line->server, "x", 1), 1);
	assert_int_equal(tls_flush(line->server), 0);
	assert_int_equal(tls_line_client_read(line, &byte, 1), 1);
	return SSL_get1_session(line->client);
}

static void
check_resume(void **state)
{
	const struct resume_row *row = *state;
	struct tls_world world = { .base = NULL };
	struct tls_line control, data;
	tls_world_open(&world, &ordinary, 1);
	tls_line_open(&world, &control, SESSION, NULL, false);
	SSL_set_max_proto_version(control.client, row->version);
	if (row->wants_no_ticket)
		SSL_set_options(control.client, SSL_OP_NO_TICKET);
	tls_line_shake(&world, &control);
	SSL_SESSION *session = session_of(&control);
	tls_line_open(&world, &data, row->data_session, row->is_control ? NULL : control.server,
		!row->is_control);
	SSL_set_max_proto_version(data.client, row->version);
	if (row->wants_no_ticket)
		SSL_set_options(data.client, SSL_OP_NO_TICKET);
	assert_int_equal(SSL_set_session(data.client, session), 1);
	tls_line_shake(&world, &data);
	assert_int_equal(data.server_result, 0);
	assert_int_equal(tls_is_resumed(data.server), row->resumed);
	assert_int_equal(tls_is_foreign(data.server), row->foreign);
	SSL_SESSION_free(session);
	tls_line_close(&data);
	tls_line_close(&control);
	tls_world_close(&world);
}

struct age_row {
	const char *name;
	uint64_t age_s;
	unsigned renewals;
	bool resumed;
};

static const struct age_row age_rows[] = {
	{ "at once", 0, 0, true },
	{ "with the key before the last", TLS_TICKET_KEY_LIFE_S + 1, 1, true },
	{ "after two keys", 2 * TLS_TICKET_KEY_LIFE_S + 1, 2, false },
};

static void
check_age(void **state)
{
	const struct age_row *row = *state;
	struct tls_world world = { .base = NULL };
	struct tls_line control, data;
	tls_world_set_now_s(10000);
	tls_world_open(&world, &ordinary, 1);
	tls_line_open(&world, &control, SESSION, NULL, false);
	tls_line_shake(&world, &control);
	SSL_SESSION *session = session_of(&control);
	for (unsigned i = 1; i <= row->renewals; i++) {
		tls_world_set_now_s(10000 + row->age_s * i / row->renewals);
		tls_renew_ticket(control.server);
		assert_int_equal(tls_write(control.server, "x", 1), 1);
		assert_int_equal(tls_flush(control.server), 0);
	}
	tls_line_open(&world, &data, SESSION, control.server, true);
	assert_int_equal(SSL_set_session(data.client, session), 1);
	tls_line_shake(&world, &data);
	assert_int_equal(data.server_result, 0);
	assert_int_equal(tls_is_resumed(data.server), row->resumed);
	SSL_SESSION_free(session);
	tls_line_close(&data);
	tls_line_close(&control);
	tls_world_close(&world);
}

static ssize_t
peek(int fd)
{
	char bytes[16384];
	return recv(fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
}

static void
check_one_segment(void **state)
{
	enum { RECORD_BYTES_MIN = 22 };
	struct tls_world world = { .base = NULL };
	struct tls_line control;
	(void)state;
	tls_world_open(&world, &ordinary, 1);
	tls_line_open(&world, &control, SESSION, NULL, false);
	tls_line_shake(&world, &control);
	SSL_SESSION *session = session_of(&control);
	assert_int_equal(peek(control.client_fd), -1);
	tls_renew_ticket(control.server);
	assert_int_equal(tls_write(control.server, "x", 1), 1);
	assert_int_equal(peek(control.client_fd), -1);
	assert_int_equal(tls_flush(control.server), 0);
	assert_true(peek(control.client_fd) > (ssize_t)2 * RECORD_BYTES_MIN);
	SSL_SESSION_free(session);
	tls_line_close(&control);
	tls_world_close(&world);
}

/* OpenSSL's clients use a session of TLS 1.3 once: each transfer brings another ticket. */
static void
check_renewal(void **state)
{
	struct tls_world world = { .base = NULL };
	struct tls_line control;
	(void)state;
	tls_world_open(&world, &ordinary, 1);
	tls_line_open(&world, &control, SESSION, NULL, false);
	tls_line_shake(&world, &control);
	SSL_SESSION *last = session_of(&control);
	for (int i = 0; i < 5; i++) {
		struct tls_line data;
		tls_line_open(&world, &data, SESSION, control.server, true);
		assert_int_equal(SSL_set_session(data.client, last), 1);
		tls_line_shake(&world, &data);
		assert_true(tls_is_resumed(data.server));
		tls_line_close(&data);
		tls_renew_ticket(control.server);
		SSL_SESSION *next = session_of(&control);
		assert_ptr_not_equal(next, last);
		SSL_SESSION_free(last);
		last = next;
	}
	SSL_SESSION_free(last);
	tls_line_close(&control);
	tls_world_close(&world);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("resumed", resume_rows, check_resume),
		TABLE("tickets", age_rows, check_age),
		CASE("a ticket for each transfer", check_renewal),
		CASE("a ticket leaves with the reply behind it", check_one_segment),
	};
	if (key_prepare() < 0 || tls_provider_load() < 0)
		return 1;
	int result = table_run(tables, ARRAY_LENGTH(tables));
	tls_provider_unload();
	return result;
}
