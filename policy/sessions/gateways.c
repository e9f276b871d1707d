/*
 * The gateways (see gateways.h). Runs in the supervisor as root, on requests of processes that face
 * the network: their messages are well-formed when they come here, and nothing more. A session id
 * outside the gateway's incarnation ends that gateway.
 */
#include "policy/sessions/gateways.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/sessions/auth.h"
#include "policy/sessions/keys.h"
#include "policy/sessions/names.h"
#include "policy/sessions/ports.h"
#include "policy/sessions/proxies.h"
#include "policy/sessions/record.h"
#include "policy/sessions/sessions.h"
#include "policy/supervisor/active.h"
#include "policy/supervisor/listeners.h"
#include "policy/supervisor/pairs.h"
#include "policy/supervisor/passive.h"
#include "policy/supervisor/supervisor.h"

#include <sys/resource.h>
#include <time.h>

enum { ACTIVE_PER_SECOND = 64, PASSIVE_SPARE_MAX = 16, PASSIVE_PART_LEAST = 64 };
enum { DESCRIPTORS_SPARE = 512, DESCRIPTORS_PER_SESSION = 5 }; /* DECISIONS 19 */

struct gateways {
	struct supervisor *supervisor;
	struct names *names; /* what PASV announces */
	uint32_t last_incarnation;
	unsigned count;
	struct gateway slots[];
};

/* ---- requests; those about sessions are in sessions_requests.c ---- */

void
gateway_refuse(struct process *gateway, uint32_t tag, const struct denial *denial)
{
	const struct gate_refused body = { .error = (uint16_t)denial->error, .why = denial->why };
	process_posted(gateway, gate_post_refused(gateway->channel, tag, &body));
}

struct gateway *
gateway_asking(void *owner, uint64_t session)
{
	struct process *process = owner;
	struct gateway *gateway = process->owner;
	if (session >> 32 == gateway->incarnation)
		return gateway;
	channel_reject(process->channel, "a session of another incarnation");
	return NULL;
}

static void
on_want_passive(void *owner, struct message *message, UNUSED const struct gate_want_passive *body)
{
	struct process *process = owner;
	struct gate_passive answer;
	struct denial denial = { .why = REFUSAL_PORTS };
	const struct gateway *gateway = process->owner;
	if (gateway->passive == NULL) {
		channel_reject(process->channel, "ports are shared");
		return;
	}
	SCOPE_FD int fd = passive_listen(gateway->passive, &answer.port);
	denial.error = -fd;
	if (fd < 0)
		gateway_refuse(process, message->tag, &denial);
	else
		process_posted(process,
			gate_post_passive_with(process->channel, message->tag, &answer, fd));
}

/* Not more than 64 in one second of the clock. */
static bool
may_connect(struct gateway *gateway)
{
	uint64_t second = supervisor_now_ms() / 1000;
	if (second != gateway->active_second)
		gateway->active_count = 0;
	gateway->active_second = second;
	return gateway->active_count++ < ACTIVE_PER_SECOND;
}

static void
on_connect_active(void *owner, struct message *message, const struct gate_connect_active *body)
{
	struct process *process = owner;
	struct gateway *gateway = gateway_asking(owner, body->session);
	const struct gate_connecting answer = { 0 };
	struct session_ends ends;
	struct denial denial = { .why = REFUSAL_RATE, .error = EAGAIN };
	SCOPE_FD int fd = -1;
	if (gateway == NULL)
		return;
	uint16_t source_port = (uint16_t)process->supervisor->settings->config->active_source_port;
	if (may_connect(gateway)) {
		bool is_open = sessions_find_ends(gateway, body->session, &ends);
		fd = !is_open ? -ENOENT
		     : ends.is_proxied
			     ? -EOPNOTSUPP /* the client is somewhere behind it */
			     : active_connect(&ends.local, &ends.peer, body->port, source_port);
		denial = (struct denial){ .why = REFUSAL_NONE, .error = -fd };
	}
	if (fd < 0)
		gateway_refuse(process, message->tag, &denial);
	else
		process_posted(process,
			gate_post_connecting_with(process->channel, message->tag, &answer, fd));
}

