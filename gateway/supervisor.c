/*
 * The channel to the supervisor (see supervisor.h). Runs in the gateway, which trusts the
 * supervisor: what breaks a rule here ends this process. When the supervisor dies the gateway goes
 * on with the sessions it has and leaves with the last (DECISIONS 18).
 */
#include "gateway/supervisor.h"

#include "gateway/passive.h"
#include "gateway/reception.h"
#include "gateway/security.h"
#include "gateway/session.h"
#include "gateway/shared.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/remote.h"

#include <errno.h>

/* Until the cage is closed; one supervisor in a process. */
static supervisor_cage *enter_cage;

/* ---- start ---- */

static NORETURN void
fail_start(struct gateway *gateway, const char *reason)
{
	struct gate_failed failed = { .reason = bytes_of_text(reason) };
	channel_lost(gate_post_failed(gateway->supervisor, 0, &failed));
	die("%s", reason);
}

/* Settings, cage, and then only work. */
static void
start(struct gateway *gateway, const struct gate_configure *settings)
{
	SCOPE_FREE char *report = NULL;
	if (gateway_configure(gateway, settings) < 0)
		fail_start(gateway, "out of memory");
	bool kernel_tls = settings->kernel_tls && security_try_kernel(gateway->security);
	if (enter_cage(settings->cage_required, kernel_tls, &report) < 0)
		fail_start(gateway, report == NULL ? "out of memory" : report);
	struct gate_ready ready = { .cage = bytes_of_text(report == NULL ? "" : report) };
	channel_lost(gate_post_ready(gateway->supervisor, 0, &ready));
	channel_set_phase(gateway->supervisor, PHASE_SERVING);
	if (!settings->ports_are_shared)
		passive_fill(gateway->passive);
	reception_update(gateway->reception);
}

static void
on_configure(void *owner, struct message *message, const struct gate_configure *body)
{
	struct gateway *gateway = owner;
	(void)message;
	if (gateway->sessions.buckets != NULL)
		channel_reject(gateway->supervisor, "settings twice");
	else
		start(gateway, body);
}

static void
on_host(void *owner, struct message *message, const struct gate_host *body)
{
	struct gateway *gateway = owner;
	(void)message;
	if (hosts_add(&gateway->hosts, body) < 0)
		fail_start(gateway, "out of memory");
}

static void
on_passive_rules(void *owner, struct message *message, const struct gate_passive_rules *body)
{
	struct gateway *gateway = owner;
	(void)message;
	if (announce_replace(&gateway->announcements, body) < 0)
		die("out of memory");
}

static void
on_proxies(void *owner, struct message *message, const struct gate_proxies *body)
{
	struct gateway *gateway = owner;
	(void)message;
	if (proxies_replace(&gateway->proxies, body) < 0)
		die("out of memory");
}

static void
on_auth(void *owner, struct message *message, const struct gate_auth *body)
{
	(void)body;
	if (login_connect_auth(owner, &message->descriptor) < 0)
		die("cannot use the channel to auth");
}

static void
on_record(void *owner, struct message *message, const struct gate_record *body)
{
	struct gateway *gateway = owner;
	(void)body;
	if (record_connect(gateway, &message->descriptor) < 0)
		die("cannot use the channel to record");
	security_report(gateway->security);
}

static void
on_listener(void *owner, struct message *message, const struct gate_listener *body)
{
	struct gateway *gateway = owner;
	if (reception_add_listener(
		    gateway->reception, &message->descriptor, body->tls, body->is_for_proxies) < 0)
		die("cannot use a listener");
}

/* ---- TLS ---- */

static void
on_keys(void *owner, struct message *message, UNUSED const struct gate_keys *body)
{
	struct gateway *gateway = owner;
	if (security_connect_keys(gateway->security, &message->descriptor) < 0)
		die("cannot use the channel to keys");
}

static void
on_certificate(void *owner, struct message *message, const struct gate_certificate *body)
{
	struct gateway *gateway = owner;
	if (security_add_certificate(gateway->security, body->key, message->descriptor) < 0)
		die("cannot read a certificate");
}

static void
on_staple(void *owner, struct message *message, UNUSED const struct gate_staple *body)
{
	struct gateway *gateway = owner;
	if (security_add_staple(gateway->security, message->descriptor) < 0)
		die("cannot read an OCSP response");
}

static void
on_authority(void *owner, struct message *message, const struct gate_authority *body)
{
	struct gateway *gateway = owner;
	if (security_add_authority(gateway->security, body->is_crl, message->descriptor) < 0)
		die("cannot read what certificates of clients are held to");
}

