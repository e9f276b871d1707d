/*
 * The supervisor's life (see supervisor.h): start, clock, signals, end. Runs as root, or as an
 * ordinary user. What fails at start is said on standard error and ends it; what fails later is an
 * event, and the service goes on.
 */
#include "policy/supervisor/supervisor.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/sessions/admins.h"
#include "policy/sessions/auth.h"
#include "policy/sessions/gateways.h"
#include "policy/sessions/keys.h"
#include "policy/sessions/record.h"
#include "policy/sessions/sessions.h"
#include "policy/sessions/workers.h"
#include "policy/supervisor/listeners.h"
#include "policy/supervisor/notify.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>

enum { BIND_MS = 10000, DRAIN_MS = 3000, LEAVE_MS = 5000, NOBODY = 65534 };

uint64_t
supervisor_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

unsigned
supervisor_cores(void)
{
	cpu_set_t cores;
	int count = sched_getaffinity(0, sizeof(cores), &cores) == 0 ? CPU_COUNT(&cores) : 1;
	return count < 1 ? 1 : (unsigned)count;
}

struct cage_identity
supervisor_identity(const struct supervisor *supervisor, enum role role)
{
	const struct config *config = supervisor->settings->config;
	const struct value_account *account = role == ROLE_GATEWAY ? &config->gateway_user
					      : role == ROLE_AUTH  ? &config->auth_user
					      : role == ROLE_KEYS  ? &config->keys_user
								   : &config->record_user;
	if (supervisor->own.uid != 0)
		return supervisor->own;
	return (struct cage_identity){ .uid = account->uid, .gid = account->gid };
}

void
supervisor_event(struct supervisor *supervisor, uint32_t code, const void *event)
{
	record_event(supervisor->record, code, event);
}

/* ---- the end ---- */

static void
dismiss(struct supervisor *supervisor, enum role role)
{
	struct process *process;
	LIST_FOREACH(process, &supervisor->processes, link)
	if (process->role == role)
		process_dismiss(process, LEAVE_MS);
}

/*
 * The end in stages, so that each process still finds those that it talks to: gateways, then what
 * serves them, then record, which has written everything when it leaves.
 */
void
supervisor_child_ended(struct supervisor *supervisor)
{
	if (supervisor->stage == STAGE_GATEWAYS && processes_count(supervisor, ROLE_GATEWAY) == 0) {
		supervisor->stage = STAGE_WORKERS;
		dismiss(supervisor, ROLE_WORKER);
		dismiss(supervisor, ROLE_AUTH);
		dismiss(supervisor, ROLE_KEYS);
		dismiss(supervisor, ROLE_LOADER);
	}
	if (supervisor->stage == STAGE_WORKERS && processes_count(supervisor, ROLE_WORKER) == 0 &&
		processes_count(supervisor, ROLE_AUTH) + processes_count(supervisor, ROLE_KEYS) ==
			0) {
		supervisor->stage = STAGE_RECORD;
		dismiss(supervisor, ROLE_RECORD);
		record_close(supervisor->record);
	}
	if (supervisor->stage == STAGE_RECORD && processes_count(supervisor, ROLE_RECORD) == 0)
		event_base_loopbreak(supervisor->base);
}

static void
stop(struct supervisor *supervisor, uint64_t drain_ms)
{
	struct process *process;
	if (supervisor->stage == STAGE_RUN) {
		supervisor->stage = STAGE_GATEWAYS;
		notify_stopping();
		admin_socket_close(supervisor);
		listeners_free(&supervisor->listeners);
		gateways_drain(supervisor->gateways, drain_ms);
		supervisor_child_ended(supervisor);
		return;
	}
	LIST_FOREACH(process, &supervisor->processes, link)
	process_kill(process, "a second signal");
}

void
supervisor_give_up(struct supervisor *supervisor, const char *who, const char *reason)
{
	if (supervisor->stage != STAGE_RUN)
		return;
	fprintf(stderr, "sallyportd: %s%s%s\n", who == NULL ? "" : who, who == NULL ? "" : ": ",
		reason);
	supervisor->exit_status = EXIT_FAILURE;
	stop(supervisor, LEAVE_MS);
}

static void
on_stop(evutil_socket_t signal_number, short what, void *argument)
{
	(void)what;
	stop(argument, signal_number == SIGQUIT ? 0 : DRAIN_MS);
}

/* ---- ready ---- */

/* "{address}" in the banner is where the server can be reached, which the loader cannot know. */
static void
print_banner(const char *banner, const char *addresses)
{
	static const char word[] = "{address}";
	const char *place;
	for (; (place = strstr(banner, word)) != NULL; banner = place + strlen(word))
		printf("%.*s%.*s", (int)(place - banner), banner, (int)strcspn(addresses, ","),
			addresses);
	fputs(banner, stdout);
}

