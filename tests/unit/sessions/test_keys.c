/*
 * The link to keys (keys.h), over a real channel to a fake keys: a set of certificates is in force
 * once all of its keys are held, and where a reload does not come to that, the record says so. A
 * row is a history and what comes of it.
 *
 *	r e	keys is ready; it ends, and another is started
 *	a x	it holds a key; it refuses one
 *	R	the certificates are loaded anew
 *
 * Results: key1 (number 1, sent to it), forget1; auth (is told of the set in force); info, warning
 * and error to the record; failed.
 */
#include "ipc/base/scope.h"
#include "ipc/vault.h"
#include "policy/rules/credentials.h"
#include "policy/sessions/auth.h"
#include "policy/sessions/gateways.h"
#include "policy/sessions/keys.h"
#include "policy/sessions/record.h"
#include "policy/supervisor/supervisor.h"
#include "tests/table.h"
#include "tests/unit/supervisor/sides.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static struct scene {
	struct supervisor supervisor;
	struct settings settings;
	struct process process;
	struct channel *side; /* keys' */
	const struct process_duty *duty;
	uint64_t now_ms;
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
supervisor_identity(UNUSED const struct supervisor *supervisor, UNUSED enum role role)
{
	return (struct cage_identity){ .uid = 1 };
}

void
supervisor_service_ready(UNUSED struct supervisor *supervisor)
{
}

void
supervisor_give_up(UNUSED struct supervisor *supervisor, UNUSED const char *who, const char *reason)
{
	fail_msg("%s", reason);
}

struct gateway *
gateways_next(UNUSED struct gateways *gateways, UNUSED const struct gateway *after)
{
	return NULL;
}

void
gateways_blame(
	UNUSED struct gateways *gateways, UNUSED uint32_t incarnation, UNUSED struct bytes rule)
{
	fail_msg("%s", "there is no gateway");
}

void
auth_use_certificates(UNUSED struct auth *auth)
{
	note("auth");
}

void
record_notice(UNUSED struct record *record, enum severity severity, UNUSED const char *format, ...)
{
	note("%s", severity_choices.texts[severity]);
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
	fail_msg("%s", "a violation");
}

void
process_ready(UNUSED struct process *process, UNUSED struct bytes cage)
{
	fail_msg("%s", "ready is called by the test");
}

void
process_answered(UNUSED struct process *process)
{
	fail_msg("%s", "nobody has asked");
}

void
process_failed(UNUSED struct process *process, UNUSED int error, UNUSED struct bytes reason)
{
	note("failed");
}

/* ---- keys ---- */

static void
on_configure(UNUSED void *owner, UNUSED struct message *message,
	UNUSED const struct vault_configure *body)
{
}

static void
on_key(UNUSED void *owner, UNUSED struct message *message, const struct vault_key *body)
{
	note("key%u", body->number);
}

static void
on_forget(UNUSED void *owner, UNUSED struct message *message, const struct vault_forget *body)
{
	note("forget%u", body->number);
}

static void
on_closed(UNUSED void *owner, const char *malformed)
{
	assert_null(malformed);
}

int
process_start(UNUSED struct supervisor *supervisor, const struct process_plan *plan,
	struct process **result)
{
	static struct vault_handlers keys_side;
	int ends[2];
	sides_fill(&keys_side, sizeof(keys_side));
	keys_side.configure = on_configure;
	keys_side.key = on_key;
	keys_side.forget = on_forget;
	struct channel_options options = {
		.base = scene->supervisor.base,
		.messages = &vault_messages,
		.our_role = ROLE_KEYS,
		.peer_role = ROLE_SUPERVISOR,
		.phase = PHASE_STARTING,
		.handlers = &keys_side,
		.closed = on_closed,
	};
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(channel_new(&options, &ends[0], &scene->side), 0);
	options.our_role = ROLE_SUPERVISOR;
	options.peer_role = ROLE_KEYS;
	options.handlers = plan->duty->handlers;
	options.owner = &scene->process;
	scene->process = (struct process){ .supervisor = &scene->supervisor,
		.role = ROLE_KEYS,
		.owner = plan->owner,
		.state = PROCESS_STARTING };
	assert_int_equal(channel_new(&options, &ends[1], &scene->process.channel), 0);
	scene->duty = plan->duty;
	*result = &scene->process;
	return 0;
}

