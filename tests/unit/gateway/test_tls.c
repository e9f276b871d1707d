/*
 * TLS as the gateway speaks it: every kind of key in both versions with the key elsewhere, what is
 * refused, which sessions a data connection may resume, how streams end, and keys that dies or
 * hangs in the middle of it (tls.h, tls_context.h, tls_tickets.h, tls_signer.h).
 */
#include "tests/unit/gateway/tls_world.h"

#include "gateway/tls_provider.h"
#include "ipc/base/scope.h"
#include "policy/keys/key.h"

#include <errno.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <sys/socket.h>

enum { SESSION = 9, OTHER_SESSION = 10 };

static const struct tls_world_key ordinary = { "EC", "P-256", "ftp.example.org" };

/* ---- handshakes ---- */

struct shake_row {
	const char *name;
	struct tls_world_key key;
	int version;
	const char *schemes; /* of the client; NULL: its own */
	bool works;
};

static const struct shake_row shake_rows[] = {
	{ "P-256, TLS 1.3", { "EC", "P-256", "a" }, TLS1_3_VERSION, NULL, true },
	{ "P-256, TLS 1.2", { "EC", "P-256", "a" }, TLS1_2_VERSION, NULL, true },
	{ "P-384, TLS 1.3", { "EC", "P-384", "a" }, TLS1_3_VERSION, NULL, true },
	{ "P-384, TLS 1.2", { "EC", "P-384", "a" }, TLS1_2_VERSION, NULL, true },
	{ "Ed25519, TLS 1.3", { "ED25519", NULL, "a" }, TLS1_3_VERSION, NULL, true },
	{ "Ed25519, TLS 1.2", { "ED25519", NULL, "a" }, TLS1_2_VERSION, NULL, true },
	{ "RSA, TLS 1.3", { "RSA", "2048", "a" }, TLS1_3_VERSION, NULL, true },
	{ "RSA, TLS 1.2 with PKCS #1", { "RSA", "2048", "a" }, TLS1_2_VERSION, "RSA+SHA256", true },
	{ "RSA, TLS 1.2 with PSS", { "RSA", "2048", "a" }, TLS1_2_VERSION, "rsa_pss_rsae_sha512",
		true },
	{ "RSA with SHA-1 alone", { "RSA", "2048", "a" }, TLS1_2_VERSION, "RSA+SHA1", false },
	{ "TLS 1.1", { "EC", "P-256", "a" }, TLS1_1_VERSION, NULL, false },
};

static void
check_shake(void **state)
{
	const struct shake_row *row = *state;
	struct tls_world world;
	struct tls_line line;
	tls_world_open(&world, &row->key, 1);
	tls_line_open(&world, &line, SESSION, NULL, false);
	SSL_set_security_level(line.client, 0);
	SSL_set_min_proto_version(line.client, row->version);
	SSL_set_max_proto_version(line.client, row->version);
	char schemes[64] = "";
	if (row->schemes != NULL) {
		snprintf(schemes, sizeof(schemes), "%s", row->schemes);
		assert_int_equal(SSL_set1_sigalgs_list(line.client, schemes), 1);
	}
	tls_line_shake(&world, &line);
	if (row->works) {
		assert_int_equal(line.server_result, 0);
		assert_int_equal(line.client_result, SSL_ERROR_NONE);
		assert_int_equal(SSL_version(line.client), row->version);
		assert_true(line.woken >= 1);
	} else {
		assert_int_equal(line.server_result, -EPROTO);
		assert_int_equal(line.client_result, SSL_ERROR_SSL);
	}
	tls_line_close(&line);
	tls_world_close(&world);
}

struct alpn_row {
	const char *name;
	const unsigned char *offer;
	unsigned length;
	bool works;
};

static const struct alpn_row alpn_rows[] = {
	{ "ftp", (const unsigned char *)"\3ftp", 4, true },
	{ "ftp behind another", (const unsigned char *)"\10http/1.1\3ftp", 13, true },
	{ "http", (const unsigned char *)"\10http/1.1", 9, false },
	{ "what begins like it", (const unsigned char *)"\4ftps", 5, false },
};

