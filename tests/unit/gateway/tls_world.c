/*
 * TLS from both ends (see tls_world.h).
 */
#include "tests/unit/gateway/tls_world.h"

#include "gateway/tls_provider.h"
#include "ipc/base/scope.h"
#include "ipc/vault.h"
#include "policy/keys/key.h"
#include "policy/keys/vault.h"
#include "tests/unit/keys/new_key.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <sys/socket.h>

static uint64_t now_s = 1000;

uint64_t
tls_world_now_s(void)
{
	return now_s;
}

void
tls_world_set_now_s(uint64_t value)
{
	now_s = value;
}

/* ---- keys ---- */

#define MESSAGE(name, CODE, number, senders, phases, descriptor, reply, doc)                 \
	static void on_unexpected_##name(UNUSED void *owner, UNUSED struct message *message, \
		UNUSED const struct vault_##name *body)                                      \
	{                                                                                    \
		fail();                                                                      \
	}
#include "ipc/vault.def"
static const struct vault_handlers vault_handlers = {
#define MESSAGE(title, CODE, number, senders, phases, descriptor, reply, doc) \
	.title = on_unexpected_##title,
#include "ipc/vault.def"
};

static void
on_end(UNUSED void *owner, UNUSED const char *malformed)
{
}

static void
on_keys_lost(void *owner, const char *malformed)
{
	struct tls_world *world = owner;
	assert_null(malformed);
	world->lost++;
}

static struct channel *
open_end(struct tls_world *world, int fd, enum role us, enum role peer)
{
	const struct channel_options options = {
		.base = world->base,
		.messages = &vault_messages,
		.our_role = us,
		.peer_role = peer,
		.phase = PHASE_SERVING,
		.handlers = &vault_handlers,
		.owner = world,
		.closed = on_end,
	};
	struct channel *channel;
	assert_int_equal(channel_new(&options, &fd, &channel), 0);
	return channel;
}

void
tls_world_connect_keys(struct tls_world *world)
{
	int ends[2];
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(vault_add_gateway(world->vault, 1, &ends[0]), 0);
	assert_int_equal(tls_signer_connect(world->signer, &ends[1]), 0);
}

void
tls_world_connect_silence(struct tls_world *world, int *other_end)
{
	int ends[2];
	assert_int_equal(channel_pair(ends), 0);
	*other_end = ends[0];
	assert_int_equal(tls_signer_connect(world->signer, &ends[1]), 0);
}

static void
open_keys(struct tls_world *world)
{
	int ends[2];
	assert_int_equal(channel_pair(ends), 0);
	world->to_supervisor = open_end(world, ends[0], ROLE_KEYS, ROLE_SUPERVISOR);
	world->supervisor = open_end(world, ends[1], ROLE_SUPERVISOR, ROLE_KEYS);
	world->vault = vault_new(world->base, world->to_supervisor);
	assert_non_null(world->vault);
}

void
tls_world_kill_keys(struct tls_world *world)
{
	vault_free(&world->vault);
	world->vault = vault_new(world->base, world->to_supervisor);
	assert_non_null(world->vault);
	for (int i = 0; i < 4; i++)
		event_base_loop(world->base, EVLOOP_NONBLOCK);
}

/* ---- certificates ---- */

X509 *
tls_world_sign_itself(EVP_PKEY *key, const char *host)
{
	X509 *made = X509_new();
	X509_set_version(made, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
	X509_gmtime_adj(X509_getm_notBefore(made), -60);
	X509_gmtime_adj(X509_getm_notAfter(made), 3600);
	X509_NAME *name = X509_get_subject_name(made);
	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)host, -1, -1, 0);
	X509_set_issuer_name(made, name);
	X509_set_pubkey(made, key);
	const EVP_MD *digest = EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();
	assert_true(X509_sign(made, key, digest) > 0);
	return made;
}

static struct bytes
add_certificate(struct tls_world *world, const struct tls_world_key *wanted, BIO *pem)
{
	char *text;
	const char *reason;
	bool is_rsa = strcmp(wanted->algorithm, "RSA") == 0;
	EVP_PKEY *key =
		new_key(wanted->algorithm, is_rsa ? atoi(wanted->parameter) : 0, wanted->parameter);
	SCOPE_FD int fd = new_key_file(key, NULL);
	assert_int_equal(vault_add(world->vault, ++world->keys, fd, &reason), 0);
	X509 *certificate = tls_world_sign_itself(key, wanted->host);
	assert_int_equal(PEM_write_bio_X509(pem, certificate), 1);
	X509_free(certificate);
	EVP_PKEY_free(key);
	long length = BIO_get_mem_data(pem, &text);
	return bytes_of(text, (size_t)length);
}