static void
announce(struct supervisor *supervisor)
{
	SCOPE_FREE char *addresses = listeners_text(supervisor->listeners);
	struct cage_report report;
	int error = cage_survey(CAGE_WORKER, &report);
	supervisor->cage = error == 0 ? cage_report_text(&report) : NULL;
	if (addresses == NULL)
		return;
	printf("sallyport: ready on %s\n", addresses);
	if (supervisor->cage != NULL)
		printf("sallyport: cage: %s\n", supervisor->cage);
	print_banner(supervisor->settings->banner, addresses);
	fflush(stdout);
	notify_ready();
}

void
supervisor_service_ready(struct supervisor *supervisor)
{
	if (--supervisor->awaited == 0)
		announce(supervisor);
}

/* ---- start ---- */

static const struct {
	enum cage_role cage;
	enum role role;
} probed[] = {
	{ CAGE_GATEWAY, ROLE_GATEWAY },
	{ CAGE_AUTH, ROLE_AUTH },
	{ CAGE_HASHER, ROLE_AUTH },
	{ CAGE_KEYS, ROLE_KEYS },
	{ CAGE_RECORD, ROLE_RECORD },
	{ CAGE_WORKER, ROLE_WORKER },
};

/* Every cage is tried with forbidden acts before anything is served from it. */
static int
probe_cages(struct supervisor *supervisor)
{
	const struct cage_identity nobody = { .uid = NOBODY, .gid = NOBODY };
	bool required = supervisor->settings->config->cage == CONFIG_CAGE_REQUIRED;
	for (size_t i = 0; i < ARRAY_LENGTH(probed); i++) {
		struct cage_identity identity = supervisor_identity(supervisor, probed[i].role);
		struct cage_report report;
		if (probed[i].role == ROLE_KEYS &&
			supervisor->settings->config->tls == CONFIG_TLS_OFF)
			continue; /* its account need not exist */
		if (probed[i].role == ROLE_WORKER && supervisor->own.uid == 0)
			identity = nobody;
		int error = cage_probe(probed[i].cage, &identity, required, &report);
		if (error == 0)
			continue;
		SCOPE_FREE char *text = cage_report_text(&report);
		supervisor_give_up(supervisor, cage_role_name(probed[i].cage),
			text != NULL ? text : strerror(-error));
		return error;
	}
	return 0;
}

static void
start_services(struct supervisor *supervisor, unsigned gateways)
{
	supervisor->awaited = 2 + gateways;
	int error = admins_new(supervisor, &supervisor->admins);
	if (error == 0)
		error = sessions_new(supervisor, &supervisor->sessions);
	if (error == 0)
		error = workers_new(supervisor, &supervisor->workers);
	if (error == 0)
		error = record_new(supervisor, &supervisor->record);
	if (error == 0)
		error = auth_new(supervisor, &supervisor->auth);
	if (error == 0)
		error = keys_new(supervisor, &supervisor->keys);
	if (error == 0)
		error = gateways_new(supervisor, gateways, &supervisor->gateways);
	if (error < 0)
		supervisor_give_up(supervisor, "cannot start", strerror(-error));
}

static int
open_admin_socket(struct supervisor *supervisor)
{
	int error = admin_socket_open(supervisor);
	if (error < 0)
		supervisor_give_up(supervisor, supervisor->settings->config->admin_socket,
			error == -EADDRINUSE ? "another server answers there, or it is no socket: "
					       "see admin_socket in sallyport.conf(5)"
					     : strerror(-error));
	return error;
}

/* The port may still be held by gateways of a supervisor before us, which are closing theirs. */
static void
open_listeners(struct supervisor *supervisor)
{
	const struct config *config = supervisor->settings->config;
	unsigned gateways = config->gateways != 0 ? (unsigned)config->gateways : supervisor_cores();
	size_t failed;
	int error = listeners_open(supervisor, gateways, &supervisor->listeners, &failed);
	if (error == 0) {
		if (open_admin_socket(supervisor) == 0)
			start_services(supervisor, gateways);
		return;
	}
	uint64_t now_ms = supervisor_now_ms();
	bool is_first = supervisor->bind_until_ms == 0;
	SCOPE_FREE char *text = config_listener_text(config, failed);
	if (error != -EADDRINUSE || (!is_first && now_ms >= supervisor->bind_until_ms)) {
		supervisor_give_up(supervisor, text, strerror(-error));
	} else if (is_first) {
		supervisor->bind_until_ms = now_ms + BIND_MS;
		fprintf(stderr, "sallyportd: %s: %s; trying for %d s\n", text, strerror(-error),
			BIND_MS / 1000);
	}
}

static void
on_first_settings(struct supervisor *supervisor, struct settings *settings, const char *reason)
{
	if (settings == NULL) {
		supervisor_give_up(supervisor, NULL, reason);
		return;
	}
	supervisor->settings = settings;
	if (settings->config->log_directory[0] == '\0' &&
		descriptor_check(STDOUT_FILENO, DESCRIPTOR_OUTPUT) < 0) {
		supervisor_give_up(supervisor, "standard output",
			"the log goes there, and it is a socket or closed: send it to a file or "
			"pipe");
		return;
	}
	if (probe_cages(supervisor) == 0)
		open_listeners(supervisor);
}

/* ---- while it runs ---- */

