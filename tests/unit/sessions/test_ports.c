/*
 * Shared passive ports (ports.h): who waits where, and who is handed over. The range is 7001-7003,
 * given in this order. A row is a history and what comes of it.
 *
 *	w1.5    session 1, whose client is 192.0.2.5, wants a port
 *	l1      it leaves it                     x1   the session is not open
 *	k2.5    192.0.2.5 comes to port 7002     K2.5 and to another address of ours
 *	        (those from 192.0.2.100 on are proxies)
 *	q2.5    the same, but it is only found before the next wish is fulfilled
 *
 * Results: port2; refused; arrived1.9, to session 1 for the ninth wish; malformed.
 */
#include "ipc/base/scope.h"
#include "ipc/gate.h"
#include "policy/sessions/gateways.h"
#include "policy/sessions/ports.h"
#include "policy/sessions/proxies.h"
#include "policy/sessions/record.h"
#include "policy/sessions/sessions.h"
#include "policy/supervisor/passive.h"
#include "policy/supervisor/supervisor.h"
#include "tests/table.h"
#include "tests/unit/supervisor/sides.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { INCARNATION = 7, FIRST = 7001, LAST = 7003, SESSIONS = 10 };

static const char any[1];
static const struct proxies *const known_proxies = (const void *)any;

static struct scene {
	struct supervisor supervisor;
	struct gateway gateway;
	struct process gateway_process;
	struct channel *gateway_side;
	uint16_t next;
	int found; /* of the ports, at the start */
	uint8_t clients[SESSIONS];
	uint32_t wishes;
	unsigned queued_port; /* at which somebody knocks before it is served */
	unsigned queued_client;
	unsigned notices;
	char log[512];
} * scene;

#define note(...) sides_note(scene->log, sizeof(scene->log), __VA_ARGS__)

static struct wire_address
address_of(unsigned last, uint16_t port)
{
	return (struct wire_address){
		.ip = { [10] = 0xff, 0xff, 192, 0, 2, (uint8_t)last },
		.port = port,
	};
}

/* ---- in the place of the other modules ---- */

int
passive_new(uint16_t first, uint16_t last, UNUSED struct passive **result)
{
	assert_int_equal(first, FIRST);
	assert_int_equal(last, LAST);
	return 0;
}

int
passive_share(UNUSED struct passive *passive, UNUSED struct event_base *base, passive_knock *knock,
	UNUSED void *owner)
{
	assert_true(knock == ports_knock);
	return scene->found;
}

uint16_t
passive_next_port(UNUSED struct passive *passive)
{
	uint16_t port = scene->next;
	scene->next = port == LAST ? FIRST : port + 1;
	return port;
}

static void
knock(unsigned port, unsigned client, unsigned local)
{
	const struct wire_address from = address_of(client, 5000);
	const struct wire_address to = address_of(local, (uint16_t)(FIRST - 1 + port));
	SCOPE_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ports_knock(scene->gateway.ports, &from, &to, fd);
}

bool
passive_serve(UNUSED const struct passive *passive, uint16_t port)
{
	if (scene->queued_port == port - FIRST + 1u) {
		scene->queued_port = 0;
		knock(port - FIRST + 1u, scene->queued_client, 200);
	}
	return port - FIRST < scene->found;
}

/* Those from 100 on are proxies. */
bool
sessions_find_ends(UNUSED const struct gateway *gateway, uint64_t id, struct session_ends *ends)
{
	unsigned client = scene->clients[(uint32_t)id];
	ends->local = address_of(200, 21);
	ends->peer = address_of(client, 4000);
	ends->is_proxied = client >= 100;
	return client != 0;
}

bool
proxies_include(UNUSED const struct proxies *proxies, const struct wire_address *peer)
{
	return peer->ip[15] >= 100;
}

struct gateway *
gateway_asking(UNUSED void *owner, uint64_t session)
{
	return session >> 32 == INCARNATION ? &scene->gateway : NULL;
}

