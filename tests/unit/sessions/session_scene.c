/*
 * The table of sessions in its surroundings (see session_scene.h).
 */
#include "tests/unit/sessions/session_scene.h"

#include "ipc/attach.h"
#include "ipc/base/scope.h"
#include "ipc/gate.h"
#include "policy/sessions/ports.h"
#include "policy/sessions/proxies.h"
#include "policy/sessions/record.h"
#include "policy/sessions/sessions.h"
#include "tests/table.h"
#include "tests/unit/supervisor/sides.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct session_scene *scene;

#define note(...) sides_note(scene->log, sizeof(scene->log), __VA_ARGS__)

/* ---- in the place of the other modules ---- */

uint64_t
supervisor_now_ms(void)
{
	return scene->now_ms;
}

struct gateway *
gateways_find(UNUSED struct gateways *gateways, uint64_t session)
{
	return session >> 32 == INCARNATION ? &scene->gateway : NULL;
}

struct gateway *
gateways_next(UNUSED struct gateways *gateways, const struct gateway *after)
{
	return after == NULL ? &scene->gateway : NULL;
}

struct gateway *
gateway_asking(UNUSED void *owner, uint64_t session)
{
	return gateways_find(NULL, session);
}

void
gateway_refuse(struct process *gateway, uint32_t tag, const struct denial *denial)
{
	const struct gate_refused body = { .error = (uint16_t)denial->error, .why = denial->why };
	assert_int_equal(gate_post_refused(gateway->channel, tag, &body), 0);
}

int
workers_get(UNUSED struct workers *workers, UNUSED const struct account *account,
	struct worker **result, struct denial *denial)
{
	if (scene->is_held)
		return account_deny(denial, REFUSAL_WORKER, EAGAIN, "held");
	*result = &scene->worker;
	return 0;
}

/* Who comes from 127.0.0.2 comes by a proxy, to where proxies are awaited. */
bool
proxies_are_awaited_at(
	UNUSED const struct proxies *proxies, UNUSED const struct wire_address *local)
{
	return scene->is_from_proxy;
}

bool
proxies_include(UNUSED const struct proxies *proxies, const struct wire_address *peer)
{
	return peer->ip[15] == 2 && !scene->is_no_proxy_any_more;
}

void
ports_leave(UNUSED struct ports *ports, uint64_t session)
{
	assert_int_equal(session >> 32, INCARNATION);
	scene->ports_left++;
}

void
worker_doubt(UNUSED struct worker *worker)
{
	note("doubt");
}

void
worker_retire(UNUSED struct worker *worker)
{
	note("retire");
}

void
record_event(UNUSED struct record *record, uint32_t code, UNUSED const void *event)
{
	scene->refusals_recorded += code == EVENT_REFUSED;
}

void
record_notice(UNUSED struct record *record, UNUSED enum severity severity, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(scene->notice, sizeof(scene->notice), format, arguments);
	va_end(arguments);
}

void
process_posted(UNUSED struct process *process, int post_result)
{
	assert_int_equal(post_result, 0);
}

void
process_kill(UNUSED struct process *process, UNUSED const char *why)
{
	note("kill");
}

/* ---- the other ends ---- */

static void
on_attached(UNUSED void *owner, UNUSED struct message *message, const struct gate_attached *body)
{
	note("attached%u", (unsigned)body->session);
}

static void
on_refused(UNUSED void *owner, UNUSED struct message *message, const struct gate_refused *body)
{
	note("refused:%s", refusal_choices.texts[body->why]);
}

static void
on_close_session(
	UNUSED void *owner, UNUSED struct message *message, const struct gate_close_session *body)
{
	note("close%u", (unsigned)body->session);
}

static void
on_abandon(UNUSED void *owner, UNUSED struct message *message, const struct gate_abandon *body)
{
	note("abandon%u", (unsigned)body->session);
}

