/*
 * sallyport-resolver: looks host names up, one after the other, and ends with its channel. Runs as
 * the gateways' user, in a cage of its own; trusts the supervisor's channel (descriptor 3) and
 * believes nobody else. A question that takes too long ends it, which answers those that are left.
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/resolve.h"
#include "policy/cage/cage.h"
#include "policy/resolver/lookup.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { TIME_S = 20 }; /* for all questions together */

struct resolver {
	struct event_base *base;
	struct channel *channel;
};

static void
on_ask(void *owner, struct message *message, const struct resolve_ask *body)
{
	struct resolver *resolver = owner;
	struct resolve_found found;
	SCOPE_FREE char *host = bytes_copy_text(body->host);
	const char *reason =
		host == NULL ? "out of memory" : lookup_host(host, &body->known, &found.address);
	const struct resolve_missing missing = { .reason = bytes_of_text(
							 reason == NULL ? "" : reason) };
	channel_lost(reason == NULL
			     ? resolve_post_found(resolver->channel, message->tag, &found)
			     : resolve_post_missing(resolver->channel, message->tag, &missing));
}

static void
on_closed(void *owner, const char *malformed)
{
	struct resolver *resolver = owner;
	if (malformed != NULL)
		die("supervisor: %s", malformed);
	event_base_loopbreak(resolver->base);
}

/* It is no failure of ours when nobody answers. */
NORETURN static void
on_alarm(int signal_number)
{
	(void)signal_number;
	_exit(EXIT_SUCCESS);
}

static void
enter_cage(void)
{
	const struct cage_options options = { .required = false };
	struct cage_report report = { 0 };
	int error = cage_enter(CAGE_RESOLVER, &options, &report);
	if (error == 0)
		error = cage_close(CAGE_RESOLVER, NULL, &report);
	SCOPE_FREE char *text = error < 0 ? cage_report_text(&report) : NULL;
	if (error < 0)
		die("%s", text != NULL ? text : strerror(-error));
}

int
main(void)
{
	static const struct resolve_handlers handlers = { .ask = on_ask };
	struct resolver resolver = { .base = event_base_new() };
	int fd = CAGE_CHANNEL_FD;
	const struct channel_options options = {
		.base = resolver.base,
		.messages = &resolve_messages,
		.our_role = ROLE_RESOLVER,
		.peer_role = ROLE_SUPERVISOR,
		.phase = PHASE_SERVING,
		.handlers = &handlers,
		.owner = &resolver,
		.closed = on_closed,
	};
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* nobody waits for an answer then */
	signal(SIGALRM, on_alarm);
	alarm(TIME_S);
	if (resolver.base == NULL || channel_new(&options, &fd, &resolver.channel) < 0)
		die("descriptor %d is no channel: this program is for sallyportd to start", fd);
	enter_cage();
	event_base_dispatch(resolver.base);
	channel_free(&resolver.channel);
	event_base_free(resolver.base);
	return EXIT_SUCCESS;
}