static void
on_use_certificates(void *owner, UNUSED struct message *message,
	UNUSED const struct gate_use_certificates *body)
{
	struct gateway *gateway = owner;
	if (security_use_certificates(gateway->security) < 0)
		die("cannot use a certificate");
}

/* ---- answers ---- */

/* The session that waits for the answer with this tag; NULL if it has ended meanwhile. */
static struct session *
take_ticket(struct gateway *gateway, uint32_t tag, struct ticket *ticket)
{
	if (!ticket_close(&gateway->tickets, tag, ticket))
		return NULL;
	return session_find(gateway, ticket->session);
}

static void
on_attached(void *owner, struct message *message, const struct gate_attached *body)
{
	struct gateway *gateway = owner;
	struct ticket ticket;
	struct session *session = take_ticket(gateway, message->tag, &ticket);
	if (session == NULL)
		return;
	if (ticket.purpose != TICKET_ATTACH || ticket.session != body->session) {
		channel_reject(gateway->supervisor, "attached what was not asked for");
		return;
	}
	const struct tls_policies policies = { body->tls_data, body->tls_reuse,
		body->tls_upload_end };
	login_attached(session, &policies, &message->descriptor);
}

static void
on_connecting(void *owner, struct message *message, const struct gate_connecting *body)
{
	struct gateway *gateway = owner;
	struct ticket ticket;
	struct session *session = take_ticket(gateway, message->tag, &ticket);
	(void)body;
	if (session == NULL)
		return;
	if (ticket.purpose != TICKET_CONNECT) {
		channel_reject(gateway->supervisor, "connected what was not asked for");
		return;
	}
	data_connecting(session, &message->descriptor);
}

static void
on_passive(void *owner, struct message *message, const struct gate_passive *body)
{
	struct gateway *gateway = owner;
	passive_arrived(gateway->passive, body->port, &message->descriptor);
}

/* The session that waits at a shared port; NULL if it waits there no more. */
static struct session *
find_waiting(struct gateway *gateway, uint32_t tag)
{
	struct ticket ticket;
	if (!ticket_find(&gateway->tickets, tag, &ticket) || ticket.purpose != TICKET_PORT)
		return NULL;
	return session_find(gateway, ticket.session);
}

static void
on_port(void *owner, struct message *message, const struct gate_port *body)
{
	struct session *session = find_waiting(owner, message->tag);
	if (session != NULL)
		shared_given(session, body->number);
}

static void
on_arrived(void *owner, struct message *message, const struct gate_arrived *body)
{
	struct session *session = find_waiting(owner, message->tag);
	if (session != NULL && session->id == body->session)
		shared_arrived(session, &message->descriptor);
}

static void
on_refused(void *owner, struct message *message, const struct gate_refused *body)
{
	struct gateway *gateway = owner;
	struct ticket ticket;
	if (message->tag == 0) {
		passive_refused(gateway->passive);
		return;
	}
	struct session *session = take_ticket(gateway, message->tag, &ticket);
	if (session == NULL)
		return;
	if (ticket.purpose == TICKET_CONNECT)
		data_refused(session, body->why);
	else if (ticket.purpose == TICKET_PORT)
		shared_refused(session);
	else
		login_refused(session, body->why);
}

/* ---- orders ---- */

static void
on_close_session(void *owner, struct message *message, const struct gate_close_session *body)
{
	struct gateway *gateway = owner;
	struct session *session = session_find(gateway, body->session);
	(void)message;
	if (session == NULL)
		return;
	session_reply(session, reply_closing);
	session_end(session, "closed-by-server");
}

static void
on_abandon(void *owner, struct message *message, const struct gate_abandon *body)
{
	struct gateway *gateway = owner;
	struct session *session = session_find(gateway, body->session);
	(void)message;
	if (session != NULL && session->files != NULL)
		remote_abandon(session->files);
}

static void
on_drain(void *owner, struct message *message, const struct gate_drain *body)
{
	(void)message;
	(void)body;
	gateway_leave(owner, true);
}

static void
on_ping(void *owner, struct message *message, const struct gate_ping *body)
{
	struct gateway *gateway = owner;
	(void)body;
	channel_lost(gate_post_pong(gateway->supervisor, message->tag, &(struct gate_pong){ 0 }));
}