static void
close_channels(void)
{
	channel_free(&scene->process.channel);
	channel_free(&scene->side);
}

/* ---- steps ---- */

/* Two certificates, as the loader hands them over. */
static void
load_certificates(void)
{
	struct credentials *loaded = &scene->settings.credentials;
	credentials_clear(loaded);
	for (int i = 0; i < 2; i++) {
		SCOPE_FD int chain = memfd_create("chain", MFD_CLOEXEC);
		SCOPE_FD int key = memfd_create("key", MFD_CLOEXEC);
		assert_int_equal(credentials_add(loaded, &chain), 0);
		assert_int_equal(credentials_add_key(loaded, bytes_of_text("key"), &key), 0);
	}
}

static void
turn(void)
{
	for (int i = 0; i < 4; i++)
		event_base_loop(scene->supervisor.base, EVLOOP_NONBLOCK);
}

static void
step(char what)
{
	const struct vault_loaded loaded = { .error = bytes_of_text(what == 'x' ? "no key" : "") };
	scene->now_ms += 60000; /* whoever dies is replaced at once */
	switch (what) {
	case 'r':
		scene->process.state = PROCESS_SERVING;
		channel_set_phase(scene->process.channel, PHASE_SERVING);
		channel_set_phase(scene->side, PHASE_SERVING);
		scene->duty->ready(&scene->process);
		break;
	case 'e':
		close_channels();
		scene->duty->ended(&scene->process);
		break;
	case 'a':
	case 'x':
		assert_int_equal(vault_post_loaded(scene->side, 0, &loaded), 0);
		break;
	case 'R':
		load_certificates();
		keys_reload(scene->supervisor.keys);
		break;
	default:
		fail_msg("no step %c", what);
	}
	turn();
}

struct keys_row {
	const char *name;
	const char *steps;
	const char *want;
};

#define START "auth key1 key2 "

static const struct keys_row keys_rows[] = {
	{ "a reload", "raaRaa", START "key3 key4 auth info" },
	{ "two of them: the first one's keys are forgotten", "raaRaaRaa",
		START "key3 key4 auth info key5 key6 auth info forget1 forget2" },
	{ "a reload that is refused", "raaRax", START "key3 key4 error forget3 forget4" },
	{ "a reload while it starts", "Rraa", "auth warning key1 key2" },
	{ "it dies in the middle of a reload", "raaRaeraa", START "key3 key4 warning key1 key2" },
	{ "it dies, and nothing was loaded anew", "raaeraa", START "key1 key2" },
};

static void
check_keys(void **state)
{
	const struct keys_row *row = *state;
	scene = calloc(1, sizeof(*scene));
	scene->supervisor.base = event_base_new();
	scene->supervisor.settings = &scene->settings;
	assert_int_equal(config_create(&scene->settings.config), 0);
	load_certificates();
	assert_int_equal(keys_new(&scene->supervisor, &scene->supervisor.keys), 0);
	turn();
	for (const char *at = row->steps; *at != '\0'; at++)
		step(*at);
	assert_string_equal(scene->log, row->want);
	close_channels();
	credentials_clear(&scene->settings.credentials);
	config_free(&scene->settings.config);
	event_base_free(scene->supervisor.base);
	keys_free(&scene->supervisor.keys);
	free(scene);
}

int
main(void)
{
	const struct table tables[] = { TABLE("keys", keys_rows, check_keys) };
	return table_run(tables, ARRAY_LENGTH(tables));
}