static void
connect_auth(struct gateway *gateway)
{
	const struct gate_auth body = { 0 };
	struct process *process = gateway->service.process;
	SCOPE_PAIR struct pair pair = { -1, -1 };
	if (process == NULL)
		return;
	int error = pair_make(ROLE_GATEWAY, ROLE_AUTH, &pair);
	if (error == 0)
		error = gate_post_auth_with(process->channel, 0, &body, pair.one);
	process_posted(process, error);
	auth_add_gateway(process->supervisor->auth, gateway->incarnation, &pair.other);
}

static void
on_want_auth(void *owner, UNUSED struct message *message, UNUSED const struct gate_want_auth *body)
{
	const struct process *process = owner;
	struct gateway *gateway = process->owner;
	uint64_t now_ms = supervisor_now_ms();
	if (often_is_reached(&gateway->auth_wanted, now_ms))
		return; /* its logins wait for the next auth */
	often_note(&gateway->auth_wanted, now_ms);
	connect_auth(gateway);
}

static void
on_want_keys(void *owner, UNUSED struct message *message, UNUSED const struct gate_want_keys *body)
{
	const struct process *process = owner;
	struct gateway *gateway = process->owner;
	uint64_t now_ms = supervisor_now_ms();
	if (often_is_reached(&gateway->keys_wanted, now_ms))
		return; /* its handshakes wait for the next keys */
	often_note(&gateway->keys_wanted, now_ms);
	keys_reconnect_gateway(process->supervisor->keys, gateway);
}

static void
on_failed(void *owner, UNUSED struct message *message, const struct gate_failed *body)
{
	process_failed(owner, EIO, body->reason);
}

#define CHANNEL(name) gate_##name
#include "policy/sessions/process_handlers.h"

static const struct gate_handlers handlers = {
	.violation = on_violation,
	.ready = on_ready,
	.failed = on_failed,
	.attach = sessions_on_attach,
	.reattach = sessions_on_reattach,
	.session_closed = sessions_on_closed,
	.complain = sessions_on_complain,
	.want_passive = on_want_passive,
	.want_port = ports_on_want,
	.leave_port = ports_on_leave,
	.connect_active = on_connect_active,
	.want_auth = on_want_auth,
	.want_keys = on_want_keys,
	.pong = on_pong,
};

/* ---- the process ---- */

static void start_due(struct gateway *gateway);

static void
on_process_ready(struct process *process)
{
	struct gateway *gateway = process->owner;
	service_ready(&gateway->service);
}

static void
on_process_ended(struct process *process)
{
	struct gateway *gateway = process->owner;
	service_ended(&gateway->service);
	sessions_drop_gateway(process->supervisor->sessions, gateway);
	listeners_tick(process->supervisor->listeners);
	start_due(gateway);
}

static const struct process_duty duty = {
	.handlers = &handlers, .ready = on_process_ready, .ended = on_process_ended
};

/* A number divided among the gateways, rounded up. */
static uint32_t
share(const struct supervisor *supervisor, uint64_t whole)
{
	unsigned count = supervisor->gateways->count;
	return (uint32_t)((whole + count - 1) / count);
}

static uint32_t
connections_max(void)
{
	struct rlimit limit = { 0 };
	getrlimit(RLIMIT_NOFILE, &limit);
	rlim_t most = limit.rlim_max > DESCRIPTORS_SPARE + DESCRIPTORS_PER_SESSION
			      ? (limit.rlim_max - DESCRIPTORS_SPARE) / DESCRIPTORS_PER_SESSION
			      : 1;
	return most < UINT32_MAX ? (uint32_t)most : UINT32_MAX;
}

static uint32_t
passive_spare(const struct supervisor *supervisor)
{
	const struct config *config = supervisor->settings->config;
	uint32_t ports = config->passive_ports.last - config->passive_ports.first + 1u;
	uint32_t quarter = ports / supervisor->gateways->count / 4;
	return quarter < 1 ? 1 : quarter < PASSIVE_SPARE_MAX ? quarter : PASSIVE_SPARE_MAX;
}

static int
list_addresses(const struct value_addresses *listen, struct wire_list_builder *builder)
{
	int error = 0;
	for (size_t i = 0; i < listen->count && error == 0; i++) {
		struct address_socket name = { .length = listen->items[i].length };
		struct gate_address address = { 0 };
		memcpy(&name.any, &listen->items[i].any, name.length);
		error = address_from_socket(&name, &address.address);
		if (error == 0)
			error = wire_list_add(builder, &gate_address_record, &address);
	}
	return error;
}

