/*
 * What PASV announces (names.h), between a fake gateway and a fake resolver, with real channels and
 * a clock of its own. A row is a configuration, a history and what comes of it.
 *
 *	F1.7 M1   the resolver finds 192.0.2.7 for the first rule; or nothing
 *	F1.0      it finds an address that is nobody's
 *	E         it ends, of two the older     T60  60 s pass
 *	K N       it cannot be started from now on; it can
 *	S         a gateway starts              R    reload, with the other configuration
 *	C         the server ends
 *
 * Results: ask1.7 (the first rule, known as 192.0.2.7), dismiss, ready; rules.7.8 to the gateway;
 * warning and info to the record; malformed.
 */
#include "ipc/address.h"
#include "ipc/base/scope.h"
#include "ipc/gate.h"
#include "ipc/resolve.h"
#include "policy/sessions/gateways.h"
#include "policy/sessions/names.h"
#include "policy/sessions/record.h"
#include "policy/supervisor/supervisor.h"
#include "tests/table.h"
#include "tests/unit/supervisor/sides.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STARTS_MAX = 8 };

static struct scene {
	struct supervisor supervisor;
	struct settings settings[2];
	uint64_t now_ms;
	struct process gateway;
	struct channel *gateway_side;
	struct process resolvers[STARTS_MAX];
	struct channel *resolver_sides[STARTS_MAX];
	size_t started, ended;
	const struct process_duty *duty;
	bool is_broken;
	struct names *names;
	char log[512];
} * scene;

#define note(...) sides_note(scene->log, sizeof(scene->log), __VA_ARGS__)

/* ---- in the place of the other modules ---- */

uint64_t
supervisor_now_ms(void)
{
	return scene->now_ms;
}

struct cage_identity
supervisor_identity(UNUSED const struct supervisor *supervisor, enum role role)
{
	assert_int_equal(role, ROLE_GATEWAY);
	return (struct cage_identity){ .uid = 1 };
}

void
supervisor_service_ready(UNUSED struct supervisor *supervisor)
{
	note("ready");
}

void
gateways_announce(UNUSED struct gateways *gateways)
{
	names_send(scene->names, &scene->gateway);
}

void
record_notice(UNUSED struct record *record, enum severity severity, UNUSED const char *format, ...)
{
	note("%s", severity_choices.texts[severity]);
}

static void
on_ask(UNUSED void *owner, struct message *message, const struct resolve_ask *body)
{
	assert_true(body->host.length > 0);
	note("ask%u.%u", message->tag, body->known.ip[15]);
}

static void
on_closed(UNUSED void *owner, const char *malformed)
{
	if (malformed != NULL)
		note("malformed");
}

/* The supervisor's side has the handlers that it was given, and the child's says what it hears. */
static void
open_resolver(const struct process_plan *plan, struct process *resolver, struct channel **side)
{
	static struct resolve_handlers child_side;
	int ends[2];
	sides_fill(&child_side, sizeof(child_side));
	child_side.ask = on_ask;
	resolver->owner = plan->owner;
	struct channel_options options = {
		.base = scene->supervisor.base,
		.messages = &resolve_messages,
		.our_role = ROLE_RESOLVER,
		.peer_role = ROLE_SUPERVISOR,
		.phase = PHASE_STARTING,
		.handlers = &child_side,
		.closed = on_closed,
	};
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(channel_new(&options, &ends[0], side), 0);
	options.our_role = ROLE_SUPERVISOR;
	options.peer_role = ROLE_RESOLVER;
	options.handlers = plan->duty->handlers;
	options.owner = resolver;
	assert_int_equal(channel_new(&options, &ends[1], &resolver->channel), 0);
}

int
process_start(UNUSED struct supervisor *supervisor, const struct process_plan *plan,
	struct process **result)
{
	assert_int_equal(plan->role, ROLE_RESOLVER);
	assert_int_equal(plan->identity->uid, 1);
	if (scene->is_broken)
		return -EAGAIN;
	assert_true(scene->started < STARTS_MAX);
	scene->duty = plan->duty;
	*result = &scene->resolvers[scene->started];
	open_resolver(plan, *result, &scene->resolver_sides[scene->started++]);
	return 0;
}

void
process_dismiss(struct process *process, UNUSED uint64_t limit_ms)
{
	note("dismiss");
	channel_free(&process->channel);
}

void
process_posted(UNUSED struct process *process, int post_result)
{
	assert_int_equal(post_result, 0);
}

