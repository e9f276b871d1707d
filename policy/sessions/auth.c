/*
 * The link to auth (see auth.h). Runs in the supervisor as root. Trusts auth to say who somebody
 * is, within what account_check() allows. When auth dies, logins wait for the next one.
 */
#include "policy/sessions/auth.h"

#include "ipc/base/scope.h"
#include "ipc/verdict.h"
#include "policy/rules/credentials.h"
#include "policy/sessions/admins.h"
#include "policy/sessions/gateways.h"
#include "policy/sessions/keys.h"
#include "policy/sessions/record.h"
#include "policy/sessions/service.h"
#include "policy/sessions/sessions.h"
#include "policy/supervisor/supervisor.h"

enum { QUEUE_PER_ADDRESS = 8, QUEUE_TOTAL = 1024 };

struct auth {
	struct service service;
	struct supervisor *supervisor;
	unsigned awaited;   /* answers to users that it was sent anew */
	bool is_reload_due; /* the process that starts was told of the users of before */
};

#define CHANNEL(name) verdict_##name
#include "policy/sessions/process_handlers.h"

static void
on_failed(void *owner, UNUSED struct message *message, const struct verdict_failed *body)
{
	process_failed(owner, EIO, body->reason);
}

/* One user at a time, so that a reload with many of them fills no queue. */
static void
ask_next(struct process *process)
{
	struct verdict_ask body;
	if (sessions_next_to_review(process->supervisor->sessions, &body.host, &body.name))
		process_posted(process, verdict_post_ask(process->channel, 0, &body));
}

static void
review_sessions(struct process *process)
{
	sessions_begin_review(process->supervisor->sessions);
	ask_next(process);
}

static void
on_users_loaded(
	void *owner, UNUSED struct message *message, const struct verdict_users_loaded *body)
{
	struct process *process = owner;
	struct auth *auth = process->owner;
	struct record *record = process->supervisor->record;
	if (auth->awaited == 0)
		return; /* nobody has asked */
	auth->awaited--;
	if (body->error.length > 0) {
		record_notice(record, SEVERITY_ERROR, "users file refused, the old one stays: %.*s",
			(int)body->error.length, body->error.data);
		admins_reloaded(process->supervisor->admins, body->error);
		return;
	}
	record_notice(record, SEVERITY_INFO, "users file loaded");
	admins_reloaded(process->supervisor->admins, bytes_of_text(""));
	review_sessions(process);
}

static void
on_told(void *owner, UNUSED struct message *message, const struct verdict_told *body)
{
	struct process *process = owner;
	sessions_review(
		process->supervisor->sessions, body->user.host, body->user.name, &body->user);
	ask_next(process);
}

static void
on_stranger(void *owner, UNUSED struct message *message, const struct verdict_stranger *body)
{
	struct process *process = owner;
	sessions_review(process->supervisor->sessions, body->host, body->name, NULL);
	ask_next(process);
}

static void
on_identified(void *owner, UNUSED struct message *message, const struct verdict_identified *body)
{
	const struct process *process = owner;
	sessions_identify(process->supervisor->sessions, body);
}

static void
on_broken(void *owner, UNUSED struct message *message, const struct verdict_broken *body)
{
	const struct process *process = owner;
	gateways_blame(process->supervisor->gateways, body->incarnation, body->rule);
}

static const struct verdict_handlers handlers = {
	.violation = on_violation,
	.ready = on_ready,
	.failed = on_failed,
	.users_loaded = on_users_loaded,
	.identified = on_identified,
	.told = on_told,
	.stranger = on_stranger,
	.broken = on_broken,
	.pong = on_pong,
};

/* Whoever is there may be of users of before, whom the last auth did not live to be asked for. */
static void
on_process_ready(struct process *process)
{
	struct auth *auth = process->owner;
	service_ready(&auth->service);
	if (auth->is_reload_due)
		auth_reload(auth);
	else
		review_sessions(process);
}

static void
on_process_ended(struct process *process)
{
	struct auth *auth = process->owner;
	service_ended(&auth->service);
	auth->is_reload_due = false;
	auth->awaited = 0;
	/* The next one begins with the users of now, which the loader has read. */
	admins_reloaded(process->supervisor->admins, bytes_of_text(""));
	auth_tick(auth);
}

static const struct process_duty duty = {
	.handlers = &handlers, .ready = on_process_ready, .ended = on_process_ended
};

/* The virtual hosts, which the users file of the server that is sent next makes known. */
static void
send_hosts(struct process *process)
{
	const struct settings *settings = process->supervisor->settings;
	const struct users_file *own = &settings->users.items[1];
	for (size_t i = 0; i < settings->config->host_count; i++) {
		const struct config_host *host = &settings->config->hosts[i];
		const struct verdict_host plain = { .name = bytes_of_text(host->name) };
		struct verdict_host_users body = { .name = bytes_of_text(host->name) };
		if (!host->given.users_file) {
			process_posted(process, verdict_post_host(process->channel, 0, &plain));
			continue;
		}
		body.file_name = bytes_of_text(own->name);
		process_posted(
			process, verdict_post_host_users_with(process->channel, 0, &body, own->fd));
		own++;
	}
}

