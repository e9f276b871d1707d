/*
 * The link to auth (auth.h), over a real channel to a fake auth: no reload is lost, whatever auth
 * is doing when it comes. A row is a history and what comes of it.
 *
 *	r e	auth is ready; it ends, and another is started
 *	R	the users are loaded anew: L it has taken them, l it refuses them
 *	t	it tells who the user is that it was asked for
 *
 * Results: users (sent to it anew), ask, review; done (the administrator who waits), refused.
 */
#include "ipc/base/scope.h"
#include "policy/sessions/admins.h"
#include "policy/sessions/auth.h"
#include "policy/sessions/gateways.h"
#include "policy/sessions/keys.h"
#include "policy/sessions/record.h"
#include "policy/sessions/sessions.h"
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
	struct channel *side; /* auth's */
	const struct process_duty *duty;
	unsigned to_review; /* users who are there */
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

unsigned
supervisor_cores(void)
{
	return 2;
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

void
gateways_connect_auth(UNUSED struct gateways *gateways)
{
}

const struct credentials *
keys_credentials(UNUSED const struct keys *keys)
{
	return NULL;
}

void
record_notice(
	UNUSED struct record *record, UNUSED enum severity severity, UNUSED const char *format, ...)
{
}

int
record_add_writer(UNUSED struct record *record, UNUSED const struct process *process,
	UNUSED uint32_t incarnation, int *writer_fd)
{
	int ends[2];
	assert_int_equal(channel_pair(ends), 0);
	*writer_fd = ends[0];
	fd_close(&ends[1]);
	return 0;
}

void
admins_reloaded(UNUSED struct admins *admins, struct bytes refusal)
{
	note("%s", refusal.length > 0 ? "refused" : "done");
}

void
sessions_begin_review(UNUSED struct sessions *sessions)
{
	scene->to_review = 2;
}

bool
sessions_next_to_review(UNUSED struct sessions *sessions, struct bytes *host, struct bytes *name)
{
	*host = bytes_of_text("");
	*name = bytes_of_text("ann");
	return scene->to_review > 0 && scene->to_review-- > 0;
}

void
sessions_review(UNUSED struct sessions *sessions, UNUSED struct bytes host,
	UNUSED struct bytes name, UNUSED const struct account_user *user)
{
	note("review");
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
	fail_msg("%s", "nothing fails");
}

void
sessions_identify(UNUSED struct sessions *sessions, UNUSED const struct verdict_identified *body)
{
	fail_msg("%s", "nobody logs in");
}

void
gateways_blame(
	UNUSED struct gateways *gateways, UNUSED uint32_t incarnation, UNUSED struct bytes rule)
{
	fail_msg("%s", "there is no gateway");
}

/* ---- auth ---- */

static void
on_configure(UNUSED void *owner, UNUSED struct message *message,
	UNUSED const struct verdict_configure *body)
{
}

static void
on_record(UNUSED void *owner, UNUSED struct message *message,
	UNUSED const struct verdict_record *body)
{
}

static void
on_users(
	UNUSED void *owner, UNUSED struct message *message, UNUSED const struct verdict_users *body)
{
	note("users");
}

static void
on_ask(UNUSED void *owner, UNUSED struct message *message, UNUSED const struct verdict_ask *body)
{
	note("ask");
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
	static struct verdict_handlers auth_side;
	int ends[2];
	sides_fill(&auth_side, sizeof(auth_side));
	auth_side.configure = on_configure;
	auth_side.record = on_record;
	auth_side.users = on_users;
	auth_side.ask = on_ask;
	struct channel_options options = {
		.base = scene->supervisor.base,
		.messages = &verdict_messages,
		.our_role = ROLE_AUTH,
		.peer_role = ROLE_SUPERVISOR,
		.phase = PHASE_STARTING,
		.handlers = &auth_side,
		.closed = on_closed,
	};
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(channel_new(&options, &ends[0], &scene->side), 0);
	options.our_role = ROLE_SUPERVISOR;
	options.peer_role = ROLE_AUTH;
	options.handlers = plan->duty->handlers;
	options.owner = &scene->process;
	scene->process = (struct process){ .supervisor = &scene->supervisor,
		.role = ROLE_AUTH,
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

static void
turn(void)
{
	for (int i = 0; i < 4; i++)
		event_base_loop(scene->supervisor.base, EVLOOP_NONBLOCK);
}

static void
step(char what)
{
	const struct verdict_users_loaded loaded = { .error = bytes_of_text(
							     what == 'l' ? "line 1" : "") };
	const struct verdict_told told = { .user = { .name = bytes_of_text("ann"),
						   .home = bytes_of_text("/home/ann"),
						   .backend = bytes_of_text("sync"),
						   .path_threads = 4,
						   .sessions_max = 2 } };
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
	case 'R':
		auth_reload(scene->supervisor.auth);
		break;
	case 'L':
	case 'l':
		assert_int_equal(verdict_post_users_loaded(scene->side, 0, &loaded), 0);
		break;
	case 't':
		assert_int_equal(verdict_post_told(scene->side, 0, &told), 0);
		break;
	default:
		fail_msg("no step %c", what);
	}
	turn();
}

struct auth_row {
	const char *name;
	const char *steps;
	const char *want;
};

static const struct auth_row auth_rows[] = {
	{ "a reload", "rttRLtt", "ask review ask review users done ask review ask review" },
	{ "a reload that is refused", "rttRl", "ask review ask review users refused" },
	{ "an answer that nobody asked for", "rttLlRLttL",
		"ask review ask review users done ask review ask review" },
	{ "while it starts: once it is ready", "RrLtt", "users done ask review ask review" },
	{ "twice while it starts", "RRrLtt", "users done ask review ask review" },
	{ "while it starts, and it does not come up: the next has the users of now", "rtteRertt",
		"ask review ask review done done ask review ask review" },
	{ "it dies before it has taken them", "rttRertt",
		"ask review ask review users done ask review ask review" },
	{ "it dies before everybody was asked for", "rttRLtertt",
		"ask review ask review users done ask review ask done ask review ask review" },
};

static void
check_auth(void **state)
{
	const struct auth_row *row = *state;
	scene = calloc(1, sizeof(*scene));
	scene->supervisor.base = event_base_new();
	scene->supervisor.settings = &scene->settings;
	assert_int_equal(config_create(&scene->settings.config), 0);
	SCOPE_FD int users = memfd_create("users", MFD_CLOEXEC);
	assert_int_equal(users_files_add(&scene->settings.users, bytes_of_text(""),
				 bytes_of_text("users"), &users),
		0);
	assert_int_equal(auth_new(&scene->supervisor, &scene->supervisor.auth), 0);
	turn();
	for (const char *at = row->steps; *at != '\0'; at++)
		step(*at);
	assert_string_equal(scene->log, row->want);
	close_channels();
	users_files_clear(&scene->settings.users);
	config_free(&scene->settings.config);
	event_base_free(scene->supervisor.base);
	free(scene->supervisor.auth);
	free(scene);
}

int
main(void)
{
	const struct table tables[] = { TABLE("auth", auth_rows, check_auth) };
	return table_run(tables, ARRAY_LENGTH(tables));
}
