/*
 * Certificates: which of several a client is shown, and what is none (tls_context.h).
 */
#include "tests/unit/gateway/tls_world.h"

#include "gateway/tls_provider.h"
#include "ipc/base/scope.h"
#include "policy/keys/key.h"

#include <errno.h>

enum { SESSION = 9 };

static const struct tls_world_key ordinary = { "EC", "P-256", "ftp.example.org" };

/* ---- which one ---- */

struct name_row {
	const char *name;
	const char *asked; /* NULL: no SNI */
	const char *want;  /* NULL: refused */
	const char *host;  /* that the session is at; NULL: none */
	bool is_host_asked;
};

static const struct tls_world_key hosts[] = {
	{ "EC", "P-256", "first.example.org" },
	{ "EC", "P-256", "second.example.org" },
	{ "ED25519", NULL, "*.third.example.org" },
};

static const struct name_row name_rows[] = {
	{ "none", NULL, "first.example.org", NULL, false },
	{ "the first", "first.example.org", "first.example.org", NULL, false },
	{ "another", "SECOND.example.org", "second.example.org", NULL, false },
	{ "a wildcard's", "x.third.example.org", "*.third.example.org", NULL, false },
	{ "unknown", "elsewhere.example.org", "first.example.org", NULL, false },
	{ "HOST alone", NULL, "second.example.org", "second.example.org", true },
	{ "a host of an address alone", NULL, "second.example.org", "second.example.org", false },
	{ "HOST and a wildcard", NULL, "*.third.example.org", "y.third.example.org", true },
	{ "HOST without a certificate", NULL, "first.example.org", "fourth.example.org", true },
	{ "both agree", "second.example.org", "second.example.org", "second.example.org", true },
	{ "an unknown name, and HOST", "elsewhere.example.org", "second.example.org",
		"second.example.org", true },
	{ "another name than that of the address", "first.example.org", "first.example.org",
		"second.example.org", false },
	{ "another name than HOST's", "first.example.org", NULL, "second.example.org", true },
	{ "another name, HOST's has no certificate", "second.example.org", "second.example.org",
		"fourth.example.org", true },
};

static void
check_name(void **state)
{
	const struct name_row *row = *state;
	struct tls_world world = { .base = NULL };
	struct tls_line line;
	char got[256];
	tls_world_open(&world, hosts, ARRAY_LENGTH(hosts));
	tls_line_open_at(&world, &line, SESSION, row->host, row->is_host_asked);
	char asked[64] = "";
	if (row->asked != NULL) {
		snprintf(asked, sizeof(asked), "%s", row->asked);
		SSL_set_tlsext_host_name(line.client, asked);
	}
	tls_line_shake(&world, &line);
	assert_int_equal(line.server_result, row->want != NULL ? 0 : -EPROTO);
	X509 *certificate = SSL_get1_peer_certificate(line.client);
	assert_int_equal(certificate != NULL, row->want != NULL);
	if (certificate != NULL) {
		X509_NAME_get_text_by_NID(
			X509_get_subject_name(certificate), NID_commonName, got, sizeof(got));
		assert_string_equal(got, row->want);
	}
	X509_free(certificate);
	tls_line_close(&line);
	tls_world_close(&world);
}

/* ---- the client's ---- */

struct peer_row {
	const char *name;
	enum client_certificate wanted;
	bool is_data, has_certificate;
	int result; /* of the server */
	bool is_proven;
};

static const struct peer_row peer_rows[] = {
	{ "not asked for", CLIENT_CERTIFICATE_OFF, false, true, 0, false },
	{ "asked for and shown", CLIENT_CERTIFICATE_REQUEST, false, true, 0, true },
	{ "asked for and not shown", CLIENT_CERTIFICATE_REQUEST, false, false, 0, false },
	{ "required and shown", CLIENT_CERTIFICATE_REQUIRE, false, true, 0, true },
	{ "required and not shown", CLIENT_CERTIFICATE_REQUIRE, false, false, -EPROTO, false },
	{ "required, but not of data", CLIENT_CERTIFICATE_REQUIRE, true, false, 0, false },
};

/* Itself signed: without authorities nobody else has to. */
static void
show_certificate(SSL *client)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = tls_world_sign_itself(key, "client");
	assert_int_equal(SSL_use_certificate(client, certificate), 1);
	assert_int_equal(SSL_use_PrivateKey(client, key), 1);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void