/* It checks what clients prove with their certificates; without authorities only fingerprints. */
void
auth_use_certificates(struct auth *auth)
{
	const struct config *config = auth->supervisor->settings->config;
	const struct credentials *credentials = keys_credentials(auth->supervisor->keys);
	const struct verdict_certificate own = { 0 };
	const struct verdict_use_certificates use = { 0 };
	struct process *process = auth->service.process;
	if (process == NULL || credentials == NULL ||
		config->tls_client_certificate == CONFIG_TLS_CLIENT_CERTIFICATE_OFF)
		return;
	for (size_t i = 0; i < credentials->count; i++)
		process_posted(process, verdict_post_certificate_with(process->channel, 0, &own,
						credentials->items[i].chain_fd));
	for (size_t i = 0; i < credentials->authority_count; i++) {
		const struct authority_file *file = &credentials->authorities[i];
		const struct verdict_authority body = { .is_crl = file->is_crl };
		process_posted(
			process, verdict_post_authority_with(process->channel, 0, &body, file->fd));
	}
	process_posted(process, verdict_post_use_certificates(process->channel, 0, &use));
}

static void
send_record(struct process *process)
{
	const struct verdict_record body = { 0 };
	SCOPE_FD int fd = -1;
	int error = record_add_writer(process->supervisor->record, process, 0, &fd);
	if (error == 0)
		error = verdict_post_record_with(process->channel, 0, &body, fd);
	process_posted(process, error);
}

static int
start(struct auth *auth)
{
	const struct process_plan plan = { .role = ROLE_AUTH, .duty = &duty, .owner = auth };
	const struct settings *settings = auth->supervisor->settings;
	const struct config *config = settings->config;
	const struct verdict_configure body = {
		.file_name = bytes_of_text(settings->users.items[0].name),
		.processes = config->auth_processes != 0 ? (uint32_t)config->auth_processes
							 : 2 * supervisor_cores(),
		.queue_per_address = QUEUE_PER_ADDRESS,
		.queue_total = QUEUE_TOTAL,
		.path_threads = (uint32_t)config->path_threads,
		.memory_limit_bytes = config->memory_limit,
		.umask = (uint32_t)config->umask,
		.symlinks = (enum symlink_policy)config->symlinks,
		.sync = (enum sync_policy)config->sync_uploads,
		.backend = bytes_of_text(config->backend.name),
		.charset = config->charset,
		.sessions_max = (uint32_t)config->max_sessions_per_user,
		.tls = (enum tls_policy)config->tls,
		.tls_data = (enum tls_policy)config->tls_data,
		.tls_reuse = (enum tls_reuse)config->tls_session_reuse,
		.tls_upload_end = (enum tls_end)config->tls_upload_end,
		.keep_partial = config->keep_partial,
		.mode_z = config->mode_z,
		.local_times = config->list_times == CONFIG_LIST_TIMES_LOCAL,
		.owner_names = config->list_owners == CONFIG_LIST_OWNERS_NAMES,
		.cage_required = config->cage == CONFIG_CAGE_REQUIRED,
	};
	int error = service_start(&auth->service, auth->supervisor, &plan);
	if (error < 0)
		return error;
	struct process *process = auth->service.process;
	send_hosts(process);
	process_posted(process, verdict_post_configure_with(
					process->channel, 0, &body, settings->users.items[0].fd));
	auth_use_certificates(auth);
	send_record(process);
	gateways_connect_auth(auth->supervisor->gateways);
	return 0;
}

void
auth_tick(struct auth *auth)
{
	if (service_is_due(&auth->service, auth->supervisor) && start(auth) < 0)
		return; /* due again after its pause */
}

void
auth_add_gateway(struct auth *auth, uint32_t incarnation, int *verify_fd)
{
	const struct verdict_gateway body = { .incarnation = incarnation };
	struct process *process = auth->service.process;
	if (process != NULL)
		process_posted(
			process, verdict_post_gateway_with(process->channel, 0, &body, *verify_fd));
	fd_close(verify_fd);
}

void
auth_reload(struct auth *auth)
{
	const struct settings *settings = auth->supervisor->settings;
	const struct users_file *file = &settings->users.items[0];
	const struct verdict_users body = { .file_name = bytes_of_text(file->name) };
	struct process *process = auth->service.process;
	auth->is_reload_due = process != NULL && process->state == PROCESS_STARTING;
	if (auth->is_reload_due)
		return; /* who waits for it does so until then */
	if (process == NULL || process->state != PROCESS_SERVING) {
		admins_reloaded(auth->supervisor->admins, bytes_of_text(""));
		return;
	}
	send_hosts(process);
	process_posted(process, verdict_post_users_with(process->channel, 0, &body, file->fd));
	auth->awaited++;
}

int
auth_new(struct supervisor *supervisor, struct auth **result)
{
	struct auth *auth = calloc(1, sizeof(*auth));
	if (auth == NULL)
		return -ENOMEM;
	*result = auth;
	auth->supervisor = supervisor;
	return start(auth);
}