void
tls_world_open(struct tls_world *world, const struct tls_world_key *keys, size_t count)
{
	struct tls_certificate certificates[TLS_WORLD_CERTIFICATES] = { { .key = 0 } };
	BIO *pems[TLS_WORLD_CERTIFICATES];
	size_t failed;
	const struct tls_peer_rules peer = world->peer;
	*world = (struct tls_world){ .base = event_base_new(), .peer = peer };
	assert_true(count <= TLS_WORLD_CERTIFICATES);
	open_keys(world);
	const struct tls_signer_options options = {
		.base = world->base,
		.closed = on_keys_lost,
		.owner = world,
	};
	world->signer = tls_signer_new(&options);
	world->tickets = tls_tickets_new(tls_world_now_s);
	assert_non_null(world->signer);
	assert_non_null(world->tickets);
	tls_world_connect_keys(world);
	for (size_t i = 0; i < count; i++) {
		pems[i] = BIO_new(BIO_s_mem());
		certificates[i].chain = add_certificate(world, &keys[i], pems[i]);
		certificates[i].key = world->keys;
	}
	const struct tls_context_options context = {
		.signer = world->signer,
		.tickets = world->tickets,
		.certificates = certificates,
		.count = count,
		.peer = world->peer,
	};
	assert_int_equal(tls_context_new(&context, &world->context, &failed), 0);
	for (size_t i = 0; i < count; i++)
		BIO_free(pems[i]);
}

void
tls_world_close(struct tls_world *world)
{
	tls_context_release(&world->context);
	tls_tickets_free(&world->tickets);
	tls_signer_free(&world->signer);
	vault_free(&world->vault);
	channel_free(&world->supervisor);
	channel_free(&world->to_supervisor);
	event_base_free(world->base);
}

/* ---- connections ---- */

static void
on_wake(void *owner)
{
	struct tls_line *line = owner;
	line->woken++;
}

static void
open_line(struct tls_world *world, struct tls_line *line, struct tls_options *options)
{
	int ends[2];
	*line = (struct tls_line){ .server_result = -EAGAIN };
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	line->server_fd = ends[0];
	line->client_fd = ends[1];
	options->context = world->context;
	options->fd = line->server_fd;
	options->wake = on_wake;
	options->owner = line;
	assert_int_equal(tls_new(options, &line->server), 0);
	line->client_context = SSL_CTX_new(TLS_client_method());
	line->client = SSL_new(line->client_context);
	SSL_set_fd(line->client, line->client_fd);
	SSL_set_connect_state(line->client);
}

void
tls_line_open(struct tls_world *world, struct tls_line *line, uint64_t session, struct tls *control,
	bool is_data)
{
	struct tls_options options = { .session = session, .control = control, .is_data = is_data };
	open_line(world, line, &options);
}

void
tls_line_open_at(struct tls_world *world, struct tls_line *line, uint64_t session, const char *host,
	bool is_host_asked)
{
	struct tls_options options = {
		.session = session, .host = host, .is_host_asked = is_host_asked
	};
	open_line(world, line, &options);
}

void
tls_line_close(struct tls_line *line)
{
	tls_free(&line->server);
	SSL_free(line->client);
	SSL_CTX_free(line->client_context);
	fd_close(&line->server_fd);
	fd_close(&line->client_fd);
}

void
tls_line_shake(struct tls_world *world, struct tls_line *line)
{
	enum { ROUNDS = 40 };
	line->client_result = SSL_ERROR_WANT_READ;
	for (int i = 0; i < ROUNDS; i++) {
		ERR_clear_error();
		if (line->client_result == SSL_ERROR_WANT_READ)
			line->client_result =
				SSL_get_error(line->client, SSL_do_handshake(line->client));
		if (line->server_result == -EAGAIN)
			line->server_result = tls_handshake(line->server);
		event_base_loop(world->base, EVLOOP_NONBLOCK);
	}
}

int
tls_line_client_read(struct tls_line *line, char *buffer, int capacity)
{
	ERR_clear_error();
	return SSL_read(line->client, buffer, capacity);
}