static void
send_host(struct process *process, const struct config_host *host, const struct config *config)
{
	char buffer[1024]; /* 32 addresses */
	struct wire_list_builder builder = { .buffer = buffer, .capacity = sizeof(buffer) };
	int error = list_addresses(&host->listen, &builder);
	const struct gate_host body = {
		.name = bytes_of_text(host->name),
		.greeting = bytes_of_text(host->given.greeting ? host->greeting : config->greeting),
		.addresses = wire_list_built(&builder),
	};
	if (error == 0)
		error = gate_post_host(process->channel, 0, &body);
	process_posted(process, error);
}

static void
send_configure(const struct gateway *gateway)
{
	const struct supervisor *supervisor = gateway->supervisor;
	const struct config *config = supervisor->settings->config;
	const struct gate_configure body = {
		.incarnation = gateway->incarnation,
		.greeting = bytes_of_text(config->greeting),
		.connections_max = connections_max(),
		.before_login_max = share(supervisor, config->max_connections_before_login),
		.before_login_per_address_max =
			share(supervisor, config->max_connections_before_login_per_address),
		.login_attempts = (uint32_t)config->login_attempts,
		.login_timeout_s = (uint32_t)config->login_timeout,
		.idle_timeout_s = (uint32_t)config->idle_timeout,
		.idle_timeout_max_s = (uint32_t)config->idle_timeout_max,
		.data_timeout_s = (uint32_t)config->data_timeout,
		.keepalive_interval_s = (uint32_t)config->keepalive_interval,
		.stall_timeout_s = (uint32_t)config->stall_timeout,
		.path_timeout_ms = (uint32_t)config->path_timeout * 1000,
		.commit_timeout_s = (uint32_t)config->commit_timeout,
		.passive_spare = passive_spare(supervisor),
		.ports_are_shared = gateway->ports != NULL,
		.tls = (enum tls_policy)config->tls,
		.tls_data = (enum tls_policy)config->tls_data,
		.client_certificate = (enum client_certificate)config->tls_client_certificate,
		.tls_ccc = config->tls_ccc,
		.kernel_tls = config->kernel_tls == CONFIG_KERNEL_TLS_AUTO,
		.mode_z = config->mode_z,
		.cage_required = config->cage == CONFIG_CAGE_REQUIRED,
	};
	struct process *process = gateway->service.process;
	for (size_t i = 0; i < config->host_count; i++)
		send_host(process, &config->hosts[i], config);
	process_posted(process, gate_post_configure(process->channel, 0, &body));
}

static void
connect_record(struct gateway *gateway)
{
	const struct gate_record body = { 0 };
	struct process *process = gateway->service.process;
	SCOPE_FD int fd = -1;
	int error =
		record_add_writer(process->supervisor->record, process, gateway->incarnation, &fd);
	if (error == 0)
		error = gate_post_record_with(process->channel, 0, &body, fd);
	process_posted(process, error);
}

static int
start(struct gateway *gateway)
{
	const struct process_plan plan = { .role = ROLE_GATEWAY, .duty = &duty, .owner = gateway };
	struct gateways *gateways = gateway->supervisor->gateways;
	int error = service_start(&gateway->service, gateway->supervisor, &plan);
	if (error < 0)
		return error;
	gateway->incarnation = ++gateways->last_incarnation;
	send_configure(gateway);
	names_send(gateways->names, gateway->service.process);
	proxies_send(gateway->proxies, gateway->service.process);
	connect_record(gateway);
	connect_auth(gateway);
	keys_connect_gateway(gateways->supervisor->keys, gateway);
	listeners_send(gateways->supervisor->listeners, gateway->slot, gateway->service.process);
	return 0;
}

static void
start_due(struct gateway *gateway)
{
	if (service_is_due(&gateway->service, gateway->supervisor) && start(gateway) < 0)
		return; /* due again after its pause */
}

void
gateways_tick(struct gateways *gateways)
{
	for (unsigned i = 0; i < gateways->count; i++)
		start_due(&gateways->slots[i]);
	names_tick(gateways->names);
}