check_peer(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	const struct peer_row *row = *state;
	for (size_t i = 0; i < ARRAY_LENGTH(versions); i++) {
		struct tls_world world = { .peer.wanted = row->wanted };
		struct tls_line line;
		struct tls_peer peer;
		tls_world_open(&world, &ordinary, 1);
		tls_line_open(&world, &line, SESSION, NULL, row->is_data);
		SSL_set_max_proto_version(line.client, versions[i]);
		if (row->has_certificate)
			show_certificate(line.client);
		tls_line_shake(&world, &line);
		assert_int_equal(line.server_result, row->result);
		assert_int_equal(tls_proof(line.server).length > 0, row->is_proven);
		assert_int_equal(tls_describe_peer(line.server, &peer), row->is_proven);
		if (row->is_proven) {
			assert_string_equal(peer.subject, "CN=client");
			assert_int_equal(strlen(peer.fingerprint), TLS_FINGERPRINT_DIGITS);
		}
		tls_line_close(&line);
		tls_world_close(&world);
	}
}

/* ---- floods ---- */

struct flood_row {
	const char *name;
	int updates;
	size_t bytes; /* that come with them */
	int want;     /* of a read afterwards */
	bool is_look; /* only whether the end is there */
};

static const struct flood_row flood_rows[] = {
	{ "as many as are free", 32, 0, -EAGAIN, false },
	{ "one more", 33, 0, -EPROTO, false },
	{ "one more, with a MiB before it", 33, 1024 * 1024 + 1, -EAGAIN, false },
	{ "as many as are free, while nothing is read", 32, 0, -EAGAIN, true },
	{ "one more, while nothing is read", 33, 0, -EPROTO, true },
};

/* Everything that the client writes is read. */
static int
read_all(struct tls_line *line, size_t length)
{
	static char buffer[16384];
	int result = -EAGAIN;
	while (length > 0) {
		size_t piece = length < sizeof(buffer) ? length : sizeof(buffer);
		assert_int_equal(SSL_write(line->client, buffer, (int)piece), piece);
		while ((result = tls_read(line->server, buffer, sizeof(buffer))) > 0)
			length -= (size_t)result;
		assert_int_equal(result, -EAGAIN);
	}
	return result;
}

static void
check_flood(void **state)
{
	const struct flood_row *row = *state;
	struct tls_world world = { .base = NULL };
	struct tls_line line;
	char byte, why[32];
	tls_world_open(&world, &ordinary, 1);
	tls_line_open(&world, &line, SESSION, NULL, false);
	tls_line_shake(&world, &line);
	int result = read_all(&line, row->bytes);
	for (int i = 0; i < row->updates; i++) {
		assert_int_equal(SSL_key_update(line.client, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
		assert_int_equal(SSL_do_handshake(line.client), 1);
		if (row->is_look)
			result = tls_is_at_end(line.server) ? -EPROTO : -EAGAIN;
		else
			result = tls_read(line.server, &byte, 1);
	}
	assert_int_equal(result, row->want);
	tls_describe_failure(line.server, why, sizeof(why));
	assert_int_equal(strcmp(why, "flood") == 0, row->want == -EPROTO);
	tls_line_close(&line);
	tls_world_close(&world);
}

/* ---- certificates that are none ---- */

static void
check_bad_certificate(void **state)
{
	static const char text[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
	struct tls_world world = { .base = NULL };
	struct tls_certificate bad = { .key = 1, .chain = bytes_of(text, sizeof(text) - 1) };
	struct tls_context *context = NULL;
	size_t failed = 77;
	(void)state;
	tls_world_open(&world, &ordinary, 1);
	const struct tls_context_options options = {
		.signer = world.signer,
		.tickets = world.tickets,
		.certificates = &bad,
		.count = 1,
	};
	assert_int_equal(tls_context_new(&options, &context, &failed), -EINVAL);
	assert_int_equal(failed, 0);
	assert_null(context);
	tls_world_close(&world);
}

static void
check_bad_authorities(void **state)
{
	static const struct tls_certificate none;
	struct tls_world world = { .base = NULL };
	struct tls_context *context = NULL;
	size_t failed;
	(void)state;
	tls_world_open(&world, &ordinary, 1);
	const struct tls_context_options options = {
		.signer = world.signer,
		.tickets = world.tickets,
		.certificates = &none,
		.count = 1,
		.peer = {
			.wanted = CLIENT_CERTIFICATE_REQUEST,
			.authorities = bytes_of_text("nothing"),
		},
	};
	assert_int_equal(tls_context_new(&options, &context, &failed), -EINVAL);
	assert_null(context);
	tls_world_close(&world);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("SNI and HOST", name_rows, check_name),
		TABLE("the client's", peer_rows, check_peer),
		TABLE("key updates", flood_rows, check_flood),
		CASE("what is no certificate", check_bad_certificate),
		CASE("what clients are held to is none", check_bad_authorities),
	};
	if (key_prepare() < 0 || tls_provider_load() < 0)
		return 1;
	int result = table_run(tables, ARRAY_LENGTH(tables));
	tls_provider_unload();
	return result;
}