static void
check_alpn(void **state)
{
	const struct alpn_row *row = *state;
	struct tls_world world;
	struct tls_line line;
	tls_world_open(&world, &ordinary, 1);
	tls_line_open(&world, &line, SESSION, NULL, false);
	assert_int_equal(SSL_set_alpn_protos(line.client, row->offer, row->length), 0);
	tls_line_shake(&world, &line);
	assert_int_equal(line.server_result, row->works ? 0 : -EPROTO);
	tls_line_close(&line);
	tls_world_close(&world);
}

struct name_row {
	const char *name;
	const char *asked; /* NULL: no SNI */
	const char *want;
};

static const struct tls_world_key hosts[] = {
	{ "EC", "P-256", "first.example.org" },
	{ "EC", "P-256", "second.example.org" },
	{ "ED25519", NULL, "*.third.example.org" },
};

static const struct name_row name_rows[] = {
	{ "none", NULL, "first.example.org" },
	{ "the first", "first.example.org", "first.example.org" },
	{ "another", "SECOND.example.org", "second.example.org" },
	{ "a wildcard's", "x.third.example.org", "*.third.example.org" },
	{ "unknown", "elsewhere.example.org", "first.example.org" },
};

static void
check_name(void **state)
{
	const struct name_row *row = *state;
	struct tls_world world;
	struct tls_line line;
	char got[256];
	tls_world_open(&world, hosts, ARRAY_LENGTH(hosts));
	tls_line_open(&world, &line, SESSION, NULL, false);
	char asked[64] = "";
	if (row->asked != NULL) {
		snprintf(asked, sizeof(asked), "%s", row->asked);
		SSL_set_tlsext_host_name(line.client, asked);
	}
	tls_line_shake(&world, &line);
	assert_int_equal(line.server_result, 0);
	X509 *certificate = SSL_get1_peer_certificate(line.client);
	X509_NAME_get_text_by_NID(
		X509_get_subject_name(certificate), NID_commonName, got, sizeof(got));
	assert_string_equal(got, row->want);
	X509_free(certificate);
	tls_line_close(&line);
	tls_world_close(&world);
}

/* ---- bytes and ends ---- */

static void
check_bytes(void **state)
{
	struct tls_world world;
	struct tls_line line;
	char buffer[64];
	(void)state;
	tls_world_open(&world, &ordinary, 1);
	tls_line_open(&world, &line, SESSION, NULL, false);
	tls_line_shake(&world, &line);
	assert_int_equal(tls_read(line.server, buffer, sizeof(buffer)), -EAGAIN);
	assert_int_equal(tls_wants(line.server), EV_READ);
	assert_false(tls_is_at_end(line.server));
	assert_int_equal(SSL_write(line.client, "hello", 5), 5);
	assert_false(tls_is_at_end(line.server));
	assert_int_equal(tls_read(line.server, buffer, 2), 2);
	assert_true(tls_has_more(line.server));
	assert_int_equal(tls_read(line.server, buffer + 2, sizeof(buffer)), 3);
	assert_false(tls_has_more(line.server));
	assert_memory_equal(buffer, "hello", 5);
	assert_int_equal(tls_write(line.server, "answer", 6), 6);
	assert_int_equal(tls_flush(line.server), 0);
	assert_int_equal(tls_line_client_read(&line, buffer, sizeof(buffer)), 6);
	tls_line_close(&line);
	tls_world_close(&world);
}

static void
check_gathering(void **state)
{
	struct tls_world world;
	struct tls_line line;
	char buffer[64];
	(void)state;
	tls_world_open(&world, &ordinary, 1);
	tls_line_open(&world, &line, SESSION, NULL, true);
	tls_line_shake(&world, &line);
	tls_gather(line.server);
	assert_int_equal(tls_write(line.server, "one", 3), 3);
	assert_int_equal(tls_write(line.server, "two", 3), 3);
	assert_int_equal(tls_line_client_read(&line, buffer, sizeof(buffer)), -1);
	assert_int_equal(tls_flush(line.server), 0);
	assert_int_equal(tls_line_client_read(&line, buffer, sizeof(buffer)), 3);
	assert_int_equal(tls_line_client_read(&line, buffer, sizeof(buffer)), 3);
	tls_line_close(&line);
	tls_world_close(&world);
}