static void
on_settings(struct supervisor *supervisor, struct settings *settings, const char *reason)
{
	supervisor->loading = false;
	notify_ready();
	if (settings == NULL) {
		record_notice(supervisor->record, SEVERITY_ERROR,
			"configuration refused, the old one stays: %s", reason);
		admins_reloaded(supervisor->admins, bytes_of_text(reason));
		return;
	}
	settings_free(&supervisor->settings);
	supervisor->settings = settings;
	auth_reload(supervisor->auth);
	gateways_reload(supervisor->gateways);
	keys_reload(supervisor->keys);
	record_notice(supervisor->record, SEVERITY_INFO, "configuration loaded");
}

int
supervisor_reload(struct supervisor *supervisor)
{
	if (supervisor->quick)
		return -ENOTSUP;
	if (supervisor->stage != STAGE_RUN || supervisor->gateways == NULL || supervisor->loading)
		return -EBUSY;
	record_reopen(supervisor->record);
	int error = configuration_load(supervisor, on_settings);
	if (error < 0)
		record_notice(supervisor->record, SEVERITY_ERROR,
			"configuration not loaded again: %s", strerror(-error));
	supervisor->loading = error == 0;
	if (supervisor->loading)
		notify_reloading();
	return error;
}

/* A quick start has no file to read again, and ends with its terminal. */
static void
on_hangup(evutil_socket_t signal_number, short what, void *argument)
{
	struct supervisor *supervisor = argument;
	(void)signal_number;
	(void)what;
	if (supervisor_reload(supervisor) == -ENOTSUP)
		stop(supervisor, DRAIN_MS);
}

static void
on_tick(evutil_socket_t fd, short what, void *argument)
{
	struct supervisor *supervisor = argument;
	(void)fd;
	(void)what;
	processes_tick(supervisor);
	if (supervisor->record != NULL)
		record_tick(supervisor->record);
	if (supervisor->stage != STAGE_RUN || supervisor->settings == NULL)
		return;
	if (supervisor->listeners == NULL) {
		open_listeners(supervisor);
		return;
	}
	listeners_tick(supervisor->listeners);
	admin_socket_tick(supervisor);
	admins_tick(supervisor->admins);
	auth_tick(supervisor->auth);
	keys_tick(supervisor->keys);
	gateways_tick(supervisor->gateways);
	sessions_tick(supervisor->sessions);
	workers_tick(supervisor->workers);
}

/* ---- the process ---- */

static const struct launch_program programs[ROLE_COUNT] = {
#define PROGRAM(role, name, place, channel, ping, code, start_ms) \
	[ROLE_##role] = { .file = (name), .folder = (place) },
#include "policy/supervisor/programs.def"
};

/* What touches the file system, and takes from ourselves what is not needed. */
static void
prepare(struct supervisor *supervisor)
{
	const struct cage_options options = { 0 };
	struct cage_report report;
	const char *missing;
	int error = launch_prepare(&supervisor->ground);
	if (error < 0)
		die("no empty folder in /run, /tmp or /dev/shm: %s", strerror(-error));
	memcpy(supervisor->programs, programs, sizeof(programs));
	error = launch_find(supervisor->programs, ARRAY_LENGTH(programs), &missing);
	if (error < 0)
		die("%s: %s", missing, strerror(-error));
	error = cage_enter(CAGE_SUPERVISOR, &options, &report);
	if (error == 0)
		error = cage_close(CAGE_SUPERVISOR, NULL, &report);
	SCOPE_FREE char *text = cage_report_text(&report);
	if (error < 0)
		die("%s", text != NULL ? text : strerror(-error));
}

static int
watch(struct supervisor *supervisor)
{
	static const struct timeval second = { .tv_sec = 1 };
	static const int stopping[] = { SIGINT, SIGTERM, SIGQUIT };
	struct event *event = event_new(supervisor->base, -1, EV_PERSIST, on_tick, supervisor);
	int error = event == NULL ? -ENOMEM : event_add(event, &second);
	event = evsignal_new(supervisor->base, SIGHUP, on_hangup, supervisor);
	if (event == NULL || event_add(event, NULL) < 0)
		error = -ENOMEM;
	for (size_t i = 0; i < ARRAY_LENGTH(stopping); i++) {
		event = evsignal_new(supervisor->base, stopping[i], on_stop, supervisor);
		if (event == NULL || event_add(event, NULL) < 0)
			error = -ENOMEM;
	}
	return error == 0 ? processes_watch(supervisor) : error;
}

int
supervisor_run(char *const *load_arguments, bool quick)
{
	struct supervisor supervisor = {
		.load_arguments = load_arguments,
		.quick = quick,
		.own = { .uid = geteuid(), .gid = getegid() },
	};
	umask(027);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* what a child leaves behind is reaped here */
	prepare(&supervisor);
	supervisor.base = event_base_new();
	if (supervisor.base == NULL || watch(&supervisor) < 0 ||
		configuration_load(&supervisor, on_first_settings) < 0)
		die("cannot start: %s", strerror(errno));
	event_base_dispatch(supervisor.base);
	return supervisor.exit_status;
}
