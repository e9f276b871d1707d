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
 * and error to the record.
 */
#include "ipc/base/scope.h"
#include "ipc/vault.h"
#include "policy/rules/credentials.h"
#include "policy/sessions/auth.h"
#include "policy/sessions/gateways.h"
#include "policy/sessions/keys.h"
#include "policy/sessions/record.h"
#include "tests/table.h"
#include "tests/unit/sessions/service_scene.h"

#include <sys/mman.h>

/* ---- in the place of the other modules ---- */

struct gateway *
gateways_next(UNUSED struct gateways *gateways, UNUSED const struct gateway *after)
{
	return NULL;
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
step(char what)
{
	const struct vault_loaded loaded = { .error = bytes_of_text(what == 'x' ? "no key" : "") };
	scene->now_ms += 60000; /* whoever dies is replaced at once */
	switch (what) {
	case 'r':
		service_scene_ready();
		break;
	case 'e':
		service_scene_end();
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
	service_scene_turn();
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
	struct vault_handlers keys_side;
	sides_fill(&keys_side, sizeof(keys_side));
	keys_side.configure = on_configure;
	keys_side.key = on_key;
	keys_side.forget = on_forget;
	service_scene_open(&vault_messages, ROLE_KEYS, &keys_side);
	load_certificates();
	assert_int_equal(keys_new(&scene->supervisor, &scene->supervisor.keys), 0);
	service_scene_turn();
	for (const char *at = row->steps; *at != '\0'; at++)
		step(*at);
	assert_string_equal(scene->log, row->want);
	credentials_clear(&scene->settings.credentials);
	keys_free(&scene->supervisor.keys);
	service_scene_close();
}

int
main(void)
{
	const struct table tables[] = { TABLE("keys", keys_rows, check_keys) };
	return table_run(tables, ARRAY_LENGTH(tables));
}