/* A peer that reads nothing: what is taken stays bounded, and nothing of it is lost. */
static void
check_full(void **state)
{
	enum { PIECE = 16384 };
	static char piece[PIECE], got[PIECE];
	struct tls_world world;
	struct tls_line line;
	size_t taken = 0, received = 0;
	int result;
	(void)state;
	tls_world_open(&world, &ordinary, 1);
	tls_line_open(&world, &line, SESSION, NULL, true);
	tls_line_shake(&world, &line);
	tls_gather(line.server);
	while ((result = tls_write(line.server, piece, sizeof(piece))) > 0)
		taken += (size_t)result;
	assert_int_equal(result, -EAGAIN);
	assert_int_equal(tls_wants(line.server), EV_WRITE);
	assert_true(taken < 2 * 1024 * 1024);
	while (received < taken) {
		int length = tls_line_client_read(&line, got, sizeof(got));
		if (length > 0)
			received += (size_t)length;
		else
			(void)!tls_flush(line.server);
	}
	assert_int_equal(received, taken);
	tls_line_close(&line);
	tls_world_close(&world);
}

struct end_row {
	const char *name;
	int version;
	bool says_so; /* close_notify */
	int want;
};

static const struct end_row end_rows[] = {
	{ "with close_notify, TLS 1.3", TLS1_3_VERSION, true, 0 },
	{ "with close_notify, TLS 1.2", TLS1_2_VERSION, true, 0 },
	{ "cut, TLS 1.3", TLS1_3_VERSION, false, -ECONNABORTED },
	{ "cut, TLS 1.2", TLS1_2_VERSION, false, -ECONNABORTED },
};

static void
check_end(void **state)
{
	const struct end_row *row = *state;
	struct tls_world world;
	struct tls_line line;
	char buffer[16];
	tls_world_open(&world, &ordinary, 1);
	tls_line_open(&world, &line, SESSION, NULL, true);
	SSL_set_max_proto_version(line.client, row->version);
	tls_line_shake(&world, &line);
	assert_int_equal(SSL_write(line.client, "data", 4), 4);
	if (row->says_so)
		assert_int_equal(SSL_shutdown(line.client), 0);
	shutdown(line.client_fd, SHUT_WR);
	assert_int_equal(tls_read(line.server, buffer, sizeof(buffer)), 4);
	assert_true(tls_is_at_end(line.server));
	assert_int_equal(tls_read(line.server, buffer, sizeof(buffer)), row->want);
	tls_line_close(&line);
	tls_world_close(&world);
}

static void
check_own_end(void **state)
{
	struct tls_world world;
	struct tls_line line;
	char buffer[16];
	(void)state;
	tls_world_open(&world, &ordinary, 1);
	tls_line_open(&world, &line, SESSION, NULL, true);
	tls_line_shake(&world, &line);
	assert_int_equal(tls_write(line.server, "all", 3), 3);
	assert_int_equal(tls_flush(line.server), 0);
	assert_int_equal(tls_end(line.server), 0);
	assert_int_equal(tls_line_client_read(&line, buffer, sizeof(buffer)), 3);
	int end = tls_line_client_read(&line, buffer, sizeof(buffer));
	assert_int_equal(SSL_get_error(line.client, end), SSL_ERROR_ZERO_RETURN);
	tls_line_close(&line);
	tls_world_close(&world);
}

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
	struct tls_world world;
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
	struct tls_world world;
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

