/*
 * The link to keys (see keys.h). Runs in the supervisor as root, which passes keys and certificates
 * on as open files and reads neither. When keys dies, handshakes wait for the next one, which is
 * given the keys of the set in force.
 */
#include "policy/sessions/keys.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/vault.h"
#include "policy/rules/credentials.h"
#include "policy/sessions/auth.h"
#include "policy/sessions/gateways.h"
#include "policy/sessions/record.h"
#include "policy/sessions/service.h"
#include "policy/supervisor/pairs.h"
#include "policy/supervisor/supervisor.h"

/* Certificates whose keys have numbers that follow each other. */
struct set {
	struct credentials credentials;
	uint32_t first; /* number of the first one's key */
};

struct keys {
	struct service service;
	struct supervisor *supervisor;
	uint32_t last_number;
	unsigned awaited; /* keys of the set that keys has not answered for */
	bool is_refused;  /* one of them */
	bool is_in_force; /* `current`, at the process that is there */
	struct set current;
	struct set next; /* none: nothing is loaded anew */
	/* Before current: handshakes that began with it may still need it. */
	uint32_t previous_first, previous_count;
};

/* ---- gateways ---- */

static void
send_certificates(const struct keys *keys, struct process *gateway)
{
	const struct gate_staple staple = { 0 };
	const struct gate_use_certificates use = { 0 };
	for (size_t i = 0; i < keys->current.credentials.count; i++) {
		const struct credential *credential = &keys->current.credentials.items[i];
		const struct gate_certificate body = { .key = keys->current.first + (uint32_t)i };
		process_posted(gateway, gate_post_certificate_with(
						gateway->channel, 0, &body, credential->chain_fd));
		if (credential->staple_fd >= 0)
			process_posted(gateway, gate_post_staple_with(gateway->channel, 0, &staple,
							credential->staple_fd));
	}
	for (size_t i = 0; i < keys->current.credentials.authority_count; i++) {
		const struct authority_file *file = &keys->current.credentials.authorities[i];
		const struct gate_authority body = { .is_crl = file->is_crl };
		process_posted(
			gateway, gate_post_authority_with(gateway->channel, 0, &body, file->fd));
	}
	process_posted(gateway, gate_post_use_certificates(gateway->channel, 0, &use));
}

static void
connect_one(struct keys *keys, struct gateway *gateway)
{
	const struct gate_keys body = { 0 };
	const struct vault_gateway other = { .incarnation = gateway->incarnation };
	struct process *process = gateway->service.process;
	struct process *vault = keys->service.process;
	SCOPE_PAIR struct pair pair = { -1, -1 };
	if (process == NULL || vault == NULL)
		return;
	int error = pair_make(ROLE_GATEWAY, ROLE_KEYS, &pair);
	if (error == 0)
		error = gate_post_keys_with(process->channel, 0, &body, pair.one);
	process_posted(process, error);
	if (error == 0)
		process_posted(
			vault, vault_post_gateway_with(vault->channel, 0, &other, pair.other));
}

void
keys_connect_gateway(struct keys *keys, struct gateway *gateway)
{
	if (keys == NULL || !keys->is_in_force)
		return; /* it gets both once they are */
	connect_one(keys, gateway);
	send_certificates(keys, gateway->service.process);
}

void
keys_reconnect_gateway(struct keys *keys, struct gateway *gateway)
{
	if (keys != NULL && keys->is_in_force)
		connect_one(keys, gateway);
}

static void
connect_all(struct keys *keys, bool is_new_process)
{
	struct gateway *gateway = NULL;
	while ((gateway = gateways_next(keys->supervisor->gateways, gateway)) != NULL) {
		if (is_new_process)
			connect_one(keys, gateway);
		if (gateway->service.process != NULL)
			send_certificates(keys, gateway->service.process);
	}
}

/* ---- sets ---- */

static void
number(struct keys *keys, struct set *set)
{
	set->first = keys->last_number + 1;
	keys->last_number += (uint32_t)set->credentials.count;
}

/* Each is answered. */
static void
send_keys(struct keys *keys, const struct set *set)
{
	struct process *process = keys->service.process;
	keys->awaited = (unsigned)set->credentials.count;
	keys->is_refused = false;
	for (size_t i = 0; i < set->credentials.count; i++) {
		const struct credential *credential = &set->credentials.items[i];
		const struct vault_key body = {
			.number = set->first + (uint32_t)i,
			.file_name = bytes_of_text(credential->key_name),
		};
		process_posted(process,
			vault_post_key_with(process->channel, 0, &body, credential->key_fd));
	}
}

static void
forget(const struct keys *keys, uint32_t first, uint32_t count)
{
	struct process *process = keys->service.process;
	for (uint32_t i = 0; i < count; i++) {
		const struct vault_forget body = { .number = first + i };
		process_posted(process, vault_post_forget(process->channel, 0, &body));
	}
}

/* The set before the last one has no handshakes any more: its keys are wiped. */
static void
advance(struct keys *keys)
{
	forget(keys, keys->previous_first, keys->previous_count);
	keys->previous_first = keys->current.first;
	keys->previous_count = (uint32_t)keys->current.credentials.count;
	credentials_clear(&keys->current.credentials);
	credentials_move(&keys->next.credentials, &keys->current.credentials);
	keys->current.first = keys->next.first;
	auth_use_certificates(keys->supervisor->auth);
	connect_all(keys, false);
	record_notice(keys->supervisor->record, SEVERITY_INFO, "certificates loaded");
}

