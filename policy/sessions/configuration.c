/*
 * The parent's side of the loader (see configuration.h). Runs in the supervisor as root. Holds the
 * loader's values to the same rows as the loader did: a wrong value is a broken loader, whose
 * settings are dropped whole.
 */
#include "policy/sessions/configuration.h"

#include "ipc/base/scope.h"
#include "ipc/loader.h"
#include "policy/supervisor/active.h"
#include "policy/supervisor/processes.h"
#include "policy/supervisor/supervisor.h"

#include <stdio.h>

enum { LEAVE_MS = 5000 };

/* One load. */
struct load {
	void (*done)(struct supervisor *supervisor, struct settings *settings, const char *reason);
	struct settings *settings;
	bool finished;
};

void
settings_free(struct settings **settings)
{
	struct settings *freed = *settings;
	*settings = NULL;
	if (freed == NULL)
		return;
	config_free(&freed->config);
	users_files_clear(&freed->users);
	credentials_clear(&freed->credentials);
	free(freed->banner);
	free(freed);
}

static void
on_violation(void *owner, UNUSED struct message *message, const struct loader_violation *body)
{
	process_violated(owner, body->system_call, body->architecture);
}

static void
on_option(void *owner, UNUSED struct message *message, const struct loader_option *body)
{
	struct process *process = owner;
	struct load *load = process->owner;
	struct rules_error error = { 0 };
	if (config_accept(load->settings->config, body->number, body->value, &error) < 0)
		channel_reject(process->channel, "an option with a wrong value");
	rules_error_free(&error);
}

static void
on_users_file(void *owner, struct message *message, const struct loader_users_file *body)
{
	struct process *process = owner;
	struct load *load = process->owner;
	if (users_files_add(
		    &load->settings->users, body->host, body->file_name, &message->descriptor) < 0)
		channel_reject(process->channel, "a users file too many");
}

static struct credentials *
credentials_of(const struct process *process)
{
	struct load *load = process->owner;
	return &load->settings->credentials;
}

static void
on_certificate(void *owner, struct message *message, UNUSED const struct loader_certificate *body)
{
	const struct process *process = owner;
	if (credentials_add(credentials_of(process), &message->descriptor) < 0)
		channel_reject(process->channel, "a certificate too many");
}

static void
on_key(void *owner, struct message *message, const struct loader_key *body)
{
	const struct process *process = owner;
	if (credentials_add_key(credentials_of(process), body->file_name, &message->descriptor) < 0)
		channel_reject(process->channel, "a key without a certificate");
}

static void
on_staple(void *owner, struct message *message, UNUSED const struct loader_staple *body)
{
	const struct process *process = owner;
	if (credentials_add_staple(credentials_of(process), &message->descriptor) < 0)
		channel_reject(process->channel, "an OCSP response without a certificate");
}

static void
on_authority(void *owner, struct message *message, const struct loader_authority *body)
{
	const struct process *process = owner;
	if (credentials_add_authority(credentials_of(process), body->is_crl, &message->descriptor) <
		0)
		channel_reject(process->channel, "a file of authorities too many");
}

static void
on_banner(void *owner, UNUSED struct message *message, const struct loader_banner *body)
{
	struct process *process = owner;
	struct load *load = process->owner;
	char *longer;
	if (asprintf(&longer, "%s%.*s\n", load->settings->banner, (int)body->line.length,
		    body->line.data) < 0)
		return;
	free(load->settings->banner);
	load->settings->banner = longer;
}

static void
on_failed(void *owner, UNUSED struct message *message, const struct loader_failed *body)
{
	process_failed(owner, EINVAL, body->reason);
	process_dismiss(owner, LEAVE_MS);
}

/* What the system does not let us do, in words for the operator; NULL: nothing. */
static const char *
find_obstacle(const struct config *config)
{
	switch (active_check_source((uint16_t)config->active_source_port)) {
	case 0:
		return NULL;
	case -EACCES:
		return "active_source_port: a port below 1024 needs root or CAP_NET_BIND_SERVICE";
	case -EADDRINUSE:
		return "active_source_port: another program holds that port";
	default:
		return "active_source_port: that port cannot be bound";
	}
}

static void
on_finished(void *owner, UNUSED struct message *message, UNUSED const struct loader_finished *body)
{
	struct process *process = owner;
	struct load *load = process->owner;
	struct rules_error error = { 0 };
	const char *reason = find_obstacle(load->settings->config);
	if (reason != NULL)
		process_failed(process, EINVAL, bytes_of_text(reason));
	load->finished = reason == NULL &&
			 users_files_match(&load->settings->users, load->settings->config) &&
			 credentials_are_whole(&load->settings->credentials) &&
			 config_check(load->settings->config, &error) == 0;
	rules_error_free(&error);
	process_dismiss(process, LEAVE_MS);
}

static const struct loader_handlers handlers = {
	.violation = on_violation,
	.option = on_option,
	.users_file = on_users_file,
	.certificate = on_certificate,
	.key = on_key,
	.staple = on_staple,
	.authority = on_authority,
	.banner = on_banner,
	.failed = on_failed,
	.finished = on_finished,
};

static void
on_ended(struct process *process)
{
	struct load *load = process->owner;
	struct settings *settings = NULL;
	if (load->finished && process->expected) {
		settings = load->settings;
		load->settings = NULL;
	}
	load->done(process->supervisor, settings, process_how(process));
	settings_free(&load->settings);
	free(load);
}

static const struct process_duty duty = { .handlers = &handlers, .ended = on_ended };

static struct settings *
settings_new(void)
{
	struct settings *settings = calloc(1, sizeof(*settings));
	if (settings == NULL)
		return NULL;
	settings->banner = strdup("");
	if (settings->banner == NULL || config_create(&settings->config) < 0)
		settings_free(&settings);
	return settings;
}

int
configuration_load(struct supervisor *supervisor,
	void (*done)(struct supervisor *supervisor, struct settings *settings, const char *reason))
{
	struct load *load = calloc(1, sizeof(*load));
	if (load == NULL)
		return -ENOMEM;
	*load = (struct load){ .done = done, .settings = settings_new() };
	struct process *process;
	const struct process_plan plan = {
		.role = ROLE_LOADER,
		.duty = &duty,
		.owner = load,
		.user = bytes_of_text(""),
		.arguments = supervisor->load_arguments,
	};
	int error = load->settings == NULL ? -ENOMEM : process_start(supervisor, &plan, &process);
	if (error < 0) {
		settings_free(&load->settings);
		free(load);
	}
	return error;
}
