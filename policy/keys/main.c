/*
 * sallyport-keys: holds the private keys of TLS certificates and signs handshakes with them. Runs
 * as its own user with an empty root, opens nothing, starts nothing, and has no network. Keys come
 * from the supervisor (descriptor 3) as open files, and it trusts that channel; it believes
 * gateways nothing. When the supervisor is gone so is this process; the supervisor restarts it if
 * it dies.
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/vault.h"
#include "policy/cage/cage.h"
#include "policy/keys/key.h"
#include "policy/keys/vault.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { SECURE_HEAP_BYTES = 256 * 1024, SECURE_BLOCK_BYTES = 32 };

struct keys {
	struct event_base *base;
	struct channel *supervisor;
	struct vault *vault;
	bool is_ready;
	const char *memory; /* how the keys' memory is kept off the disk */
};

NORETURN static void
fail_to_start(struct keys *keys, const char *text)
{
	struct vault_failed failed = {
		.reason = bytes_of_text(text == NULL ? "out of memory" : text),
	};
	channel_lost(vault_post_failed(keys->supervisor, 0, &failed));
	exit(EXIT_FAILURE);
}

/*
 * OpenSSL's secure heap holds the keys' numbers, locked in memory. The whole process can be locked
 * only where there is no limit: under one, memory that it needs later would be refused.
 */
static const char *
lock_memory(void)
{
	struct rlimit limit = { 0 };
	if (CRYPTO_secure_malloc_init(SECURE_HEAP_BYTES, SECURE_BLOCK_BYTES) != 1)
		return "memory not locked (LimitMEMLOCK= is too low)";
	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0 || limit.rlim_cur != RLIM_INFINITY ||
		mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		return "keys locked in memory, the rest of the process may be swapped "
		       "(LimitMEMLOCK=infinity)";
	return "memory locked";
}

static void
on_configure(void *owner, UNUSED struct message *message, const struct vault_configure *body)
{
	struct keys *keys = owner;
	struct cage_options options = { .required = body->cage_required };
	struct cage_report report = { 0 };
	if (keys->is_ready) {
		channel_reject(keys->supervisor, "a second configuration");
		return;
	}
	int error = cage_enter(CAGE_KEYS, &options, &report);
	if (error == 0)
		error = cage_close(CAGE_KEYS, NULL, &report);
	SCOPE_FREE char *walls = cage_report_text(&report);
	SCOPE_FREE char *text = NULL;
	if (error < 0 || walls == NULL || asprintf(&text, "%s; %s", walls, keys->memory) < 0)
		fail_to_start(keys, walls);
	keys->is_ready = true;
	channel_set_phase(keys->supervisor, PHASE_SERVING);
	struct vault_ready ready = { .cage = bytes_of_text(text) };
	channel_lost(vault_post_ready(keys->supervisor, 0, &ready));
}

static void
on_key(void *owner, struct message *message, const struct vault_key *body)
{
	struct keys *keys = owner;
	const char *reason;
	int error = vault_add(keys->vault, body->number, message->descriptor, &reason);
	if (error == -EEXIST) {
		channel_reject(keys->supervisor, reason);
		return;
	}
	if (error == -ENOMEM)
		die("out of memory");
	SCOPE_FREE char *text = NULL;
	if (error < 0 && asprintf(&text, "%.*s: %s", (int)body->file_name.length,
				 body->file_name.data, reason) < 0)
		die("out of memory");
	struct vault_loaded loaded = { .error = bytes_of_text(error < 0 ? text : "") };
	channel_lost(vault_post_loaded(keys->supervisor, message->tag, &loaded));
}

static void
on_forget(void *owner, UNUSED struct message *message, const struct vault_forget *body)
{
	struct keys *keys = owner;
	vault_forget(keys->vault, body->number);
}

static void
on_gateway(void *owner, struct message *message, const struct vault_gateway *body)
{
	struct keys *keys = owner;
	if (vault_add_gateway(keys->vault, body->incarnation, &message->descriptor) < 0)
		die("out of memory");
}

static void
on_ping(void *owner, struct message *message, UNUSED const struct vault_ping *body)
{
	struct keys *keys = owner;
	channel_lost(vault_post_pong(
		keys->supervisor, message->tag, &(struct vault_pong){ .nothing = 0 }));
}

static const struct vault_handlers handlers = {
	.configure = on_configure,
	.key = on_key,
	.forget = on_forget,
	.gateway = on_gateway,
	.ping = on_ping,
};

static void
on_supervisor_closed(void *owner, const char *malformed)
{
	struct keys *keys = owner;
	if (malformed != NULL)
		die("the supervisor sent %s", malformed);
	event_base_loopbreak(keys->base);
}

int
main(void)
{
	struct keys keys = { 0 };
	int fd = CAGE_CHANNEL_FD;
	ends_set_program("sallyport-keys");
	signal(SIGPIPE, SIG_IGN);
	keys.memory = lock_memory();
	keys.base = event_base_new();
	struct channel_options options = {
		.base = keys.base,
		.messages = &vault_messages,
		.our_role = ROLE_KEYS,
		.peer_role = ROLE_SUPERVISOR,
		.phase = PHASE_STARTING,
		.handlers = &handlers,
		.owner = &keys,
		.closed = on_supervisor_closed,
	};
	if (keys.base == NULL || key_prepare() < 0)
		die("cannot make an event loop, or OpenSSL does not start");
	if (channel_new(&options, &fd, &keys.supervisor) < 0)
		die("descriptor 3 is no channel: this program is started by sallyportd");
	keys.vault = vault_new(keys.base, keys.supervisor);
	if (keys.vault == NULL)
		die("out of memory");
	event_base_dispatch(keys.base);
	vault_free(&keys.vault);
	channel_free(&keys.supervisor);
	event_base_free(keys.base);
	return EXIT_SUCCESS;
}
