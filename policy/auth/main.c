/*
 * sallyport-auth: says who somebody is. Runs as its own user with an empty root and no network; of
 * all files it holds the users file, handed over open. Trusts the supervisor's channel (descriptor
 * 3); believes gateways nothing but that somebody typed a name and a password. When the supervisor
 * is gone nobody can be let in, so it leaves; the supervisor restarts it if it dies.
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/auth/desk.h"
#include "policy/auth/events.h"
#include "policy/cage/cage.h"
#include "policy/rules/config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

/* A virtual host of which was told, until its users are loaded with the server's. */
struct told_host {
	char *name;
	char *file_name;
	int fd; /* -1: it has the server's users */
};

struct auth {
	struct event_base *base;
	struct channel *supervisor;
	struct events events;
	struct desk *desk; /* NULL before the configuration has come */
	struct verdict_configure defaults;
	char *backend; /* to which the defaults point */
	struct trust_files trust, next_trust;
	size_t host_count;
	struct told_host hosts[CONFIG_HOSTS_MAX];
};

NORETURN static void
fail_to_start(struct auth *auth, const char *text)
{
	struct verdict_failed failed = {
		.reason = bytes_of_text(text == NULL ? "out of memory" : text),
	};
	channel_lost(verdict_post_failed(auth->supervisor, 0, &failed));
	exit(EXIT_FAILURE);
}

/* ---- users ---- */

static void
forget_hosts(struct auth *auth)
{
	for (size_t i = 0; i < auth->host_count; i++) {
		free(auth->hosts[i].name);
		free(auth->hosts[i].file_name);
		fd_close(&auth->hosts[i].fd);
	}
	auth->host_count = 0;
}

static int
add_hosts(const struct auth *auth, struct realms *realms, char **reason)
{
	int error = 0;
	for (size_t i = 0; i < auth->host_count && error == 0; i++) {
		const struct told_host *host = &auth->hosts[i];
		const struct accounts_source source = {
			.fd = host->fd,
			.host = bytes_of_text(host->name),
			.file_name = bytes_of_text(host->file_name),
		};
		error = realms_add(realms, &source, &auth->defaults, reason);
	}
	return error;
}

/* All users of all hosts, or none: 0, or negative errno with *reason (NULL: memory is short). */
static int
load_users(struct auth *auth, int fd, char **reason)
{
	struct realms *realms = NULL;
	int error = realms_new(fd, &auth->defaults, &realms, reason);
	if (error == 0)
		error = add_hosts(auth, realms, reason);
	if (error == 0)
		desk_set_realms(auth->desk, &realms);
	realms_free(&realms);
	forget_hosts(auth);
	return error;
}

/* Takes *fd. */
static void
note_host(struct auth *auth, struct bytes name, struct bytes file_name, int *fd)
{
	struct told_host host = {
		.name = bytes_copy_text(name),
		.file_name = bytes_copy_text(file_name),
	};
	if (host.name == NULL || host.file_name == NULL)
		die("out of memory");
	if (auth->host_count == ARRAY_LENGTH(auth->hosts)) {
		free(host.name);
		free(host.file_name);
		channel_reject(auth->supervisor, "too many hosts");
		return;
	}
	host.fd = fd_take(fd);
	auth->hosts[auth->host_count++] = host;
}

static void
on_host(void *owner, struct message *message, const struct verdict_host *body)
{
	int none = -1;
	(void)message;
	note_host(owner, body->name, bytes_of_text(""), &none);
}

static void
on_host_users(void *owner, struct message *message, const struct verdict_host_users *body)
{
	note_host(owner, body->name, body->file_name, &message->descriptor);
}

/* ---- start ---- */

/*
 * The hashers are forked between the two gates of the cage: behind auth's walls, before its filter,
 * and before the users file is read.
 */
static void
start_desk(struct auth *auth, const struct verdict_configure *body)
{
	struct desk_options options = {
		.base = auth->base,
		.events = &auth->events,
		.supervisor = auth->supervisor,
		.processes = body->processes,
		.queue_per_address = body->queue_per_address,
		.queue_total = body->queue_total,
		.trust = &auth->trust,
	};
	int error = desk_new(&options, &auth->desk);
	if (error < 0)
		fail_to_start(auth, strerror(-error));
}

static void
on_configure(void *owner, struct message *message, const struct verdict_configure *body)
{
	struct auth *auth = owner;
	struct cage_options options = { .required = body->cage_required };
	struct cage_report report = { 0 };
	if (auth->desk != NULL) {
		channel_reject(auth->supervisor, "a second configuration");
		return;
	}
	auth->defaults = *body;
	auth->backend = bytes_copy_text(body->backend);
	if (auth->backend == NULL)
		die("out of memory");
	auth->defaults.backend = bytes_of_text(auth->backend); /* it outlives the message */
	int error = cage_enter(CAGE_AUTH, &options, &report);
	if (error == 0) {
		char *reason = NULL;
		start_desk(auth, body);
		if (load_users(auth, message->descriptor, &reason) < 0)
			fail_to_start(auth, reason);
		error = cage_close(CAGE_AUTH, NULL, &report);
	}
	SCOPE_FREE char *text = cage_report_text(&report);
	if (error < 0 || text == NULL)
		fail_to_start(auth, text);
	channel_set_phase(auth->supervisor, PHASE_SERVING);
	struct verdict_ready ready = { .cage = bytes_of_text(text) };
	channel_lost(verdict_post_ready(auth->supervisor, 0, &ready));
}