void
gateway_refuse(struct process *gateway, uint32_t tag, const struct denial *denial)
{
	const struct gate_refused body = { .error = (uint16_t)denial->error, .why = denial->why };
	assert_int_equal(denial->why, REFUSAL_PORTS);
	assert_int_equal(gate_post_refused(gateway->channel, tag, &body), 0);
}

void
process_posted(UNUSED struct process *process, int post_result)
{
	assert_int_equal(post_result, 0);
}

void
record_notice(
	UNUSED struct record *record, UNUSED enum severity severity, UNUSED const char *format, ...)
{
	scene->notices++;
}

/* ---- the gateway ---- */

static void
on_port(UNUSED void *owner, struct message *message, const struct gate_port *body)
{
	assert_int_equal(message->tag, scene->wishes);
	note("port%u", body->number - FIRST + 1u);
}

static void
on_refused(UNUSED void *owner, struct message *message, UNUSED const struct gate_refused *body)
{
	assert_int_equal(message->tag, scene->wishes);
	note("refused");
}

static void
on_arrived(UNUSED void *owner, struct message *message, const struct gate_arrived *body)
{
	assert_int_equal(body->session >> 32, INCARNATION);
	note("arrived%u.%u", (unsigned)body->session, message->tag);
}

static void
on_closed(UNUSED void *owner, const char *malformed)
{
	if (malformed != NULL)
		note("malformed");
}

static void
open_scene(int found)
{
	static struct gate_handlers gate_side;
	sides_fill(&gate_side, sizeof(gate_side));
	gate_side.port = on_port;
	gate_side.refused = on_refused;
	gate_side.arrived = on_arrived;
	scene = calloc(1, sizeof(*scene));
	scene->next = FIRST;
	scene->found = found;
	scene->supervisor.base = event_base_new();
	scene->gateway.service.process = &scene->gateway_process;
	const struct sides sides = { scene->supervisor.base, &gate_messages, ROLE_GATEWAY,
		&gate_side, sizeof(gate_side), on_closed };
	sides_open(&sides, &scene->gateway_process.channel, &scene->gateway_side);
}

static void
close_scene(void)
{
	if (scene->gateway.ports != NULL)
		ports_free(&scene->gateway.ports);
	channel_free(&scene->gateway_process.channel);
	channel_free(&scene->gateway_side);
	event_base_free(scene->supervisor.base);
	free(scene);
}

/* ---- steps ---- */

static void
step(const char *word)
{
	char *end;
	unsigned number = (unsigned)strtoul(word + 1, &end, 10);
	unsigned client = *end == '.' ? (unsigned)strtoul(end + 1, NULL, 10) : 0;
	uint64_t session = (uint64_t)INCARNATION << 32 | number;
	const struct gate_want_port want = { .session = session };
	const struct gate_leave_port leave = { .session = session };
	struct message message = { .descriptor = -1 };
	switch (word[0]) {
	case 'w':
		scene->clients[number] = (uint8_t)client;
		message.tag = ++scene->wishes;
		ports_on_want(&scene->gateway_process, &message, &want);
		break;
	case 'l':
		ports_on_leave(&scene->gateway_process, &message, &leave);
		break;
	case 'e':
		ports_leave(scene->gateway.ports, session);
		break;
	case 'k':
		knock(number, client, 200);
		break;
	case 'K':
		knock(number, client, 201);
		break;
	case 'q':
		scene->queued_port = number;
		scene->queued_client = client;
		break;
	default:
		fail_msg("no step %s", word);
	}
	event_base_loop(scene->supervisor.base, EVLOOP_NONBLOCK);
	event_base_loop(scene->supervisor.base, EVLOOP_NONBLOCK);
}

struct ports_row {
	const char *name;
	const char *steps;
	const char *want;
	int found;
};