void
gateways_reload(struct gateways *gateways)
{
	names_reload(gateways->names);
	for (unsigned i = 0; i < gateways->count; i++)
		if (gateways->slots[i].service.process != NULL)
			proxies_send(
				gateways->slots[i].proxies, gateways->slots[i].service.process);
}

void
gateways_announce(struct gateways *gateways)
{
	for (unsigned i = 0; i < gateways->count; i++)
		if (gateways->slots[i].service.process != NULL)
			names_send(gateways->names, gateways->slots[i].service.process);
}

struct gateway *
gateways_next(struct gateways *gateways, const struct gateway *after)
{
	if (gateways == NULL)
		return NULL;
	size_t next = after == NULL ? 0 : (size_t)(after - gateways->slots) + 1;
	return next == gateways->count ? NULL : &gateways->slots[next];
}

struct gateway *
gateways_find(struct gateways *gateways, uint64_t session)
{
	for (unsigned i = 0; i < gateways->count; i++)
		if (gateways->slots[i].service.process != NULL &&
			gateways->slots[i].incarnation == session >> 32)
			return &gateways->slots[i];
	return NULL;
}

void
gateways_blame(struct gateways *gateways, uint32_t incarnation, struct bytes rule)
{
	struct gateway *gateway = gateways_find(gateways, (uint64_t)incarnation << 32);
	SCOPE_FREE char *text = bytes_copy_text(rule);
	if (gateway != NULL)
		process_kill(gateway->service.process,
			text != NULL ? text : "broke a rule of one of its channels");
}

void
gateways_connect_auth(struct gateways *gateways)
{
	for (unsigned i = 0; gateways != NULL && i < gateways->count; i++)
		connect_auth(&gateways->slots[i]);
}

void
gateways_drain(struct gateways *gateways, uint64_t limit_ms)
{
	const struct gate_drain body = { 0 };
	if (gateways != NULL)
		names_close(gateways->names);
	for (unsigned i = 0; gateways != NULL && i < gateways->count; i++) {
		struct process *process = gateways->slots[i].service.process;
		if (process == NULL)
			continue;
		process_expect_end(process, limit_ms);
		process_posted(process, gate_post_drain(process->channel, 0, &body));
	}
}

/* What is too little to divide is everybody's (DECISIONS 16). */
static int
share_ports(struct gateways *gateways, const struct value_ports *range)
{
	struct ports *ports = NULL;
	int error = ports_new(gateways->supervisor, gateways->slots[0].proxies, range->first,
		range->last, &ports);
	if (error == -EADDRINUSE)
		supervisor_give_up(gateways->supervisor, "passive_ports",
			"other programs hold all of them: choose others");
	for (unsigned i = 0; i < gateways->count; i++)
		gateways->slots[i].ports = ports;
	return error;
}

/* A part for each, so that none can take all. */
static int
divide_ports(struct gateways *gateways)
{
	const struct value_ports *range = &gateways->supervisor->settings->config->passive_ports;
	unsigned part = (range->last - range->first + 1u) / gateways->count;
	int error = 0;
	if (part < PASSIVE_PART_LEAST)
		return share_ports(gateways, range);
	for (unsigned i = 0; i < gateways->count && error == 0; i++) {
		unsigned first = range->first + i * part;
		error = passive_new(
			(uint16_t)first, (uint16_t)(first + part - 1), &gateways->slots[i].passive);
	}
	return error;
}

int
gateways_new(struct supervisor *supervisor, unsigned count, struct gateways **result)
{
	struct gateways *gateways =
		calloc(1, sizeof(*gateways) + count * sizeof(gateways->slots[0]));
	if (gateways == NULL)
		return -ENOMEM;
	*result = gateways;
	gateways->supervisor = supervisor;
	gateways->count = count;
	/* From the clock, so that session ids differ from those of earlier runs. */
	gateways->last_incarnation = (uint32_t)time(NULL);
	struct proxies *proxies = NULL;
	int error = names_new(supervisor, &gateways->names);
	if (error == 0)
		error = proxies_new(supervisor, &proxies);
	for (unsigned i = 0; i < count; i++) {
		gateways->slots[i].proxies = proxies;
		gateways->slots[i].slot = i;
		gateways->slots[i].supervisor = supervisor;
	}
	if (error == 0)
		error = divide_ports(gateways);
	for (unsigned i = 0; i < count && error == 0; i++)
		error = start(&gateways->slots[i]);
	return error;
}