static void
on_users(void *owner, struct message *message, const struct verdict_users *body)
{
	struct auth *auth = owner;
	SCOPE_FREE char *reason = NULL;
	auth->defaults.file_name = body->file_name;
	int error = load_users(auth, message->descriptor, &reason);
	const char *text = error == 0 ? "" : reason == NULL ? "out of memory" : reason;
	struct verdict_users_loaded loaded = { .error = bytes_of_text(text) };
	channel_lost(verdict_post_users_loaded(auth->supervisor, message->tag, &loaded));
}

/* ---- what certificates of clients are held to ---- */

static void
add_trust(struct auth *auth, enum trust_kind kind, struct message *message)
{
	if (trust_files_add(&auth->next_trust, kind, &message->descriptor) < 0)
		channel_reject(auth->supervisor, "too many files of certificates");
}

static void
on_certificate(void *owner, struct message *message, UNUSED const struct verdict_certificate *body)
{
	add_trust(owner, TRUST_SERVER, message);
}

static void
on_authority(void *owner, struct message *message, const struct verdict_authority *body)
{
	add_trust(owner, body->is_crl ? TRUST_CRL : TRUST_AUTHORITY, message);
}

static void
on_use_certificates(void *owner, UNUSED struct message *message,
	UNUSED const struct verdict_use_certificates *body)
{
	struct auth *auth = owner;
	trust_files_move(&auth->next_trust, &auth->trust);
	if (auth->desk != NULL)
		desk_renew_trust(auth->desk);
}

/* ---- questions ---- */

static void
on_ask(void *owner, struct message *message, const struct verdict_ask *body)
{
	struct auth *auth = owner;
	struct verdict_told told;
	struct verdict_stranger stranger = { .host = body->host, .name = body->name };
	if (desk_identify(auth->desk, body->host, body->name, &told.user) == 0)
		channel_lost(verdict_post_told(auth->supervisor, message->tag, &told));
	else
		channel_lost(verdict_post_stranger(auth->supervisor, message->tag, &stranger));
}

static void
on_gateway(void *owner, struct message *message, const struct verdict_gateway *body)
{
	struct auth *auth = owner;
	if (auth->desk == NULL) {
		channel_reject(auth->supervisor, "a gateway before the configuration");
		return;
	}
	if (desk_add_gateway(auth->desk, body->incarnation, &message->descriptor) < 0)
		die("out of memory");
}

static void
on_record(void *owner, struct message *message, const struct verdict_record *body)
{
	struct auth *auth = owner;
	(void)body;
	if (events_use(&auth->events, &message->descriptor) < 0)
		die("out of memory");
	if (auth->desk != NULL)
		desk_continue(auth->desk);
}

static void
on_ping(void *owner, struct message *message, const struct verdict_ping *body)
{
	struct auth *auth = owner;
	(void)body;
	channel_lost(verdict_post_pong(
		auth->supervisor, message->tag, &(struct verdict_pong){ .nothing = 0 }));
}

static const struct verdict_handlers handlers = {
	.host = on_host,
	.host_users = on_host_users,
	.configure = on_configure,
	.users = on_users,
	.ask = on_ask,
	.gateway = on_gateway,
	.record = on_record,
	.certificate = on_certificate,
	.authority = on_authority,
	.use_certificates = on_use_certificates,
	.ping = on_ping,
};

static void
on_events_drained(void *owner)
{
	struct auth *auth = owner;
	if (auth->desk != NULL)
		desk_continue(auth->desk);
}

static void
on_supervisor_closed(void *owner, const char *malformed)
{
	struct auth *auth = owner;
	if (malformed != NULL)
		die("the supervisor sent %s", malformed);
	event_base_loopbreak(auth->base);
}

int
main(void)
{
	struct auth auth = { 0 };
	int fd = CAGE_CHANNEL_FD;
	ends_set_program("sallyport-auth");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN); /* hashers leave no zombie; their channel tells that they ended */
	auth.base = event_base_new();
	if (auth.base == NULL)
		die("cannot make an event loop");
	auth.events = (struct events){
		.base = auth.base,
		.owner = &auth,
		.drained = on_events_drained,
	};
	struct channel_options options = {
		.base = auth.base,
		.messages = &verdict_messages,
		.our_role = ROLE_AUTH,
		.peer_role = ROLE_SUPERVISOR,
		.phase = PHASE_STARTING,
		.handlers = &handlers,
		.owner = &auth,
		.closed = on_supervisor_closed,
	};
	if (channel_new(&options, &fd, &auth.supervisor) < 0)
		die("descriptor 3 is no channel: this program is started by sallyportd");
	event_base_dispatch(auth.base);
	channel_drain(&auth.events.channel); /* DECISIONS 22 */
	forget_hosts(&auth);
	trust_files_clear(&auth.next_trust);
	trust_files_clear(&auth.trust);
	free(auth.backend);
	desk_free(&auth.desk);
	events_stop(&auth.events);
	channel_free(&auth.supervisor);
	event_base_free(auth.base);
	return EXIT_SUCCESS;
}
