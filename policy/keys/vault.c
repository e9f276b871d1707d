/*
 * Keys by number, and gateways' requests (see vault.h). Runs in keys. A gateway may be in foreign
 * hands: it gets a handshake signed, and anything else that it asks ends its channel.
 */
#include "policy/keys/vault.h"

#include "ipc/base/ends.h"
#include "ipc/sign.h"
#include "ipc/vault.h"
#include "policy/keys/key.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

struct held_key {
	LIST_ENTRY(held_key) link;
	uint32_t number;
	struct key *key;
};

struct gateway {
	LIST_ENTRY(gateway) link;
	struct vault *vault;
	uint32_t incarnation;
	struct channel *channel;
};

struct vault {
	struct event_base *base;
	struct channel *supervisor;
	uint32_t last_number;
	LIST_HEAD(held_keys, held_key) keys; /* two for each certificate at the most */
	LIST_HEAD(gateway_list, gateway) gateways;
};

/* ---- keys ---- */

static struct held_key *
find(const struct vault *vault, uint32_t number)
{
	struct held_key *held;
	LIST_FOREACH(held, &vault->keys, link)
	if (held->number == number)
		return held;
	return NULL;
}

int
vault_add(struct vault *vault, uint32_t number, int fd, const char **reason)
{
	*reason = "a number that was used before";
	if (number <= vault->last_number)
		return -EEXIST;
	struct held_key *held = calloc(1, sizeof(*held));
	if (held == NULL)
		return -ENOMEM;
	int error = key_read(fd, &held->key, reason);
	if (error < 0) {
		free(held);
		return error;
	}
	held->number = vault->last_number = number;
	LIST_INSERT_HEAD(&vault->keys, held, link);
	return 0;
}

static void
drop(struct held_key *held)
{
	LIST_REMOVE(held, link);
	key_free(&held->key);
	free(held);
}

void
vault_forget(struct vault *vault, uint32_t number)
{
	struct held_key *held = find(vault, number);
	if (held != NULL)
		drop(held);
}

/* ---- requests ---- */

static void
refuse(struct gateway *gateway, uint32_t tag, int error)
{
	const struct sign_refused body = { .error = (uint16_t)error };
	channel_lost(sign_post_refused(gateway->channel, tag, &body));
}

static void
on_sign(void *owner, struct message *message, const struct sign_sign *body)
{
	struct gateway *gateway = owner;
	unsigned char signature[TLS_SIGNATURE_BYTES_MAX];
	enum shape shape = shape_of(body->content);
	if (shape == SHAPE_NONE) {
		channel_reject(gateway->channel, "a signature over what is no TLS handshake");
		return;
	}
	const struct held_key *held = find(gateway->vault, body->key);
	if (held == NULL) {
		refuse(gateway, message->tag, ENOKEY);
		return;
	}
	if (!shape_permits(shape, key_kind(held->key), body->scheme)) {
		channel_reject(gateway->channel, "a signature that this key gives nobody");
		return;
	}
	int length = key_sign(held->key, body->scheme, body->content, signature, sizeof(signature));
	if (length < 0) {
		refuse(gateway, message->tag, -length);
		return;
	}
	const struct sign_signature answer = { .bytes = bytes_of(signature, (size_t)length) };
	channel_lost(sign_post_signature(gateway->channel, message->tag, &answer));
}

static const struct sign_handlers handlers = { .sign = on_sign };

/* ---- gateways ---- */

static void
free_gateway(struct gateway *gateway)
{
	LIST_REMOVE(gateway, link);
	channel_free(&gateway->channel);
	free(gateway);
}

static void
on_closed(void *owner, const char *malformed)
{
	struct gateway *gateway = owner;
	if (malformed != NULL) {
		const struct vault_broken broken = {
			.incarnation = gateway->incarnation,
			.rule = bytes_of_text(malformed),
		};
		channel_lost(vault_post_broken(gateway->vault->supervisor, 0, &broken));
	}
	free_gateway(gateway);
}

int
vault_add_gateway(struct vault *vault, uint32_t incarnation, int *fd)
{
	struct gateway *gateway = calloc(1, sizeof(*gateway));
	if (gateway == NULL)
		return -ENOMEM;
	struct channel_options options = {
		.base = vault->base,
		.messages = &sign_messages,
		.our_role = ROLE_KEYS,
		.peer_role = ROLE_GATEWAY,
		.phase = PHASE_SERVING,
		.handlers = &handlers,
		.owner = gateway,
		.closed = on_closed,
	};
	int error = channel_new(&options, fd, &gateway->channel);
	if (error < 0) {
		free(gateway);
		return error;
	}
	gateway->vault = vault;
	gateway->incarnation = incarnation;
	LIST_INSERT_HEAD(&vault->gateways, gateway, link);
	return 0;
}

struct vault *
vault_new(struct event_base *base, struct channel *supervisor)
{
	struct vault *vault = calloc(1, sizeof(*vault));
	if (vault == NULL)
		return NULL;
	vault->base = base;
	vault->supervisor = supervisor;
	LIST_INIT(&vault->keys);
	LIST_INIT(&vault->gateways);
	return vault;
}

void
vault_free(struct vault **vault)
{
	struct vault *freed = *vault;
	*vault = NULL;
	if (freed == NULL)
		return;
	while (!LIST_EMPTY(&freed->gateways))
		free_gateway(LIST_FIRST(&freed->gateways));
	while (!LIST_EMPTY(&freed->keys))
		drop(LIST_FIRST(&freed->keys));
	free(freed);
}