void
process_violated(
	UNUSED struct process *process, UNUSED uint32_t system_call, UNUSED uint32_t architecture)
{
	note("violated");
}

/* ---- the gateway ---- */

static void
on_rules(UNUSED void *owner, UNUSED struct message *message, const struct gate_passive_rules *body)
{
	struct wire_list list = body->rules;
	struct gate_passive_rule rule;
	char text[128] = "rules";
	size_t length = strlen(text);
	while (wire_list_next(&list, &gate_passive_rule_record, &rule))
		length += (size_t)snprintf(
			text + length, sizeof(text) - length, ".%u", rule.address.ip[15]);
	note("%s", text);
}

/* ---- steps ---- */

static void
turn(void)
{
	event_base_loop(scene->supervisor.base, EVLOOP_NONBLOCK);
	event_base_loop(scene->supervisor.base, EVLOOP_NONBLOCK);
}

static struct channel *
newest(void)
{
	return scene->resolver_sides[scene->started - 1];
}

static void
answer_found(uint32_t tag, unsigned number)
{
	const struct resolve_found found = {
		.address = { .ip = { [10] = 0xff,
				     0xff,
				     number == 0 ? 0 : 192,
				     0,
				     2,
				     (uint8_t)number } },
	};
	assert_int_equal(resolve_post_found(newest(), tag, &found), 0);
}

static void
end_resolver(void)
{
	struct process *resolver = &scene->resolvers[scene->ended];
	assert_true(scene->ended < scene->started);
	channel_free(&resolver->channel);
	channel_free(&scene->resolver_sides[scene->ended++]);
	scene->duty->ended(resolver);
}

static void
step(const char *word)
{
	char *end;
	unsigned number = (unsigned)strtoul(word + 1, &end, 10);
	unsigned last = *end == '.' ? (unsigned)strtoul(end + 1, NULL, 10) : 0;
	const struct resolve_missing missing = { .reason = bytes_of_text("nobody knows") };
	switch (word[0]) {
	case 'F':
		answer_found(number, last);
		break;
	case 'M':
		assert_int_equal(resolve_post_missing(newest(), number, &missing), 0);
		break;
	case 'E':
		end_resolver();
		break;
	case 'T':
		for (; number > 0; number--) {
			scene->now_ms += 1000;
			names_tick(scene->names);
		}
		break;
	case 'K':
	case 'N':
		scene->is_broken = word[0] == 'K';
		break;
	case 'S':
		names_send(scene->names, &scene->gateway);
		break;
	case 'R':
		scene->supervisor.settings = &scene->settings[1];
		names_reload(scene->names);
		break;
	case 'C':
		names_close(scene->names);
		break;
	default:
		fail_msg("no step %s", word);
	}
	turn();
}

struct names_row {
	const char *name;
	const char *rules[2]; /* before and after the reload */
	const char *refresh;
	const char *steps;
	const char *want;
};

#define A "192.0.2.1"
#define H "10.0.0.0/8=h.example"
#define I "i.example"

