/*
 * Keys by number and what gateways may ask (vault.h): a gateway of the test's own over a real
 * channel, honest and not.
 */
#include "tests/table.h"

#include "ipc/base/scope.h"
#include "ipc/sign.h"
#include "ipc/vault.h"
#include "policy/keys/key.h"
#include "policy/keys/vault.h"
#include "tests/unit/keys/handshake.h"
#include "tests/unit/keys/new_key.h"

#include <openssl/evp.h>

enum { INCARNATION = 77, NUMBER = 5 };

/* The world: a vault, the supervisor's end of its channel, one gateway. */
struct world {
	struct event_base *base;
	struct channel *to_supervisor, *supervisor, *gateway;
	struct vault *vault;
	unsigned signatures, refused, broken;
	uint32_t tag, incarnation;
	uint16_t error;
	size_t signature_bytes;
	bool is_cut;
	char rule[256];
};

static void
on_signature(void *owner, struct message *message, const struct sign_signature *body)
{
	struct world *world = owner;
	world->signatures++;
	world->tag = message->tag;
	world->signature_bytes = body->bytes.length;
}

static void
on_refused(void *owner, struct message *message, const struct sign_refused *body)
{
	struct world *world = owner;
	world->refused++;
	world->tag = message->tag;
	world->error = body->error;
}

static void
on_broken(void *owner, struct message *message, const struct vault_broken *body)
{
	struct world *world = owner;
	(void)message;
	world->broken++;
	world->incarnation = body->incarnation;
	memcpy(world->rule, body->rule.data, body->rule.length);
}

static void
on_cut(void *owner, const char *malformed)
{
	struct world *world = owner;
	assert_null(malformed);
	world->is_cut = true;
}

static void
on_end(void *owner, const char *malformed)
{
	(void)owner;
	assert_null(malformed);
}

static const struct sign_handlers gateway_handlers = {
	.signature = on_signature,
	.refused = on_refused,
};

/* The supervisor says nothing here. */
#define MESSAGE(name, CODE, number, senders, phases, descriptor, reply, doc)                 \
	static void on_unexpected_##name(UNUSED void *owner, UNUSED struct message *message, \
		UNUSED const struct vault_##name *body)                                      \
	{                                                                                    \
		fail();                                                                      \
	}
#include "ipc/vault.def"
static const struct vault_handlers keys_handlers = {
#define MESSAGE(title, CODE, number, senders, phases, descriptor, reply, doc) \
	.title = on_unexpected_##title,
#include "ipc/vault.def"
};
static struct vault_handlers supervisor_handlers;

static struct channel *
open_end(struct world *world, int fd, const struct message_table *messages, enum role us,
	enum role peer, const void *handlers, void (*closed)(void *owner, const char *malformed))
{
	const struct channel_options options = {
		.base = world->base,
		.messages = messages,
		.our_role = us,
		.peer_role = peer,
		.phase = PHASE_SERVING,
		.handlers = handlers,
		.owner = world,
		.closed = closed,
	};
	struct channel *channel;
	assert_int_equal(channel_new(&options, &fd, &channel), 0);
	return channel;
}

static int
add_key(struct world *world, uint32_t number, const char **reason)
{
	EVP_PKEY *key = new_key("EC", 0, "P-256");
	SCOPE_FD int fd = new_key_file(key, NULL);
	EVP_PKEY_free(key);
	return vault_add(world->vault, number, fd, reason);
}

static void
open_world(struct world *world)
{
	int ends[2];
	const char *reason;
	*world = (struct world){ .base = event_base_new() };
	supervisor_handlers = keys_handlers;
	supervisor_handlers.broken = on_broken;
	assert_int_equal(channel_pair(ends), 0);
	world->to_supervisor = open_end(world, ends[0], &vault_messages, ROLE_KEYS, ROLE_SUPERVISOR,
		&keys_handlers, on_end);
	world->supervisor = open_end(world, ends[1], &vault_messages, ROLE_SUPERVISOR, ROLE_KEYS,
		&supervisor_handlers, on_end);
	world->vault = vault_new(world->base, world->to_supervisor);
	assert_non_null(world->vault);
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(vault_add_gateway(world->vault, INCARNATION, &ends[0]), 0);
	world->gateway = open_end(
		world, ends[1], &sign_messages, ROLE_GATEWAY, ROLE_KEYS, &gateway_handlers, on_cut);
	assert_int_equal(add_key(world, NUMBER, &reason), 0);
}

