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
#include "tests/table.h"
#include "tests/unit/sessions/service_scene.h"

#include <stdlib.h>
#include <sys/mman.h>

static unsigned to_review; /* users who are there */

/* ---- in the place of the other modules ---- */

unsigned
supervisor_cores(void)
{
	return 2;
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
	to_review = 2;
}

bool
sessions_next_to_review(UNUSED struct sessions *sessions, struct bytes *host, struct bytes *name)
{
	*host = bytes_of_text("");
	*name = bytes_of_text("ann");
	return to_review > 0 && to_review-- > 0;
}

void
sessions_review(UNUSED struct sessions *sessions, UNUSED struct bytes host,
	UNUSED struct bytes name, UNUSED const struct account_user *user)
{
	note("review");
}

void
sessions_identify(UNUSED struct sessions *sessions, UNUSED const struct verdict_identified *body)
{
	fail_msg("%s", "nobody logs in");
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

/* ---- steps ---- */

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
		service_scene_ready();
		break;
	case 'e':
		service_scene_end();
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
	service_scene_turn();
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
	struct verdict_handlers auth_side;
	sides_fill(&auth_side, sizeof(auth_side));
	auth_side.configure = on_configure;
	auth_side.record = on_record;
	auth_side.users = on_users;
	auth_side.ask = on_ask;
	service_scene_open(&verdict_messages, ROLE_AUTH, &auth_side);
	to_review = 0;
	SCOPE_FD int users = memfd_create("users", MFD_CLOEXEC);
	assert_int_equal(users_files_add(&scene->settings.users, bytes_of_text(""),
				 bytes_of_text("users"), &users),
		0);
	assert_int_equal(auth_new(&scene->supervisor, &scene->supervisor.auth), 0);
	service_scene_turn();
	for (const char *at = row->steps; *at != '\0'; at++)
		step(*at);
	assert_string_equal(scene->log, row->want);
	users_files_clear(&scene->settings.users);
	free(scene->supervisor.auth);
	service_scene_close();
}

int
main(void)
{
	const struct table tables[] = { TABLE("auth", auth_rows, check_auth) };
	return table_run(tables, ARRAY_LENGTH(tables));
}