static void
on_order(UNUSED void *owner, UNUSED struct message *message, const struct attach_attach *body)
{
	assert_int_equal(body->peer.port, 4000);
	note("order%u%s", (unsigned)body->session, body->claimed ? "c" : "");
	if (body->claimed)
		assert_int_equal(body->peer.ip[15], (uint8_t)body->session);
}

static void
on_rights(
	UNUSED void *owner, UNUSED struct message *message, const struct attach_change_rights *body)
{
	note("rights%u", (unsigned)body->session);
}

static void
on_closed(UNUSED void *owner, const char *malformed)
{
	if (malformed != NULL)
		note("malformed");
}

/* A TCP connection from port 4000, as a control connection looks to the supervisor. */
static void
open_control(in_addr_t address, int ends[2])
{
	struct sockaddr_in name = {
		.sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) }, .sin_port = 0
	};
	socklen_t length = sizeof(name);
	int yes = 1;
	SCOPE_FD int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&name, length), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&name, &length), 0);
	ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in from = {
		.sin_family = AF_INET, .sin_addr = { htonl(address) }, .sin_port = htons(4000)
	};
	struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	setsockopt(ends[0], SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	assert_int_equal(bind(ends[0], (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(ends[0], (struct sockaddr *)&name, length), 0);
	ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(ends[1] >= 0);
}

static void
set_option(unsigned option, const char *value)
{
	struct rules_error error = { 0 };
	assert_int_equal(
		config_accept(scene->settings.config, option, bytes_of_text(value), &error), 0);
}

void
session_scene_open(void)
{
	static struct gate_handlers gate_side;
	static struct attach_handlers attach_side;
	sides_fill(&gate_side, sizeof(gate_side));
	sides_fill(&attach_side, sizeof(attach_side));
	gate_side.attached = on_attached;
	gate_side.refused = on_refused;
	gate_side.close_session = on_close_session;
	gate_side.abandon = on_abandon;
	attach_side.attach = on_order;
	attach_side.change_rights = on_rights;
	scene = calloc(1, sizeof(*scene));
	scene->now_ms = 1000000;
	scene->supervisor.base = event_base_new();
	scene->supervisor.settings = &scene->settings;
	scene->gateway.supervisor = &scene->supervisor;
	scene->gateway.incarnation = INCARNATION;
	scene->gateway.service.process = &scene->gateway_process;
	scene->worker.process = &scene->worker_process;
	assert_int_equal(config_create(&scene->settings.config), 0);
	set_option(OPTION_max_sessions, "3");
	set_option(OPTION_max_sessions_per_address, "2");
	set_option(OPTION_session_limit, "100s");
	const struct sides gate = { scene->supervisor.base, &gate_messages, ROLE_GATEWAY,
		&gate_side, sizeof(gate_side), on_closed };
	const struct sides attach = { scene->supervisor.base, &attach_messages, ROLE_WORKER,
		&attach_side, sizeof(attach_side), on_closed };
	sides_open(&gate, &scene->gateway_process.channel, &scene->gateway_side);
	sides_open(&attach, &scene->worker_process.channel, &scene->worker_side);
	assert_int_equal(sessions_new(&scene->supervisor, &scene->supervisor.sessions), 0);
	open_control(INADDR_LOOPBACK, scene->control);
	open_control(INADDR_LOOPBACK + 1, scene->other_control);
}

void
session_scene_close(void)
{
	sessions_drop_gateway(scene->supervisor.sessions, &scene->gateway);
	assert_int_equal(scene->worker.sessions, 0);
	free(scene->supervisor.sessions);
	channel_free(&scene->gateway_process.channel);
	channel_free(&scene->gateway_side);
	channel_free(&scene->worker_process.channel);
	channel_free(&scene->worker_side);
	config_free(&scene->settings.config);
	fd_close(&scene->control[0]);
	fd_close(&scene->control[1]);
	fd_close(&scene->other_control[0]);
	fd_close(&scene->other_control[1]);
	event_base_free(scene->supervisor.base);
	free(scene);
}