static const struct names_row names_rows[] = {
	{ "no rules", { "", "" }, "60s", "S T100", "rules" },
	{ "an address", { A, "" }, "60s", "S T100", "rules.1" },
	{ "a name", { I, "" }, "60s", "S F1.7 E S",
		"ask1.0 rules.0 info dismiss rules.7 ready rules.7" },
	{ "two names and an address", { H " 10.0.0.0/7=" A " " I, "" }, "60s", "F3.8 F1.7 E",
		"ask1.0 ask3.0 info rules.0.1.8 info dismiss rules.7.1.8 ready" },
	{ "it is asked for again", { I, "" }, "60s", "F1.7 E T59 T1 F1.7 E",
		"ask1.0 info dismiss rules.7 ready ask1.7 dismiss" },
	{ "another address is told", { I, "" }, "60s", "F1.7 E T60 F1.8 E T60",
		"ask1.0 info dismiss rules.7 ready ask1.7 info dismiss rules.8 ask1.8" },
	{ "once, at the start", { I, "" }, "0", "F1.7 E T1000",
		"ask1.0 info dismiss rules.7 ready" },
	{ "nothing is found at the start", { I, "" }, "0", "M1 E S T59 T1 F1.7 E T1000",
		"ask1.0 warning dismiss ready rules.0 ask1.0 info dismiss rules.7" },
	{ "nothing is found later: the old one stays, and is told once", { I, "" }, "10s",
		"F1.7 E T10 M1 E S T10 M1 E T10 F1.7 E",
		"ask1.0 info dismiss rules.7 ready ask1.7 warning dismiss rules.7 ask1.7 dismiss "
		"ask1.7 info dismiss" },
	{ "an address of nobody is none", { I, "" }, "60s", "F1.0 E",
		"ask1.0 warning dismiss ready" },
	{ "it dies without an answer", { I, "" }, "60s", "E T60 F1.7 E",
		"ask1.0 warning ready ask1.0 info dismiss rules.7" },
	{ "it dies between two answers", { H " " I, "" }, "60s", "F1.7 E",
		"ask1.0 ask2.0 info rules.7.0 warning ready" },
	{ "it cannot be started", { I, "" }, "60s", "F1.7 E K T60 T60 N T60 F1.7 E",
		"ask1.0 info dismiss rules.7 ready warning ask1.7 info dismiss" },
	{ "an answer to nothing", { I, "" }, "60s", "F2.7", "ask1.0 malformed" },
	{ "two answers", { H " " I, "" }, "60s", "F1.7 F1.8",
		"ask1.0 ask2.0 info rules.7.0 malformed" },
	{ "reload: other rules, a name is remembered", { I, A }, "60s", "F1.7 E R T100",
		"ask1.0 info dismiss rules.7 ready rules.1" },
	{ "reload: the name comes in another place", { I, H " " I }, "60s", "F1.7 E R F2.7 F1.8 E",
		"ask1.0 info dismiss rules.7 ready rules.0.7 ask1.0 ask2.7 info dismiss "
		"rules.8.7" },
	{ "reload in the middle", { I, H }, "60s", "R E F1.8",
		"ask1.0 dismiss rules.0 ask1.0 info dismiss rules.8" },
	{ "reload in the middle, to no name", { I, A }, "60s", "R",
		"ask1.0 dismiss ready rules.1" },
	{ "the server ends", { I, "" }, "60s", "F1.7 E C T100",
		"ask1.0 info dismiss rules.7 ready" },
	{ "the server ends in the middle", { I, "" }, "60s", "C E T100", "ask1.0 dismiss" },
};

static void
set_options(struct settings *settings, const char *rules, const char *refresh)
{
	struct rules_error error = { 0 };
	char copy[128];
	char *rest = copy;
	snprintf(copy, sizeof(copy), "%s", rules);
	assert_int_equal(config_create(&settings->config), 0);
	assert_int_equal(config_accept(settings->config, OPTION_passive_address_refresh,
				 bytes_of_text(refresh), &error),
		0);
	for (char *word; (word = strsep(&rest, " ")) != NULL && *word != '\0';)
		if (config_accept(settings->config, OPTION_passive_address, bytes_of_text(word),
			    &error) < 0)
			fail_msg("%s", error.reason);
}

static void
open_scene(const struct names_row *row)
{
	static struct gate_handlers gate_side;
	sides_fill(&gate_side, sizeof(gate_side));
	gate_side.passive_rules = on_rules;
	scene = calloc(1, sizeof(*scene));
	scene->now_ms = 1000000;
	scene->supervisor.base = event_base_new();
	for (size_t i = 0; i < 2; i++)
		set_options(&scene->settings[i], row->rules[i], row->refresh);
	scene->supervisor.settings = &scene->settings[0];
	const struct sides sides = { scene->supervisor.base, &gate_messages, ROLE_GATEWAY,
		&gate_side, sizeof(gate_side), on_closed };
	sides_open(&sides, &scene->gateway.channel, &scene->gateway_side);
	assert_int_equal(names_new(&scene->supervisor, &scene->names), 0);
	turn();
}

static void
close_scene(void)
{
	names_close(scene->names);
	while (scene->ended < scene->started)
		end_resolver();
	names_free(&scene->names);
	channel_free(&scene->gateway.channel);
	channel_free(&scene->gateway_side);
	for (size_t i = 0; i < 2; i++)
		config_free(&scene->settings[i].config);
	event_base_free(scene->supervisor.base);
	free(scene);
}

static void
check_names(void **state)
{
	const struct names_row *row = *state;
	char steps[128];
	char *rest = steps;
	open_scene(row);
	snprintf(steps, sizeof(steps), "%s", row->steps);
	for (char *word; (word = strsep(&rest, " ")) != NULL;)
		step(word);
	assert_string_equal(scene->log, row->want);
	close_scene();
}

int
main(void)
{
	const struct table tables[] = { TABLE("names", names_rows, check_names) };
	return table_run(tables, ARRAY_LENGTH(tables));
}
