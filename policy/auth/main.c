/*
 * sallyport-auth: says who somebody is. Runs as its own user with an empty root and no network; of
 * all files it holds the users file, handed over open. Trusts the supervisor's channel (descriptor
 * 3); believes gateways nothing but that somebody typed a name and a password. When the supervisor
 * is gone nobody can be let in, so it leaves; the supervisor restarts it if it dies.
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/auth/accounts.h"
#include "policy/auth/desk.h"
#include "policy/auth/events.h"
#include "policy/cage/cage.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

struct auth {
	struct event_base *base;
	struct channel *supervisor;
	struct events events;
	struct desk *desk; /* NULL before the configuration has come */
	struct verdict_configure defaults;
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

static void
load_accounts(struct auth *auth, int fd)
{
	struct accounts *accounts = NULL;
	char *reason = NULL;
	if (accounts_load(fd, &auth->defaults, &accounts, &reason) < 0)
		fail_to_start(auth, reason);
	desk_set_accounts(auth->desk, &accounts);
}

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
	int error = cage_enter(CAGE_AUTH, &options, &report);
	if (error == 0) {
		start_desk(auth, body);
		load_accounts(auth, message->descriptor);
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
	struct accounts *accounts = NULL;
	SCOPE_FREE char *reason = NULL;
	auth->defaults.file_name = body->file_name;
	int error = accounts_load(message->descriptor, &auth->defaults, &accounts, &reason);
	if (error == 0)
		desk_set_accounts(auth->desk, &accounts);
	const char *text = error == 0 ? "" : reason == NULL ? "out of memory" : reason;
	struct verdict_users_loaded loaded = { .error = bytes_of_text(text) };
	channel_lost(verdict_post_users_loaded(auth->supervisor, message->tag, &loaded));
}

static void
on_ask(void *owner, struct message *message, const struct verdict_ask *body)
{
	struct auth *auth = owner;
	struct verdict_told told;
	struct verdict_stranger stranger = { .name = body->name };
	if (desk_identify(auth->desk, body->name, &told.user) == 0)
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
	.configure = on_configure,
	.users = on_users,
	.ask = on_ask,
	.gateway = on_gateway,
	.record = on_record,
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
	desk_free(&auth.desk);
	events_stop(&auth.events);
	channel_free(&auth.supervisor);
	event_base_free(auth.base);
	return EXIT_SUCCESS;
}