static void
close_world(struct world *world)
{
	vault_free(&world->vault);
	channel_free(&world->gateway);
	channel_free(&world->supervisor);
	channel_free(&world->to_supervisor);
	event_base_free(world->base);
}

/* Asks, and lets everybody say what there is to say. */
static void
ask(struct world *world, uint32_t key, enum tls_scheme scheme, struct bytes content)
{
	const struct sign_sign body = { .key = key, .scheme = scheme, .content = content };
	assert_int_equal(sign_post_sign(world->gateway, 41, &body), 0);
	for (int i = 0; i < 8; i++)
		event_base_loop(world->base, EVLOOP_NONBLOCK);
}

static void
check_signed(void **state)
{
	struct world world;
	struct handshake made = handshake_tls_1_3(32);
	(void)state;
	open_world(&world);
	ask(&world, NUMBER, TLS_ECDSA_SHA256, handshake_bytes(&made));
	assert_int_equal(world.signatures, 1);
	assert_int_equal(world.tag, 41);
	assert_true(world.signature_bytes > 60);
	assert_false(world.is_cut);
	close_world(&world);
}

static void
check_forgotten(void **state)
{
	struct world world;
	struct handshake made = handshake_tls_1_3(32);
	const char *reason;
	(void)state;
	open_world(&world);
	vault_forget(world.vault, NUMBER);
	ask(&world, NUMBER, TLS_ECDSA_SHA256, handshake_bytes(&made));
	assert_int_equal(world.refused, 1);
	assert_int_equal(world.error, ENOKEY);
	assert_int_equal(add_key(&world, NUMBER, &reason), -EEXIST);
	assert_int_equal(add_key(&world, NUMBER + 1, &reason), 0);
	ask(&world, NUMBER + 1, TLS_ECDSA_SHA256, handshake_bytes(&made));
	assert_int_equal(world.signatures, 1);
	assert_false(world.is_cut);
	close_world(&world);
}

struct lie_row {
	const char *name;
	struct handshake (*make)(void);
	enum tls_scheme scheme;
	const char *rule;
};

static struct handshake
make_certificate(void)
{
	/* How a certificate begins: what its issuer signs. */
	struct handshake made = { .bytes = { 0x30, 0x81, 0x7d, 0xa0, 3, 2, 1, 2 }, .length = 130 };
	return made;
}

static struct handshake
make_client_proof(void)
{
	struct handshake made = handshake_tls_1_3(32);
	memcpy(made.bytes + 64, "TLS 1.3, client CertificateVerify", 34);
	return made;
}

static struct handshake
make_downgrade(void)
{
	struct handshake made = handshake_tls_1_2(23, 65);
	made.bytes[63] = 0x11;
	return made;
}

static struct handshake
make_honest(void)
{
	return handshake_tls_1_3(32);
}

static const struct lie_row lie_rows[] = {
	{ "a certificate", make_certificate, TLS_ECDSA_SHA256,
		"a signature over what is no TLS handshake" },
	{ "a client's proof", make_client_proof, TLS_ECDSA_SHA256,
		"a signature over what is no TLS handshake" },
	{ "TLS 1.2 without the sign against downgrades", make_downgrade, TLS_ECDSA_SHA256,
		"a signature over what is no TLS handshake" },
	{ "a digest that the curve does not have in TLS 1.3", make_honest, TLS_ECDSA_SHA512,
		"a signature that this key gives nobody" },
	{ "RSA with an elliptic key", make_honest, TLS_RSA_PSS_SHA256,
		"a signature that this key gives nobody" },
};

static void
check_lie(void **state)
{
	const struct lie_row *row = *state;
	struct world world;
	struct handshake made = row->make();
	open_world(&world);
	ask(&world, NUMBER, row->scheme, handshake_bytes(&made));
	assert_int_equal(world.signatures, 0);
	assert_true(world.is_cut);
	assert_int_equal(world.broken, 1);
	assert_int_equal(world.incarnation, INCARNATION);
	assert_string_equal(world.rule, row->rule);
	close_world(&world);
}

int
main(void)
{
	const struct table tables[] = {
		CASE("a handshake is signed", check_signed),
		CASE("a forgotten key is refused, and its number stays used", check_forgotten),
		TABLE("ends the gateway", lie_rows, check_lie),
	};
	return key_prepare() < 0 ? 1 : table_run(tables, ARRAY_LENGTH(tables));
}
