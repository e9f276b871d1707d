/*
 * Shared passive ports (see ports.h). Runs in the supervisor as root. Gateways say for which of
 * their sessions a port is, and nothing else: port, peer and local address are ours. Strangers may
 * come to any port at any time: nobody waits for them, and their connections are closed.
 */
#include "policy/sessions/ports.h"

#include "ipc/address.h"
#include "ipc/base/ends.h"
#include "policy/sessions/gateways.h"
#include "policy/sessions/proxies.h"
#include "policy/sessions/record.h"
#include "policy/sessions/sessions.h"
#include "policy/supervisor/passive.h"
#include "policy/supervisor/supervisor.h"

#include <search.h>
#include <stdlib.h>

/* A session that waits at a port. */
struct waiting {
	uint64_t session;         /* first: what one tree compares */
	struct wire_address peer; /* with our port: what the other compares */
	struct wire_address local;
	struct gateway *gateway;
	uint32_t tag; /* of its want_port */
	LIST_ENTRY(waiting) link;
};
LIST_HEAD(waiting_list, waiting);

struct ports {
	struct supervisor *supervisor;
	const struct proxies *proxies;
	struct passive *passive;
	uint32_t count;
	void *by_session; /* tsearch(3) */
	void *by_place;
	struct waiting_list all;
};

/*
 * Stands for the peer of a session that came by a proxy. A proxy may have many addresses; whom it
 * brings is said by a header, which a gateway reads.
 */
static const struct wire_address any_proxy;

static int
compare_sessions(const void *left, const void *right)
{
	const uint64_t *a = left;
	const uint64_t *b = right;
	return *a < *b ? -1 : *a > *b;
}

static int
compare_places(const void *left, const void *right)
{
	const struct waiting *a = left;
	const struct waiting *b = right;
	if (a->peer.port != b->peer.port)
		return a->peer.port < b->peer.port ? -1 : 1;
	if (a->peer.scope != b->peer.scope)
		return a->peer.scope < b->peer.scope ? -1 : 1;
	return memcmp(a->peer.ip, b->peer.ip, sizeof(a->peer.ip));
}

/* Whoever waits at that port for that peer, or NULL. */
static struct waiting *
find_at(const struct ports *ports, uint16_t port, const struct wire_address *peer)
{
	struct waiting place = { .peer = *peer };
	place.peer.port = port;
	struct waiting *const *node = tfind(&place, &ports->by_place, compare_places);
	return node == NULL ? NULL : *node;
}

void
ports_leave(struct ports *ports, uint64_t session)
{
	struct waiting *const *node =
		ports == NULL ? NULL : tfind(&session, &ports->by_session, compare_sessions);
	struct waiting *waiting = node == NULL ? NULL : *node;
	if (waiting == NULL)
		return;
	tdelete(waiting, &ports->by_session, compare_sessions);
	tdelete(waiting, &ports->by_place, compare_places);
	LIST_REMOVE(waiting, link);
	free(waiting);
}

static int
add(struct ports *ports, const struct waiting *added)
{
	struct waiting *waiting = malloc(sizeof(*waiting));
	if (waiting == NULL)
		return -ENOMEM;
	*waiting = *added;
	if (tsearch(waiting, &ports->by_session, compare_sessions) == NULL) {
		free(waiting);
		return -ENOMEM;
	}
	if (tsearch(waiting, &ports->by_place, compare_places) == NULL) {
		tdelete(waiting, &ports->by_session, compare_sessions);
		free(waiting);
		return -ENOMEM;
	}
	LIST_INSERT_HEAD(&ports->all, waiting, link);
	return 0;
}

/*
 * A port at which nobody waits for that peer; those who have come there before are seen off first.
 * -EADDRINUSE: there is none.
 */
static int
choose(const struct ports *ports, const struct wire_address *peer, uint16_t *port)
{
	/* The rest of this round and all of the next: none is left out. */
	for (uint32_t i = 0; i < 2 * ports->count; i++) {
		*port = passive_next_port(ports->passive);
		if (find_at(ports, *port, peer) == NULL && passive_serve(ports->passive, *port))
			return 0;
	}
	return -EADDRINUSE;
}

static int
wait_for(struct ports *ports, struct waiting *waiting)
{
	uint16_t port;
	struct session_ends ends;
	ensure(ports != NULL);
	if (!sessions_find_ends(waiting->gateway, waiting->session, &ends))
		return -ENOENT;
	waiting->local = ends.local;
	waiting->peer = ends.is_proxied ? any_proxy : ends.peer;
	ports_leave(ports, waiting->session);
	int error = choose(ports, &waiting->peer, &port);
	if (error < 0)
		return error;
	waiting->peer.port = port;
	return add(ports, waiting);
}

void
ports_on_want(void *owner, struct message *message, const struct gate_want_port *body)
{
	struct process *process = owner;
	struct waiting waiting = {
		.session = body->session,
		.gateway = gateway_asking(owner, body->session),
		.tag = message->tag,
	};
	if (waiting.gateway == NULL)
		return;
	if (waiting.gateway->ports == NULL) {
		channel_reject(process->channel, "ports are not shared");
		return;
	}
	int error = wait_for(waiting.gateway->ports, &waiting);
	const struct denial denial = { .why = REFUSAL_PORTS, .error = -error };
	const struct gate_port answer = { .number = waiting.peer.port };
	if (error < 0)
		gateway_refuse(process, message->tag, &denial);
	else
		process_posted(process, gate_post_port(process->channel, message->tag, &answer));
}

void
ports_on_leave(void *owner, UNUSED struct message *message, const struct gate_leave_port *body)
{
	struct gateway *gateway = gateway_asking(owner, body->session);
	if (gateway != NULL)
		ports_leave(gateway->ports, body->session);
}

/* To an address of ours that is not the session's: as in a gateway, that is somebody else. */
void
ports_knock(void *owner, const struct wire_address *peer, const struct wire_address *local, int fd)
{
	struct ports *ports = owner;
	const struct waiting *waiting = find_at(ports, local->port, peer);
	if (waiting == NULL && ports->proxies != NULL && proxies_include(ports->proxies, peer))
		waiting = find_at(ports, local->port, &any_proxy);
	if (waiting == NULL || !address_is_same_host(local, &waiting->local))
		return;
	struct process *gateway = waiting->gateway->service.process;
	const struct gate_arrived body = { .session = waiting->session };
	if (gateway != NULL)
		process_posted(
			gateway, gate_post_arrived_with(gateway->channel, waiting->tag, &body, fd));
}

int
ports_new(struct supervisor *supervisor, const struct proxies *proxies, uint16_t first,
	uint16_t last, struct ports **result)
{
	struct ports *ports = calloc(1, sizeof(*ports));
	if (ports == NULL)
		return -ENOMEM;
	*ports = (struct ports){
		.supervisor = supervisor, .proxies = proxies, .count = last - first + 1u
	};
	int found = passive_new(first, last, &ports->passive);
	if (found == 0)
		found = passive_share(ports->passive, supervisor->base, ports_knock, ports);
	if (found < 0) {
		free(ports);
		return found;
	}
	if ((uint32_t)found < ports->count)
		record_notice(supervisor->record, SEVERITY_WARNING,
			"passive_ports: %u of %u are taken by another program",
			ports->count - (uint32_t)found, ports->count);
	*result = ports;
	return 0;
}

static void
forget(UNUSED void *waiting)
{
}

void
ports_free(struct ports **ports)
{
	tdestroy((*ports)->by_place, forget);
	tdestroy((*ports)->by_session, free);
	free(*ports);
	*ports = NULL;
}