static const struct gate_handlers handlers = {
	.configure = on_configure,
	.host = on_host,
	.passive_rules = on_passive_rules,
	.proxies = on_proxies,
	.auth = on_auth,
	.record = on_record,
	.listener = on_listener,
	.keys = on_keys,
	.certificate = on_certificate,
	.staple = on_staple,
	.authority = on_authority,
	.use_certificates = on_use_certificates,
	.attached = on_attached,
	.refused = on_refused,
	.close_session = on_close_session,
	.abandon = on_abandon,
	.passive = on_passive,
	.port = on_port,
	.arrived = on_arrived,
	.connecting = on_connecting,
	.drain = on_drain,
	.ping = on_ping,
};

static void
on_closed(void *owner, const char *malformed)
{
	struct gateway *gateway = owner;
	if (malformed != NULL)
		die("supervisor: %s", malformed);
	channel_free(&gateway->supervisor);
	if (gateway->sessions.buckets == NULL)
		die("the supervisor ended before there were settings");
	gateway_leave(gateway, false);
}

int
supervisor_connect(struct gateway *gateway, int *fd, supervisor_cage *cage)
{
	struct channel_options options = {
		.base = gateway->base,
		.messages = &gate_messages,
		.our_role = ROLE_GATEWAY,
		.peer_role = ROLE_SUPERVISOR,
		.phase = PHASE_STARTING,
		.handlers = &handlers,
		.owner = gateway,
		.closed = on_closed,
	};
	enter_cage = cage;
	return channel_new(&options, fd, &gateway->supervisor);
}

/* ---- requests ---- */

/* A tag for a request of the session; 0 or negative errno. */
static int
open_ticket(struct session *session, enum ticket_purpose purpose, uint32_t *tag)
{
	struct ticket ticket = { .session = session->id, .purpose = purpose };
	if (session->gateway->supervisor == NULL)
		return -EPIPE;
	return ticket_open(&session->gateway->tickets, ticket, tag);
}

int
supervisor_attach(struct session *session)
{
	struct login *login = &session->login;
	struct gate_attach request = {
		.session = session->id,
		.attempt = login->attempt,
		.claimed = session_claim(session),
	};
	int error = open_ticket(session, TICKET_ATTACH, &login->tag);
	if (error < 0)
		return error;
	return gate_post_attach_with(
		session->gateway->supervisor, login->tag, &request, session->stream.fd);
}

int
supervisor_reattach(struct session *session)
{
	struct login *login = &session->login;
	struct gate_reattach request = { .session = session->id };
	int error = open_ticket(session, TICKET_ATTACH, &login->tag);
	if (error < 0)
		return error;
	return gate_post_reattach(session->gateway->supervisor, login->tag, &request);
}

int
supervisor_connect_active(struct session *session, uint16_t port, uint32_t *tag)
{
	struct gate_connect_active request = { .session = session->id, .port = port };
	int error = open_ticket(session, TICKET_CONNECT, tag);
	if (error < 0)
		return error;
	return gate_post_connect_active(session->gateway->supervisor, *tag, &request);
}

int
supervisor_want_passive(struct gateway *gateway)
{
	if (gateway->supervisor == NULL)
		return -EPIPE;
	struct gate_want_passive request = { 0 };
	return gate_post_want_passive(gateway->supervisor, 0, &request);
}

int
supervisor_want_port(struct session *session, uint32_t *tag)
{
	struct gate_want_port request = { .session = session->id };
	int error = open_ticket(session, TICKET_PORT, tag);
	if (error < 0)
		return error;
	return gate_post_want_port(session->gateway->supervisor, *tag, &request);
}

void
supervisor_leave_port(struct session *session)
{
	struct gate_leave_port message = { .session = session->id };
	struct channel *supervisor = session->gateway->supervisor;
	if (supervisor != NULL)
		channel_lost(gate_post_leave_port(supervisor, 0, &message));
}

void
supervisor_want_auth(struct gateway *gateway)
{
	struct gate_want_auth request = { 0 };
	if (gateway->supervisor != NULL)
		channel_lost(gate_post_want_auth(gateway->supervisor, 0, &request));
}

void
supervisor_want_keys(struct gateway *gateway)
{
	struct gate_want_keys request = { 0 };
	if (gateway->supervisor != NULL)
		channel_lost(gate_post_want_keys(gateway->supervisor, 0, &request));
}

void
supervisor_session_closed(struct session *session)
{
	struct gate_session_closed message = { .session = session->id };
	struct channel *supervisor = session->gateway->supervisor;
	if (supervisor != NULL)
		channel_lost(gate_post_session_closed(supervisor, 0, &message));
}

void
supervisor_complain(struct session *session)
{
	struct gate_complain message = { .session = session->id };
	struct channel *supervisor = session->gateway->supervisor;
	if (supervisor != NULL)
		channel_lost(gate_post_complain(supervisor, 0, &message));
}