static const struct ports_row ports_rows[] = {
	{ "a client comes to its port", "w1.5 k1.5", "port1 arrived1.1", 3 },
	{ "nobody is awaited", "k1.5", "", 3 },
	{ "another client comes", "w1.5 k1.6", "port1", 3 },
	{ "to another port", "w1.5 k2.5", "port1", 3 },
	{ "to another address of ours", "w1.5 K1.5", "port1", 3 },
	{ "a second connection is the gateway's to judge", "w1.5 k1.5 k1.5",
		"port1 arrived1.1 arrived1.1", 3 },
	{ "it has left", "w1.5 l1 k1.5", "port1", 3 },
	{ "it has ended", "w1.5 e1 k1.5", "port1", 3 },
	{ "leaving what it has not", "l1 w1.5 l2 k1.5", "port1 arrived1.1", 3 },
	{ "another port, and the first is left", "w1.5 w1.5 k1.5 k2.5", "port1 port2 arrived1.2",
		3 },
	{ "two clients at one port", "w1.5 w2.6 k1.6 k1.5", "port1 port1 arrived2.2 arrived1.1",
		1 },
	{ "two sessions of one client wait at two ports", "w1.5 w2.5 k2.5 k1.5",
		"port1 port2 arrived2.2 arrived1.1", 3 },
	{ "a third one, and none is left", "w1.5 w2.5 w3.5 k1.5 k2.5",
		"port1 port2 refused arrived1.1 arrived2.2", 2 },
	{ "one leaves, and another one comes", "w1.5 w2.5 l1 w3.5 k1.5",
		"port1 refused port1 arrived3.3", 1 },
	{ "one's own port again", "w1.5 w1.5 k1.5", "port1 port1 arrived1.2", 1 },
	{ "of the session there is nothing", "w1.0 k1.0", "refused", 3 },
	{ "by a proxy, and by another one", "w1.100 k1.100 k1.101", "port1 arrived1.1 arrived1.1",
		3 },
	{ "by a proxy comes nobody else", "w1.100 k1.5", "port1", 3 },
	{ "two by proxies wait at two ports", "w1.100 w2.101 k1.101 k2.100",
		"port1 port2 arrived1.1 arrived2.2", 3 },
	{ "two by proxies, and one port", "w1.100 w2.101", "port1 refused", 1 },
	{ "by a proxy and directly at one port", "w1.100 w2.5 k1.5 k1.100",
		"port1 port1 arrived2.2 arrived1.1", 1 },
	{ "who came before is not taken for the client", "q1.5 w1.5 k1.5", "port1 arrived1.1", 3 },
	{ "who came before for another one is handed over to that", "w2.6 q1.6 w1.5",
		"port1 arrived2.1 port1", 1 },
};

static void
check_ports(void **state)
{
	const struct ports_row *row = *state;
	char steps[128];
	char *rest = steps;
	open_scene(row->found);
	assert_int_equal(
		ports_new(&scene->supervisor, known_proxies, FIRST, LAST, &scene->gateway.ports),
		0);
	assert_int_equal(scene->notices, row->found < 3);
	snprintf(steps, sizeof(steps), "%s", row->steps);
	for (char *word; (word = strsep(&rest, " ")) != NULL;)
		step(word);
	assert_string_equal(scene->log, row->want);
	close_scene();
}

static void
check_none(void **state)
{
	(void)state;
	open_scene(-EADDRINUSE);
	assert_int_equal(
		ports_new(&scene->supervisor, known_proxies, FIRST, LAST, &scene->gateway.ports),
		-EADDRINUSE);
	assert_null(scene->gateway.ports);
	close_scene();
}

static void
check_unshared(void **state)
{
	(void)state;
	open_scene(3);
	step("w1.5");
	assert_string_equal(scene->log, "malformed");
	close_scene();
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("ports", ports_rows, check_ports),
		CASE("none is free", check_none),
		CASE("a gateway asks where ports are not shared", check_unshared),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