static void
drop_next(struct keys *keys)
{
	forget(keys, keys->next.first, (uint32_t)keys->next.credentials.count);
	credentials_clear(&keys->next.credentials);
}

static void
end_loading(struct keys *keys)
{
	if (keys->next.credentials.count > 0) {
		if (keys->is_refused)
			drop_next(keys);
		else
			advance(keys);
	} else if (!keys->is_refused) {
		keys->is_in_force = true;
		connect_all(keys, true);
		service_ready(&keys->service); /* who hears of it may begin TLS at once */
	}
}

/* ---- what keys says ---- */

#define CHANNEL(name) vault_##name
#include "policy/sessions/process_handlers.h"

static void
on_failed(void *owner, UNUSED struct message *message, const struct vault_failed *body)
{
	process_failed(owner, EIO, body->reason);
}

/* A file that was good at the first start may be none at the next: that ends this process only. */
static void
on_loaded(void *owner, UNUSED struct message *message, const struct vault_loaded *body)
{
	struct process *process = owner;
	struct keys *keys = process->owner;
	if (keys->awaited == 0) {
		channel_reject(process->channel, "an answer to no key");
		return;
	}
	if (body->error.length > 0) {
		keys->is_refused = true;
		record_notice(keys->supervisor->record, SEVERITY_ERROR,
			"a private key was refused, the old certificates stay: %.*s",
			(int)body->error.length, body->error.data);
		if (keys->next.credentials.count == 0)
			process_failed(process, EINVAL, body->error);
	}
	if (--keys->awaited == 0)
		end_loading(keys);
}

static void
on_broken(void *owner, UNUSED struct message *message, const struct vault_broken *body)
{
	const struct process *process = owner;
	gateways_blame(process->supervisor->gateways, body->incarnation, body->rule);
}

static const struct vault_handlers handlers = {
	.violation = on_violation,
	.ready = on_ready,
	.failed = on_failed,
	.loaded = on_loaded,
	.broken = on_broken,
	.pong = on_pong,
};

/* ---- the process ---- */

static void
on_process_ready(struct process *process)
{
	struct keys *keys = process->owner;
	send_keys(keys, &keys->current);
}

static void
on_process_ended(struct process *process)
{
	struct keys *keys = process->owner;
	keys->is_in_force = false;
	keys->awaited = 0;
	if (keys->next.credentials.count > 0)
		record_notice(keys->supervisor->record, SEVERITY_WARNING,
			"certificates not loaded again: keys ended meanwhile; reload once more");
	credentials_clear(&keys->next.credentials);
	service_ended(&keys->service);
	keys_tick(keys);
}

static const struct process_duty duty = {
	.handlers = &handlers, .ready = on_process_ready, .ended = on_process_ended
};

static int
start(struct keys *keys)
{
	const struct process_plan plan = { .role = ROLE_KEYS, .duty = &duty, .owner = keys };
	const struct config *config = keys->supervisor->settings->config;
	const struct vault_configure body = {
		.cage_required = config->cage == CONFIG_CAGE_REQUIRED,
	};
	int error = service_start(&keys->service, keys->supervisor, &plan);
	if (error < 0)
		return error;
	/* A new process has used no number; the keys before the current ones are gone. */
	keys->previous_count = 0;
	struct process *process = keys->service.process;
	process_posted(process, vault_post_configure(process->channel, 0, &body));
	return 0;
}

void
keys_tick(struct keys *keys)
{
	if (keys != NULL && service_is_due(&keys->service, keys->supervisor) && start(keys) < 0)
		return; /* due again after its pause */
}

void
keys_reload(struct keys *keys)
{
	if (keys == NULL || keys->supervisor->settings->credentials.count == 0)
		return;
	struct credentials *loaded = &keys->supervisor->settings->credentials;
	const struct process *process = keys->service.process;
	if (process == NULL || process->state != PROCESS_SERVING || keys->awaited > 0) {
		record_notice(keys->supervisor->record, SEVERITY_WARNING,
			"certificates not loaded again: keys is starting; reload once more");
		return;
	}
	credentials_move(loaded, &keys->next.credentials);
	number(keys, &keys->next);
	send_keys(keys, &keys->next);
}

const struct credentials *
keys_credentials(const struct keys *keys)
{
	return keys == NULL ? NULL : &keys->current.credentials;
}

int
keys_new(struct supervisor *supervisor, struct keys **result)
{
	struct credentials *loaded = &supervisor->settings->credentials;
	if (loaded->count == 0)
		return 0;
	struct keys *keys = calloc(1, sizeof(*keys));
	if (keys == NULL)
		return -ENOMEM;
	*result = keys;
	keys->supervisor = supervisor;
	credentials_move(loaded, &keys->current.credentials);
	number(keys, &keys->current);
	supervisor->awaited++;
	auth_use_certificates(supervisor->auth);
	return start(keys);
}

void
keys_free(struct keys **keys)
{
	credentials_clear(&(*keys)->current.credentials);
	credentials_clear(&(*keys)->next.credentials);
	free(*keys);
	*keys = NULL;
}