/* OpenSSL's clients use a session of TLS 1.3 once: each transfer brings another ticket. */
static void
check_renewal(void **state)
{
	struct tls_world world;
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

/* ---- keys ---- */

static void
check_dead_keys(void **state)
{
	struct tls_world world;
	struct tls_line line;
	(void)state;
	tls_world_open(&world, &ordinary, 1);
	tls_world_kill_keys(&world);
	assert_int_equal(world.lost, 1);
	tls_line_open(&world, &line, SESSION, NULL, false);
	tls_line_shake(&world, &line);
	assert_int_equal(line.server_result, -EPROTO);
	tls_line_close(&line);
	tls_world_close(&world);
}

static void
check_keys_that_die_meanwhile(void **state)
{
	struct tls_world world;
	struct tls_line line;
	int other_end;
	(void)state;
	tls_world_open(&world, &ordinary, 1);
	tls_world_connect_silence(&world, &other_end);
	tls_line_open(&world, &line, SESSION, NULL, false);
	tls_line_shake(&world, &line);
	assert_int_equal(line.server_result, -EAGAIN);
	assert_int_equal(tls_wants(line.server), 0);
	assert_int_equal(line.woken, 0);
	fd_close(&other_end);
	tls_line_shake(&world, &line);
	assert_int_equal(line.woken, 1);
	assert_int_equal(line.server_result, -EPROTO);
	tls_line_close(&line);
	tls_world_close(&world);
}

/* Clients that leave while keys is asked leave nothing behind (the sanitizer looks for it). */
static void
check_abandoned(void **state)
{
	struct tls_world world;
	struct tls_line lines[20];
	int other_end;
	(void)state;
	tls_world_open(&world, &ordinary, 1);
	tls_world_connect_silence(&world, &other_end);
	for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
		tls_line_open(&world, &lines[i], SESSION + i, NULL, false);
		tls_line_shake(&world, &lines[i]);
		assert_int_equal(lines[i].server_result, -EAGAIN);
	}
	for (size_t i = 0; i < ARRAY_LENGTH(lines); i += 2)
		tls_line_close(&lines[i]);
	for (size_t i = 1; i < ARRAY_LENGTH(lines); i += 2)
		tls_line_close(&lines[i]);
	tls_world_connect_keys(&world);
	tls_line_open(&world, &lines[0], SESSION, NULL, false);
	tls_line_shake(&world, &lines[0]);
	assert_int_equal(lines[0].server_result, 0);
	tls_line_close(&lines[0]);
	fd_close(&other_end);
	tls_world_close(&world);
}

/* A reload: what runs keeps its certificate, whose key may be gone afterwards. */
static void
check_new_context(void **state)
{
	struct tls_world world;
	struct tls_line line;
	(void)state;
	tls_world_open(&world, &ordinary, 1);
	tls_line_open(&world, &line, SESSION, NULL, false);
	tls_context_release(&world.context);
	tls_line_shake(&world, &line);
	assert_int_equal(line.server_result, 0);
	tls_line_close(&line);
	tls_world_close(&world);
}

/* ---- certificates that are none ---- */

static void
check_bad_certificate(void **state)
{
	static const char text[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
	struct tls_world world;
	struct tls_certificate bad = { .key = 1, .chain = bytes_of(text, sizeof(text) - 1) };
	struct tls_context *context = NULL;
	size_t failed = 77;
	(void)state;
	tls_world_open(&world, &ordinary, 1);
	const struct tls_context_options options = { world.signer, world.tickets, &bad, 1 };
	assert_int_equal(tls_context_new(&options, &context, &failed), -EINVAL);
	assert_int_equal(failed, 0);
	assert_null(context);
	tls_world_close(&world);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("handshake", shake_rows, check_shake),
		TABLE("ALPN", alpn_rows, check_alpn),
		TABLE("SNI", name_rows, check_name),
		CASE("bytes go both ways", check_bytes),
		CASE("gathered records leave together", check_gathering),
		CASE("a peer that does not read: bounded, and nothing lost", check_full),
		TABLE("the peer's end", end_rows, check_end),
		CASE("our own end is said", check_own_end),
		TABLE("resumed", resume_rows, check_resume),
		TABLE("tickets", age_rows, check_age),
		CASE("a ticket for each transfer", check_renewal),
		CASE("keys is not there", check_dead_keys),
		CASE("keys dies while it is asked", check_keys_that_die_meanwhile),
		CASE("handshakes that are given up while keys is asked", check_abandoned),
		CASE("a context that is replaced lives on in its connections", check_new_context),
		CASE("what is no certificate", check_bad_certificate),
	};
	if (key_prepare() < 0 || tls_provider_load() < 0)
		return 1;
	int result = table_run(tables, ARRAY_LENGTH(tables));
	tls_provider_unload();
	return result;
}
