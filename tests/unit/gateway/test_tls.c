/*
 * TLS as the gateway speaks it: every kind of key in both versions with the key elsewhere, what is
 * refused, and how streams go and end (tls.h, tls_context.h).
 */
#include "tests/unit/gateway/tls_world.h"

#include "gateway/tls_provider.h"
#include "ipc/base/scope.h"
#include "policy/keys/key.h"

#include <errno.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <sys/socket.h>

enum { SESSION = 9 };

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
	struct tls_world world = { .base = NULL };
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
	struct tls_world world = { .base = NULL };
	struct tls_line line;
	tls_world_open(&world, &ordinary, 1);
	tls_line_open(&world, &line, SESSION, NULL, false);
	assert_int_equal(SSL_set_alpn_protos(line.client, row->offer, row->length), 0);
	tls_line_shake(&world, &line);
	assert_int_equal(line.server_result, row->works ? 0 : -EPROTO);
	tls_line_close(&line);
	tls_world_close(&world);
}

/* ---- bytes and ends ---- */

static void
check_bytes(void **state)
{
	struct tls_world world = { .base = NULL };
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
	struct tls_world world = { .base = NULL };
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
	struct tls_world world = { .base = NULL };
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
	struct tls_world world = { .base = NULL };
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
	struct tls_world world = { .base = NULL };
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

/* A record that is none: the peer hears why the connection ends. */
static void
check_alert(void **state)
{
	static const char junk[] = "\x17\x03\x03\x00\x20 this was never encrypted by it";
	struct tls_world world = { .base = NULL };
	struct tls_line line;
	char buffer[64];
	(void)state;
	tls_world_open(&world, &ordinary, 1);
	tls_line_open(&world, &line, SESSION, NULL, false);
	tls_line_shake(&world, &line);
	assert_int_equal(send(line.client_fd, junk, sizeof(junk), 0), sizeof(junk));
	assert_int_equal(tls_read(line.server, buffer, sizeof(buffer)), -EPROTO);
	ERR_clear_error();
	int length = tls_line_client_read(&line, buffer, sizeof(buffer));
	assert_int_equal(SSL_get_error(line.client, length), SSL_ERROR_SSL);
	assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_SSLV3_ALERT_BAD_RECORD_MAC);
	tls_line_close(&line);
	tls_world_close(&world);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("handshake", shake_rows, check_shake),
		TABLE("ALPN", alpn_rows, check_alpn),
		CASE("bytes go both ways", check_bytes),
		CASE("gathered records leave together", check_gathering),
		CASE("a peer that does not read: bounded, and nothing lost", check_full),
		TABLE("the peer's end", end_rows, check_end),
		CASE("our own end is said", check_own_end),
		CASE("an alert leaves at once", check_alert),
	};
	if (key_prepare() < 0 || tls_provider_load() < 0)
		return 1;
	int result = table_run(tables, ARRAY_LENGTH(tables));
	tls_provider_unload();
	return result;
}
